"""
Reports in: touch what is unchanged, and for the rest lock, identify, diff, write.

Every report comes in through :func:`ingest`. Reports may come twice and in any
order: one that comes again changes nothing, an old one is refused. One bad report
never blocks its batch: a batch that fails is tried report by report
(:mod:`salt_ext.store.ingest.isolation`). A report whose outcome was returned is
committed.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import TypeVar

import sqlalchemy as sa

from salt_ext.report.limits import limits
from salt_ext.report.storable import why_no_name
from salt_ext.store.database import REPORTS, Database
from salt_ext.store.errors import Busy, Contended
from salt_ext.store.identity.locking import Again
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.arriving import store_new
from salt_ext.store.ingest.changing import store_changed
from salt_ext.store.ingest.claiming import Claimed, claimed
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.isolation import ASIDE_SECONDS, Isolated, Suspects
from salt_ext.store.ingest.pacing import paced
from salt_ext.store.ingest.precedence import taking
from salt_ext.store.ingest.touching import Due, heard, touch_unchanged
from salt_ext.store.listening import Listener
from salt_ext.words.sizes import beginning
from salt_ext.words.visible import visible

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3
SHOWN_BYTES = 80


def ingest(
    database: Database,
    arrivals: Iterable[Arrival],
    listener: Listener | None = None,
    suspects: Suspects | None = None,
) -> list[Outcome]:
    """
    Store reports and return what became of each; all of them are committed.

    ``listener`` is the master that hands them over, None for reports without one.
    ``suspects`` remembers from call to call which reports could not be stored alone.
    Raises :class:`StoreError` when the store cannot be used, as :class:`Unstored` when
    some reports could not be stored and no other one was stored since. Then some
    reports are stored and others not; it is safe to give all of them again.
    """
    quick = database.within(REPORTS)
    suspects = Suspects() if suspects is None else suspects
    isolated = Isolated(quick, lambda batch: _transaction(quick, batch, listener), suspects)
    refused: list[Outcome] = []
    for batch in _rounds(_named(arrivals, refused)):
        isolated.store(batch)
    return [*refused, *isolated.end()]


def _named(arrivals: Iterable[Arrival], refused: list[Outcome]) -> Iterator[Arrival]:
    """Yield the arrivals whose name can be stored; put what became of the others into a list."""
    for one in arrivals:
        if why := why_no_name(one.minion_id):
            # There is no problem of it in the store, which cannot hold the name either.
            name = beginning(one.minion_id, SHOWN_BYTES)
            log.warning("Refused a report: %s", visible(f"the minion id {name} {why}"))
            detail = f"minion_id: {why}"
            refused.append(Outcome(one.minion_id, "refused", detail, wait_seconds=ASIDE_SECONDS))
        else:
            yield one


def _rounds(arrivals: Iterable[Arrival]) -> list[list[Arrival]]:
    """
    Split arrivals into rounds, with one report of a machine in each, the oldest first.

    After an outage a machine may have reports under its old name and under its new
    one: those under the old name come first.
    """
    # Sorted, so that two writers lock in the same order.
    arrivals = sorted(arrivals, key=attrgetter("minion_id"))
    by_minion: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_minion.setdefault(arrival.minion_id, []).append(arrival)
    if len(by_minion) == len(arrivals) and not any(map(_previous_name, arrivals)):
        return [arrivals] if arrivals else []  # as nearly always
    for reports in by_minion.values():
        reports.sort(key=lambda arrival: arrival.received_at)
    rounds: list[list[Arrival]] = []
    for minion_id in by_minion:
        last = -1
        for number, arrival in enumerate(by_minion[minion_id]):
            number += len(by_minion.get(_previous_name(arrival), ()))
            last = number = max(number, last + 1)
            rounds += [[] for _ in range(number + 1 - len(rounds))]
            rounds[number].append(arrival)
    return [one for one in rounds if one]


def _previous_name(arrival: Arrival) -> str:
    previous = arrival.report.get("previous_minion_id") if isinstance(arrival.report, dict) else ""
    return previous if isinstance(previous, str) and previous != arrival.minion_id else ""


def _transaction(
    database: Database, batch: Sequence[Arrival], listener: Listener | None
) -> list[Outcome]:
    """
    Touch the unchanged reports, then store the others in a transaction of their own.

    In the same transaction a batch would hold the touched rows while it waits for
    other rows and for the identity lock: two masters would wait for each other.
    """
    began = time.thread_time()
    grace = timedelta(seconds=database.settings["rename_grace"])
    most = limits(database.settings)
    takes = taking(database.settings)
    seconds: dict[str, float] = {}
    master = listener.number if listener else None

    def touching() -> tuple[list[Due], Findings]:
        with database.autocommit() as link:
            return touch_unchanged(link, batch, Findings(most, seconds, takes), master)

    def noting(step: Callable[[sa.Connection], None]) -> None:
        with database.begin() as link:
            step(link)

    def arriving(reports: Sequence[Claimed]) -> tuple[Findings, list[Claimed]]:
        with database.begin() as link:
            found = Findings(most, seconds, takes)
            return found, store_new(link, reports, found, listener, beside=named)

    def writing(reports: Sequence[Claimed], locked: bool) -> Findings:
        with database.begin() as link:
            found = Findings(most, seconds, takes)
            return store_changed(link, reports, grace, found, listener, locked=locked)

    due, findings = _patiently(touching)
    reports = claimed(due, findings)
    outcomes = findings.outcomes
    if findings.too_much:
        _patiently(lambda: noting(lambda link: heard(link, findings.too_much, master)))
    if findings.problems:
        _patiently(lambda: noting(findings.charge))
    for step in findings.steps():
        _patiently(functools.partial(noting, step))
    named = [one for one in reports if one.due.named is not None]
    left = [one for one in reports if one.due.named is None]
    if named:
        try:
            outcomes += _patiently(lambda: writing(named, locked=False)).outcomes
            named = []
        except Again:
            pass
    if left:
        stored, left = _patiently(lambda: arriving(left))
        outcomes += stored.outcomes
    if named or left:
        stored = _patiently(lambda: writing([*named, *left], locked=True))
        outcomes += stored.outcomes
        if stored.later:
            outcomes += _transaction(database, stored.later, listener)
    return paced(database, outcomes, seconds, time.thread_time() - began)


def _patiently(work: Callable[[], T]) -> T:
    """Do the work; when another writer was faster, do it again, at most 3 times in all."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except Busy:
            raise  # PostgreSQL has waited already
        except Contended:
            continue
    return work()
