"""
The machines that people say they own.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.awaited import IS_AWAITED
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import expected

ORDER = (expected.c.source, expected.c.row, expected.c.sn, expected.c.id)


@masked
def expected_machines(database: Database) -> list[Row]:
    """
    Return what people expect, in the order of their lists.

    ``is_awaited`` tells of each whether it has never reported and shall.
    """
    statement = sa.select(expected, IS_AWAITED.label("is_awaited")).order_by(*ORDER)
    with database.autocommit() as link:
        return rows(link.execute(statement))


@masked
def said_of(database: Database, asset_id: uuid.UUID) -> list[Row]:
    """Return the rows of people's lists that mean an asset, the newest first."""
    newest_first = (expected.c.imported_at.desc(), expected.c.id)
    statement = sa.select(expected).where(
        (expected.c.asset_id == asset_id) | (expected.c.stands_as == asset_id)
    )
    with database.autocommit() as link:
        return rows(link.execute(statement.order_by(*newest_first)))


def expected_sources(database: Database) -> list[Row]:
    """Return the lists that people have given, by ``source``, with their ``rows`` and by whom."""
    number, newest = sa.func.count(), sa.func.max(expected.c.imported_at)
    people = sa.func.string_agg(expected.c.imported_by.distinct(), ", ")
    statement = sa.select(
        expected.c.source,
        number.label("rows"),
        sa.func.count(expected.c.asset_id).label("known"),
        people.label("imported_by"),
        newest.label("imported_at"),
    ).group_by(expected.c.source)
    with database.autocommit() as link:
        return rows(link.execute(statement.order_by(expected.c.source)))
