"""
How many assets there are of each value of some fields, and what they have together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

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
    fields = [one.strip() for one in group_by.split(",") if one.strip()]
    if not fields:
        raise store.FilterError("which groups? give group_by=site or the like")
    _, [rows] = store.totals(database, groupings=[fields], filters=filters, at=at)
    counted = ["assets", *(() if at else store.FRESHNESS)]
    columns = [*fields, *counted, "processor_threads", "memory_bytes", "disk_bytes"]
    return cut("groups", columns, rows, limit, lambda: store.hint(database, filters))
