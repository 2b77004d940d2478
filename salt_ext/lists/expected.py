"""
The list of machines that people expect: kept, shown beside the machines, and changed row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from salt_ext import store
from salt_ext.lists import headings
from salt_ext.lists.closer import with_closer_look
from salt_ext.lists.compare import unit
from salt_ext.lists.reconcile import Verdict, machines, reconcile
from salt_ext.lists.rows import Listed, taken
from salt_ext.lists.typed import alone, is_awaited, kind_of, misfits, silent_kind, typed
from salt_ext.words.cells import is_blank, text
from salt_ext.words.keys import good_macs, good_uuid
from salt_ext.words.match import SHARED_KEY, Said, match, named, row_key, with_shared_keys


def keep(
    database: store.Database,
    listed: Listed,
    *,
    source: str,
    by: str,
    test: bool = False,
    limit: int = 100,
) -> dict[str, Any]:
    """
    Keep a list as the machines that people expect; return the content of the answer.

    Rows with neither SN nor name, and rows for a machine that an earlier row has,
    are left out, and at most ``limit`` of them are named; so are rows that share a UUID or a
    MAC, which are kept. ``source`` is what the list is called. With ``test`` nothing is kept.
    """
    columns = typed(listed.rows, store.types_of_others(database, source))
    machines, kept = [], []
    left_out: list[list[Any]] = []
    for row, found in zip(listed.rows, match(listed.rows, ()), strict=True):
        sn, name = named(row.values)
        if found.is_repeated or not row_key(row.values):
            left_out.append([row.sheet, row.number, sn, name, found.why])
            continue
        kept.append(row)
        fields = {
            field: columns[field].written(value) if field in columns else _ours(field, value)
            for field, value in row.values.items()
        }
        machines.append(
            {
                "sn": sn and store.storable(sn),
                "minion_id": name and store.storable(name),
                "fields": fields,
                "row": row.number,
                "awaited": is_awaited(fields),
                "kind": kind_of(fields),
            }
        )
    types = {field: column.type for field, column in columns.items()}
    done = store.import_expected(database, machines, source=source, by=by, types=types, test=test)
    words = [
        [row.sheet, row.number, *named(row.values), f"{field}: {why}"]
        for row, field, why in misfits(listed.rows, columns, done.types)
    ]
    shared = [
        [row.sheet, row.number, *named(row.values), why] for row, why in with_shared_keys(kept)
    ]
    return {
        "kind": "imported",
        "source": source,
        "test": test,
        **taken(listed),
        "counts": {
            **done.counts,
            "left out": len(left_out),
            **({"kept as words": len(words)} if words else {}),
            **({"with a key of another row": len(shared)} if shared else {}),
        },
        "columns": ["sheet", "row", "sn", "name", "reason"],
        "rows": [*left_out, *shared, *words][:limit],
        "total": len(left_out) + len(shared) + len(words),
        "of": "rows to look at" if words or shared else "rows left out",
    }


def expected(database: store.Database, *, only_missing: bool, limit: int) -> dict[str, Any]:
    """Return the table of the expected machines, each with the asset that it turned out to be."""
    rows = store.expected_machines(database)
    assets = machines(database, {})
    verdicts: list[Verdict] = []
    # List by list: several may name one machine, which is no repetition.
    for _, of_source in groupby(rows, key=itemgetter("source")):
        listed = [
            Said(row["row"] or -number, store.spoken(row)) for number, row in enumerate(of_source)
        ]
        verdicts += reconcile(listed, with_closer_look(database, listed, assets))[0]
    found = [
        {
            **row,
            "name": row["minion_id"],
            "status": _status(row, one),
            "seen_as": one.asset and (one.asset["minion_id"] or one.asset["hostname"]),
            "last_seen": one.asset and one.asset["last_seen"],
            "reason": (one.reason if one.asset or row["is_awaited"] else _why_never(row))
            + (f"; {SHARED_KEY}: {', '.join(others)}" if others else ""),
        }
        for row, one, others in zip(rows, verdicts, _with_its_keys(rows), strict=True)
        if not only_missing or _status(row, one) == NEVER
    ]
    columns = ["sn", "name", "status", "seen_as", "last_seen", "reason"]
    columns += ["source", "row", "imported_by", "imported_at"]
    return _table(columns, found, limit)


def _with_its_keys(rows: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return for each row some others that have its UUID or a MAC, and are of another machine."""
    keys = [{good_uuid(row["uuid"]), *good_macs(row["macs"])} - {""} for row in rows]
    known: dict[str, dict[Any, str]] = {}
    for row, its in zip(rows, keys, strict=True):
        for key in its:
            known.setdefault(key, {})[_machine(row)] = row["sn"] or row["minion_id"] or key
    return [
        sorted(
            {
                name
                for key in its
                for machine, name in islice(known[key].items(), 5)
                if machine != _machine(row)
            }
        )
        for row, its in zip(rows, keys, strict=True)
    ]


def _machine(row: Mapping[str, Any]) -> Any:
    return row["asset_id"] or row["stands_as"] or row["id"]


NEVER = "never seen"


def _status(row: Mapping[str, Any], verdict: Verdict) -> str:
    if verdict.status != "ghost":
        return verdict.status
    return NEVER if row["is_awaited"] else "not awaited"


def _why_never(row: Mapping[str, Any]) -> str:
    """Return why no report is awaited of a row."""
    return row["fields"].get("reason") or silent_kind(row["fields"]) or "another list says why"


def said_of(database: store.Database, asset: Mapping[str, Any]) -> dict[str, Any] | None:
    """
    Return what people's lists say of an asset, as one row of a list; None if they say nothing.

    Of each field the newest row counts that has a value, as in the fields of the list.
    """
    rows = store.said_of(database, asset["id"])
    if not rows:
        return None
    fields: dict[str, Any] = {}
    for row in reversed(rows):
        fields |= {name: value for name, value in row["fields"].items() if not is_blank(value)}
    sources = ", ".join(dict.fromkeys(row["source"] for row in rows))
    return {**rows[0], "fields": fields, "source": sources, "row": _only(rows, "row")}


def _ours(field: str, value: Any) -> str:
    """Return a value of a field of ours as it is kept."""
    is_unit = field == "unit" and not is_blank(value)
    return store.storable(unit(value) if is_unit else text(value))


def _only(rows: Sequence[Mapping[str, Any]], name: str) -> Any:
    """Return a value that stands in one row alone: of several, none can be named."""
    return rows[0][name] if len(rows) == 1 else None


def told(status: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return a table of rows of the list, all with this status."""
    found = [
        {
            **row,
            "name": row["minion_id"],
            "status": status,
            "says": ", ".join(f"{key}={value}" for key, value in row["fields"].items()),
        }
        for row in rows
    ]
    columns = ["sn", "name", "status", "says", "imported_by"]
    columns += ["reason"] if any(row.get("reason") for row in found) else []
    return _table(columns, found, len(found))


def _table(columns: list[str], rows: list[dict[str, Any]], limit: int) -> dict[str, Any]:
    return {
        "columns": columns,
        "rows": [[row[name] for name in columns] for row in rows[:limit]],
        "total": len(rows),
        "of": "expected machines",
    }


def fields_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in arguments ``field=value``. Raises ValueError for an unknown field."""
    found = {}
    for name, value in options.items():
        if name.startswith("__"):
            continue
        if name == "sn":
            raise ValueError("the serial number of a machine is set once, as its name")
        field = name if name == REASON else headings.field_named(name)
        is_own = field.startswith(headings.OWN)
        found[field] = alone(value) if is_own else _ours(field, value)
    return found


REASON = "reason"
"""The field that says why a machine never reports."""


def decided(fields: Mapping[str, Any]) -> bool | None:
    """Return whether a report is awaited by what was set now; None when that says nothing of it."""
    if fields.get(REASON):
        return False
    said = {REASON, "kind", "lifecycle"} & fields.keys()
    return is_awaited(fields) if said else None


def kind_set(fields: Mapping[str, Any]) -> str | None:
    """Return what it is by what was set now, ``reason=spare`` too; None if that tells nothing."""
    said = [fields[name] for name in ("kind", REASON) if name in fields]
    kinds = [kind_of({"kind": one}) for one in said]
    return min(kinds, key=lambda kind: kind == "expected", default=None)
