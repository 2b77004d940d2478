"""
How problems, identities and decisions print.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words.called import called


def identity(answer: Answer) -> list[str]:
    """Print the identifiers of an asset, and the decisions about it."""
    lines = [f"{called(answer)}  {answer['id']}", "", "identifiers"]
    columns = [
        "kind",
        "value",
        "source",
        "quality",
        "shared",
        "disowned",
        "first_seen",
        "last_seen",
    ]
    rows = [[row[name] for name in columns] for row in answer["identifiers"]]
    lines += [f"  {line}" for line in layout.grid(columns, rows)]
    lines += ["", f"decisions ({layout.in_zone()})" if answer["decisions"] else "decisions"]
    for row in answer["decisions"]:
        lines.append(
            f"  {layout.time(row['decided_at'])}  {row['decided_by']}  {row['action']}"
            f"  as {row['minion_id']}: {row['reason']}"
        )
    if answer["more"]:
        lines.append("  … and more with a larger limit=")
    return lines if answer["decisions"] else [*lines, "  none"]


def choices(answer: Answer) -> list[str]:
    """Print what may be decided about a held report."""
    lines = [f"the report of {answer['minion_id']}: what may be decided"]
    for one in answer["choices"]:
        subject = f"  as={one['subject']['id']}" if one["subject"] else ""
        lines += ["", f"{one['choice']}{subject}", *(f"  {say}" for say in one["says"])]
    decide = f"decide by adding report={answer['report']} reason='...' test=False"
    return [*lines, "", f"nothing was done; {decide}"]


def ruled_many(answer: Answer) -> list[str]:
    """Print what was decided about many held reports, or would be."""
    lines = []
    for one in answer["reports"]:
        lines += [f"{one['minion_id']}  {one['status']}", *(f"  {say}" for say in one["says"])]
    left = sum(one["status"] == "left out" for one in answer["reports"])
    done = answer["total"] - left
    verb = "would be decided" if answer["test"] else "decided"
    lines += ["", f"{done} {verb}: {answer['choice']}; {left} left out"]
    if answer["test"] and done:
        lines.append("nothing was done; decide by adding reason='...' test=False")
    return lines


def ruled(answer: Answer) -> list[str]:
    """Print what was decided."""
    outcome = answer["outcome"]
    return [f"{outcome['minion_id']} is {outcome['status']}: {outcome['detail']}"]


def problem(answer: Answer) -> list[str]:
    """Print a problem with its traceback."""
    row = answer["problem"]
    return [
        f"{row['minion_id']}  {row['kind']} {row['subject']}",
        f"  {row['message']}",
        f"  first {layout.instant(row['first_seen'])}, last {layout.instant(row['last_seen'])},"
        f" {row['count']} times",
        *(f"  {line}" for line in row["traceback"].splitlines()),
    ]
