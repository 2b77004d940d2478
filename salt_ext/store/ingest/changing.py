"""
Reports that say something new: given to their assets, compared with what is stored, written.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.diff import Change
from salt_ext.facts.identity import identify
from salt_ext.report import checking
from salt_ext.report.envelope import CLOCK_TOLERANCE
from salt_ext.report.limits import Limits
from salt_ext.report.order import Age, Order, compare, is_later_in_boot
from salt_ext.report.sources import rank
from salt_ext.store.identity.claims import Claim, claim
from salt_ext.store.identity.decision import Decision
from salt_ext.store.identity.locking import Again, lock, lock_identity
from salt_ext.store.identity.owners import Owners
from salt_ext.store.ids import new_id
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.ingest.before import NO_HANDOVER, Before, Document, Stored
from salt_ext.store.ingest.claiming import Claimed, check_identifiers, with_parts, words_of
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.gathering import Accepted, Gathered
from salt_ext.store.ingest.holding import (
    Waiting,
    accepted_before,
    count_rejected,
    since,
    waiting,
)
from salt_ext.store.ingest.listed import stood_in
from salt_ext.store.ingest.precedence import (
    Other,
    is_about_one,
    is_poorer,
    others,
    weighed,
)
from salt_ext.store.ingest.problems import Good
from salt_ext.store.ingest.replays import Holders, Replays, former_holders, said
from salt_ext.store.ingest.rivalry import problems_of
from salt_ext.store.ingest.spending import charge
from salt_ext.store.ingest.stand_ins import begin, has_stand_ins
from salt_ext.store.ingest.touching import ALREADY_STORED, Due, heard, move, remember_doubt
from salt_ext.store.ingest.writing import write_all, write_new
from salt_ext.store.listening import Listener, Silence, silence


def store_changed(
    link: sa.Connection,
    reports: Sequence[Claimed],
    grace: timedelta,
    findings: Findings | None = None,
    listener: Listener | None = None,
    *,
    locked: bool,
) -> Findings:
    """
    Store reports, at most one of each machine; return what became of each.

    With ``locked`` the lock of identity is taken, so that nobody else decides
    meanwhile. Without it each report must have exactly the name and the keys of one
    asset, and be called as before where a row of people's list could mean it; else
    :class:`Again` is raised. An asset that was not heard for ``grace`` counts as silent,
    and so does one whose minion has no key any more on the master that hands the reports
    over, the ``listener``. What is found is added to ``findings``;
    ``later`` among it are reports of assets that another one of the batch concerns.
    """
    findings = findings or Findings()
    due = [one.due for one in reports]
    claims = [one.claim for one in reports]
    if locked:
        claims = [with_parts(*one) for one in reports]
        lock_identity(link)
    names = [one.minion_id for one in claims]
    storing = Storing(link, findings, listener.number if listener else None, names)
    storing.waiting = waiting(link, claims) if locked else {}
    claims = [since(one, storing.waiting.get(one.minion_id)) for one in claims]
    ids = lock(link, claims)
    came_at = min(one.arrival.received_at for one in due)
    known = Owners(link, claims, silence(link, grace, came_at) if locked else None, listener)
    age = findings.taking.missing_after
    settled = [_settled(known, one, claimed, age) for one, claimed in zip(due, claims, strict=True)]
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
    rejected = count_rejected(link, claims, storing.waiting)
    storing.known, storing.stored = known, stored
    storing.expect(zip(due, settled, strict=True))
    # Machines under their own names first, then newcomers: so the end does not depend on
    # the order in which the reports of a batch came.
    in_order = sorted(range(len(due)), key=lambda number: not known.is_own_name(claims[number]))
    for number in in_order:
        one, claimed = due[number], claims[number]
        if claimed.minion_id in rejected:
            findings.outcome(one.arrival, "held", "a person has rejected it")
            continue
        with findings.timed(one.arrival.minion_id):
            try:
                storing.take(one, claimed, reports[number].found)
            except checking.TooMuch as error:
                findings.refuse_size(one.arrival, one.order, error)
    storing.write(locked=locked)
    return findings


class Storing:
    """A batch on its way into the store: what is known, what is to be written, what is wrong."""

    known: Owners
    stored: Stored
    waiting: Waiting

    def __init__(
        self,
        link: sa.Connection,
        findings: Findings,
        master: int | None,
        names: Collection[str],
    ) -> None:
        """Begin with the names of the batch; what is known is set before the first report."""
        self.link = link
        self.master = master
        self.replays = Replays(link)
        self.gathered = Gathered()
        self.findings = findings
        self.limits = findings.limits
        self.again: list[tuple[uuid.UUID, datetime | None]] = []
        """The assets with a report that was stored before, and its position."""
        self.doubted: list[tuple[uuid.UUID, Order]] = []
        self.awaited: bool | None = None
        """Whether anything waits for its first report; None: nobody has looked yet."""
        self.taken: set[uuid.UUID] = set()
        """The assets that a report of this batch writes."""
        self._beside: dict[uuid.UUID, dict[str, Other]] = {}
        self._missing: Silence | None = None
        self._names = names
        self._holders: Holders | None = None

    def expect(self, reports: Iterable[tuple[Due, uuid.UUID | None]]) -> None:
        """Ask of all reports together whether they were stored before, where that may be."""
        self.replays.ask(
            said(before.id, one.arrival.report, one.order)
            for one, asset_id in reports
            if (before := self.stored.before(asset_id)) is not None
            and not is_later_in_boot(one.order, before.order)
        )

    def write(self, *, locked: bool) -> None:
        """Write what was gathered and found, at the cost of the machines that it is of."""
        write_all(self.link, self.gathered, locked=locked)
        move(self.link, self.again, self.master)
        remember_doubt(self.link, self.doubted)
        self._charge()

    def write_new(self) -> None:
        """The same where all that was gathered is of machines that nobody knew."""
        write_new(self.link, self.gathered)
        self._charge()

    def _charge(self) -> None:
        heard(self.link, self.findings.too_much, self.master)
        charge(self.link, self.findings.costs(self.gathered.costs))
        self.findings.write(self.link)

    def take(self, due: Due, claimed: Claim, found: Mapping[str, Any]) -> None:
        """Decide whose a report is and gather what it changes; ``found`` are its identifiers."""
        arrival = due.arrival
        verdict = self._verdict(claimed, arrival)
        if verdict.action != "known" and (heir := self._heir(due)):
            self.findings.outcome(arrival, "unchanged", f"an old report of what is {heir} now")
            return
        if verdict.action == "held":
            verdict = accepted_before(self.link, self.known, claimed, verdict)
        if verdict.action == "rejected":
            self.findings.outcome(arrival, "held", verdict.reason)
            return
        if verdict.action == "held":
            self._hold(due, claimed, verdict)
            return
        meant = (verdict.asset_id, verdict.detached, verdict.merged)
        concerned = {one for one in meant if one is not None}
        if concerned & self.taken:
            # What is stored of them will be another document and another revision.
            self.findings.later.append(due.sent)
            return
        before = self.stored.before(verdict.asset_id)
        if before is not None and not self._is_newer(due, before):
            return
        self.findings.failed_collectors(arrival)
        for trouble in due.troubles:
            self.findings.problem(arrival, "hook", *trouble)
        counts, handed = due.checked, NO_HANDOVER
        if before is not None:
            asset, mode = before, arrival.report["mode"]
            counts, handed = weighed(
                due.checked,
                mode,
                before,
                lambda section: self._is_silent(asset, arrival, self._told(asset, due, section)),
            )
        document = self.stored.after(verdict.asset_id, counts, handed)
        checking.check_document(document.facts, document.texts, self.limits)
        changes = _changes(before, document, self.limits)
        if document.digest != due.checked.digest:
            # Sections that were reported in part or not at all count as they are known.
            found = identify(document.facts)
            check_identifiers(found, self.limits)
            previous = claimed.previous_minion_id
            merged = claim(claimed.minion_id, previous, document.facts, found)
            claimed = merged._replace(proof=claimed.proof)
        if not is_poorer(arrival.report["mode"], before):
            self._doubts(due, document)
        asset_id = verdict.asset_id or self._new(arrival, document, found)
        self.findings.problems += problems_of(
            claimed, verdict, asset_id, self.known, arrival.received_at
        )
        self.taken |= {asset_id, *concerned}
        accepted = Accepted(
            arrival,
            *(due.order, asset_id, verdict, claimed, found, self.master, counts, handed),
            missing_after=self.findings.taking.missing_after,
            last_beside=self._last_beside(arrival.report["mode"], before),
        )
        changed = self.gathered.store(accepted, before, document, changes, self.known)
        # A machine with the name of another live one is stored under its former name.
        name = self.known.name(asset_id)
        status = "new" if before is None else "changed" if changed else "unchanged"
        self.findings.outcome(arrival, status, verdict.reason, asset_id, name)

    def _new(self, arrival: Arrival, document: Document, found: Mapping[str, Any]) -> uuid.UUID:
        """Return the id of a machine that reports for the first time: its stand-in's if any."""
        if self.awaited is None:
            self.awaited = has_stand_ins(self.link)
        if not self.awaited:
            return new_id()
        machine = words_of(arrival.minion_id, document.facts, found)
        stand_in = stood_in(self.link, machine)
        if stand_in is None or stand_in in self.taken:
            return new_id()
        begin(self.link, stand_in, arrival.received_at)
        return stand_in

    def _verdict(self, claimed: Claim, arrival: Arrival) -> Decision:
        """
        Decide whose a report is; where two sources spell the keys, the name tells more.

        The minion id is what Salt authenticated. A poorer source says nothing of an asset
        that a better one knows under this name. Where one takes the place of the other,
        its keys may be other ones and the machine the same.
        """
        named, mode = self.known.named(claimed), arrival.report["mode"]
        before = self.stored.before(named and named.id)
        if named is None or before is None or rank(mode) == rank(before.mode):
            return self.known.decide(claimed)
        if is_poorer(mode, before) and not self._is_silent(before, arrival, before.mode_seen):
            return Decision("known", named.id, "same name; a better source knows its keys")
        verdict = self.known.decide(claimed)
        if is_about_one(claimed, named, verdict):
            return Decision("known", named.id, "same name; another source tells its keys")
        return verdict

    def _is_silent(self, before: Before, arrival: Arrival, last_seen: datetime) -> bool:
        """Whether what was heard of an asset last at a moment is silent for ``missing_after``."""
        age = self.findings.taking.missing_after
        if arrival.received_at - last_seen <= age:
            return False
        if self._missing is None:
            self._missing = silence(self.link, age, arrival.received_at)
        return self._missing.is_over(last_seen, before.master)

    def _told(self, before: Before, due: Due, section: str) -> datetime:
        """
        Return when who told a section was heard last, by the clock of the store.

        An equal of the source of this report may be heard no more while others of them
        are: there it counts when the section was collected.
        """
        source, came_at = before.source(section), due.arrival.received_at
        if rank(source) == rank(due.arrival.report["mode"]):
            age = due.order.collected_at - before.told_at(section)
            # A clock may be wrong by ages: nothing is known for longer than the asset is.
            known_for: timedelta = came_at - before.columns["first_seen"]
            return came_at - min(age, known_for)
        if rank(source) == rank(before.mode):
            return before.mode_seen
        others = self._others(before)
        return others[source].last_seen if source in others else before.mode_seen

    def _heir(self, due: Due) -> str | None:
        """
        Return what the asset is called now that reported this, under this name, before.

        Since then it may have another name, or none, and may show other keys. Only what
        was stored proves that: a clock may be wrong or lie.
        """
        report = due.arrival.report
        # What was reported in part became a part of another document.
        was_stored = self.replays.has if report["partial"] else self.replays.has_exactly
        if self._holders is None:
            self._holders = former_holders(self.link, self._names)
        for asset_id, name in self._holders.get(due.arrival.minion_id, ()):
            if was_stored(said(asset_id, report, due.order)):
                return name or f"the detached asset {asset_id}"
        return None

    def _doubts(self, due: Due, document: Document) -> None:
        """Note values that are hardly true; doubts about sections that did not change stay open."""
        arrival, facts = due.arrival, due.arrival.report["facts"]
        changed = [section for section in document.new if section in facts]
        made, came = due.order.collected_at, arrival.received_at
        found = checking.doubts(arrival.report, changed, made, came)
        for doubt in found:
            self.findings.problem(arrival, "doubt", doubt.field, str(doubt))
        as_before = {f"facts.{section}" for section in facts if section not in document.new}
        doubted = as_before | {doubt.field for doubt in found}
        self.findings.good[arrival.minion_id] = Good(arrival, doubted)

    def _is_newer(self, due: Due, before: Before) -> bool:
        """Whether a report is newer than what is stored; if not, note its outcome."""
        arrival, order = due.arrival, due.order
        if is_poorer(arrival.report["mode"], before):
            return self._is_newer_beside(due, before)
        if is_later_in_boot(order, before.order):
            return True
        # What was looked at and not kept as it was is known by its moment.
        is_again = not before.digest and order == before.order
        if is_again or self.replays.has(said(before.id, arrival.report, order)):
            name = before.minion_id or ""
            self.findings.outcome(arrival, "unchanged", ALREADY_STORED, before.id, name)
            self.again.append((before.id, arrival.position))
            return False
        is_set_back = checking.is_set_back(
            arrival.report, order.collected_at, arrival.received_at, before.last_seen
        )
        age = compare(order, before.order, before.doubted, is_set_back=is_set_back)
        if age is Age.NEWER:
            return True
        if age is Age.DOUBTFUL:
            self.doubted.append((before.id, order))
        self.findings.refuse(arrival, checking.not_newer(order, before.order, age))
        return False

    def _is_newer_beside(self, due: Due, before: Before) -> bool:
        """The same beside a better source, whose time tells nothing about that of another one."""
        arrival, order = due.arrival, due.order
        other = self._others(before).get(arrival.report["mode"])
        if other is None:
            # Core grains count as older than they are by this tolerance already.
            is_newer = order.collected_at > before.order.collected_at - 2 * CLOCK_TOLERANCE
        else:
            is_newer = (
                is_later_in_boot(order, other.order)
                or compare(order, other.order, None, is_set_back=False) is Age.NEWER
            )
        if is_newer:
            return True
        self.findings.outcome(
            arrival, "unchanged", ALREADY_STORED, before.id, before.minion_id or ""
        )
        self.again.append((before.id, arrival.position))
        return False

    def _last_beside(self, mode: str, before: Before | None) -> datetime | None:
        """Return when a poorer source made its last report, if it is one and made one before."""
        if before is None or not is_poorer(mode, before):
            return None
        other = self._others(before).get(mode)
        return other and other.order.collected_at

    def _others(self, before: Before) -> dict[str, Other]:
        if before.id not in self._beside:
            self._beside[before.id] = others(self.link, before)
        return self._beside[before.id]

    def _hold(self, due: Due, claimed: Claim, decision: Decision) -> None:
        """Hold a report for a person, with the digest of the facts that hooks have left in it."""
        arrival = due.arrival._replace(report={**due.arrival.report, "digest": due.checked.digest})
        size = len(encode(arrival.report))
        self.gathered.decided(arrival, claimed, decision, None)
        self.gathered.hold(arrival, decision, claimed, self.known.candidates(claimed), size)
        self.findings.problem(arrival, "identity", "held", decision.problem or decision.reason)
        self.findings.outcome(arrival, "held", decision.reason)


def _settled(known: Owners, due: Due, claimed: Claim, missing_after: timedelta) -> uuid.UUID | None:
    """Return the id of the asset that a report is of, where nothing needs to be decided."""
    arrival, before = due.arrival, due.named
    if (
        before is not None
        and is_poorer(arrival.report["mode"], before)
        and arrival.received_at - before.mode_seen <= missing_after
    ):
        named = known.named(claimed)
        return named and named.id
    return known.settled(claimed)


def _changes(before: Before | None, document: Document, limits: Limits) -> list[Change]:
    """Return what a report changes. Raises :class:`checking.TooMuch`."""
    changes = document.changes() if before is not None else []
    if len(changes) > limits.max_changes:
        raise checking.TooMuch(
            "facts",
            f"make {len(changes)} changes; at most {limits.max_changes} are stored at once"
            " (max_changes)",
        )
    return changes
