"""
The clock of the store: all moments in it are told by the one clock of the database server.

The clocks of masters differ, and each may be set. So a master says how long ago
something happened, and not when.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database


class Clock(NamedTuple):
    """What time it was in the store, and at the same moment by the clock of this process."""

    now: datetime
    ours: float
    """Seconds since the epoch."""

    def moment(self, written: float) -> datetime:
        """Return when something was written that this host dates so; never in the future."""
        return self.now - timedelta(seconds=max(0.0, self.ours - written))


def clock(database: Database) -> Clock:
    """Ask the store what time it is."""
    with database.autocommit() as link:
        return Clock(now(link), time.time())


def now(link: sa.Connection) -> datetime:
    """Return what time it is in the store: for all of a transaction, when that began."""
    moment: datetime = link.scalars(sa.select(sa.func.now())).one()
    return moment
