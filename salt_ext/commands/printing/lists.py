"""
How files that were written, and people's lists, print.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer


def file(answer: Answer) -> list[str]:
    """Print where a file was written."""
    number = answer["rows"]
    return [f"{answer['path']}: {layout.count(number, number, 'rows')}, sha256 {answer['sha256']}"]


def reconciled(answer: Answer) -> list[str]:
    """Print how people's list compares."""
    lines = _mapping(answer)
    if answer["rows"]:
        lines += [*layout.table(answer), ""]
    lines.append("  ".join(f"{status} {number}" for status, number in answer["counts"].items()))
    if answer["written"]:
        lines.append(f"{answer['written']['path']}: sha256 {answer['written']['sha256']}")
    return lines


def imported(answer: Answer) -> list[str]:
    """Print what was imported."""
    counts = ", ".join(f"{number} {word}" for word, number in answer["counts"].items())
    return [*_mapping(answer), f"{answer['source']}: {counts}"]


def _mapping(answer: Answer) -> list[str]:
    """Return what the headings of somebody's list were taken for."""
    taken = [[heading, "is", field] for heading, field in answer["mapping"].items()]
    ignored = ", ".join(answer["ignored"])
    return [*layout.columns(taken), *([f"not compared: {ignored}"] if ignored else []), ""]
