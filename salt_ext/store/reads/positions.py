"""
How far the store is: what a reader of a master's cache need not read again.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.schema import asset, asset_seen


def positions(database: Database) -> dict[str, float]:
    """Return by minion id when its last stored report arrived, in seconds since the epoch."""
    # Under the name that its reports come with, which may not be the asset's yet.
    reporting = sa.func.coalesce(asset_seen.c.reports_as, asset.c.minion_id)
    latest = sa.func.max(asset_seen.c.last_seen)
    statement = (
        sa.select(reporting, sa.cast(sa.extract("epoch", latest), sa.Float))
        .join(asset, asset.c.id == asset_seen.c.asset_id)
        .where(asset.c.minion_id.is_not(None))
        .group_by(reporting)
    )
    with database.at_once() as link:
        rows = link.execute(statement)
        return {row[0]: row[1] for row in rows}
