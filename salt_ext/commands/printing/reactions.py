"""
How permissions for reactions print.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer


def permission(answer: Answer) -> list[str]:
    """Print whether something may be done to a machine, or why not."""
    would = "would be " if answer["test"] else ""
    about = f"{answer['name']}  {answer['action']} {would}"
    if not answer["is_permitted"]:
        return [f"{about}refused: {answer['why']}"]
    return [f"{about}permitted since {layout.instant(answer['since'])}"]


def released(answer: Answer) -> list[str]:
    """Print that something is done to a machine no more, or was not done any more."""
    if not answer["was_held"]:
        return [f"{answer['name']}  {answer['action']} was over already"]
    would = "would be " if answer["test"] else ""
    at = layout.instant(answer["released_at"])
    return [f"{answer['name']}  {answer['action']} {would}released at {at}"]


def reset(answer: Answer) -> list[str]:
    """Print the waves that a person has looked into."""
    would = "would be " if answer["test"] else ""
    lines = [
        f"{one['machines']:,} machines that lost {one['path']}: reactions {would}permitted again"
        for one in answer["waves"]
    ]
    return lines or ["the brake was not tripped"]
