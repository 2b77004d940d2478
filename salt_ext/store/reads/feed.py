"""
Changes in the order in which they were recorded, or stored late, for programs that follow them.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

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
after five seconds. What was half a minute old before it was stored, because its report had
waited, stands where it was stored instead: see ``writing.dated``.
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
    after = Position(*cursors.read(cursor, KINDS)) if cursor else None
    with database.autocommit() as link:
        # One moment for all: what settles between two statements would be passed over.
        settled: datetime = link.execute(sa.select(SETTLED)).scalar_one()
        here = others(database, wanted, assets_of(link, database, wanted))
        here += span(wanted._replace(since=None))
        begin = after.recorded_at if after else wanted.since

        def oldest(moment: sa.Column[datetime], *which: sa.ColumnElement[bool]) -> sa.Select[Any]:
            """Return the statement for the oldest that stand at a moment of theirs."""
            order = _order(change.c, moment)
            due = [moment <= settled, *which, *here]
            due += [moment >= begin] if begin else []  # where to begin in the index
            due += [sa.tuple_(*order) > sa.tuple_(*after)] if after else []
            first = sa.select(change).where(*due).order_by(*order).limit(limit + 1)
            return of_each_class(link, wanted, lambda one: first.where(one == IS_OF))

        in_time = oldest(change.c.recorded_at, change.c.stored_at.is_(None))
        found = sa.union_all(in_time, oldest(change.c.stored_at)).subquery()
        statement = (
            sa.select(found, asset.c.minion_id, asset.c.sn)
            .join(asset, asset.c.id == found.c.asset_id)
            .order_by(*_order(found.c, sa.func.coalesce(found.c.stored_at, found.c.recorded_at)))
            .limit(limit + 1)
        )
        told = moves(link, rows(link.execute(statement)))
    is_more = len(told) > limit
    told = told[:limit]
    if told:
        last = told[-1]
        moment = last["stored_at"] or last["recorded_at"]
        cursor = cursors.write([moment, *(last[name] for name in Position._fields[1:])])
    else:
        cursor = cursors.write([max(settled, begin or settled), uuid.UUID(int=0), 0, 0])
    return told, cursor, is_more


def _order(columns: Any, moment: sa.ColumnElement[datetime]) -> list[sa.ColumnElement[Any]]:
    """Return the fields of a position, whose moment is one of these columns."""
    return [moment, *(columns[name] for name in Position._fields[1:])]
