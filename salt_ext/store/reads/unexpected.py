"""
The machines that report and that no list of people's has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import joined, listing
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, asset_seen, expected

SHOWN = ("minion_id", "sn", "manufacturer", "product_name", "site", "first_seen")


@masked
def unexpected(
    database: Database, *, filters: Mapping[str, Any] | None = None, limit: int | None = None
) -> tuple[list[Row], int]:
    """
    Return the assets that have reported and are on no list, the newest first; and how many.

    Each has ``asset_id`` and the columns of :data:`SHOWN`. Where people have given no list,
    nothing is unexpected. Detached, merged and retired assets are left out.
    """
    source = listing(database, None)
    on_list = sa.select(expected.c.id).where(expected.c.asset_id == asset.c.id).exists()
    statement = joined(
        sa.select(asset.c.id.label("asset_id"), *(asset.c[name] for name in SHOWN)),
        source,
        [
            *matching(source, filters or {}, ""),
            asset_seen.c.mode != "list",
            asset_seen.c.detached_at.is_(None),
            asset.c.lifecycle != "retired",
            sa.select(expected.c.id).where(expected.c.asset_id.is_not(None)).exists(),
            ~on_list,
        ],
    )
    newest = statement.order_by(asset.c.first_seen.desc(), asset.c.id)
    with database.autocommit() as link:
        found = rows(link.execute(newest.limit(limit)))
        if limit is None or len(found) < limit:
            return found, len(found)
        every = sa.select(sa.func.count()).select_from(statement.subquery())
        return found, int(link.scalar(every) or 0)
