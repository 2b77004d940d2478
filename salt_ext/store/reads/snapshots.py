"""
Names for moments. Nothing is copied: the history has every moment anyway.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import snapshot
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment, past

NAME = r"[A-Za-z][A-Za-z0-9._-]{0,99}"


@masked
def snapshots(database: Database, limit: int = 100) -> tuple[list[Row], int]:
    """Return the snapshots, the last first, and how many there are in all."""
    with database.autocommit() as link:
        statement = sa.select(snapshot).order_by(snapshot.c.taken_at.desc()).limit(limit)
        found = rows(link.execute(statement))
        return found, int(link.scalar(sa.select(sa.func.count()).select_from(snapshot)) or 0)


def moment_of(database: Database, text: Any, now: datetime) -> datetime:
    """Return the moment that a time, in the zone of people, or the name of a snapshot means."""
    now = now.astimezone(database.zone)
    if isinstance(text, str) and re.fullmatch(NAME, text) and not is_moment(text, now):
        with database.autocommit() as link:
            taken = sa.select(snapshot.c.taken_at).where(snapshot.c.name == text)
            found: datetime | None = link.scalar(taken)
            if found is not None:
                return found
            known = link.scalars(sa.select(snapshot.c.name).limit(1000)).all()
        raise NotFound(
            f"{text!r} is no time, and {unknown('snapshot', text, known)}",
            "a time is 24h, 7d, 2026-11-01 or '2026-11-01 10:00'; see cmdb.snapshot for the names",
        )
    return moment(text, now)


def as_of_moment(database: Database, text: Any, now: datetime) -> datetime:
    """Return the moment as of which something is asked. Raises ValueError for the future."""
    found = moment_of(database, text, now)
    # A snapshot was taken, whatever the clock of this machine says.
    return past(found, text, now.astimezone(database.zone)) if is_moment(str(text), now) else found


def is_moment(text: str, now: datetime) -> bool:
    """Whether a text means a time; a snapshot cannot have such a name."""
    try:
        moment(text, now)
    except ValueError:
        return False
    return True
