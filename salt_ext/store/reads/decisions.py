"""
What was decided: whose a report is, and what people did to an asset.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import decision


@masked
def decisions(
    database: Database,
    *,
    asset_id: uuid.UUID | None = None,
    minion_id: str | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> list[Row]:
    """Return decisions and acts of people: by whom, when and why, the last first."""
    where: list[Any] = []
    if asset_id is not None:
        of_asset = sa.or_(decision.c.asset_id == asset_id, decision.c.other_asset_id == asset_id)
        where.append(of_asset)
    if minion_id is not None:
        where.append(decision.c.minion_id == minion_id)
    if until is not None:
        where.append(decision.c.decided_at <= until)
    with database.autocommit() as link:
        statement = sa.select(decision).where(*where).order_by(decision.c.decided_at.desc())
        return rows(link.execute(statement.limit(limit)))
