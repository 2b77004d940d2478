"""
Reports in: touch what is unchanged, and for the rest lock, identify, diff, write.

Every door uses :func:`ingest`. What it does is idempotent and safe against
order: a report that comes twice changes nothing, an old one is refused. One bad
report never blocks its batch. What was returned as an outcome is committed.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa

from salt_ext import report as envelope
from salt_ext.store import identity
from salt_ext.store.database import Database, StoreError
from salt_ext.store.owners import Owners, documents_of
from salt_ext.store.schema import asset_seen
from salt_ext.store.writes import Arrival, Outcome, Problem, Writes, record_problems

log = logging.getLogger(__name__)

VOLATILE_HOURS = 6
"""A touched report refreshes its volatile values only when they are older than this."""

IDENTITY_LOCK = 0x636D6964

TOUCH = sa.text(f"""
UPDATE asset_seen AS seen
   SET last_seen = greatest(seen.last_seen, i.received_at),
       collected_at = i.collected_at,
       mode = i.mode
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:digests AS bytea[]),
              CAST(:collected AS timestamptz[]), CAST(:received AS timestamptz[]),
              CAST(:modes AS text[]))
       AS i(minion_id, digest, collected_at, received_at, mode)
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id
   AND seen.digest = i.digest
   AND seen.collected_at <= i.collected_at
   AND seen.volatile_at > i.collected_at - interval '{VOLATILE_HOURS} hours'
RETURNING i.minion_id, asset.id
""")  # noqa: S608 - a constant of ours


class _Again(Exception):
    """Identity is at stake after all: begin again under its lock."""


def ingest(database: Database, arrivals: Iterable[Arrival]) -> list[Outcome]:
    """
    Store reports and return what became of each; all of them are committed.

    Raises :class:`StoreError` when the store cannot be used; then the reports
    of the last round are still due.
    """
    outcomes: list[Outcome] = []
    for batch in _rounds(arrivals):
        try:
            outcomes += _transaction(database, batch)
        except StoreError:
            raise
        except Exception as error:
            if len(batch) == 1:
                outcomes.append(_refuse_broken(database, batch[0], error))
                continue
            log.warning("A batch of %d reports failed; each is tried alone: %s", len(batch), error)
            for arrival in batch:
                outcomes += ingest(database, [arrival])
    return outcomes


def _rounds(arrivals: Iterable[Arrival]) -> list[list[Arrival]]:
    """Split arrivals so that a machine stands once in each round, its oldest report first."""
    by_minion: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_minion.setdefault(arrival.minion_id, []).append(arrival)
    for reports in by_minion.values():
        reports.sort(key=lambda arrival: arrival.received_at)
    rounds: list[list[Arrival]] = []
    # Sorted by minion id, so that two writers lock in one order.
    for minion_id in sorted(by_minion):
        for number, arrival in enumerate(by_minion[minion_id]):
            if number == len(rounds):
                rounds.append([])
            rounds[number].append(arrival)
    return rounds


def _transaction(database: Database, batch: Sequence[Arrival]) -> list[Outcome]:
    grace = timedelta(seconds=database.settings["rename_grace"])
    for locked in (False, True):
        try:
            with database.begin() as link:
                return _Round(link, grace, locked).take(batch)
        except _Again:
            continue
    raise AssertionError("under the lock nothing asks for it again")


def _refuse_broken(database: Database, arrival: Arrival, error: Exception) -> Outcome:
    """Keep the traceback of a report that none of the checks saw coming."""
    log.error("The report of %s could not be stored", arrival.minion_id, exc_info=error)
    record_failure(database, "report", arrival.minion_id, "store", error)
    reason = f"could not be stored: {type(error).__name__}; see cmdb.errors for the traceback"
    return Outcome(arrival.minion_id, "refused", reason)


def record_failure(
    database: Database, kind: str, minion_id: str, subject: str, error: BaseException
) -> None:
    """Keep an exception that nobody foresaw, with its traceback, among the problems."""
    text = "".join(traceback.format_exception(error)).replace("\0", "")
    message = f"{type(error).__name__}: {error}".replace("\0", "")
    now = datetime.now(timezone.utc)
    with database.begin() as link:
        record_problems(link, [Problem(kind, minion_id, subject, message, text, now)])


class _Round:
    """One transaction: every machine at most once."""

    def __init__(self, link: sa.Connection, grace: timedelta, locked: bool) -> None:
        self.link = link
        self.grace = grace
        self.locked = locked
        self.outcomes: list[Outcome] = []
        self.problems: list[Problem] = []

    def take(self, batch: Sequence[Arrival]) -> list[Outcome]:
        collected: dict[str, datetime] = {}
        good: list[Arrival] = []
        for arrival in batch:
            try:
                collected[arrival.minion_id] = envelope.check_header(
                    arrival.report, arrival.received_at
                )
                good.append(arrival)
            except envelope.ReportError as error:
                self._refuse(arrival, error)
        touched = self._touch(good, collected)
        writable: list[Arrival] = []
        for arrival in good:
            if arrival.minion_id in touched:
                self._collector_problems(arrival)
                continue
            try:
                envelope.check_body(arrival.report)
                writable.append(arrival)
            except envelope.ReportError as error:
                self._refuse(arrival, error)
        if writable:
            self._write(writable, collected)
        record_problems(self.link, self.problems)
        return self.outcomes

    def _touch(self, batch: list[Arrival], collected: Mapping[str, datetime]) -> set[str]:
        if not batch:
            return set()
        rows = self.link.execute(
            TOUCH,
            {
                "minion_ids": [one.minion_id for one in batch],
                "digests": [bytes.fromhex(one.report["digest"]) for one in batch],
                "collected": [collected[one.minion_id] for one in batch],
                "received": [one.received_at for one in batch],
                "modes": [one.report["mode"] for one in batch],
            },
        ).all()
        for minion_id, asset_id in rows:
            self.outcomes.append(Outcome(minion_id, "unchanged", "as before", asset_id))
        return {minion_id for minion_id, _ in rows}

    def _write(self, batch: list[Arrival], collected: Mapping[str, datetime]) -> None:
        claims = [
            identity.claim(one.minion_id, one.report.get("previous_minion_id"), one.report["facts"])
            for one in batch
        ]
        if self.locked:
            # Before any row: who holds rows never waits for this lock.
            self.link.execute(sa.select(sa.func.pg_advisory_xact_lock(IDENTITY_LOCK)))
        silent_before = batch[0].received_at - self.grace
        known = Owners(self.link, claims, silent_before)
        self._need_lock_unless(all(known.is_settled(claim) for claim in claims))
        # Rows are locked in one statement, in the order of their ids, and read
        # in the next: a statement that waited for a lock reads old documents.
        ids = known.ids()
        self.link.execute(
            sa.select(asset_seen.c.asset_id)
            .where(asset_seen.c.asset_id.in_(ids))
            .order_by(asset_seen.c.asset_id)
            .with_for_update()
        )
        known = Owners(self.link, claims, silent_before)
        self._need_lock_unless(
            set(known.ids()) <= set(ids) and all(known.is_settled(claim) for claim in claims)
        )
        documents = documents_of(self.link, known.ids())
        writes = Writes()
        for arrival, claim in zip(batch, claims, strict=True):
            self._one(arrival, claim, collected[arrival.minion_id], known, documents, writes)
        writes.execute(self.link)

    def _need_lock_unless(self, settled: bool) -> None:
        if not settled and not self.locked:
            raise _Again

    def _one(
        self,
        arrival: Arrival,
        claim: identity.Claim,
        collected_at: datetime,
        known: Owners,
        documents: Mapping[uuid.UUID, sa.Row[Any]],
        writes: Writes,
    ) -> None:
        decision = identity.decide(known.usable(claim), known.assets())
        if decision.problem:
            self._problem(arrival, "identity", decision.action, decision.problem)
        if decision.action == "held":
            writes.hold(arrival, decision, known.candidates(claim))
            self._outcome(arrival, "held", decision.reason)
            return
        before = documents.get(decision.asset_id) if decision.asset_id else None
        if before is not None and before.collected_at >= collected_at:
            if before.digest.hex() != arrival.report["digest"]:
                error = envelope.ReportError(
                    "collected_at",
                    f"is {collected_at.isoformat()}, not newer than what is stored"
                    f" ({before.collected_at.isoformat()}); was the clock set back?",
                )
                self._refuse(arrival, error)
            else:
                self._outcome(arrival, "unchanged", "already stored", decision.asset_id)
            return
        self._collector_problems(arrival)
        asset_id = decision.asset_id or uuid.uuid4()
        changed = writes.store(arrival, collected_at, asset_id, decision, before, known)
        status = "new" if before is None else "changed" if changed else "unchanged"
        self._outcome(arrival, status, decision.reason, asset_id)

    def _outcome(
        self, arrival: Arrival, status: str, detail: str, asset_id: uuid.UUID | None = None
    ) -> None:
        self.outcomes.append(Outcome(arrival.minion_id, status, detail, asset_id))

    def _refuse(self, arrival: Arrival, error: envelope.ReportError) -> None:
        log.warning("Refused the report of %s: %s", arrival.minion_id, error)
        self._problem(arrival, "report", error.field, str(error))
        self._outcome(arrival, "refused", str(error))

    def _collector_problems(self, arrival: Arrival) -> None:
        for collector, error in arrival.report["errors"].items():
            if isinstance(collector, str) and isinstance(error, dict):
                message = f"{error.get('type')}: {error.get('message')}"
                self._problem(
                    arrival, "collector", collector, message, str(error.get("traceback") or "")
                )

    def _problem(
        self, arrival: Arrival, kind: str, subject: str, message: str, trace: str = ""
    ) -> None:
        self.problems.append(
            Problem(kind, arrival.minion_id, subject, message, trace, arrival.received_at)
        )
