"""
How files that were written, and people's lists, print.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words.nearest import nearest


def file(answer: Answer) -> list[str]:
    """Print where a file was written."""
    number = answer["rows"]
    return [f"{answer['path']}: {layout.count(number, number, 'rows')}, sha256 {answer['sha256']}"]


def reconciled(answer: Answer) -> list[str]:
    """Print how people's list compares with the machines."""
    lines = _mapping(answer, "not compared")
    if answer["rows"]:
        lines += [*layout.table(answer), ""]
    lines.append("  ".join(f"{status} {number}" for status, number in answer["counts"].items()))
    if answer["written"]:
        lines.append(f"{answer['written']['path']}: sha256 {answer['written']['sha256']}")
    return lines


def imported(answer: Answer) -> list[str]:
    """Print what was imported, and each row that was not."""
    counts = ", ".join(f"{number} {word}" for word, number in answer["counts"].items())
    lines = _mapping(answer, "not kept")
    if answer["rows"]:
        lines += [*layout.table(answer), ""]
    lines.append(f"{answer['source']}: {counts}")
    if answer["others"]:
        # The slip that would make a second list of the same machines.
        near = nearest(answer["source"], answer["others"])
        meant = f"; did you mean source={near!r}?" if near else ""
        others = ", ".join(answer["others"])
        lines.append(f"{answer['source']} is a new list; there are: {others}{meant}")
    if answer["test"]:
        lines.append("nothing was kept; import the list without test=True")
    return lines


def _mapping(answer: Answer, left_out: str) -> list[str]:
    """Return which sheets of somebody's list were read, and what each heading was taken for."""
    lines = []
    if len(answer["sheets"]) > 1:
        found = (layout.count(n, n, f"rows of {title}") for title, n in answer["sheets"].items())
        lines.append(", ".join(found))
    for reason in dict.fromkeys(answer["unread"].values()):
        titles = (title for title, why in answer["unread"].items() if why == reason)
        lines.append(f"not read: {', '.join(titles)}: {reason}")
    lines += layout.columns(
        [[heading, "is", field] for heading, field in answer["mapping"].items()]
    )
    ignored = ", ".join(answer["ignored"])
    return [*lines, *([f"{left_out}: {ignored}"] if ignored else []), ""]
