"""
Names for moments. Nothing is copied: the history has every moment anyway.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, NotFound, Row, StoreError, rows
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import listing
from salt_ext.store.schema import snapshot
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment

NAME = r"[A-Za-z][A-Za-z0-9._-]{0,99}"


def take_snapshot(
    database: Database,
    name: str,
    *,
    by: str,
    filters: Mapping[str, Any] | None = None,
    comment: str = "",
) -> Row:
    """
    Give a name to this moment; the filters say which assets it is about.

    Masters know of a report in which second it came. So the moment is the end of
    this one, and what is reported after the return counts as later.
    """
    now = datetime.now(timezone.utc)
    end = now.replace(microsecond=999_999)
    if not re.fullmatch(NAME, name) or _is_moment(name, now):
        raise StoreError(
            f"{name!r} cannot name a snapshot",
            "a name begins with a letter, has letters, digits and . _ -, and is no time",
        )
    matching(listing(database, None), filters or {}, "")
    row = {
        "name": name,
        "taken_at": end,
        "taken_by": by,
        "filters": dict(filters or {}),
        "comment": comment,
    }
    with database.begin() as link:
        taken = link.scalar(sa.select(snapshot.c.taken_at).where(snapshot.c.name == name))
        if taken is not None:
            raise StoreError(
                f"there is a snapshot {name!r} already, of {taken:%Y-%m-%d %H:%M} UTC",
                "choose another name",
            )
        link.execute(sa.insert(snapshot).values(row))
    time.sleep(max(0.0, (end - datetime.now(timezone.utc)).total_seconds()))
    return row


def snapshots(database: Database, limit: int = 100) -> list[Row]:
    """Return the snapshots, the last first."""
    with database.at_once() as link:
        statement = sa.select(snapshot).order_by(snapshot.c.taken_at.desc()).limit(limit)
        return rows(link.execute(statement))


def moment_of(database: Database, text: Any, now: datetime) -> datetime:
    """Return the moment that a time or the name of a snapshot means."""
    if isinstance(text, str) and re.fullmatch(NAME, text) and not _is_moment(text, now):
        with database.at_once() as link:
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


def _is_moment(text: str, now: datetime) -> bool:
    try:
        moment(text, now)
    except ValueError:
        return False
    return True
