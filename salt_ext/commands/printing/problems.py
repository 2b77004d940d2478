"""
How print what is wrong, what was decided, and how the store is.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words import values


def identity(answer: Answer) -> list[str]:
    """Print by what an asset is known, and what was decided."""
    lines = [f"{answer['minion_id'] or 'detached'}  {answer['id']}", "", "identifiers"]
    columns = ["kind", "value", "source", "quality", "shared", "first_seen", "last_seen"]
    rows = [[row[name] for name in columns] for row in answer["identifiers"]]
    lines += [f"  {line}" for line in layout.grid(columns, rows)]
    lines += ["", "decisions"]
    for row in answer["decisions"]:
        lines.append(
            f"  {layout.time(row['decided_at'])}  {row['decided_by']}  {row['action']}"
            f"  as {row['minion_id']}: {row['reason']}"
        )
    return lines if answer["decisions"] else [*lines, "  none"]


def choices(answer: Answer) -> list[str]:
    """Print what may be decided about a held report."""
    lines = [f"the report of {answer['minion_id']}: what may be decided"]
    for one in answer["choices"]:
        subject = f"  as={one['subject']['id']}" if one["subject"] else ""
        lines += ["", f"{one['choice']}{subject}", *(f"  {say}" for say in one["says"])]
    return [*lines, "", "nothing was done; decide with reason='...' test=False"]


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
        f"  first {layout.time(row['first_seen'])}, last {layout.time(row['last_seen'])} UTC,"
        f" {row['count']} times",
        *(f"  {line}" for line in row["traceback"].splitlines()),
    ]


def odd(answer: Answer) -> list[str]:
    """Return a table in which each value has the unit of its field."""
    at = {name: place for place, name in enumerate(answer["columns"])}
    rows = [list(row) for row in answer["rows"]]
    for row in rows:
        field = row[at["field"]]
        for place in (at["value"], at["usual"]):
            is_size = field.endswith("_bytes") and row[place]
            row[place] = values.value(int(row[place]), field) if is_size else row[place]
    return layout.table({**answer, "rows": rows})


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


def collected(answer: Answer) -> list[str]:
    """Print what became of each machine that was asked."""
    lines = _machines(answer, "mode", "status")
    counts = [f"{number} {status}" for status, number in answer["counts"].items() if number]
    end = " (interrupted)" if answer["interrupted"] else ""
    total = layout.count(answer["asked"], answer["asked"], "machines")
    return [*lines, f"{total}: {', '.join(counts)}{end}"]


def synced(answer: Answer) -> list[str]:
    """Print how many reports had which status, and why some were not stored."""
    if not answer["rows"]:
        return ["no reports to store"]
    return [*layout.grid(answer["columns"], answer["rows"]), *_machines(answer, "status")]


def _machines(answer: Answer, *keys: str) -> list[str]:
    """Return a line for each machine: its name, what is asked of it, and the reason in full."""
    rows = [
        [one["minion_id"], *(one[key] for key in keys), " ".join(one["detail"].split())]
        for one in answer["machines"]
    ]
    return layout.columns(rows) if rows else []
