"""
Reports that wait on the master into the store.

The engine does it all the time and ``cmdb.sync`` once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from datetime import datetime, timezone
from typing import Any

from salt_ext import store
from salt_ext.master.feed import Feed, Source, Unreadable
from salt_ext.report import core_grains

log = logging.getLogger(__name__)


def feed(
    source: Source,
    database: store.Database,
    tell: Callable[[list[store.Outcome]], object] = lambda outcomes: None,
) -> Feed:
    """
    Return a feed into the store that begins where the store is.

    ``tell`` hears what became of each batch. Raises :class:`store.StoreError`.
    """
    return Feed(
        source,
        lambda reports: tell(take(database, reports)),
        database.settings["batch_size"],
        store.positions(database),
    )


def take(database: store.Database, reports: list[tuple[str, Any, float]]) -> list[store.Outcome]:
    """
    Store what a feed hands over; return what became of it, which is logged too.

    What Salt's own grains say of a machine is left out when more is known of it.
    """
    bare = [minion_id for minion_id, report, _ in reports if core_grains.is_one(report)]
    known = store.known_beyond(database, bare, core_grains.SECTIONS) if bare else set()
    reports = [one for one in reports if one[0] not in known]
    arrivals = []
    outcomes = []
    for minion_id, report, at in reports:
        if isinstance(report, Unreadable):
            store.record_failure(database, "report", minion_id, "cache", report)
            outcomes.append(store.Outcome(minion_id, "refused", str(report)))
        else:
            when = datetime.fromtimestamp(at, timezone.utc)
            arrivals.append(store.Arrival(minion_id, report, when))
    return say(outcomes + store.ingest(database, arrivals))


def empty_inbox(
    database: store.Database, accepted: Callable[[], Collection[str]]
) -> list[store.Outcome]:
    """
    Store what machines without a master have sent; return what became of it.

    ``accepted`` tells the minions of this master, in whose name nobody else may report.
    """
    if not store.inbox_size(database):  # cheaper than all keys
        return []
    return say(store.take_inbox(database, accepted()))


def say(outcomes: list[store.Outcome]) -> list[store.Outcome]:
    """Log what became of reports and return it; of most there is nothing to say."""
    for outcome in outcomes:
        if outcome.status == "unchanged":
            continue
        level = logging.WARNING if outcome.status in ("held", "refused") else logging.DEBUG
        log.log(level, "%s is %s: %s", outcome.minion_id, outcome.status, outcome.detail)
    return outcomes
