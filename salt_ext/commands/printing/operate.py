"""
How the state of the store and of this master prints.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words import values


def checks(answer: Answer) -> list[str]:
    """Return a line for each check, and below it what to do."""
    width = max(len(one["check"]) for one in answer["checks"])
    lines = []
    for one in answer["checks"]:
        lines.append(f"{one['status']:<4}  {one['check']:<{width}}  {one['detail']}")
        lines += [f"      {one['hint']}"] if one["hint"] else []
    return lines


def stats(answer: Answer) -> list[str]:
    """Print how large the store is and how busy."""
    columns = ["table", "rows", "table_bytes", "index_bytes"]
    heard, changed = answer["heard_last_hour"], answer["changed_last_hour"]
    failing = ["collector", "machines", "errors", "last_seen"]
    lines = [
        *layout.grid(columns, [[row[name] for name in columns] for row in answer["tables"]]),
        f"{values.binary(answer['database_bytes'])} in all",
        f"{layout.count(heard, heard, 'machines')} heard in the last hour;"
        f" reports with something new: {changed} in the last hour,"
        f" {answer['changed_last_day']} in the last day",
        f"open problems: {answer['open_problems']}, held reports: {answer['held_reports']},"
        f" waiting in the inbox: {answer['inbox_reports']}",
    ]
    if not answer["collectors"]:
        return [*lines, "no collector fails"]
    rows = [[row[name] for name in failing] for row in answer["collectors"]]
    return [*lines, "", *layout.grid(failing, rows)]


def steps(answer: Answer) -> list[str]:
    """Print the steps of a migration."""
    if not answer["steps"]:
        return ["the schema is up to date"]
    done = "would be taken" if answer["test"] else "taken"
    number = len(answer["steps"])
    count = layout.count(number, number, "steps")
    return [*(f"  {step}" for step in answer["steps"]), f"{count} {done}"]
