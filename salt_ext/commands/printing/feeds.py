"""
How the inventory for other programs prints: as it is, or where it was written.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer


def inventory(answer: Answer) -> list[str]:
    """Print the inventory itself, so that it can be redirected, or the file that has it."""
    if "body" in answer:
        lines: list[str] = answer["body"].removesuffix("\n").split("\n")
        return lines
    number = answer["machines"]
    told = layout.count(number, number, "machines")
    left = f", {answer['left_out']} left out" if answer["left_out"] else ""
    return [f"{answer['path']}: {told}{left}{'' if answer['is_new'] else ', nothing changed'}"]
