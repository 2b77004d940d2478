"""
How far the store is: what a reader of a master's cache need not read again.
"""

from __future__ import annotations

import uuid
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
    found: dict[str, float] = {}
    last = uuid.UUID(int=0)
    with database.autocommit() as link:
        while page := link.execute(OF_PAGE, {"master": master, "last": last}).all():
            last = page[-1].asset_id
            for _, name, at in page:
                found[name] = max(at, found.get(name, at))
    return found


PAGE = 65_536
"""A statement for each so many: none grows with the fleet until it takes longer than it may."""

OF_PAGE = (
    sa.select(
        asset_seen.c.asset_id,
        REPORTS_AS,
        sa.cast(sa.extract("epoch", asset_seen.c.position), sa.Float),
    )
    .select_from(HEARD)
    .where(
        asset_seen.c.asset_id > sa.bindparam("last"),
        asset.c.minion_id.is_not(None),
        asset_seen.c.position.is_not(None),
        asset_seen.c.master.is_not_distinct_from(sa.bindparam("master", type_=sa.SmallInteger)),
    )
    .order_by(asset_seen.c.asset_id)
    .limit(PAGE)
)


ELSEWHERE = sa.text("""
SELECT coalesce(seen.reports_as, asset.minion_id),
       extract(epoch FROM max(seen.last_seen))::float
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE coalesce(seen.reports_as, asset.minion_id) = ANY(CAST(:names AS text[]))
   AND seen.master <> coalesce(CAST(:master AS smallint), 0)
 GROUP BY 1
""")


def heard_elsewhere(
    database: Database, master: int | None, minion_ids: Iterable[str]
) -> dict[str, float]:
    """
    Return by minion id when it was heard, in seconds since the epoch, if by another master.

    An older entry in the cache of ``master`` waits for nothing.
    """
    with database.autocommit() as link:
        rows = link.execute(ELSEWHERE, {"names": array(minion_ids), "master": master})
        return {row[0]: row[1] for row in rows}


KNOWN = sa.text("""
SELECT minion_id FROM asset WHERE minion_id = ANY(CAST(:names AS text[]))
 UNION
SELECT reports_as FROM asset_seen WHERE reports_as = ANY(CAST(:names AS text[]))
""")


def unknown_of(database: Database, minion_ids: Iterable[str]) -> set[str]:
    """Return those of these minions that no asset is called after, whoever has heard of it."""
    asked = set(minion_ids)
    with database.autocommit() as link:
        return asked - set(link.scalars(KNOWN, {"names": array(asked)}))
