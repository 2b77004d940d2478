"""
How one asset prints.
"""

from __future__ import annotations

from typing import Any

from salt_ext.commands.printing import history, layout
from salt_ext.commands.printing.layout import MANY, Answer
from salt_ext.document import is_components
from salt_ext.settings import OPTIONS
from salt_ext.words import values as words
from salt_ext.words.called import called

HIDDEN = (
    *("id", "facts", "volatile", "collected", "identifiers", "listed", "minion_id"),
    *("revision", "sources"),
)
"""Keys that are not in the summary of an asset: they are shown elsewhere or not at all."""


def asset(answer: Answer) -> list[str]:
    """Print everything of an asset."""
    asset = answer["asset"]
    lines = [f"{called(asset)}  {asset.get('id', '')}"]
    summary = {
        key: value for key, value in asset.items() if key not in HIDDEN and value not in (None, {})
    }
    if summary:
        width = max(len(key) for key in summary)
        lines += [f"  {_label(key):<{width}}  {_shown(key, summary[key])}" for key in summary]
    if asset.get("listed"):
        columns = ["field", "value", "source", "row", "imported_by", "imported_at"]
        rows = [[row[name] for name in columns] for row in asset["listed"]]
        lines += ["", "from lists", *(f"  {line}" for line in layout.grid(columns, rows))]
    facts = asset["facts"]
    ours = [name for name in OPTIONS["collectors"].default if name in facts]
    for name in [*ours, *sorted(facts.keys() - set(ours))]:
        source = asset.get("sources", {}).get(name)
        told = f"  (told by {source})" if source not in (None, asset.get("mode")) else ""
        lines += ["", f"{name}{told}", *section(facts[name], name)]
    if asset.get("identifiers"):
        columns = [
            "kind",
            "value",
            "source",
            "quality",
            "shared",
            "disowned",
            "last_seen",
            "is_current",
        ]
        rows = [[row[name] for name in columns] for row in asset["identifiers"]]
        lines += ["", "identifiers", *(f"  {line}" for line in layout.grid(columns, rows))]
    return lines


def _shown(key: str, value: Any) -> str:
    if key == "other_sources":
        return ", ".join(f"{name} {layout.cell('last_seen', at)} ago" for name, at in value.items())
    if key.endswith(("_at", "_seen")):
        return f"{layout.instant(value)} ({layout.cell('last_seen', value)} ago)"
    return words.value(value, key)


def _label(key: str) -> str:
    return key.removesuffix("_bytes").replace("_", " ")


def section(content: Any, path: str, indent: str = "  ") -> list[str]:
    """Return a section: its values line by line, its components as tables."""
    if isinstance(content, list):
        return [indent + line for line in _components(content, path)]
    lines = []
    width = max((len(_label(key)) for key in content), default=0)
    for key in words.in_order(content):
        value = content[key]
        if isinstance(value[0] if isinstance(value, list) and value else value, dict):
            lines += [indent + _label(key), *section(value, f"{path}.{key}", indent + "  ")]
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
    return layout.grid([words.label(name) for name in columns], rows)


def _value(value: Any, name: str, path: str) -> str:
    """Return a value on one line; of a long list, the first items and how many there are."""
    if isinstance(value, list) and len(value) > MANY:
        return f"{words.value(value[:MANY], name, path)}, … ({len(value)})"
    return words.value(value, name, path)


def value_alone(answer: Answer) -> list[str]:
    """Return a value as a program reads it; mappings and components print as in cmdb.show."""
    value = answer["value"]
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, dict) or (value and is_components(value)):
        return section(value, answer["path"], "")
    if isinstance(value, list):
        return [str(item) for item in value]
    return ["" if value is None else str(value)]


PLACE = ("site", "room", "rack", "unit")

CARD_WIDTH, CARD_LINES = 110, 30
DIFFERENCES = 3
"""How many differences to people's list a card shows at most."""


def card(answer: Answer) -> list[str]:
    """Return at most 30 lines, the most important ones first."""
    asset, bmc = answer["asset"], answer["bmc"]
    place = {**answer["location"], **{name: asset[name] for name in PLACE}}
    from_list = (asset["from_list"] or "").split(", ")
    machine = [asset["manufacturer"], asset["product_name"], asset["sn"] and f"S/N {asset['sn']}"]
    guest = answer["virtual"].get("hypervisor")
    size = [
        asset["processor_model"],
        asset["processor_threads"] and f"{asset['processor_threads']} threads",
        asset["memory_bytes"] and f"{words.binary(asset['memory_bytes'])} memory",
        asset["disk_count"] and f"{asset['disk_count']} disks {words.decimal(asset['disk_bytes'])}",
    ]
    controller = [
        *(bmc.get("hostname"), *bmc.get("addresses", ())),
        *(bmc.get("mac"), bmc.get("firmware_version")),
    ]
    switch = [
        f"{one.get('name')} to {one.get('system_name') or one.get('chassis_id')} {one['port_id']}"
        for one in answer["links"][:2]
        if one.get("port_id")
    ]
    seen = f"{asset['freshness']}, no machine has reported it"
    if asset["last_seen"] is not None:
        ago = layout.cell("last_seen", asset["last_seen"])
        seen = f"{asset['freshness']}, heard {ago} ago by {asset['mode']}"
    facts = {
        "what": [*machine, f"{asset['kind']} on {guest}" if guest else asset["kind"]],
        "where": [
            f"{key} {value}{' (from list)' if key in from_list else ''}"
            for key, value in place.items()
            if value
        ],
        "state": [seen, asset["lifecycle"]],
        "system": [asset["os"], asset["kernel_release"]],
        "size": size,
        "address": [asset["address"], asset["hostname"]],
        "bmc": controller,
        "switch": switch,
    }
    lines = [f"{called(asset)}  {asset['id']}"]
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
    said, differences = _expected(answer["expected"])
    for title, block, total in (
        ("ill", ill, answer["ill_total"]),
        ("problems", wrong, answer["problems_total"]),
        (said, differences, len(differences)),
        ("changes", history.change_lines(answer["changes"]), answer["changes_total"]),
        ("beside it in the rack", beside, len(beside)),
    ):
        # The others are short enough: only the neighbours in the rack may be left out.
        if block and len(lines) + len(block) < CARD_LINES:
            notes = [f"{len(block)} of {total}"] if total > len(block) else []
            notes += [layout.in_zone()] if title == "changes" else []
            more = f" ({', '.join(notes)})" if notes else ""
            lines += [f"{title}{more}", *(f"  {line}" for line in block)]
    return [line if len(line) <= CARD_WIDTH else line[: CARD_WIDTH - 1] + "…" for line in lines]


def _expected(said: Answer | None) -> tuple[str, list[str]]:
    """Return a title and lines for what people's list says: first where the machine differs."""
    if said is None:
        return "", []
    place = said["source"] + (f", row {said['row']}" if said["row"] else "")
    own = [one for one in said["fields"] if one["field"].startswith("list.")]
    compared = [one for one in said["fields"] if one not in own]
    differing = [one for one in compared if one["differs"]]
    lines = [
        f"≠ {words.label(one['field'])}: {one['expected']},"
        f" but the machine reports {words.value(one['reported'], one['field'])}"
        for one in differing
    ]
    agreed, unknown = (
        ", ".join(
            f"{words.label(one['field'])} {one['expected']}"
            for one in compared
            if not one["differs"] and (one["reported"] is None) is is_unknown
        )
        for is_unknown in (False, True)
    )
    rest = [agreed and f"= {agreed}", unknown and f"not reported: {unknown}"]
    more = f", {DIFFERENCES} of {len(lines)} differences" if len(lines) > DIFFERENCES else ""
    remarks = ", ".join(f"{words.label(one['field'])} {one['expected']}" for one in own)
    shown = [*lines[:DIFFERENCES], remarks, "; ".join(filter(None, rest))]
    return f"expected by {place}{more}", [line for line in shown if line]
