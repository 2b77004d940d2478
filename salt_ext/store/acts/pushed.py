"""
Keep the ledger of pushes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store import bulk
from salt_ext.store.clock import now
from salt_ext.store.database import Database
from salt_ext.store.schema import pushed


class Written(NamedTuple):
    """What is known of an object after it was written."""

    asset_id: uuid.UUID
    remote_id: str
    wrote: Mapping[str, Any]
    is_retired: bool = False


def keep_pushed(
    database: Database, push: str, written: Iterable[Written], forgotten: Iterable[uuid.UUID] = ()
) -> None:
    """Write objects into the ledger of a push, and remove the entries that are forgotten."""
    rows = [
        {
            "asset_id": one.asset_id,
            "push": push,
            "remote_id": one.remote_id,
            "wrote": dict(one.wrote),
            "retired": one.is_retired,
        }
        for one in written
    ]
    gone = list(forgotten)
    if not rows and not gone:
        return
    with database.begin() as link:
        moment = now(link)
        if gone:
            is_gone = pushed.c.asset_id.in_(gone)
            link.execute(sa.delete(pushed).where(pushed.c.push == push, is_gone))
        for row in rows:
            row["retired_at"] = moment if row.pop("retired") else None
            row["written_at"] = moment
        if rows:
            taken = bulk.taken("remote_id", "wrote", "written_at", "retired_at")
            bulk.insert(link, pushed, rows, taken)
