"""
How fresh the reports of every asset are, and under which name they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import freshness, joined, listing
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, asset_seen, master


@masked
def standing(database: Database, *, filters: Mapping[str, Any] | None = None) -> list[Row]:
    """
    Return every asset that has a name: its ``freshness``, ``last_seen``, ``mode``, ``lifecycle``.

    ``reports_as`` is the name that its reports come with: the name of the asset, or
    another one while a rename is not complete. ``master`` is the name of the master that
    heard it last, None where no master did or it was forgotten.
    """
    source = listing(database, None)
    heard_by = sa.select(master.c.number, master.c.name).cte("heard_by").prefix_with("MATERIALIZED")
    statement = (
        sa.select(
            asset.c.minion_id,
            asset.c.sn,
            asset.c.lifecycle,
            asset_seen.c.mode,
            asset_seen.c.last_seen,
            sa.func.coalesce(asset_seen.c.reports_as, asset.c.minion_id).label("reports_as"),
            sa.select(heard_by.c.name)
            .where(heard_by.c.number == asset_seen.c.master)
            .scalar_subquery()
            .label("master"),
            freshness(database.settings).label("freshness"),
        )
        .where(asset.c.minion_id.is_not(None))
        .order_by(asset.c.minion_id)
    )
    with database.autocommit() as link:
        return rows(link.execute(joined(statement, source, matching(source, filters or {}, ""))))
