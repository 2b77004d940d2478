"""
Which machines are in the same rack.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import PLACE, asset, asset_seen


@masked
def neighbours(database: Database, site: str | None, rack: str) -> list[Row]:
    """Return what is in a rack, each with its ``unit``; detached machines are left out."""
    database.hidden.check(*PLACE)
    name: sa.ColumnElement[str | None] = asset.c.minion_id
    if "hostname" not in database.hidden.columns:
        name = sa.func.coalesce(name, asset.c.hostname)
    with database.autocommit() as link:
        return rows(
            link.execute(
                sa.select(
                    asset.c.id,
                    name.label("minion_id"),
                    asset.c.sn,
                    asset.c.product_name,
                    asset.c.unit,
                )
                .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
                .where(
                    asset.c.site.is_not_distinct_from(site),
                    asset.c.rack == rack,
                    asset_seen.c.detached_at.is_(None) | (asset_seen.c.mode == "list"),
                )
                .order_by(asset.c.minion_id)
                .limit(MOST)
            )
        )


MOST = 200
"""At most so many machines of a rack are returned; with more of them it is no real rack."""
