"""
How the answers of the runner ``cmdb`` print: aligned tables and plain sentences.

It is chosen by the answers themselves; ``--out=json`` prints the data instead.
"""

from datetime import datetime, timezone
from typing import Any

from salt_ext import changes, words
from salt_ext.document import is_components
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
        _count(shown, answer["total"], answer["of"]) + _next(answer),
    ]


def _next(answer: Answer) -> str:
    """Return how to ask for the next page, where there is one."""
    return f"  (next: cursor={answer['next']})" if answer.get("next") else ""


def _count(shown: int, total: int, things: str) -> str:
    """Return how many things there are: ``1 asset``, ``100 of 171 assets``."""
    number = f"{shown} of {total}" if shown < total else str(total)
    return f"{number} {things.removesuffix('s') if total == 1 else things}"


def _grid(columns: list[str], rows: list[list[Any]]) -> list[str]:
    """Return rows under their headings; columns of numbers and sizes stand to the right."""
    number = (int, float, type(None))
    numeric = [all(isinstance(row[i], number) for row in rows) for i in range(len(columns))]
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
    name = column.removesuffix("_bytes").removesuffix("_at").removeprefix("processor_")
    return name.replace("_", " ").upper()


def _cell(column: str, value: Any) -> str:
    """Return a value as a table shows it: sizes with units, moments as how long ago."""
    if value is None:
        return "-"
    if column.endswith(("_seen", "_at")) and isinstance(value, str):
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
    if not totals["assets"] and answer["as_of"]:
        return [f"no assets at {_time(answer['as_of'])} UTC"]
    if not totals["assets"]:
        return [
            "No machine has reported yet.",
            "On the master:  salt '*' state.apply cmdb      (installs the extension)",
            "                salt '*' cmdb.collect          (the first reports)",
        ]
    states = ", ".join(f"{totals[one]} {one}" for one in _freshness(totals))
    if answer["as_of"]:
        states = f"as they were at {_time(answer['as_of'])} UTC"
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
    """Return the states of freshness that occur, "fresh" always; of the past none is known."""
    if "fresh" not in totals:
        return []
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
    first = f"first report {_time(answer['first_seen'])} UTC"
    if not answer["changes"]:
        return [f"no changes; {first}"]
    lines = _change_lines(answer["changes"])
    count = _count(len(answer["changes"]), answer["total"], "changes")
    return [*lines, f"{count}; {first}{_next(answer)}"]


def _changes(answer: Answer) -> list[str]:
    if not answer["changes"]:
        return ["no changes"]
    lines = _change_lines(answer["changes"], with_names=True)
    return [*lines, _count(len(answer["changes"]), answer["total"], "changes") + _next(answer)]


def _change_lines(rows: list[Answer], *, with_names: bool = False) -> list[str]:
    lines = []
    for row in changes.worth_telling(rows):
        one = changes.line(row)
        name = [row["minion_id"] or "detached"] if with_names else []
        moved = [
            f"; {word} {row[key]['minion_id'] or 'a detached asset'}"
            for key, word in (("moved_from", "came from"), ("moved_to", "is now in"))
            if row.get(key)
        ]
        time = _time(row["recorded_at"])
        lines.append([time, *name, one.op, one.what, _from_to(one) + "".join(moved)])
    return _columns(lines) if lines else []


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
    times = f"{_time(old['recorded_at'])} → {_time(new['recorded_at'])} UTC"
    return [f"{answer['asset']}  {times}", *_differences(answer["changes"])]


def _comparison(answer: Answer) -> list[str]:
    return [f"{answer['asset']} → {answer['other']}", *_differences(answer["changes"])]


def _differences(rows: list[Answer]) -> list[str]:
    """Return changes below their sections, and how many of which kind."""
    lines = []
    section = None
    counts: dict[str, int] = {}
    for row in changes.worth_telling(rows):
        if row["path"].partition(".")[0] != section:
            section = row["path"].partition(".")[0]
            lines.append(words.label(section))
        one = changes.line(row)
        lines.append(f"  {one.symbol} {one.op}  {one.what}: {_from_to(one)}")
        counts[row["op"]] = counts.get(row["op"], 0) + 1
    lines.append(", ".join(f"{number} {op}" for op, number in counts.items()) or "no difference")
    return lines


def _fleet_diff(answer: Answer) -> list[str]:
    lines = [f"{_time(answer['from'])} → {_time(answer['to'])} UTC"]
    if not answer["assets"]:
        return [*lines, "no difference"]
    number = _count(answer["assets"], answer["assets"], "assets")
    lines.append(f"{number} differ, {answer['new']} of them new")
    lines += _grid(
        ["section", "assets"], [[one["section"], one["assets"]] for one in answer["sections"]]
    )
    waves = [one for one in answer["waves"] if one["assets"] > 1]
    if waves:
        lines += ["", "the same on many"]
        lines += _columns(
            [
                [
                    f"  {one['assets']} x",
                    words.label(one["path"].rpartition(".")[2]),
                    one["op"],
                    words.label(one["field"]) if one["field"] else "",
                    _wave(one),
                ]
                for one in waves
            ]
        )
    for row in answer["rows"]:
        what = "new" if row["is_new"] else ""
        lines += ["", f"{row['minion_id']}  {row['sn'] or ''}  {what}".rstrip()]
        lines += [] if row["is_new"] else _differences(row["changes"])
    if len(answer["rows"]) < answer["assets"] and answer["rows"]:
        lines += ["", f"next: after={answer['rows'][-1]['minion_id']}"]
    return lines


def _wave(one: Answer) -> str:
    if one["old"] is None and one["new"] is None:
        return ""
    old, new = (
        words.value(item, one["path"].rpartition(".")[2]) if item is not None else "none"
        for item in (one["old"], one["new"])
    )
    return f"{old} → {new}"


def _genealogy(answer: Answer) -> list[str]:
    lines = [f"{answer['serial']}  {answer['stays'][0]['model'] or ''}".rstrip()]
    for stay in answer["stays"]:
        until = _time(stay["until"]) if stay["until"] else "now"
        name = stay["minion_id"] or f"detached asset {stay['asset_id']}"
        place = f"{stay['path']} {stay['place']}".rstrip()
        lines.append(f"  {_time(stay['since'])} → {until}  {name}  {place}")
        lines += [f"    {line}" for line in _change_lines(stay["changes"])]
    return lines


def _identity(answer: Answer) -> list[str]:
    lines = [f"{answer['minion_id'] or 'detached'}  {answer['id']}", "", "identifiers"]
    columns = ["kind", "value", "source", "quality", "shared", "first_seen", "last_seen"]
    rows = [[row[name] for name in columns] for row in answer["identifiers"]]
    lines += [f"  {line}" for line in _grid(columns, rows)]
    lines += ["", "decisions"]
    for row in answer["decisions"]:
        lines.append(
            f"  {_time(row['decided_at'])}  {row['decided_by']}  {row['action']}"
            f"  as {row['minion_id']}: {row['reason']}"
        )
    return lines if answer["decisions"] else [*lines, "  none"]


def _choices(answer: Answer) -> list[str]:
    lines = [f"the report of {answer['minion_id']}: what may be decided"]
    for one in answer["choices"]:
        subject = f"  as={one['subject']['id']}" if one["subject"] else ""
        lines += ["", f"{one['choice']}{subject}", *(f"  {say}" for say in one["says"])]
    return [*lines, "", "nothing was done; decide with reason='...' test=False"]


def _ruled(answer: Answer) -> list[str]:
    outcome = answer["outcome"]
    return [f"{outcome['minion_id']} is {outcome['status']}: {outcome['detail']}"]


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


def _collected(answer: Answer) -> list[str]:
    lines = _columns(
        [
            [one["minion_id"], one["mode"], one["status"], one["detail"]]
            for one in answer["machines"]
        ]
    )
    counts = [f"{number} {status}" for status, number in answer["counts"].items() if number]
    end = " (interrupted)" if answer["interrupted"] else ""
    total = _count(answer["asked"], answer["asked"], "machines")
    return [*lines, f"{total}: {', '.join(counts)}{end}"]


def _renamed(answer: Answer) -> list[str]:
    done = "would be renamed" if answer["test"] else "renamed"
    return [
        f"{answer['old']} {done} to {answer['new']}",
        "what remains to be done:",
        *(f"  {number}. {step}" for number, step in enumerate(answer["steps"], 1)),
    ]


def _lifecycle(answer: Answer) -> list[str]:
    name = answer["minion_id"] or answer["asset_id"]
    if answer["old"] == answer["new"]:
        return [f"{name} is {answer['new']} already"]
    would = "would be: " if answer["test"] else ""
    return [f"{name}  {would}{answer['old']} → {answer['new']}"]


def _accepted(answer: Answer) -> list[str]:
    would = "would be " if answer["test"] else ""
    name = answer["minion_id"] or answer["asset_id"]
    return [f"{name}  revision {answer['revision']} {would}accepted as its baseline"]


def _baseline(answer: Answer) -> list[str]:
    name = answer["minion_id"] or answer["asset_id"]
    head = (
        f"{name}  revision {answer['revision']}, accepted {_time(answer['accepted_at'])} UTC"
        f" by {answer['accepted_by']}: {answer['reason']}"
    )
    return [head, *_deviations(answer["deviations"])]


def _deviations(rows: list[Answer]) -> list[str]:
    lines = []
    for row in rows:
        one = changes.line(row)
        doubt = "" if row["is_confirmed"] or row["state"] == "added" else "  (not confirmed yet)"
        lines.append(f"  {one.symbol} {row['state']}  {one.what}: {_from_to(one)}{doubt}")
    return lines or ["  as accepted"]


def _baselines(answer: Answer) -> list[str]:
    lines = []
    for one in answer["assets"]:
        name = one["minion_id"] or one["asset_id"]
        head = f"{name}  {one['sn'] or ''}  {one['lifecycle']}"
        lines += [head, *_deviations(one["deviations"])]
    return [
        *lines,
        f"{_count(answer['checked'], answer['checked'], 'baselines')} checked,"
        f" {answer['bad']} not as accepted",
    ]


def _value_alone(answer: Answer) -> list[str]:
    """Return a value as a program reads it; of more than one, what cmdb.show shows."""
    value = answer["value"]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, dict) or (value and is_components(value)):
        return _section(value, answer["path"], "")
    if isinstance(value, list):
        return [str(item) for item in value]
    return ["" if value is None else str(value)]


def _file(answer: Answer) -> list[str]:
    number = answer["rows"]
    return [f"{answer['path']}: {_count(number, number, 'rows')}, sha256 {answer['sha256']}"]


def _reconciled(answer: Answer) -> list[str]:
    lines = _mapping(answer)
    if answer["rows"]:
        lines += [*_table(answer), ""]
    lines.append("  ".join(f"{status} {number}" for status, number in answer["counts"].items()))
    if answer["written"]:
        lines.append(f"{answer['written']['path']}: sha256 {answer['written']['sha256']}")
    return lines


def _imported(answer: Answer) -> list[str]:
    counts = ", ".join(f"{number} {word}" for word, number in answer["counts"].items())
    return [*_mapping(answer), f"{answer['source']}: {counts}"]


def _mapping(answer: Answer) -> list[str]:
    """Return what the headings of somebody's list were taken for."""
    taken = [[heading, "is", field] for heading, field in answer["mapping"].items()]
    ignored = ", ".join(answer["ignored"])
    return [*_columns(taken), *([f"not compared: {ignored}"] if ignored else []), ""]


def _status(answer: Answer) -> list[str]:
    lines = []
    for state in ("fresh", "stale", "missing", "never"):
        names = answer[state]
        shown = [] if state == "fresh" else names[:MANY]
        more = f" and {len(names) - MANY} more" if len(names) > MANY and shown else ""
        lines.append(f"{state:<8} {len(names):>6}  {', '.join(shown)}{more}")
    return lines


def _odd(answer: Answer) -> list[str]:
    """Return a table in which each value has the unit of its field."""
    at = {name: place for place, name in enumerate(answer["columns"])}
    rows = [list(row) for row in answer["rows"]]
    for row in rows:
        field = row[at["field"]]
        for place in (at["value"], at["usual"]):
            is_size = field.endswith("_bytes") and row[place]
            row[place] = words.value(int(row[place]), field) if is_size else row[place]
    return _table({**answer, "rows": rows})


def _facets(answer: Answer) -> list[str]:
    lines: list[str] = []
    for facet in answer["facets"]:
        name, shown = facet["field"], facet["values"]
        lines += [""] if lines else []
        lines += _grid([name, "assets"], [[one["value"], one["assets"]] for one in shown])
        rest = facet["assets"] - sum(one["assets"] for one in shown)
        if rest:
            lines.append(f"{rest} assets have others; {facet['distinct']} values in all")
    return lines


def _checks(answer: Answer) -> list[str]:
    """Return a line for each check, and below it what to do."""
    width = max(len(one["check"]) for one in answer["checks"])
    lines = []
    for one in answer["checks"]:
        lines.append(f"{one['status']:<4}  {one['check']:<{width}}  {one['detail']}")
        lines += [f"      {one['hint']}"] if one["hint"] else []
    return lines


def _stats(answer: Answer) -> list[str]:
    columns = ["table", "rows", "table_bytes", "index_bytes"]
    heard, changed = answer["heard_last_hour"], answer["changed_last_hour"]
    return [
        *_grid(columns, [[row[name] for name in columns] for row in answer["tables"]]),
        f"{words.binary(answer['database_bytes'])} in all",
        f"{_count(heard, heard, 'machines')} heard in the last hour; reports with something new:"
        f" {changed} in the last hour, {answer['changed_last_day']} in the last day",
        f"open problems: {answer['open_problems']}, held reports: {answer['held_reports']},"
        f" waiting in the inbox: {answer['inbox_reports']}",
    ]


CARD_WIDTH = 110


def _card(answer: Answer) -> list[str]:
    """Return at most 30 lines: what one wants to know first stands first."""
    asset, bmc = answer["asset"], answer["bmc"]
    place = {"site": asset["site"], "rack": asset["rack"], **answer["location"]}
    machine = [asset["manufacturer"], asset["product_name"], asset["sn"] and f"S/N {asset['sn']}"]
    guest = answer["virtual"].get("hypervisor")
    size = [
        asset["processor_model"],
        asset["processor_threads"] and f"{asset['processor_threads']} threads",
        asset["memory_bytes"] and f"{words.binary(asset['memory_bytes'])} memory",
        asset["disk_count"] and f"{asset['disk_count']} disks {words.decimal(asset['disk_bytes'])}",
    ]
    controller = [*bmc.get("addresses", ()), bmc.get("mac"), bmc.get("firmware_version")]
    switch = [
        f"{one.get('name')} to {one.get('system_name') or one.get('chassis_id')} {one['port_id']}"
        for one in answer["links"][:2]
        if one.get("port_id")
    ]
    seen = f"{asset['freshness']}, heard {_cell('last_seen', asset['last_seen'])} ago"
    facts = {
        "what": [*machine, f"{asset['kind']} on {guest}" if guest else asset["kind"]],
        "where": [f"{key} {value}" for key, value in place.items() if value],
        "state": [f"{seen} by {asset['mode']}", asset["lifecycle"]],
        "system": [asset["os"], asset["kernel_release"]],
        "size": size,
        "address": [asset["address"], asset["hostname"]],
        "bmc": controller,
        "switch": switch,
    }
    lines = [f"{asset['minion_id'] or 'detached'}  {asset['id']}"]
    lines += [
        f"{name:<8} {', '.join(str(one) for one in values if one)}"
        for name, values in facts.items()
        if any(values)
    ]
    ill = [f"{one['severity']}  {one['component']}: {one['says']}" for one in answer["ill"]]
    wrong = [f"{one['kind']} {one['subject']}: {one['message']}" for one in answer["problems"]]
    beside = [
        "  ".join(str(one[key]) for key in ("unit", "minion_id", "sn", "product_name") if one[key])
        for one in answer["beside"]
    ]
    for title, block, total in (
        ("ill", ill, answer["ill_total"]),
        ("problems", wrong, answer["problems_total"]),
        ("changes", _change_lines(answer["changes"]), answer["changes_total"]),
        ("beside it in the rack", beside, len(beside)),
    ):
        if block:
            more = f" ({len(block)} of {total})" if total > len(block) else ""
            lines += [f"{title}{more}", *(f"  {line}" for line in block)]
    return [line if len(line) <= CARD_WIDTH else line[: CARD_WIDTH - 1] + "…" for line in lines]


KINDS = {
    "accepted": _accepted,
    "asset": _asset,
    "baseline": _baseline,
    "baselines": _baselines,
    "card": _card,
    "changes": _changes,
    "checks": _checks,
    "choices": _choices,
    "collected": _collected,
    "comparison": _comparison,
    "diff": _diff,
    "error": _error,
    "facets": _facets,
    "file": _file,
    "fleet_diff": _fleet_diff,
    "genealogy": _genealogy,
    "history": _history,
    "identity": _identity,
    "imported": _imported,
    "lifecycle": _lifecycle,
    "odd": _odd,
    "problem": _problem,
    "reconciled": _reconciled,
    "renamed": _renamed,
    "report": _report,
    "ruled": _ruled,
    "stats": _stats,
    "status": _status,
    "steps": _steps,
    "table": _table,
    "value": _value_alone,
}
