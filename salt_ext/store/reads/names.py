"""
What people call assets, for lists that need not have the columns which tell it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.hidden import Hidden
from salt_ext.store.schema import PLACE, asset
from salt_ext.words.called import called

CALLED = [asset.c[name] for name in ("minion_id", "kind", "hostname", "sn", *PLACE)]
"""The columns that tell it."""


def names_of(database: Database, asset_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return by id what assets are called now."""
    ids = list(asset_ids)
    if not ids:
        return {}
    with database.autocommit() as link:
        found = rows(link.execute(sa.select(asset.c.id, *CALLED).where(asset.c.id.in_(ids))))
    return {row["id"]: called(but(database.hidden, row)) for row in found}


def but(hidden: Hidden, row: Row) -> Row:
    """Return a row in which hidden columns have no value: nothing is called after them."""
    return {name: None if name in hidden.columns else value for name, value in row.items()}
