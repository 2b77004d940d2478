"""
How the answers of the runner ``cmdb`` print: aligned tables and plain sentences.

It is chosen by the answers themselves; ``--out=json`` prints the data instead.
"""

from datetime import datetime, timezone
from typing import Any

from salt_ext import changes, words
from salt_ext.settings import OPTIONS
from salt_ext.times import ago

Answer = dict[str, Any]

MANY = 12

HIDDEN = ("id", "facts", "volatile", "collected", "identifiers", "minion_id", "revision")
"""What an asset's summary shows elsewhere or not at all."""


def output(data: Any, **kwargs: Any) -> str:
    """
    Return an answer as text.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.report --out=cmdb
    """
    answer = data.get("cmdb") if isinstance(data, dict) else None
    if not isinstance(answer, dict) or answer.get("kind") not in KINDS:
        return str(data)
    return "\n".join(_clean(line) for line in KINDS[answer["kind"]](answer))


def _clean(line: str) -> str:
    """Return a line without control characters: a serial number must not move the cursor."""
    line = line.replace(words.NO_BREAK, " ").rstrip()
    return "".join(one if one.isprintable() else "�" for one in line)


def _error(answer: Answer) -> list[str]:
    return [f"ERROR: {answer['error']}"] + ([f"hint: {answer['hint']}"] if answer["hint"] else [])


def _table(answer: Answer) -> list[str]:
    shown = len(answer["rows"])
    if not shown:
        return [f"no {answer['of']}"]
    return [
        *_grid(answer["columns"], answer["rows"]),
        _count(shown, answer["total"], answer["of"]),
    ]


def _count(shown: int, total: int, things: str) -> str:
    """Return how many things there are: ``1 asset``, ``100 of 171 assets``."""
    number = f"{shown} of {total}" if shown < total else str(total)
    return f"{number} {things.removesuffix('s') if total == 1 else things}"


def _grid(columns: list[str], rows: list[list[Any]]) -> list[str]:
    """Return rows under their headings; columns of numbers and sizes stand to the right."""
    numeric = [
        all(isinstance(row[i], (int, type(None))) for row in rows) for i in range(len(columns))
    ]
    cells = [[_cell(name, row[i]) for i, name in enumerate(columns)] for row in rows]
    lines = [[_heading(name) for name in columns], *cells]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    return [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(line, widths, numeric, strict=True)
        )
        for line in lines
    ]


def _heading(column: str) -> str:
    return column.removesuffix("_bytes").removeprefix("processor_").replace("_", " ").upper()


def _cell(column: str, value: Any) -> str:
    """Return a value as a table shows it: sizes with units, moments as how long ago."""
    if value is None:
        return "-"
    if column in ("last_seen", "first_seen", "changed_at"):
        return ago(_moment(value), datetime.now(timezone.utc))
    if isinstance(value, bool) or not isinstance(value, str):
        return words.value(value, column)
    return value.splitlines()[0][:100] if value else "-"


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def _time(text: str) -> str:
    return f"{_moment(text):%Y-%m-%d %H:%M:%S}"


def _report(answer: Answer) -> list[str]:
    totals = answer["totals"]
    if not totals["assets"]:
        return [
            "No machine has reported yet.",
            "On the master:  salt '*' state.apply cmdb      (installs the extension)",
            "                salt '*' cmdb.collect          (the first reports)",
        ]
    states = ", ".join(f"{totals[one]} {one}" for one in _freshness(totals))
    lines = [
        f"{_count(totals['assets'], totals['assets'], 'assets')}: {states}",
        f"{totals['processor_threads']} threads, {words.binary(totals['memory_bytes'])} memory,"
        f" {words.decimal(totals['disk_bytes'])} disk",
    ]
    for group in answer["groups"]:
        columns = [*group["group_by"], "assets", *_freshness(totals)]
        columns += ["processor_threads", "memory_bytes", "disk_bytes"]
        rows = [[row[name] for name in columns] for row in group["rows"]]
        lines += ["", *_grid(columns, rows)]
    return lines


def _freshness(totals: Answer) -> list[str]:
    """Return the states of freshness that occur, "fresh" always."""
    return [
        one for one in ("fresh", "stale", "missing", "detached") if totals[one] or one == "fresh"
    ]


def _asset(answer: Answer) -> list[str]:
    asset = answer["asset"]
    lines = [f"{asset['minion_id'] or 'detached'}  {asset.get('id', '')}"]
    summary = {
        key: value for key, value in asset.items() if key not in HIDDEN and value is not None
    }
    if summary:
        width = max(len(key) for key in summary)
        lines += [f"  {_label(key):<{width}}  {_shown(key, summary[key])}" for key in summary]
    facts = asset["facts"]
    ours = [section for section in OPTIONS["collectors"].default if section in facts]
    for section in [*ours, *sorted(facts.keys() - set(ours))]:
        lines += ["", section, *_section(facts[section], section)]
    if asset.get("identifiers"):
        columns = ["kind", "value", "source", "quality", "shared", "last_seen", "is_current"]
        rows = [[row[name] for name in columns] for row in asset["identifiers"]]
        lines += ["", "identifiers", *(f"  {line}" for line in _grid(columns, rows))]
    return lines


def _shown(key: str, value: Any) -> str:
    if key.endswith(("_at", "_seen")):
        return f"{_time(value)} UTC ({_cell('last_seen', value)} ago)"
    return words.value(value, key)


def _label(key: str) -> str:
    return key.removesuffix("_bytes").replace("_", " ")


def _section(content: Any, path: str, indent: str = "  ") -> list[str]:
    """Return a section: its values line by line, its components as tables."""
    if isinstance(content, list):
        return [indent + line for line in _components(content, path)]
    lines = []
    width = max((len(_label(key)) for key in content), default=0)
    for key in words.in_order(content):
        value = content[key]
        if isinstance(value[0] if isinstance(value, list) and value else value, dict):
            lines += [indent + _label(key), *_section(value, f"{path}.{key}", indent + "  ")]
        else:
            lines.append(f"{indent}{_label(key):<{width}}  {_value(value, key, path)}")
    return lines or [f"{indent}none"]


def _components(items: list[Answer], path: str) -> list[str]:
    if not items:
        return ["none"]
    columns = words.columns_of(path, items)
    rows = [
        [
            "empty"
            if name == "size_bytes" and item.get("present") is False
            else None
            if item.get(name) is None
            else _value(item[name], name, path)
            for name in columns
        ]
        for item in words.by_place(items)
    ]
    return _grid([words.label(name) for name in columns], rows)


def _value(value: Any, name: str, path: str) -> str:
    """Return a value on one line; a long list is counted rather than read."""
    if isinstance(value, list) and len(value) > MANY:
        return f"{words.value(value[:MANY], name, path)}, … ({len(value)})"
    return words.value(value, name, path)


def _history(answer: Answer) -> list[str]:
    if not answer["changes"]:
        return [f"no changes; first report {_time(answer['first_seen'])} UTC"]
    lines = []
    for row in changes.worth_telling(answer["changes"]):
        one = changes.line(row)
        lines.append([_time(row["recorded_at"]), one.op, one.what, _from_to(one)])
    count = _count(len(answer["changes"]), answer["total"], "changes")
    return [*_columns(lines), f"{count}; first report {_time(answer['first_seen'])} UTC"]


def _from_to(line: changes.Line) -> str:
    return f"{line.old or 'none'} → {line.new or 'none'}"


def _columns(lines: list[list[str]]) -> list[str]:
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]) - 1)] + [0]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    ]


def _diff(answer: Answer) -> list[str]:
    old, new = answer["old"], answer["new"]
    if old is None:
        first = _time(new["recorded_at"])
        return [f"{answer['asset']}  has only its first report, of {first} UTC"]
    lines = [f"{answer['asset']}  {_time(old['recorded_at'])} → {_time(new['recorded_at'])} UTC"]
    section = None
    counts: dict[str, int] = {}
    for row in changes.worth_telling(answer["changes"]):
        if row["path"].partition(".")[0] != section:
            section = row["path"].partition(".")[0]
            lines.append(words.label(section))
        one = changes.line(row)
        lines.append(f"  {one.symbol} {one.op}  {one.what}: {_from_to(one)}")
        counts[row["op"]] = counts.get(row["op"], 0) + 1
    lines.append(", ".join(f"{number} {op}" for op, number in counts.items()) or "no difference")
    return lines


def _problem(answer: Answer) -> list[str]:
    row = answer["problem"]
    return [
        f"{row['minion_id']}  {row['kind']} {row['subject']}",
        f"  {row['message']}",
        f"  first {_time(row['first_seen'])}, last {_time(row['last_seen'])} UTC,"
        f" {row['count']} times",
        *(f"  {line}" for line in row["traceback"].splitlines()),
    ]


def _steps(answer: Answer) -> list[str]:
    if not answer["steps"]:
        return ["the schema is up to date"]
    done = "would be taken" if answer["test"] else "taken"
    number = len(answer["steps"])
    count = _count(number, number, "steps")
    return [*(f"  {step}" for step in answer["steps"]), f"{count} {done}"]


KINDS = {
    "asset": _asset,
    "diff": _diff,
    "error": _error,
    "history": _history,
    "problem": _problem,
    "report": _report,
    "steps": _steps,
    "table": _table,
}
