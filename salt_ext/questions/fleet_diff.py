"""
What became of the fleet between two moments, without what was undone in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table
from salt_ext.words.changes import worth_telling

COLUMNS = ("minion_id", "sn", "op", "path", "component", "field", "old", "new")
PAGE = 1000
"""How many assets are read at once for a file."""


def fleet_diff(
    database: store.Database,
    start: datetime,
    end: datetime,
    filters: Mapping[str, Any],
    *,
    after: str = "",
    limit: int = 20,
) -> dict[str, Any]:
    """
    Return what differs: ``assets`` and ``new``, how many; ``waves``, ``sections`` and ``rows``.

    The rows are assets by their names, those behind ``after``, each with its ``changes``.
    """
    whole = store.fleet_diff(database, start, end, filters=filters, after=after, limit=limit)
    rows = [{**row, "changes": worth_telling(row["changes"])} for row in whole["rows"]]
    hint = "" if whole["assets"] else store.hint(database, filters)
    return {**whole, "rows": rows, "hint": hint}


def differences(
    database: store.Database, start: datetime, end: datetime, filters: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a row for each difference of each asset; a new asset has a single row."""
    after = ""
    while True:
        rows = store.differing(database, start, end, filters=filters, after=after, limit=PAGE)
        for row in rows:
            yield from of_asset(row)
        if len(rows) < PAGE:
            return
        after = rows[-1]["name"]


def of_asset(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each difference of one asset."""
    about = {name: row[name] for name in ("minion_id", "sn", "asset_id")}
    new = [{**dict.fromkeys(COLUMNS), "op": "new"}] if row["is_new"] else []
    for one in [*new, *worth_telling(row["changes"])]:
        yield {**one, **about}


def table(
    database: store.Database, start: datetime, end: datetime, filters: Mapping[str, Any]
) -> Table:
    """Return every difference, for a file; ``total`` is the number of assets."""
    number = store.fleet_diff(database, start, end, filters=filters, limit=1)["assets"]
    rows = differences(database, start, end, filters)
    hint = "" if number else store.hint(database, filters)
    return Table("assets that differ", COLUMNS, rows, number, hint=hint)
