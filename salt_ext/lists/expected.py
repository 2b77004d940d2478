"""
People's lists of machines: read, compared with the store, kept in it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists import headings
from salt_ext.lists.reading import Table, read_table
from salt_ext.lists.reconcile import SIZES, STATUSES, Said, Verdict, reconcile, said, text
from salt_ext.words.nearest import unknown

KEYS = ("sn", "minion_id", "hostname")
COLUMNS = (
    *("minion_id", "hostname", "sn", "kind", "site", "rack", "manufacturer", "product_name"),
    *("os", "processor_model", "processor_threads", "memory_bytes", "disk_count", "disk_bytes"),
    *("address", "last_seen"),
)
"""What is read of an asset, and what the sheet of the unknown ones shows."""


class Listed(NamedTuple):
    """A list: how it stands in its file, column to field, and what its rows say."""

    path: str
    table: Table
    columns: dict[int, str]
    rows: list[Said]


def read(path: str, sheet: str, wanted: Mapping[str, str]) -> Listed:
    """Return the list in a file; a heading means what ``wanted`` says, or what it looks like."""
    table = read_table(path, sheet, list(wanted))
    columns = headings.mapping(table.headings, wanted)
    if not set(KEYS) & set(columns.values()):
        found = ", ".join(filter(None, table.headings[:20]))
        raise ValueError(
            f"{path}: no column of {table.sheet!r} looks like a serial number or a name; the"
            f""" headings in row {table.heading} are: {found}; say which with map='{{"...": sn}}'"""
        )
    units = {
        field: headings.unit_of(table.headings[column])
        for column, field in columns.items()
        if field in SIZES
    }
    return Listed(path, table, columns, said(table.rows, columns, units))


def compare(
    database: store.Database, rows: Sequence[Said], filters: Mapping[str, Any]
) -> tuple[list[Verdict], list[Mapping[str, Any]]]:
    """Return a verdict for each row, and the assets of a filter that none of them means."""
    with store.extract(database, filters=filters) as source:
        assets = list(source.assets(COLUMNS))
    return reconcile(rows, assets)


def cells(assets: Iterable[Mapping[str, Any]]) -> list[list[Any]]:
    """Return assets as the rows of a sheet of COLUMNS."""
    return [[one[name] for name in COLUMNS] for one in assets]


def summary(
    listed: Listed, verdicts: Sequence[Verdict], unknown: Sequence[Mapping[str, Any]], limit: int
) -> dict[str, Any]:
    """Return what a comparison found: how many of each status, and what is not ok."""
    counts = dict.fromkeys(STATUSES, 0)
    for one in verdicts:
        counts[one.status] += 1
    counts["unknown"] = len(unknown)
    values = {row.number: row.values for row in listed.rows}
    wrong = [
        [one.number, one.status, *_named(values[one.number]), one.reason]
        for one in verdicts
        if one.status != "ok"
    ]
    wrong += [
        [None, "unknown", one["sn"], one["minion_id"] or one["hostname"], "not in the file"]
        for one in unknown
    ]
    return {
        "sheet": listed.table.sheet,
        "mapping": {
            listed.table.headings[column]: field for column, field in listed.columns.items()
        },
        "ignored": [
            heading
            for column, heading in enumerate(listed.table.headings)
            if heading and column not in listed.columns
        ],
        "counts": counts,
        "columns": ["row", "status", "sn", "name", "reason"],
        "rows": wrong[:limit],
        "total": len(wrong),
        "of": "differences",
    }


def _named(values: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the SN and the name that a row gives."""
    name = text(values.get("minion_id")) or text(values.get("hostname"))
    return text(values.get("sn")) or None, name or None


def keep(database: store.Database, listed: Listed, *, by: str) -> dict[str, Any]:
    """Keep a list as what people expect; rows without SN and name cannot be kept."""
    machines = []
    keys = set()
    for row in listed.rows:
        sn, name = (one and store.storable(one) for one in _named(row.values))
        if (sn or name) and (sn or "", name or "")[: 1 if sn else 2] not in keys:
            keys.add((sn or "", name or "")[: 1 if sn else 2])
            fields = {key: store.storable(text(value)) for key, value in row.values.items()}
            machines.append({"sn": sn, "minion_id": name, "fields": fields, "row": row.number})
    source = f"{os.path.abspath(os.path.expanduser(listed.path))} {listed.table.sheet}"
    done = store.import_expected(database, machines, source=source, by=by)
    done["left out"] = len(listed.rows) - len(machines)
    found = summary(listed, [], [], 1)
    return {
        "kind": "imported",
        "source": source,
        "mapping": found["mapping"],
        "ignored": found["ignored"],
        "counts": done,
    }


def expected(database: store.Database, *, only_missing: bool, limit: int) -> dict[str, Any]:
    """Return the table of what people expect, each beside the machine that it turned out to be."""
    rows = store.expected_machines(database)
    listed = [Said(number, row["fields"]) for number, row in enumerate(rows)]
    verdicts, _ = compare(database, listed, {})
    found = [
        {
            **row,
            "name": row["minion_id"],
            "status": "never seen" if one.status == "ghost" else one.status,
            "seen_as": one.asset and (one.asset["minion_id"] or one.asset["hostname"]),
            "last_seen": one.asset and one.asset["last_seen"],
            "reason": one.reason,
        }
        for row, one in zip(rows, verdicts, strict=True)
        if one.status == "ghost" or not only_missing
    ]
    columns = ["sn", "name", "status", "seen_as", "last_seen", "reason"]
    columns += ["source", "row", "imported_by", "imported_at"]
    return _table(columns, found, limit)


def told(status: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the table of what was said of machines."""
    found = [
        {
            **row,
            "name": row["minion_id"],
            "status": status,
            "says": ", ".join(f"{key}={value}" for key, value in row["fields"].items()),
        }
        for row in rows
    ]
    return _table(["sn", "name", "status", "says", "imported_by"], found, len(found))


def _table(columns: list[str], rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {
        "columns": columns,
        "rows": [[row[name] for name in columns] for row in rows[:limit]],
        "total": len(rows),
        "of": "expected machines",
    }


def fields_of(options: Mapping[str, Any]) -> dict[str, str]:
    """Return what a person says of a machine, ``field=value``; raises ValueError."""
    found = {}
    for name, value in options.items():
        if name.startswith("__"):
            continue
        if name not in headings.NAMES or name == "sn":
            raise ValueError(unknown("field", name, headings.NAMES))
        found[name] = store.storable(text(value))
    return found
