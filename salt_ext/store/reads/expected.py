"""
The machines that people say they own.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import expected


def expected_machines(database: Database) -> list[Row]:
    """Return what people expect, in the order of their lists."""
    order = (expected.c.source, expected.c.row, expected.c.sn, expected.c.id)
    with database.at_once() as link:
        return rows(link.execute(sa.select(expected).order_by(*order)))
