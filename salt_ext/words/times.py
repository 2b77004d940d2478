"""
Points in time as people and programs write them.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo

from salt_ext.words.durations import seconds
from salt_ext.words.nearest import nearest

FORMATS = (
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"),
    *("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"),
)
LARGEST_OFFSET_HOURS = 14
"""The clocks of Kiritimati are so far from UTC, and no others further."""

ZONE = re.compile(r"(?<=\d) ?(Z|UTC|[+-]\d\d:?\d\d)$")
"""How a time ends that names its zone."""


def zone_of(name: str) -> tzinfo:
    """
    Return the time zone with a name of IANA's list, such as ``Europe/Berlin``.

    Raises ValueError with the nearest name.
    """
    if name == "UTC":
        return timezone.utc
    import zoneinfo  # not at the top: UTC needs none of it

    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        # What is no zone may be a path out of the list, a directory or another file of it.
        known = zoneinfo.available_timezones()
    if not known:
        raise ValueError(f"{name!r}: no time zones are known here; install tzdata, or write UTC")
    near = nearest(name, sorted(known))
    hint = f"did you mean {near!r}?" if near else "names are as Europe/Berlin"
    raise ValueError(f"there is no time zone {name!r}; {hint}")


def moment(text: object, now: datetime) -> datetime:
    """
    Return the time in UTC that a text means: a duration before ``now``, or a date and time.

    A duration is written as ``24h`` or ``7d``, a date as ``2026-11-01`` or
    ``2026-11-01 10:00``. A date is in the zone of ``now``, unless it ends in ``Z``,
    ``UTC`` or an offset such as ``+01:00``. Raises ValueError with a sentence for the
    operator.
    """
    words = str(text).strip()
    try:
        # In UTC: a day in which the clocks are changed does not have 24 hours.
        return now.astimezone(timezone.utc) - timedelta(seconds=seconds(words))
    except (ValueError, OverflowError):
        pass
    offset = ZONE.search(words) if ":" in words else None
    zone = now.tzinfo if offset is None else _zone(offset[1])
    for form in FORMATS:
        try:
            found = datetime.strptime(ZONE.sub("", words) if offset else words, form)
            return found.replace(tzinfo=zone).astimezone(timezone.utc)
        except (ValueError, OverflowError):
            continue
    raise ValueError(
        f"{words!r} is not a time; write 24h, 7d, 2026-11-01 or '2026-11-01 10:00' ({now.tzname()})"
    )


def past(when: datetime, text: object, now: datetime) -> datetime:
    """Return a moment that is over. Raises ValueError for one that is to come."""
    if when > now:
        here = f"{now:%Y-%m-%d %H:%M %Z}"
        raise ValueError(f"{str(text)!r} is in the future, of which nothing is known: it is {here}")
    return when


def _zone(offset: str) -> tzinfo:
    """Return the zone of ``Z``, ``UTC`` or ``+01:00``. Raises ValueError for one of no place."""
    if offset in ("Z", "UTC"):
        return timezone.utc
    hours, minutes = int(offset[1:3]), int(offset[-2:])
    if hours > LARGEST_OFFSET_HOURS or minutes >= 60:
        raise ValueError(
            f"{offset!r} is no offset from UTC: write one from -14:00 to +14:00, such as +01:00"
        )
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if offset[0] == "-" else 1))


def timestamp(when: datetime) -> str:
    """Return a time as text for JSON: in UTC, to the second, such as ``2026-11-21T08:00:00Z``."""
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def of_timestamp(text: str) -> datetime:
    """Return the time in a text that :func:`timestamp` wrote. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)


TO_COME = frozenset(("expires_at",))
"""Columns of moments that may be to come; elsewhere such a moment is a clock that is ahead."""


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago a time is, in its largest unit: ``30s``, ``5m``, ``2h``, ``3d``."""
    left = int(max(0.0, (now - then).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if left >= size:
            return f"{left // size}{unit}"
    return f"{left}s"
