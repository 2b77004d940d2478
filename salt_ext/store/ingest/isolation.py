"""
A batch that fails is tried report by report, and what fails alone is set aside by name.

A report that fails alone is not yet guilty: the database may have gone away. It is
set aside only when another report was stored after it. Until then it is a suspect,
which is tried alone so that it costs no other report anything.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Sequence

from sqlalchemy.exc import DataError

from salt_ext.document import encode
from salt_ext.facts import failure
from salt_ext.store.clock import now
from salt_ext.store.database import Database, ping
from salt_ext.store.errors import (
    Busy,
    Contended,
    SessionLost,
    StatementFailed,
    StoreError,
    StoreUnreachable,
    Unstored,
)
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.problems import Problem, record
from salt_ext.words.visible import trace, visible

log = logging.getLogger(__name__)

ASIDE_SECONDS = 600
"""For so long no other report of a machine is tried whose last one was set aside."""

BUSY_SECONDS = 5
"""So soon a report is tried again whose rows another session kept locked."""

RETURN_SECONDS = 15
"""How long to wait for a database that ended a session: it may be back at once."""

MOST_IN_A_ROW = 5
"""After so many failures in a row it is hardly the reports: the caller tries again later."""

STORED = frozenset(("new", "changed", "unchanged", "held"))

OF_REPORT = (StatementFailed, SessionLost, MemoryError)
"""What a single report can do to the store. All other errors of the store concern all reports."""


class Suspects:
    """
    The machines whose reports failed alone, and whether another one was stored since.

    The engine keeps this from one call of ``ingest`` to the next.
    """

    def __init__(self) -> None:
        """Begin with nobody."""
        self._proved: dict[str, bool] = {}

    def __contains__(self, minion_id: str) -> bool:
        """Whether the last report of a machine failed alone."""
        return minion_id in self._proved

    def clear(self, minion_id: str) -> None:
        """Forget a machine."""
        self._proved.pop(minion_id, None)

    def prove(self) -> None:
        """Note that a report was stored after all of these had failed."""
        self._proved = dict.fromkeys(self._proved, True)

    def fail(self, minion_id: str) -> bool:
        """Note that a report failed alone; return whether another one was stored since before."""
        return self._proved.setdefault(minion_id, False)


class Isolated:
    """One call of ``ingest``: its batches, what became of them, and what failed alone."""

    def __init__(
        self,
        database: Database,
        transaction: Callable[[Sequence[Arrival]], list[Outcome]],
        suspects: Suspects,
    ) -> None:
        """Take what stores a batch."""
        self.database = database
        self.transaction = transaction
        self.suspects = suspects
        self.outcomes: list[Outcome] = []
        self._failed: dict[str, tuple[Arrival, Exception]] = {}
        self._busy: dict[str, tuple[Arrival, Contended]] = {}
        self._witness: Arrival | None = None
        self._in_a_row = 0

    def store(self, batch: Sequence[Arrival]) -> None:
        """Store a batch; when it fails, each of its reports alone, after those of suspects."""
        first = [one for one in batch if one.minion_id in self.suspects]
        rest = [one for one in batch if one.minion_id not in self.suspects]
        for arrival in first:
            self._alone(arrival)
        if len(rest) == 1:
            self._alone(rest[0])
        elif rest and not self._together(rest):
            for arrival in rest:
                self._alone(arrival)

    def end(self) -> list[Outcome]:
        """
        Return the outcomes.

        Raises :class:`Unstored` when reports failed and no other one was stored after them.
        """
        if self._failed and self._witness is not None:
            # To store a report once more changes nothing, and shows that reports are stored.
            with contextlib.suppress(*OF_REPORT, Contended):
                self._take(self.transaction([self._witness]), [self._witness], keep=False)
        if self._failed or (self._busy and self._witness is None):
            raise self._unstored()
        for arrival, error in self._busy.values():
            reason = f"another session keeps its rows locked: {error}"
            self.outcomes.append(
                Outcome(arrival.minion_id, "waiting", reason, wait_seconds=BUSY_SECONDS)
            )
        return self.outcomes

    def _together(self, batch: Sequence[Arrival]) -> bool:
        """Store a batch; return whether that worked."""
        try:
            self._take(self.transaction(batch), batch)
            return True
        except (*OF_REPORT, Contended) as error:
            self._wait(error)
            reason: Exception = error
        except StoreError:
            raise
        except Exception as error:
            reason = error
        log.warning(
            "A batch of %d reports failed; each is tried alone: %s", len(batch), visible(reason)
        )
        return False

    def _alone(self, arrival: Arrival) -> None:
        """Store one report, or note that it failed."""
        try:
            self._take(self._twice(arrival), [arrival])
            self.suspects.clear(arrival.minion_id)
        except Contended as error:
            self._busy[arrival.minion_id] = arrival, error
            self._count()
        except OF_REPORT as error:
            if self.suspects.fail(arrival.minion_id):
                self._set_aside(arrival, error)
                return
            self._failed[arrival.minion_id] = arrival, error
            self._count()
        except StoreError:
            raise
        except Exception as error:
            self.outcomes.append(_refuse_broken(self.database, arrival, error))

    def _twice(self, arrival: Arrival) -> list[Outcome]:
        """Store one report; when the session was lost, once more: a database may restart."""
        try:
            return self.transaction([arrival])
        except SessionLost as error:
            self._wait(error)
        try:
            return self.transaction([arrival])
        except SessionLost as error:
            self._wait(error)
            raise

    def _wait(self, error: Exception) -> None:
        """After a lost session, wait until the database answers. Raises StoreUnreachable."""
        if not isinstance(error, SessionLost):
            return
        until = time.monotonic() + RETURN_SECONDS
        while True:
            try:
                return ping(self.database)
            except StoreUnreachable:
                if time.monotonic() >= until:
                    raise
            time.sleep(0.1)

    def _take(
        self, outcomes: list[Outcome], batch: Sequence[Arrival], *, keep: bool = True
    ) -> None:
        """Note what became of a batch. When a report of it was stored, suspects are guilty."""
        if keep:
            self.outcomes += outcomes
        stored = {one.minion_id for one in outcomes if one.status in STORED}
        if not stored:
            return
        self._in_a_row = 0
        self._witness = next(one for one in batch if one.minion_id in stored)
        self.suspects.prove()
        failed, self._failed = self._failed, {}
        for arrival, error in failed.values():
            self._set_aside(arrival, error)

    def _count(self) -> None:
        """Give up after too many failures in a row."""
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW and self._witness is None:
            raise self._unstored()

    def _set_aside(self, arrival: Arrival, error: Exception) -> None:
        """Refuse a report that fails alone while others are stored, and tell of it."""
        self.suspects.clear(arrival.minion_id)
        reason = (
            f"set aside: {_words(error)}, while others are stored. {_look(arrival)} It is tried"
            f" again when it reports again, at the earliest in {ASIDE_SECONDS // 60} minutes"
        )
        log.error("%s", visible(f"The report of {arrival.minion_id} is {reason}"))
        self._tell(arrival.minion_id, reason)
        self.outcomes.append(
            Outcome(arrival.minion_id, "refused", reason, wait_seconds=ASIDE_SECONDS)
        )

    def _unstored(self) -> Unstored:
        """Return the error that names the failed reports, and tell of each if that is possible."""
        left = {**self._failed, **self._busy}
        names = sorted(left)
        for name in names:
            arrival, error = left[name]
            if isinstance(error, Busy):
                continue  # to tell of it would wait as well
            reason = f"could not be stored: {_words(error)}. {_look(arrival)} It is tried again"
            try:
                self._tell(name, reason)
            except StoreError:
                log.warning("%s", visible(f"The report of {name} {reason}"))
        arrival, error = left[names[0]]
        return Unstored(
            f"the reports of {', '.join(names[:5])} could not be stored: {_words(error)}",
            f"no other report was stored since then. {_look(arrival)} The log of PostgreSQL may"
            " say more",
            names,
        )

    def _tell(self, minion_id: str, reason: str) -> None:
        _record(self.database, "report", minion_id, "store", reason)


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, StoreError) else failure.sentence(error)


def _look(arrival: Arrival) -> str:
    """Return where to look at a report: its largest section."""
    facts = arrival.report.get("facts") if isinstance(arrival.report, dict) else None
    sizes = {name: _size(value) for name, value in facts.items()} if facts else {}
    if not sizes:
        return f"Look at it with: salt {arrival.minion_id} cmdb.facts."
    largest = max(sizes, key=sizes.__getitem__)
    return (
        f"Its largest section is {largest}, with {sizes[largest]} bytes: salt {arrival.minion_id}"
        f" cmdb.facts {largest}."
    )


def _size(value: object) -> int:
    try:
        return len(encode(value))
    except (TypeError, ValueError, RecursionError, MemoryError):
        return 0


def _refuse_broken(database: Database, arrival: Arrival, error: Exception) -> Outcome:
    """Refuse a report that failed though all checks passed, and keep the traceback."""
    name = visible(arrival.minion_id)
    log.error("The report of %s could not be stored%s", name, trace(error))
    record_failure(database, "report", arrival.minion_id, "store", error)
    reason = f"could not be stored: {type(error).__name__}; see cmdb.errors for the traceback"
    return Outcome(arrival.minion_id, "refused", reason, wait_seconds=ASIDE_SECONDS)


def record_failure(
    database: Database, kind: str, minion_id: str, subject: str, error: BaseException
) -> None:
    """Keep an exception that nobody foresaw, with its traceback, among the problems."""
    message, text = failure.sentence(error), failure.trace(error)
    record_problem(database, kind, minion_id, subject, message, text)


def record_problem(
    database: Database, kind: str, minion_id: str, subject: str, message: str, text: str
) -> None:
    """Keep a problem, with the text of a traceback."""
    message, text = message.replace("\0", ""), text.replace("\0", "")
    try:
        _record(database, kind, minion_id, subject, message, text)
    except (UnicodeError, DataError):
        # The database has another encoding than UTF8 and cannot hold these texts.
        name, message, text = (_in_ascii(one) for one in (minion_id, message, text))
        _record(database, kind, name, subject, message, text)


def _record(
    database: Database, kind: str, minion_id: str, subject: str, message: str, text: str = ""
) -> None:
    with database.begin() as link:
        record(link, [Problem(kind, minion_id, subject, message, text, now(link))])


def _in_ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
