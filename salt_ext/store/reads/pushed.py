"""
The ledger of pushes: which objects in other systems are ours, and what we wrote into them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import asset, pushed


class Pushed(NamedTuple):
    """
    An object in another system that stands for an asset.

    ``key`` is the asset it was written for: not ``asset_id`` when that one was temporary and
    turned out to be another.
    """

    asset_id: uuid.UUID
    key: uuid.UUID
    remote_id: str
    wrote: Mapping[str, Any]
    """The fields as they were written last, before it was retired if it is."""
    retired_at: datetime | None


def pushed_of(database: Database, push: str) -> dict[uuid.UUID, Pushed]:
    """Return the ledger of a push, by the asset that each object stands for now."""
    statement = (
        sa.select(pushed, asset.c.merged_into)
        .outerjoin(asset, asset.c.id == pushed.c.asset_id)
        .where(pushed.c.push == push)
        .order_by(pushed.c.asset_id)
    )
    with database.autocommit() as link:
        found = link.execute(statement).all()
    own = {row.asset_id for row in found}
    entries: dict[uuid.UUID, Pushed] = {}
    for row in found:
        # An object of what was merged goes to the one it is now, unless that has one itself.
        is_taken = row.merged_into is None or row.merged_into in own or row.merged_into in entries
        asset_id = row.asset_id if is_taken else row.merged_into
        entries[asset_id] = Pushed(asset_id, row.asset_id, row.remote_id, row.wrote, row.retired_at)
    return entries


def pushes(database: Database) -> list[Row]:
    """Return for each push how many objects it has, how many are retired, and when it wrote."""
    statement = (
        sa.select(
            pushed.c.push,
            sa.func.count().label("objects"),
            sa.func.count(pushed.c.retired_at).label("retired"),
            sa.func.max(pushed.c.written_at).label("written_at"),
        )
        .group_by(pushed.c.push)
        .order_by(pushed.c.push)
    )
    with database.autocommit() as link:
        return rows(link.execute(statement))
