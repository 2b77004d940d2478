"""
The changes before and after a moment: where somebody who looks at the past goes next.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.schema import revision


def beside(
    database: Database, at: datetime, asset_id: uuid.UUID | None = None
) -> tuple[datetime | None, datetime | None]:
    """
    Return when something changed last before the second of a moment, and next after it.

    That is of one asset or of the fleet. What was recorded within the second that ends at
    the moment is what the moment shows, not what was before.
    """
    here = [] if asset_id is None else [revision.c.asset_id == asset_id]
    when = revision.c.recorded_at
    before = sa.select(when).where(*here, when <= at - timedelta(seconds=1))
    after = sa.select(when).where(*here, when > at)
    newest = before.order_by(when.desc()).limit(1).scalar_subquery()
    oldest = after.order_by(when).limit(1).scalar_subquery()
    with database.autocommit() as link:
        found = link.execute(sa.select(newest, oldest)).one()
    return found[0], found[1]
