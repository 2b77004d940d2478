"""
The list of machines that people expect: kept, shown beside the machines, and changed row by row.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from salt_ext import store
from salt_ext.lists import headings
from salt_ext.lists.match import Said, bare, match, named, row_key, text
from salt_ext.lists.reconcile import compare, summary
from salt_ext.lists.rows import Listed
from salt_ext.words.nearest import unknown


def keep(database: store.Database, listed: Listed, *, by: str) -> dict[str, Any]:
    """Keep a list as what people expect; rows without SN and name cannot be kept."""
    machines = []
    keys = set()
    for row in listed.rows:
        sn, name = (one and store.storable(one) for one in named(row.values))
        key = row_key(row.values)
        if key and key not in keys:
            keys.add(key)
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
    listed = [Said(number, _values(row)) for number, row in enumerate(rows)]
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


def said_of(database: store.Database, asset: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row of people's lists that means an asset: by its number first, the newest."""
    rows, machines = store.expected_like(database, asset)
    about = []
    # Each row by itself: lists say of one machine what others have said already.
    for row in rows:
        [found] = match([Said(0, _values(row))], machines).values()
        if found.machine is not None and found.machine["id"] == asset["id"]:
            about.append(row)
    about.sort(key=lambda row: bare(row["sn"]) != bare(asset["sn"]))
    return about[0] if about else None


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a kept row says; the number and the name it was kept by count too."""
    return {"sn": row["sn"], "hostname": row["minion_id"], **row["fields"]}


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
