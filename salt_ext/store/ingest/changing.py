"""
Reports that say something new: given to their assets, compared with what is stored, written.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.diff import Change, diff
from salt_ext.facts.identity import identify
from salt_ext.report import checking, digests
from salt_ext.report.limits import Limits
from salt_ext.store.identity.claims import Claim, claim, evidence
from salt_ext.store.identity.decide import Decision
from salt_ext.store.identity.locking import lock, lock_identity
from salt_ext.store.identity.owners import Owners
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.before import Before, Document, Stored
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.gathering import Accepted, Gathered
from salt_ext.store.ingest.problems import Good
from salt_ext.store.ingest.spending import Cost, charge
from salt_ext.store.ingest.touching import Due, heard
from salt_ext.store.ingest.writing import write_all
from salt_ext.store.schema import held, revision


class Again(Exception):
    """It is not clear whose a report is: begin again with the lock of identity."""


def store_changed(
    link: sa.Connection,
    due: Sequence[Due],
    grace: timedelta,
    findings: Findings | None = None,
    *,
    locked: bool,
) -> list[Outcome]:
    """
    Store reports, at most one of each machine; return what became of each.

    With ``locked`` the lock of identity is taken, so that nobody else decides
    meanwhile. Without it each report must have exactly the name and the keys of one
    asset; else :class:`Again` is raised. An asset that was not heard for ``grace``
    counts as silent. What is found is added to ``findings``.
    """
    findings = findings or Findings()
    if locked:
        lock_identity(link)
    storing = _Storing(link, findings)
    due, found, claims = storing.claims(due, with_parts=locked)
    if not due:
        storing.write()
        return findings.outcomes
    ids = lock(link, claims)
    silent_before = due[0].arrival.received_at - grace
    known = Owners(link, claims, silent_before, with_parts=locked)
    settled = [known.settled(one) for one in claims]
    if not locked and not (known.ids() <= ids and all(settled)):
        raise Again
    assets = [one.named for one in due if one.named is not None]
    stored = Stored(link, known.ids(), assets, known.versions)
    stored.load_all(
        {
            asset_id: one.checked
            for one, asset_id in zip(due, settled, strict=True)
            if asset_id is not None
        }
    )
    rejected = _rejected(link, claims) if locked else {}
    storing.known, storing.stored = known, stored
    for one, claimed, identifiers in zip(due, claims, found, strict=True):
        if claimed.minion_id in rejected and rejected[claimed.minion_id] == evidence(claimed):
            findings.outcome(one.arrival, "held", "a person has rejected it")
            continue
        with findings.timed(one.arrival.minion_id):
            try:
                storing.take(one, claimed, identifiers)
            except checking.TooMuch as error:
                storing.refuse(one, error)
    storing.write()
    return findings.outcomes


def _rejected(link: sa.Connection, claims: Sequence[Claim]) -> dict[str, Any]:
    """
    Return, by minion id, the evidence that a person has rejected.

    A report that shows the same evidence again is only counted, which is done here.
    """
    of_batch = [
        held.c.minion_id.in_([one.minion_id for one in claims]),
        held.c.rejected_at.is_not(None),
    ]
    found = {
        row.minion_id: row.evidence
        for row in link.execute(sa.select(held.c.minion_id, held.c.evidence).where(*of_batch))
    }
    again = [one.minion_id for one in claims if found.get(one.minion_id) == evidence(one)]
    if again:
        link.execute(
            sa.update(held)
            .where(held.c.minion_id.in_(again))
            .values(count=held.c.count + 1, last_seen=sa.func.now())
        )
    return found


class _Storing:
    """A batch on its way into the store: what is known, what is to be written, what is wrong."""

    known: Owners
    stored: Stored

    def __init__(self, link: sa.Connection, findings: Findings) -> None:
        """Begin with nothing; ``known`` and ``stored`` are set before the first report."""
        self.link = link
        self.gathered = Gathered()
        self.findings = findings
        self.limits = findings.limits
        self.too_much: list[tuple[Arrival, datetime]] = []

    def claims(
        self, due: Sequence[Due], *, with_parts: bool
    ) -> tuple[list[Due], list[dict[str, Any]], list[Claim]]:
        """Return the reports with what they claim; those that claim too much are refused."""
        left: list[Due] = []
        identified: list[dict[str, Any]] = []
        claims: list[Claim] = []
        for one in due:
            minion_id, report = one.arrival.minion_id, one.arrival.report
            with self.findings.timed(minion_id):
                found = identify(report["facts"])
                try:
                    _check_identifiers(found, self.limits)
                except checking.TooMuch as error:
                    self.refuse(one, error)
                    continue
                previous = report.get("previous_minion_id")
                claims.append(
                    claim(minion_id, previous, report["facts"], found, with_parts=with_parts)
                )
            left.append(one)
            identified.append(found)
        return left, identified, claims

    def refuse(self, due: Due, error: checking.TooMuch) -> None:
        """Refuse a report of more than one machine may say."""
        self.findings.refuse(due.arrival, error)
        self.too_much.append((due.arrival, due.collected_at))

    def write(self) -> None:
        """Write what was gathered and found, at the cost of the machines that it is of."""
        write_all(self.link, self.gathered)
        heard(self.link, self.too_much)
        costs = self.findings.costs()
        for minion_id, (rows, size) in self.gathered.costs.items():
            more = costs.get(minion_id, Cost(0, 0))
            costs[minion_id] = Cost(rows + more.changes, size + more.bytes)
        charge(self.link, costs)
        self.findings.write(self.link)

    def take(self, due: Due, claimed: Claim, found: Mapping[str, Any]) -> None:
        """Decide whose a report is and gather what it changes; ``found`` are its identifiers."""
        arrival, collected_at = due.arrival, due.collected_at
        verdict = self.known.decide(claimed)
        if verdict.action == "held" and (heir := self._heir(due, claimed)):
            self.findings.outcome(arrival, "unchanged", f"an old report of what is {heir} now")
            return
        if verdict.action == "held":
            self._hold(arrival, claimed, verdict)
            return
        if verdict.problem:
            self.findings.problem(arrival, "identity", verdict.action, verdict.problem)
        before = self.stored.before(verdict.asset_id)
        if before is not None and not self._is_newer(arrival, collected_at, before):
            return
        self.findings.failed_collectors(arrival)
        document = self.stored.after(verdict.asset_id, due.checked)
        checking.check_document(document.facts, document.texts, self.limits)
        changes = _changes(before, document, self.limits)
        if document.digest != due.checked.digest:
            # Sections that were reported in part or not at all count as they are known.
            found = identify(document.facts)
            _check_identifiers(found, self.limits)
            previous = claimed.previous_minion_id
            claimed = claim(claimed.minion_id, previous, document.facts, found)
        self._doubts(due, document)
        asset_id = verdict.asset_id or uuid.uuid4()
        accepted = Accepted(arrival, collected_at, asset_id, verdict, claimed, found)
        changed = self.gathered.store(accepted, before, document, changes, self.known)
        status = "new" if before is None else "changed" if changed else "unchanged"
        self.findings.outcome(arrival, status, verdict.reason, asset_id)

    def _heir(self, due: Due, claimed: Claim) -> str | None:
        """Return the present name of the asset that made this old report under its former name."""
        for one in self.known.around(claimed):
            before = self.stored.before(one.id)
            was_called = ("minion_id", claimed.minion_id) in self.known.ledger.get(one.id, {})
            if (
                was_called
                and before is not None
                and before.minion_id not in (None, claimed.minion_id)
                and set(claimed.keys) & one.keys
                and before.collected_at >= due.collected_at
            ):
                return str(before.minion_id)
        return None

    def _doubts(self, due: Due, document: Document) -> None:
        """Note values that are hardly true; doubts about sections that did not change stay open."""
        arrival, facts = due.arrival, due.arrival.report["facts"]
        changed = [section for section in document.new if section in facts]
        found = checking.doubts(arrival.report, changed, due.collected_at, arrival.received_at)
        for doubt in found:
            self.findings.problem(arrival, "doubt", doubt.field, str(doubt))
        as_before = {f"facts.{section}" for section in facts if section not in document.new}
        doubted = as_before | {doubt.field for doubt in found}
        self.findings.good[arrival.minion_id] = Good(arrival, doubted)

    def _is_newer(self, arrival: Arrival, collected_at: datetime, before: Before) -> bool:
        """Whether a report is newer than what is stored; if not, note its outcome."""
        if before.collected_at < collected_at or checking.is_set_back(
            arrival.report, collected_at, arrival.received_at, before.last_seen
        ):
            return True
        if self._was_stored(arrival, collected_at, before):
            self.findings.outcome(arrival, "unchanged", "already stored", before.id)
        else:
            error = checking.ReportError(
                "collected_at",
                f"is {collected_at.isoformat()}, not newer than what is stored"
                f" ({before.collected_at.isoformat()}); was the clock set back?",
            )
            self.findings.refuse(arrival, error)
        return False

    def _was_stored(self, arrival: Arrival, collected_at: datetime, before: Before) -> bool:
        """Whether an old report was stored before, perhaps by another master that was faster."""
        if before.digest == digests.of_report(arrival.report):
            return True
        same_digest = revision.c.digest == digests.short(arrival.report["digest"])
        same = (revision.c.collected_at == collected_at) | same_digest
        statement = sa.select(sa.exists().where(revision.c.asset_id == before.id, same))
        return bool(self.link.scalar(statement))

    def _hold(
        self,
        arrival: Arrival,
        claimed: Claim,
        decision: Decision,
    ) -> None:
        """Hold a report for a person; for the same evidence the decision is remembered once."""
        digest = held.c.report["digest"].astext
        before = self.link.execute(
            sa.select(held.c.evidence, digest).where(held.c.minion_id == arrival.minion_id)
        ).one_or_none()
        is_same = before is not None and before[1] == arrival.report["digest"]
        size = 0 if is_same else len(encode(arrival.report))
        if before is None or before.evidence != evidence(claimed):
            self.gathered.decided(arrival, claimed, decision, None)
        self.gathered.hold(arrival, decision, claimed, self.known.candidates(claimed), size)
        self.findings.problem(arrival, "identity", "held", decision.problem or decision.reason)
        self.findings.outcome(arrival, "held", decision.reason)


def _check_identifiers(found: Mapping[str, Any], limits: Limits) -> None:
    """Raise :class:`checking.TooMuch` for a machine that shows too many identifiers."""
    count = len(found["candidates"]) + len(found["rejected"])
    if count > limits.max_identifiers:
        raise checking.TooMuch(
            "facts",
            f"show {count} identifiers; at most {limits.max_identifiers} are stored"
            " (max_identifiers)",
        )


def _changes(before: Before | None, document: Document, limits: Limits) -> list[Change]:
    """Return what a report changes. Raises :class:`checking.TooMuch`."""
    changes = diff(document.old, document.new) if before is not None else []
    if len(changes) > limits.max_changes:
        raise checking.TooMuch(
            "facts",
            f"make {len(changes)} changes; at most {limits.max_changes} are stored at once"
            " (max_changes)",
        )
    return changes
