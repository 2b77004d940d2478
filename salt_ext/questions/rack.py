"""
What stands in a rack, from the top down: now, or as of a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.compare import units
from salt_ext.questions.table import Table

COLUMNS = ("unit", "minion_id", "sn", "product_name", "kind", "lifecycle")
HEIGHT = 42
"""Units of a usual rack; one in which something stands higher is as high as that."""
MOST = 200
"""With more machines it is no real rack."""


class Place(NamedTuple):
    """A machine in a rack: its lowest unit, and how many it fills."""

    unit: int
    height: int
    row: Mapping[str, Any]
    is_shared: bool
    """Whether another machine claims one of its units."""


def rack(
    database: store.Database,
    site: str | None,
    name: str,
    at: datetime | None = None,
) -> Table:
    """Return what is in a rack, the highest unit first, what has no unit last."""
    place: dict[str, Any] = {"site": site} if site is not None else {"site__isnull": "true"}
    of_now = {} if at else {"freshness__not": "detached"}
    page = store.assets(
        database,
        filters={"rack": name, **place, **of_now},
        columns=COLUMNS if at else (*COLUMNS, "freshness"),
        limit=MOST,
        at=at,
        mask_hidden=True,
    )
    rows = [{**row, "asset_id": row["id"]} for row in page.rows]
    rows.sort(key=lambda row: (-max(units(row["unit"]), default=0), row["minion_id"] or ""))
    columns = COLUMNS if at else (*COLUMNS, "freshness")
    return Table("machines", columns, rows, page.total, page.exact)


def places(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Place], list[Mapping[str, Any]], int]:
    """Return the machines with a unit, those without one, and how many units the rack has."""
    named = [(units(row["unit"]), row) for row in rows]
    claimed: dict[int, int] = {}
    for its, _ in named:
        for unit in its:
            claimed[unit] = claimed.get(unit, 0) + 1
    placed = [
        Place(min(its), max(its) - min(its) + 1, row, any(claimed[one] > 1 for one in its))
        for its, row in named
        if its
    ]
    return placed, [row for its, row in named if not its], max([HEIGHT, *claimed])
