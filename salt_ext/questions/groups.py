"""
How many assets there are, in all and of each value of some fields, and what they have together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.questions.table import Table, cut


def groups(
    database: store.Database,
    group_by: str,
    filters: Mapping[str, Any],
    limit: int | None,
    at: datetime | None = None,
) -> Table:
    """
    Return a row for each group, the largest first: assets, threads, memory and disks.

    ``group_by`` are fields with commas. For the present there is a count of each freshness;
    how fresh the assets of the past were is not known.
    """
    fields = _names(group_by)
    if not fields:
        raise store.FilterError("which groups? give group_by=site or the like")
    _, [rows] = store.totals(database, groupings=[fields], filters=filters, at=at)
    counted = ["assets", *(() if at else store.FRESHNESS)]
    columns = [*fields, *counted, "processor_threads", "memory_bytes", "disk_bytes"]
    return cut("groups", columns, rows, limit, lambda: store.hint(database, filters))


class Report(NamedTuple):
    """The totals of the fleet, and for each grouping the fields and the totals of each group."""

    totals: dict[str, int]
    groups: list[dict[str, Any]]
    hint: str
    """Why there are no assets, if something about the question says why."""


def report(
    database: store.Database,
    groupings: Sequence[str],
    filters: Mapping[str, Any],
    at: datetime | None = None,
) -> Report:
    """Return the totals of the assets that fit, and of their groups by each grouping."""
    whole, tables = store.totals(database, groupings=groupings, filters=filters, at=at)
    groups = [
        {"group_by": _names(grouping), "rows": rows}
        for grouping, rows in zip(groupings, tables, strict=True)
    ]
    return Report(whole, groups, "" if whole["assets"] else store.hint(database, filters))


def _names(grouping: str) -> list[str]:
    return [one.strip() for one in grouping.split(",") if one.strip()]
