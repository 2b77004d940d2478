"""
Changes in the order in which they were recorded, for programs that follow them.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads import cursors
from salt_ext.store.reads.components import moves
from salt_ext.store.reads.history import (
    IS_OF,
    Position,
    Wanted,
    assets_of,
    of_each_class,
    others,
    span,
)
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, change

SETTLED_SECONDS = 60
"""
A change is told when it is so old.

What is being stored has its moment already and is seen only when its transaction ends: who
had read beyond that moment would never be told of it. A statement that stores reports ends
after five seconds.
"""

KINDS = (datetime, uuid.UUID, int, int)
"""The types of the fields of a position."""

SETTLED = sa.func.now() - timedelta(seconds=SETTLED_SECONDS)


@masked
def feed(
    database: Database, wanted: Wanted, limit: int, cursor: str = ""
) -> tuple[list[Row], str, bool]:
    """
    Return the changes behind a cursor, the oldest first, the cursor behind them, and if more wait.

    Without a cursor it begins at ``since`` of what is wanted; a cursor says itself where to
    go on, however old it is. The cursor of an empty answer is the moment up to which all was
    told, so that the next question does not look through the same time again.
    """
    columns = [change.c[name] for name in Position._fields]
    behind = []
    if cursor:
        after = Position(*cursors.read(cursor, KINDS))
        wanted = wanted._replace(since=None)
        behind = [
            change.c.recorded_at >= after.recorded_at,  # where to begin in the index
            sa.tuple_(*columns) > sa.tuple_(*after),
        ]
    with database.autocommit() as link:
        # One moment for all: what settles between two statements would be passed over.
        settled: datetime = link.execute(sa.select(SETTLED)).scalar_one()
        assets = assets_of(link, database, wanted)
        here = [*span(wanted), *others(database, wanted, assets), *behind]
        here.append(change.c.recorded_at <= settled)
        oldest = sa.select(change).where(*here).order_by(*columns).limit(limit + 1)
        found = of_each_class(link, wanted, lambda one: oldest.where(one == IS_OF)).subquery()
        order = [found.c[name] for name in Position._fields]
        statement = (
            sa.select(found, asset.c.minion_id, asset.c.sn)
            .join(asset, asset.c.id == found.c.asset_id)
            .order_by(*order)
            .limit(limit + 1)
        )
        told = moves(link, rows(link.execute(statement)))
    is_more = len(told) > limit
    told = told[:limit]
    if told:
        cursor = cursors.write([told[-1][name] for name in Position._fields])
    else:
        begun = after.recorded_at if behind else wanted.since or settled
        cursor = cursors.write([max(settled, begun), uuid.UUID(int=0), 0, 0])
    return told, cursor, is_more
