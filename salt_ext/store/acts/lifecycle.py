"""
The stage of life that people give to an asset, whatever its reports say.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.clock import now
from salt_ext.store.database import Database, Row
from salt_ext.store.ingest.steps import keep_columns
from salt_ext.store.schema import LIFECYCLES, asset
from salt_ext.words.nearest import unknown


def set_lifecycle(database: Database, asset_id: uuid.UUID, state: str, act: Act) -> Row:
    """Set the stage of life of an asset; return ``old`` and ``new``. Raises ValueError."""
    if state not in LIFECYCLES:
        raise ValueError(unknown("state", state, LIFECYCLES))
    with database.begin() as link:
        row = locked(link, asset_id, act)
        if state != row.lifecycle and not act.test:
            keep_columns(link, asset_id, max(now(link), row.changed_at))
            link.execute(sa.update(asset).where(asset.c.id == asset_id).values(lifecycle=state))
            decided(link, "lifecycle", act, row, {"old": row.lifecycle, "new": state})
        return {
            "asset_id": asset_id,
            "minion_id": row.minion_id,
            "old": row.lifecycle,
            "new": state,
            "test": act.test,
        }
