"""
How far the store is: what a reader of a master's cache need not read again.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.database import Database
from salt_ext.store.schema import asset, asset_seen

HEARD = asset.join(asset_seen, asset_seen.c.asset_id == asset.c.id)
REPORTS_AS = sa.func.coalesce(asset_seen.c.reports_as, asset.c.minion_id)
"""The minion id that reports come with; it may differ from the name of the asset."""


def positions(database: Database, master: int | None) -> dict[str, float]:
    """
    Return by minion id up to when a master's cache was read, in seconds since its epoch.

    Only the entries are meant that this master handed over itself: the clock of another
    one tells nothing.
    """
    latest = sa.func.max(asset_seen.c.position)
    statement = (
        sa.select(REPORTS_AS, sa.cast(sa.extract("epoch", latest), sa.Float))
        .select_from(HEARD)
        .where(
            asset.c.minion_id.is_not(None),
            asset_seen.c.position.is_not(None),
            asset_seen.c.master.is_not_distinct_from(master),
        )
        .group_by(REPORTS_AS)
    )
    with database.autocommit() as link:
        rows = link.execute(statement)
        return {row[0]: row[1] for row in rows}


UNKNOWN = sa.text("""
SELECT i.name
  FROM unnest(CAST(:names AS text[])) AS i(name)
 WHERE NOT EXISTS (SELECT FROM asset WHERE asset.minion_id = i.name)
   AND NOT EXISTS (SELECT FROM asset_seen WHERE asset_seen.reports_as = i.name)
""")


def unknown_of(database: Database, minion_ids: Iterable[str]) -> set[str]:
    """Return those of these minions that no asset is called after, whoever has heard of it."""
    with database.autocommit() as link:
        return set(link.scalars(UNKNOWN, {"names": array(minion_ids)}))
