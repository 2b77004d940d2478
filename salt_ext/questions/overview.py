"""
The fleet at a glance: how much there is, how fresh, what changed and what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.questions import health
from salt_ext.questions.changes import USUAL

GROUPINGS = (("site",), ("manufacturer", "product_name"), ("os",))
LATELY = timedelta(hours=24)
DAYS = 30
RECENT = 10
IMPORTANT = ("loss", "replaced", "added", "firmware", "moved", "renamed")
"""The classes of changes that people want to hear of first."""


class Day(NamedTuple):
    """How many changes there were on a day in the zone of people, from one moment to another."""

    date: date
    since: datetime
    until: datetime
    changes: int
    lost: int
    """So many of them are losses of hardware."""


class Overview(NamedTuple):
    """
    The fleet, now or as of a moment.

    Of the past nobody knows which parts were ill then, which reports waited, and what else
    was wrong: these are None.
    """

    totals: Mapping[str, int]
    groups: Sequence[Sequence[Mapping[str, Any]]]
    """For each of :data:`GROUPINGS` the totals of each group, the largest first; none if hidden."""
    since: datetime
    """Since when changes are counted."""
    changed: int
    lost: int
    """So many of them are losses of hardware."""
    days: Sequence[Day]
    recent: Sequence[Mapping[str, Any]]
    """The last important changes."""
    ill: int | None = None
    held: int | None = None
    problems: int | None = None


def overview(database: store.Database, now: datetime, at: datetime | None = None) -> Overview:
    """Return the fleet as it is ``now``, or as it was at a moment."""
    end = at or now
    hidden = database.hidden.columns
    shown = [names for names in GROUPINGS if hidden.isdisjoint(names)]
    totals, tables = store.totals(database, groupings=shown, at=at)
    by_names = dict(zip(shown, tables, strict=True))
    since = end - LATELY
    counts = store.count_classes(database, store.Wanted(since=since, until=at, classes=USUAL))
    important = store.Wanted(until=at, classes=IMPORTANT)
    found = Overview(
        totals,
        [by_names.get(names, []) for names in GROUPINGS],
        since,
        sum(one.number for one in counts.values()),
        counts["loss"].number if "loss" in counts else 0,
        _days(database, end),
        store.changes(database, important, RECENT),
    )
    if at is not None:
        return found
    return found._replace(
        ill=health.health(database, {}, 0).total,
        held=store.held_reports(database, limit=1)[1],
        problems=store.problems(database, limit=1)[1],
    )


def _days(database: store.Database, end: datetime) -> list[Day]:
    """Return the changes of each of the last days, the day of a moment last."""
    today = end.astimezone(database.zone).date()
    dates = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    # The days that follow are counted apart, and left out.
    starts = [datetime.combine(one, time(), database.zone) for one in dates]
    counts = [
        {name: number for name, number in of_class.items() if name in USUAL}
        for of_class in store.count_days(database, [*starts, end])[:DAYS]
    ]
    return [
        Day(one, since, until, sum(of_class.values()), of_class.get("loss", 0))
        for one, since, until, of_class in zip(
            dates, starts, [*starts[1:], end], counts, strict=True
        )
    ]
