"""
One round of reports, no machine twice in it: judged, given to their assets, written.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.facts.identity import identify
from salt_ext.report import checking
from salt_ext.store.documents import shortened
from salt_ext.store.identity import decide
from salt_ext.store.identity.claims import evidence
from salt_ext.store.identity.locking import lock, lock_identity
from salt_ext.store.identity.owners import Owners
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.gathering import Accepted, Writes
from salt_ext.store.ingest.problems import Good, Problem, close, record
from salt_ext.store.ingest.stored import Merged, Stored, named
from salt_ext.store.ingest.touching import fingerprint, touch
from salt_ext.store.ingest.writing import write_all
from salt_ext.store.schema import held, revision

log = logging.getLogger(__name__)

MOST_ERRORS = 100
"""Of one report; no machine has as many collectors."""


class Again(Exception):
    """Identity is at stake after all: begin again under its lock."""


class Due(NamedTuple):
    """A good report that was not touched."""

    arrival: Arrival
    collected_at: datetime
    checked: checking.Checked
    named: Any
    """The asset with its name, as it was before it was locked, if there is one."""


class Round:
    """Every machine at most once."""

    def __init__(self, link: sa.Connection, grace: timedelta, locked: bool) -> None:
        """Begin; ``locked`` says that nobody else decides about identity meanwhile."""
        self.link = link
        self.grace = grace
        self.locked = locked
        self.outcomes: list[Outcome] = []
        self.problems: list[Problem] = []
        self.good: dict[str, Good] = {}
        """What is stored of machines that may have problems which are now over."""

    def touch(self, batch: Sequence[Arrival]) -> list[Due]:
        """Judge reports and touch the unchanged; return the rest."""
        collected: dict[str, datetime] = {}
        good: list[Arrival] = []
        for arrival in batch:
            try:
                collected[arrival.minion_id] = checking.check_header(
                    arrival.report, arrival.received_at
                )
                good.append(arrival)
            except checking.ReportError as error:
                self._refuse(arrival, error)
        touched = touch(self.link, good, collected)
        rest = [one for one in good if one.minion_id not in touched]
        assets = named(self.link, [one.minion_id for one in rest]) if rest else {}
        due: list[Due] = []
        for arrival in good:
            collected_at = collected[arrival.minion_id]
            if arrival.minion_id in touched:
                self._touched(arrival, collected_at, *touched[arrival.minion_id])
                continue
            try:
                asset = assets.get(arrival.minion_id)
                checked = checking.check_body(arrival.report, (asset and asset.marks) or {})
                due.append(Due(arrival, collected_at, checked, asset))
            except checking.ReportError as error:
                self._refuse(arrival, error)
        self._write_problems()
        return due

    def _touched(
        self, arrival: Arrival, collected_at: datetime, asset_id: uuid.UUID, has_problem: bool
    ) -> None:
        self._outcome(arrival, "unchanged", "as before", asset_id)
        self._collector_problems(arrival)
        if has_problem:
            # Its facts are as before, and so is what was doubted of them.
            behind = checking.is_behind(arrival.report, collected_at, arrival.received_at)
            doubted = {"facts", "collected_at"} if behind else {"facts"}
            self.good[arrival.minion_id] = Good(arrival, doubted)

    def write(self, due: Sequence[Due]) -> list[Outcome]:
        """Store what was not touched; return what became of it."""
        if self.locked:
            lock_identity(self.link)
        found = [identify(one.arrival.report["facts"]) for one in due]
        claims = [
            decide.claim(
                one.arrival.minion_id,
                one.arrival.report.get("previous_minion_id"),
                one.arrival.report["facts"],
                identifiers,
                with_parts=self.locked,
            )
            for one, identifiers in zip(due, found, strict=True)
        ]
        ids = lock(self.link, claims)
        silent_before = due[0].arrival.received_at - self.grace
        known = Owners(self.link, claims, silent_before, with_parts=self.locked)
        settled = [known.settled(claim) for claim in claims]
        if not self.locked and not (known.ids() <= ids and all(settled)):
            raise Again
        assets = [one.named for one in due if one.named is not None]
        stored = Stored(self.link, known.ids(), assets, known.versions)
        stored.load_all(
            {
                asset_id: one.checked
                for one, asset_id in zip(due, settled, strict=True)
                if asset_id is not None
            }
        )
        rejected = self._rejected(claims) if self.locked else {}
        writes = Writes()
        for one, claim, identifiers in zip(due, claims, found, strict=True):
            if claim.minion_id in rejected and rejected[claim.minion_id] == evidence(claim):
                self._outcome(one.arrival, "held", "a person has rejected it")
            else:
                self._one(one, claim, identifiers, known, stored, writes)
        write_all(self.link, writes)
        self._write_problems()
        return self.outcomes

    def _write_problems(self) -> None:
        if self.good:
            close(self.link, self.good)
        record(self.link, self.problems)

    def _one(
        self,
        due: Due,
        claim: decide.Claim,
        found: Mapping[str, Any],
        known: Owners,
        stored: Stored,
        writes: Writes,
    ) -> None:
        arrival, collected_at = due.arrival, due.collected_at
        verdict = known.decide(claim)
        if verdict.action == "held" and (heir := self._heir(due, claim, known, stored)):
            self._outcome(arrival, "unchanged", f"an old report of what is {heir} now")
            return
        if verdict.action == "held":
            self._hold(arrival, claim, verdict, known, writes)
            return
        if verdict.problem:
            self._problem(arrival, "identity", verdict.action, verdict.problem)
        before = stored.before(verdict.asset_id)
        if before is not None and not self._is_newer(arrival, collected_at, before):
            return
        self._collector_problems(arrival)
        document = stored.merge(verdict.asset_id, due.checked)
        self._doubts(due, document)
        if document.digest != due.checked.digest:
            # What was not reported, or in part, counts as it is known.
            found = identify(document.facts)
            previous = claim.previous_minion_id
            claim = decide.claim(claim.minion_id, previous, document.facts, found)
        asset_id = verdict.asset_id or uuid.uuid4()
        accepted = Accepted(arrival, collected_at, asset_id, verdict, claim, found)
        changed = writes.store(accepted, before, document, known)
        status = "new" if before is None else "changed" if changed else "unchanged"
        self._outcome(arrival, status, verdict.reason, asset_id)

    def _heir(self, due: Due, claim: decide.Claim, known: Owners, stored: Stored) -> str | None:
        """Return the name of the asset that was called so when it made this report."""
        for one in known.around(claim):
            before = stored.before(one.id)
            was_called = ("minion_id", claim.minion_id) in known.ledger.get(one.id, {})
            if (
                was_called
                and before is not None
                and before.minion_id not in (None, claim.minion_id)
                and set(claim.keys) & one.keys
                and before.collected_at >= due.collected_at
            ):
                return str(before.minion_id)
        return None

    def _doubts(self, due: Due, document: Merged) -> None:
        """Tell what is hardly so; what was doubted of the other sections still is."""
        arrival, facts = due.arrival, due.arrival.report["facts"]
        changed = [section for section in document.new if section in facts]
        found = checking.doubts(arrival.report, changed, due.collected_at, arrival.received_at)
        for doubt in found:
            self._problem(arrival, "doubt", doubt.field, str(doubt))
        as_before = {f"facts.{section}" for section in facts if section not in document.new}
        doubted = as_before | {doubt.field for doubt in found}
        self.good[arrival.minion_id] = Good(arrival, doubted)

    def _is_newer(self, arrival: Arrival, collected_at: datetime, before: Any) -> bool:
        """Whether a report is newer than what is stored; if not, say what becomes of it."""
        if before.collected_at < collected_at or checking.is_set_back(
            arrival.report, collected_at, arrival.received_at, before.last_seen
        ):
            return True
        if self._was_stored(arrival, collected_at, before):
            self._outcome(arrival, "unchanged", "already stored", before.id)
        else:
            error = checking.ReportError(
                "collected_at",
                f"is {collected_at.isoformat()}, not newer than what is stored"
                f" ({before.collected_at.isoformat()}); was the clock set back?",
            )
            self._refuse(arrival, error)
        return False

    def _was_stored(self, arrival: Arrival, collected_at: datetime, before: Any) -> bool:
        """Whether an old report is in the history: another master may have been faster."""
        if bytes(before.digest) == fingerprint(arrival.report):
            return True
        same_digest = revision.c.digest == shortened(arrival.report["digest"])
        same = (revision.c.collected_at == collected_at) | same_digest
        statement = sa.select(sa.exists().where(revision.c.asset_id == before.id, same))
        return bool(self.link.scalar(statement))

    def _rejected(self, claims: Sequence[decide.Claim]) -> dict[str, Any]:
        """
        Return of each minion the evidence that a person wants no more of.

        Another report with it is counted, and nothing else.
        """
        of_batch = [
            held.c.minion_id.in_([one.minion_id for one in claims]),
            held.c.rejected_at.is_not(None),
        ]
        found = {
            row.minion_id: row.evidence
            for row in self.link.execute(
                sa.select(held.c.minion_id, held.c.evidence).where(*of_batch)
            )
        }
        again = [one.minion_id for one in claims if found.get(one.minion_id) == evidence(one)]
        if again:
            self.link.execute(
                sa.update(held)
                .where(held.c.minion_id.in_(again))
                .values(count=held.c.count + 1, last_seen=sa.func.now())
            )
        return found

    def _hold(
        self,
        arrival: Arrival,
        claim: decide.Claim,
        decision: decide.Decision,
        known: Owners,
        writes: Writes,
    ) -> None:
        """Keep a report for a person; what was decided is put down once for the same evidence."""
        before = self.link.scalar(
            sa.select(held.c.evidence).where(held.c.minion_id == arrival.minion_id)
        )
        writes.hold(arrival, decision, claim, known.candidates(claim))
        if before != evidence(claim):
            writes.decided(arrival, claim, decision, None)
        self._problem(arrival, "identity", "held", decision.problem or decision.reason)
        self._outcome(arrival, "held", decision.reason)

    def _outcome(
        self, arrival: Arrival, status: str, detail: str, asset_id: uuid.UUID | None = None
    ) -> None:
        self.outcomes.append(Outcome(arrival.minion_id, status, detail, asset_id))

    def _refuse(self, arrival: Arrival, error: checking.ReportError) -> None:
        log.warning("Refused the report of %s: %s", arrival.minion_id, error)
        self._problem(arrival, "report", error.field, str(error))
        self._outcome(arrival, "refused", str(error))

    def _collector_problems(self, arrival: Arrival) -> None:
        for collector, error in [*arrival.report["errors"].items()][:MOST_ERRORS]:
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
