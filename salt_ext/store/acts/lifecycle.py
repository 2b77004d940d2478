"""
The stage of life that people give to an asset, whatever its reports say.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.acts.provision import revoke_running, wait_for_openers
from salt_ext.store.clock import now
from salt_ext.store.database import Database, Row
from salt_ext.store.errors import StoreError
from salt_ext.store.ingest.steps import keep_columns
from salt_ext.store.schema import INSTALLABLE, LIFECYCLES, asset
from salt_ext.words.called import called
from salt_ext.words.nearest import unknown


def set_lifecycle(
    database: Database, asset_id: uuid.UUID, state: str, act: Act, was: str = ""
) -> Row:
    """
    Set the stage of life of an asset; return ``old`` and ``new``. Raises ValueError.

    With ``was`` only an asset that is in this stage gets another; of several who ask at a time
    one gets it, and the others a :class:`StoreError`.

    What is planned no more is not installed: its open installation is revoked for good, and
    who plans it again opens another.
    """
    for one in (state, was) if was else (state,):
        if one not in LIFECYCLES:
            raise ValueError(unknown("state", one, LIFECYCLES))
    with database.begin() as link:
        if state not in INSTALLABLE:
            wait_for_openers(link)
        row = locked(link, asset_id, act)
        name = called(dict(row._mapping))
        if was and was != row.lifecycle:
            raise StoreError(f"{name} is {row.lifecycle} and not {was}: it stays so", "")
        if state != row.lifecycle and not act.test:
            keep_columns(link, asset_id, max(now(link), row.changed_at))
            if state not in INSTALLABLE:
                revoke_running(link, [asset_id], act)
            link.execute(sa.update(asset).where(asset.c.id == asset_id).values(lifecycle=state))
            stages = {"old": row.lifecycle, "new": state}
            decided(link, "lifecycle", act, row, stages, is_news=True)
        return {
            "asset_id": asset_id,
            "minion_id": row.minion_id,
            "name": name,
            "old": row.lifecycle,
            "new": state,
            "test": act.test,
        }
