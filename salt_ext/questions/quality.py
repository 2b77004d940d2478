"""
What is not as it should be in the inventory itself: held, doubled, missing, failing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table, cut
from salt_ext.words.nearest import nearest
from salt_ext.words.shell import argument

HELD_COLUMNS = ("minion_id", "rule", "last_seen", "count", "rejected_at", "reason")
DUPLICATE_COLUMNS = (
    *("by", "value", "minion_id", "sn", "manufacturer", "product_name", "freshness"),
    *("source", "first_seen", "last_seen"),
)
MISSING_COLUMNS = ("minion_id", "sn", "last_seen", "site", "rack", "unit")
AWAITED_COLUMNS = ("minion_id", "sn", "source", "row", "imported_at")
UNEXPECTED_COLUMNS = ("minion_id", "sn", "manufacturer", "product_name", "site", "first_seen")
COLLECTOR_COLUMNS = ("collector", "machines", "errors", "last_seen")

MOST = 1_000_000
"""More reports than can be held: one for each minion id."""


def held(
    database: store.Database, minion_id: str = "*", rule: str = "", limit: int | None = None
) -> Table:
    """
    Return the reports that wait for a person, with the ``candidates`` that claim each.

    ``minion_id`` may be a glob. Each has the ``command`` that shows what may be decided.
    """
    rows, total = store.held_reports(database, minion_id, limit or MOST, rule=rule)
    told = [{**row, "command": decides(row["minion_id"])} for row in rows]
    hint = "" if rows else nearest_held(database, minion_id)
    return Table("held reports", HELD_COLUMNS, told, total, hint=hint)


def decides(minion_id: str) -> str:
    """Return the command that shows what may be decided about a held report."""
    return f"salt-run cmdb.quarantine show {argument(minion_id)}"


def nearest_held(database: store.Database, minion_id: str) -> str:
    """Return whose report was meant, where no report of this name is held; blank if nobody's."""
    if minion_id == "*":
        return ""
    reports, _ = store.held_reports(database, limit=MOST)
    near = nearest(minion_id, [row["minion_id"] for row in reports])
    return f"the nearest is {near!r}" if near else ""


def duplicates(
    database: store.Database, by: Sequence[str], filters: Mapping[str, Any], limit: int | None
) -> Table:
    """Return the assets that share a value which only one should have; ``by`` are its kinds."""
    rows: list[dict[str, Any]] = []
    total = 0
    hidden = database.hidden
    shown = [one for one in store.SHARED if one not in hidden.columns | hidden.kinds]
    for kind in by or shown:
        left = None if limit is None else limit - len(rows)
        found, number = store.duplicates(database, kind, filters=filters, limit=left)
        rows += [{**row, "asset_id": row["id"]} for row in found]
        total += number
    hint = "" if rows else store.hint(database, filters)
    return Table("assets that share a value", DUPLICATE_COLUMNS, rows, total, hint=hint)


def missing(database: store.Database, filters: Mapping[str, Any], limit: int | None) -> Table:
    """Return the assets that have been silent for too long, those for longest first."""
    page = store.assets(
        database,
        filters={**filters, "freshness": "missing", "lifecycle__not": "retired"},
        columns=MISSING_COLUMNS,
        sort="last_seen",
        limit=limit or MOST,
        mask_hidden=True,
    )
    rows = [{**row, "asset_id": row["id"]} for row in page.rows]
    hint = "" if rows else store.hint(database, filters)
    return Table("silent machines", MISSING_COLUMNS, rows, page.total, page.exact, hint=hint)


def awaited(database: store.Database, filters: Mapping[str, Any], limit: int | None) -> Table:
    """Return the machines that people's lists have and that have never reported."""
    rows = [
        {**row, "asset_id": row["stands_as"]} for row in store.awaited(database, filters=filters)
    ]
    return cut(
        "machines that are expected and were not found",
        AWAITED_COLUMNS,
        rows,
        limit,
        lambda: store.hint(database, filters),
    )


def unexpected(database: store.Database, filters: Mapping[str, Any], limit: int | None) -> Table:
    """Return the machines that report and that are on no list; none where there is no list."""
    rows, total = store.unexpected(database, filters=filters, limit=limit)
    hint = "" if rows else store.hint(database, filters)
    return Table(
        "machines that were found and are not expected", UNEXPECTED_COLUMNS, rows, total, hint=hint
    )


def collectors(database: store.Database, limit: int | None) -> Table:
    """Return the collectors that fail, or take too long, and on how many machines each does."""
    rows = store.failing_collectors(database)
    return cut("collectors that fail", COLLECTOR_COLUMNS, rows, limit, lambda: "")
