"""
How machines are reached.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.schema import asset


def addresses(database: Database) -> dict[str, str]:
    """Return the address of each machine that has one, by its name."""
    statement = sa.select(asset.c.minion_id, asset.c.address).where(
        asset.c.minion_id.is_not(None), asset.c.address.is_not(None)
    )
    with database.autocommit() as link:
        return {row[0]: row[1] for row in link.execute(statement)}
