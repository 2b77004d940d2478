"""
The reports that wait for a person.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import held


def held_reports(
    database: Database, minion_id: str | None = None, limit: int = 50
) -> tuple[list[Row], int]:
    """
    Return the reports that wait for a person, and how many there are in all.

    They are those of one minion or of all, without their facts.
    """
    columns = [one for one in held.columns if one.name != "report"]
    where = [] if minion_id is None else [held.c.minion_id == minion_id]
    newest = sa.select(*columns).where(*where).order_by(held.c.last_seen.desc()).limit(limit)
    number = sa.select(sa.func.count()).select_from(held).where(*where)
    with database.autocommit() as link:
        return rows(link.execute(newest)), int(link.scalar(number) or 0)
