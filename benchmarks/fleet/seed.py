"""
A store that has known a made-up fleet for a year.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from benchmarks import fleet
from salt_ext import store

DAYS = 365
BATCH = 1_000
"""So many reports are stored at once: a statement for more may take longer than it may."""


def seed(database: store.Database, machines: int) -> None:
    """Store what a fleet has reported in the year that ends now."""
    start = datetime.now(timezone.utc) - timedelta(days=DAYS)
    reports = fleet.story(machines, DAYS, start)
    # A machine reports once a day, and may have a new name the next day.
    for _, day in itertools.groupby(reports, lambda one: (one[0] - start) // timedelta(days=1)):
        while batch := list(itertools.islice(day, BATCH)):
            _store(database, batch)


def _store(database: store.Database, reports: Iterable[tuple[datetime, int, fleet.Facts]]) -> None:
    arrivals = []
    for at, number, facts in reports:
        report = fleet.report(number, at, facts)
        arrivals.append(store.Arrival(report["minion_id"], report, at))
    for outcome in store.ingest(database, arrivals):
        if outcome.status in ("held", "refused"):
            raise AssertionError(f"{outcome.minion_id} is {outcome.status}: {outcome.detail}")
