"""
The machines that people say they own.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.awaited import IS_AWAITED
from salt_ext.store.schema import expected

ORDER = (expected.c.source, expected.c.row, expected.c.sn, expected.c.id)


def expected_machines(database: Database) -> list[Row]:
    """
    Return what people expect, in the order of their lists.

    ``is_awaited`` tells of each whether it has never reported and shall.
    """
    statement = sa.select(expected, IS_AWAITED.label("is_awaited")).order_by(*ORDER)
    with database.autocommit() as link:
        return rows(link.execute(statement))


def said_of(database: Database, asset_id: uuid.UUID) -> list[Row]:
    """Return the rows of people's lists that mean an asset, the newest first."""
    newest_first = (expected.c.imported_at.desc(), expected.c.id)
    statement = sa.select(expected).where(
        (expected.c.asset_id == asset_id) | (expected.c.stands_as == asset_id)
    )
    with database.autocommit() as link:
        return rows(link.execute(statement.order_by(*newest_first)))
