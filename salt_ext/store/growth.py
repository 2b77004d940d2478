"""
What the growth of a counter tells: of errors that go on, and of wear when it runs out.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

RECENT = timedelta(days=30)
"""So long errors that were corrected count: in the month after one others are likely."""

SPAN = timedelta(days=30)
"""For so long wear must be known, and have grown by so much, before a rate is made of it."""
LEAST_PERCENT = 2

SOON = timedelta(days=180)
"""A part that runs out within this time is told of, however little of its life is used."""


class Grown(NamedTuple):
    """A counter that is not zero: a row of the table ``counter``."""

    first_value: int
    first_at: datetime
    value: int
    at: datetime
    grown_by: int | None = None
    grown_since: datetime | None = None

    def lately(self, seen_at: datetime) -> int:
        """Return by how much it grew at last, if that was in the month before a moment."""
        return self.grown_by or 0 if self.at > seen_at - RECENT else 0

    def between(self) -> str:
        """Return between which two reports it grew at last."""
        return f"between {day(self.grown_since or self.first_at)} and {day(self.at)}"


def runs_out(wear: Grown, seen_at: datetime) -> datetime | None:
    """
    Return when a part has used 100 % of its life if it goes on as since the first reading.

    ``seen_at`` is the moment up to which the value is known. None where too little is known.
    """
    span, grown = seen_at - wear.first_at, wear.value - wear.first_value
    if span < SPAN or grown < LEAST_PERCENT or wear.value >= 100:
        return None
    left = span * ((100 - wear.value) / grown)
    return seen_at + left


def day(moment: datetime) -> str:
    """Return the date of a moment, in UTC."""
    return f"{moment:%Y-%m-%d}"
