"""
The reports that wait for a person.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import held


def held_reports(database: Database, minion_id: str | None = None, limit: int = 50) -> list[Row]:
    """Return the reports that wait for a person, of one minion or of all, without their facts."""
    columns = [one for one in held.columns if one.name != "report"]
    statement = sa.select(*columns).order_by(held.c.last_seen.desc()).limit(limit)
    if minion_id is not None:
        statement = statement.where(held.c.minion_id == minion_id)
    with database.begin() as link:
        return rows(link.execute(statement))
