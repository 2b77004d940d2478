"""
Store the reports that wait on the master.

The engine does this all the time, ``cmdb.sync`` once.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timezone
from typing import Any

from salt_ext import store
from salt_ext.master.feed import Feed, Source, Unreadable, let_wait
from salt_ext.master.waits import Waits
from salt_ext.words.visible import visible

log = logging.getLogger(__name__)

Handed = tuple[str, Any, float]
"""What a feed hands over: minion id, report, seconds since the epoch."""


def feed(
    source: Source,
    database: store.Database,
    tell: Callable[[list[store.Outcome]], object] = lambda outcomes: None,
    answer: Callable[[Sequence[Handed], Sequence[store.Outcome]], object] = lambda *_: None,
    listener: store.Listener | None = None,
    waits: Waits | None = None,
    suspects: store.Suspects | None = None,
) -> Feed:
    """
    Return a feed into the store, which begins after the last report that the store has.

    ``tell`` is called with the outcomes of each batch, ``answer`` with its reports too;
    ``listener`` is the master of the source. ``waits`` and ``suspects`` are what the feed
    before this one has learnt. Raises :class:`store.StoreError`.
    """
    suspects = store.Suspects() if suspects is None else suspects

    def sink(reports: list[Handed]) -> list[store.Outcome]:
        outcomes = take(database, reports, listener, suspects)
        tell(outcomes)
        answer(reports, outcomes)
        return outcomes

    positions = store.positions(database, listener.number if listener else None)
    return Feed(source, sink, database.settings["batch_size"], positions, waits=waits)


def take(
    database: store.Database,
    reports: list[Handed],
    listener: store.Listener | None = None,
    suspects: store.Suspects | None = None,
    *,
    is_cached: bool = True,
) -> list[store.Outcome]:
    """
    Store reports that came at these times by the clock of this host; log and return the outcomes.

    ``is_cached`` tells that the times are those of entries in the
    master's cache, as a feed has them. Raises :class:`store.StoreError`.
    """
    arrivals = []
    outcomes = []
    clock = store.clock(database)
    for minion_id, report, at in reports:
        if isinstance(report, Unreadable):
            store.record_failure(database, "report", minion_id, "cache", report)
            outcomes.append(store.Outcome(minion_id, "refused", str(report)))
        else:
            position = datetime.fromtimestamp(at, timezone.utc) if is_cached else None
            arrivals.append(store.Arrival(minion_id, report, clock.moment(at), position))
    return say(outcomes + store.ingest(database, arrivals, listener, suspects))


def empty_inbox(
    database: store.Database,
    accepted: Callable[[], Collection[str]],
    waits: Waits | None = None,
    suspects: store.Suspects | None = None,
    seconds: float = math.inf,
) -> list[store.Outcome]:
    """
    Store the reports of machines without a master, from the inbox; return their outcomes.

    ``accepted`` returns the minions of this master: a report under one of their
    names is refused. ``waits`` are the machines whose reports stay there for now. After so many
    ``seconds`` the rest is left for the next time.
    Raises :class:`store.StoreError`.
    """
    if not store.inbox_size(database):  # cheaper than to list all keys
        return []
    waits = Waits() if waits is None else waits
    outcomes = store.take_inbox(database, accepted(), waits.names(), suspects, seconds)
    for one in outcomes:
        let_wait(waits, one)
    return say(outcomes)


def say(outcomes: list[store.Outcome]) -> list[store.Outcome]:
    """Log the outcomes of reports and return them. Unchanged reports are not logged."""
    for outcome in outcomes:
        if outcome.status == "unchanged":
            continue
        level = logging.WARNING if outcome.status in ("held", "refused") else logging.DEBUG
        log.log(level, "%s", visible(f"{outcome.minion_id} is {outcome.status}: {outcome.detail}"))
    return outcomes
