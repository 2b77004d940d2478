"""
Moments as people and programs write them.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from salt_ext.words.durations import seconds

FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def moment(text: object, now: datetime) -> datetime:
    """
    Return a moment in UTC: ``24h`` or ``7d`` ago, a date, or a date and a time.

    Raises ValueError with a sentence for the operator.
    """
    words = str(text).strip()
    try:
        return now - timedelta(seconds=seconds(words))
    except (ValueError, OverflowError):
        pass
    for form in FORMATS:
        try:
            return datetime.strptime(words.removesuffix("Z"), form).replace(tzinfo=timezone.utc)
        except ValueError:
            continue
    raise ValueError(
        f"{words!r} is not a time; write 24h, 7d, 2026-11-01 or '2026-11-01 10:00' (UTC)"
    )


def timestamp(when: datetime) -> str:
    """Return a moment as JSON has it: in UTC, to the second, as ``2026-11-21T08:00:00Z``."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_timestamp(text: str) -> datetime:
    """Return the moment that :func:`timestamp` wrote."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago, in the largest unit that is not zero: ``5m``, ``2h``, ``3d``."""
    left = int(max(0.0, (now - then).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if left >= size:
            return f"{left // size}{unit}"
    return f"{left}s"
