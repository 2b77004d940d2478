"""
Reports in: touch what is unchanged, and for the rest lock, identify, diff, write.

Every report comes in through :func:`ingest`. Reports may come twice and in any
order: one that comes again changes nothing, an old one is refused. One bad report
never blocks its batch. A report whose outcome was returned is committed.
"""

from __future__ import annotations

import functools
import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import TypeVar

import sqlalchemy as sa

from salt_ext.store.clock import now
from salt_ext.store.database import Database
from salt_ext.store.errors import Contended, StoreError
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.changing import Again, store_changed
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.problems import Problem, record
from salt_ext.store.ingest.touching import Due, touch_unchanged
from salt_ext.store.listening import Listener
from salt_ext.words.visible import trace, visible

log = logging.getLogger(__name__)

T = TypeVar("T")

ATTEMPTS = 3


def ingest(
    database: Database, arrivals: Iterable[Arrival], listener: Listener | None = None
) -> list[Outcome]:
    """
    Store reports and return what became of each; all of them are committed.

    ``listener`` is the master that hands them over, None for reports without one.
    Raises :class:`StoreError` when the store cannot be used. Then some reports are
    stored and others not; it is safe to give all of them again.
    """
    outcomes: list[Outcome] = []
    for batch in _rounds(arrivals):
        try:
            outcomes += _transaction(database, batch, listener)
        except StoreError:
            raise
        except Exception as error:
            if len(batch) == 1:
                outcomes.append(_refuse_broken(database, batch[0], error))
                continue
            reason = visible(error)
            log.warning("A batch of %d reports failed; each is tried alone: %s", len(batch), reason)
            for arrival in batch:
                outcomes += ingest(database, [arrival], listener)
    return outcomes


def _rounds(arrivals: Iterable[Arrival]) -> list[list[Arrival]]:
    """
    Split arrivals into rounds, with one report of a machine in each, the oldest first.

    After an outage a machine may have reports under its old name and under its new
    one: those under the old name come first.
    """
    by_minion: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_minion.setdefault(arrival.minion_id, []).append(arrival)
    for reports in by_minion.values():
        reports.sort(key=lambda arrival: arrival.received_at)
    rounds: list[list[Arrival]] = []
    # Sorted by minion id, so that two writers lock in the same order.
    for minion_id in sorted(by_minion):
        for number, arrival in enumerate(by_minion[minion_id]):
            number += len(by_minion.get(_previous_name(arrival), ()))
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
    grace = timedelta(seconds=database.settings["rename_grace"])
    master = listener.number if listener else None

    def touching() -> tuple[list[Due], Findings]:
        with database.autocommit() as link:
            return touch_unchanged(link, batch, master)

    def noting(step: Callable[[sa.Connection], None]) -> None:
        with database.begin() as link:
            step(link)

    def writing(locked: bool) -> list[Outcome]:
        with database.begin() as link:
            return store_changed(link, due, grace, listener, locked=locked)

    due, findings = _patiently(touching)
    outcomes = findings.outcomes
    for step in findings.steps():
        _patiently(functools.partial(noting, step))
    if due:
        try:
            outcomes += _patiently(lambda: writing(locked=False))
        except Again:
            outcomes += _patiently(lambda: writing(locked=True))
    return outcomes


def _patiently(work: Callable[[], T]) -> T:
    """Do the work; when another writer was faster, do it again, at most 3 times in all."""
    for _ in range(ATTEMPTS - 1):
        try:
            return work()
        except Contended:
            continue
    return work()


def _refuse_broken(database: Database, arrival: Arrival, error: Exception) -> Outcome:
    """Refuse a report that failed though all checks passed, and keep the traceback."""
    name = visible(arrival.minion_id)
    log.error("The report of %s could not be stored%s", name, trace(error))
    record_failure(database, "report", arrival.minion_id, "store", error)
    reason = f"could not be stored: {type(error).__name__}; see cmdb.errors for the traceback"
    return Outcome(arrival.minion_id, "refused", reason)


def record_failure(
    database: Database, kind: str, minion_id: str, subject: str, error: BaseException
) -> None:
    """Keep an exception that nobody foresaw, with its traceback, among the problems."""
    text = "".join(traceback.format_exception(error)).replace("\0", "")
    message = f"{type(error).__name__}: {error}".replace("\0", "")
    with database.begin() as link:
        record(link, [Problem(kind, minion_id, subject, message, text, now(link))])
