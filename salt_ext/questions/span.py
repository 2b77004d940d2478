"""
From when until when something is asked.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from salt_ext import store

LAST_NIGHT = "last-night"
EVENING, MORNING = time(18), time(8)
"""When a night begins and ends, by the clock of people's zone."""


def span_of(
    database: store.Database, since: Any, until: Any, now: datetime
) -> tuple[datetime | None, datetime | None]:
    """
    Return the moments that people write: times, names of snapshots, ``last-night``; None is open.

    Last night is from yesterday 18:00 to today 8:00, also while it is not over.
    """
    if since == LAST_NIGHT:
        if until:
            raise store.FilterError(f"since={LAST_NIGHT} says until when: leave until={until} out")
        return _last_night(now.astimezone(database.zone))
    first = store.moment_of(database, since, now) if since else None
    last = store.moment_of(database, until, now) if until else None
    if first is not None and last is not None and first > last:
        raise store.FilterError(f"the span is reversed: since={since} is after until={until}")
    return first, last


def _last_night(now: datetime) -> tuple[datetime, datetime]:
    today = now.date()
    yesterday = today - timedelta(days=1)
    evening = datetime.combine(yesterday, EVENING, now.tzinfo)
    return evening, datetime.combine(today, MORNING, now.tzinfo)
