"""
The rows that a batch of reports is going to write, gathered from one report after the other.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.alike import alike
from salt_ext.document.classes import classes, losses
from salt_ext.document.diff import Change
from salt_ext.document.hardware import what
from salt_ext.document.names import RULE
from salt_ext.report import digests
from salt_ext.report.checking import Checked
from salt_ext.report.order import Order
from salt_ext.report.sources import rank
from salt_ext.store.columns import list_columns
from salt_ext.store.identity import claims
from salt_ext.store.identity.claims import evidence
from salt_ext.store.identity.decision import Decision
from salt_ext.store.identity.owners import Owners
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.ingest.before import Before, Document, Told
from salt_ext.store.ingest.counters import WATCHED, Reading, counts, silent
from salt_ext.store.ingest.gone import Gone
from salt_ext.store.ingest.ledger import ledger_rows
from salt_ext.store.ingest.precedence import is_better, is_poorer, versions_of
from salt_ext.store.ingest.spending import ROW_BYTES, Cost
from salt_ext.store.ingest.stays import HandedStays, Placed
from salt_ext.store.ingest.steps import former
from salt_ext.store.ingest.touching import VOLATILE_HOURS, secret_hash
from salt_ext.store.parts import BUILT, PARTED, Kind, Part, Placement, parts, placements
from salt_ext.store.parts import build as built
from salt_ext.store.schema import (
    WAS_COLUMNS,
    asset,
    asset_facts,
    asset_seen,
    asset_was,
    build,
    change,
    decision,
    handover,
    held,
    identifier,
    loss,
    other_source,
    part,
    placement,
    revision,
)
from salt_ext.store.search import DESCRIBED_BY, KNOWN_BY, SEARCHED, search_text, with_listed
from salt_ext.words.sizes import size_bytes

ENGINE = "salt-cmdb"
"""Who decides when no person does."""


SET_BACK = "its clock was set back"
"""Why there is a revision without a change."""

HISTORY = frozenset((asset_was, change, decision, handover, identifier, placement, revision))
"""The tables that only grow."""

KEY_BYTES = 40
"""What a key takes in the evidence of a decision, about."""

CALLED = ("sn", "minion_id", "hostname")
"""The columns by which people's lists mean an asset."""

COSTS = {asset: 4000, asset_was: 2000}
"""What a row takes, where that is more: nearly every column of the list is in an index."""


Counted = Mapping[Part, int]
"""How many there are of each kind of part."""


class Ruled(NamedTuple):
    """What a person decided: ``action`` is accept, split, merge or reject."""

    action: str
    by: str
    why: str
    at: datetime


class Accepted(NamedTuple):
    """A report that belongs to an asset; ``found`` are the identifiers in all its known facts."""

    arrival: Arrival
    order: Order
    asset_id: uuid.UUID
    verdict: Decision
    claim: claims.Claim
    found: Mapping[str, Any]
    master: int | None
    """The number of the master that handed it over."""
    counts: Checked
    """The report without the sections that a better source tells."""
    handed: Mapping[str, Told]
    """Who told those sections until now that another source tells from now on."""
    missing_after: timedelta = timedelta.max
    last_beside: datetime | None = None
    """When its source, a poorer one, made the report before it, by its own clock."""

    def ignored(self) -> set[str]:
        """Return the sections that a better source, or a newer collector, tells."""
        return set(self.arrival.report["facts"]) - self.counts.facts.keys()


class Gathered:
    """The rows of a batch, so that each table takes one statement."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rows: dict[sa.Table, list[dict[str, Any]]] = {}
        self.refreshed: list[tuple[str, str, str]] = []
        self.readings: list[Reading] = []
        """The counters among the volatile values that are written."""
        self.standing: list[tuple[Any, ...]] = []
        """Of sections that stay as they are: when and by whom they are reported now."""
        self.beside: list[tuple[Any, ...]] = []
        """The assets of which a poorer source was heard: what changes in ``asset_seen``."""
        self.recounted: list[tuple[uuid.UUID, int]] = []
        """The assets whose parts are counted again, and how many rows of ``part`` each has."""
        self.placed: list[Placed] = []
        self.handed: list[HandedStays] = []
        """The parts of sections that another source tells now; their stays are settled last."""
        self.gone: list[Gone] = []
        self.accepted: list[tuple[str, str]] = []
        self.called: set[uuid.UUID] = set()
        """The assets that are new, or have another SN or name than before."""
        self.costs: dict[str, Cost] = {}
        """By minion id: what is written for its report."""
        self._bytes = 0
        self._rows = 0

    def hold(
        self,
        arrival: Arrival,
        verdict: Decision,
        claim: claims.Claim,
        candidates: list[dict[str, Any]],
        size: int,
    ) -> None:
        """
        Keep a report for a person to decide, without the secret that it may show.

        ``size`` is what it takes, in bytes.
        """
        self._bytes += size + KEY_BYTES * (len(claim.keys) + len(candidates))
        self.add(
            held,
            minion_id=arrival.minion_id,
            reason=verdict.reason,
            candidates=candidates,
            report={key: value for key, value in arrival.report.items() if key != "proof"},
            evidence=evidence(claim),
            first_seen=arrival.received_at,
            last_seen=arrival.received_at,
            count=1,
            rejected_at=None,
            rule=verdict.rule,
        )
        self._charge(arrival)

    def decided(
        self,
        arrival: Arrival,
        claim: claims.Claim,
        verdict: Decision,
        asset_id: uuid.UUID | None,
        ruling: Ruled | None = None,
    ) -> None:
        """Remember a decision about whose a report is: who made it, when and why."""
        self._bytes += KEY_BYTES * len(claim.keys)
        self.add(
            decision,
            id=uuid.uuid4(),
            decided_at=ruling.at if ruling else arrival.received_at,
            decided_by=ruling.by if ruling else ENGINE,
            minion_id=arrival.minion_id,
            action=ruling.action if ruling else verdict.action,
            asset_id=asset_id,
            other_asset_id=verdict.detached or verdict.merged,
            reason=f"{verdict.reason}: {ruling.why}" if ruling else verdict.reason,
            evidence=evidence(claim),
        )

    def store(
        self,
        accepted: Accepted,
        before: Before | None,
        document: Document,
        changes: list[Change],
        known: Owners,
        ruling: Ruled | None = None,
    ) -> bool:
        """
        Gather all rows of one accepted report; return whether anything changed.

        ``before`` is the asset as it was, None for a new one, and ``changes`` are what
        the document differs by; ``ruling`` is given when a person decided.
        """
        arrival, verdict, asset_id = accepted.arrival, accepted.verdict, accepted.asset_id
        at, last_seen = ruling.at if ruling else arrival.received_at, arrival.received_at
        if before is not None:
            # Times in the history never go back, even if the clocks of two masters differ.
            at, last_seen = max(at, before.changed_at), max(last_seen, before.last_seen)
        name = known.learn(asset_id, accepted.claim, verdict)
        key = next(iter(accepted.claim.keys), None)
        self.accepted.append((arrival.minion_id, json.dumps(key)))
        if before is not None and before.minion_id != name:
            renamed = Change("renamed", "minion_id", None, None, before.minion_id, name)
            changes = [renamed, *changes]
        is_plain = not verdict.problem and not verdict.shared and ruling is None
        is_usual = verdict.action == "known" and is_plain
        # For a new machine its first revision says enough.
        if not is_usual and not (verdict.action == "new" and is_plain):
            self.decided(arrival, accepted.claim, verdict, asset_id, ruling)
        for lost in (verdict.detached, verdict.merged):
            if lost is not None:
                into = asset_id if lost == verdict.merged else None
                self.gone.append(Gone(lost, into, at, name))
        changed = before is None or bool(changes)
        is_news = changed or bool(document.handed)
        is_beside = is_poorer(arrival.report["mode"], before)
        made_at = accepted.order.collected_at
        # Within a revision the moments of its reports only grow, so that it is known by
        # its first and its last one which reports were stored.
        is_set_back = before is not None and not is_beside and made_at < before.order.collected_at
        number = (before.revision if before is not None else 0) + (is_news or is_set_back)
        if is_news or is_set_back:
            usual = None if is_news else SET_BACK
            self.add(
                revision,
                asset_id=asset_id,
                number=number,
                recorded_at=at,
                collected_at=made_at,
                mode=arrival.report["mode"],
                reason=usual if is_usual else verdict.reason,
                digest=digests.short(document.digest),
                last_before=before.order.collected_at if before is not None else None,
                key_rule=RULE,
                alike=alike(changes),
            )
        if is_news:
            self._asset(accepted, name, document, before, at)
            self.changed(asset_id, number, at, changes)
            self._handed(accepted, document, number)
            self._ledger(accepted, name, before, known, at)
            was, now = parts(document.old), parts(document.new)
            whole = now if before is None else None  # of a new machine all sections are new
            self._parts(asset_id, document, at, (was, now, whole), is_beside=is_beside)
            self._build(asset_id, document, (was, now, whole))
        if accepted.handed:
            self._stays(accepted, document, before, at)
        is_due = before is None or _is_old(before.volatile_at, made_at)
        changed_at = at if before is None or changed else before.changed_at
        reports_as = arrival.minion_id if arrival.minion_id != name else None
        if before is not None and is_beside:
            self._beside(accepted, before, number, changed_at, reports_as)
        else:
            self._seen(
                accepted,
                before,
                number,
                last_seen=last_seen,
                volatile_at=made_at if before is None or is_due else before.volatile_at,
                changed_at=changed_at,
                reports_as=reports_as,
            )
        is_due = is_due and not is_beside
        refreshed = _refreshed(accepted, document, before) if before and is_due else {}
        self._sections(accepted, document, before, refreshed)
        if before is not None:  # the first values are what the next ones are compared with
            self._counters(accepted, document, before, refreshed, at)
        self._charge(arrival)
        return changed

    def _seen(
        self,
        accepted: Accepted,
        before: Before | None,
        number: int,
        **times: Any,
    ) -> None:
        """Gather what the best source of an asset said last, and what was the best one before."""
        arrival = accepted.arrival
        mode = arrival.report["mode"]
        self.add(
            asset_seen,
            asset_id=accepted.asset_id,
            # As long as an older collector may still take over, each of its reports is looked at.
            digest=b"" if accepted.ignored() else digests.of_report(arrival.report),
            **accepted.order._asdict(),
            doubted_boot_id=None,
            doubted_since_boot_ms=None,
            master=accepted.master,
            position=arrival.position,
            mode=mode,
            mode_seen=None,
            secret_hash=secret_hash(arrival.report),
            revision=number,
            detached_at=None,
            **times,
        )
        if before is not None and is_better(mode, before):
            self.add(
                other_source,
                asset_id=accepted.asset_id,
                source=before.mode,
                last_seen=before.mode_seen,
                digest=before.digest,
                **before.order._asdict(),
            )

    def _beside(
        self,
        accepted: Accepted,
        before: Before,
        number: int,
        changed_at: datetime,
        reports_as: str | None,
    ) -> None:
        """Gather that a poorer source was heard beside the best one of an asset."""
        arrival, handed = accepted.arrival, accepted.handed
        mode, came_at = arrival.report["mode"], arrival.received_at
        has_taken_over = any(
            one.source and rank(one.source) < rank(mode) for one in handed.values()
        )
        # As long as it may still take over, each of its reports is looked at.
        is_open = accepted.ignored() and came_at - before.mode_seen > accepted.missing_after
        self.beside.append(
            (
                *(str(accepted.asset_id), came_at, number, changed_at, reports_as),
                *(arrival.position, accepted.master, has_taken_over),
            )
        )
        self.add(
            other_source,
            asset_id=accepted.asset_id,
            source=mode,
            last_seen=came_at,
            digest=b"" if is_open else digests.of_report(arrival.report),
            **accepted.order._asdict(),
        )

    def _charge(self, arrival: Arrival) -> None:
        """Note what has been gathered since the last report as the cost of this one."""
        self.costs[arrival.minion_id] = Cost(self._rows, self._bytes)
        self._rows = self._bytes = 0

    def _asset(
        self,
        accepted: Accepted,
        name: str,
        document: Document,
        before: Before | None,
        at: datetime,
    ) -> None:
        """Gather the list columns if one of them differs, and keep their former values."""
        facts = document.facts
        listed = before.columns["listed"] if before is not None else None
        kinds = [one["kind"] for one in accepted.found["candidates"]]
        columns = list_columns(facts, kinds, listed)
        columns |= {"minion_id": name, "temporary": accepted.found["primary"] is None}
        if before is not None and _is_found_as_before(columns, document, before):
            search = before.columns["search"]
        else:
            search = with_listed(search_text(name, columns, facts), listed)
        if before is None or any(columns[one] != before.columns[one] for one in CALLED):
            self.called.add(accepted.asset_id)
        times = {"first_seen": at, "unchanged_since": at}
        if before is not None:
            times = {name: before.columns[name] for name in times}
            differs = {name for name, value in columns.items() if value != before.columns[name]}
            if differs & set(WAS_COLUMNS):
                was = former(before.columns, at)
                self.add(asset_was, **was)
                times["unchanged_since"] = was["until"]
            if not differs and search == before.columns["search"]:
                return
        self.add(asset, id=accepted.asset_id, search=search, **times, **columns)

    def _sections(
        self,
        accepted: Accepted,
        document: Document,
        before: Before | None,
        refreshed: Mapping[str, Any],
    ) -> None:
        """Gather the sections that changed, volatile values that are old, and absent sections."""
        asset_id, report, counts = accepted.asset_id, accepted.arrival.report, accepted.counts
        mode, volatile = report["mode"], report["volatile"]
        # The source that asset_seen names need not be named again.
        source = mode if is_poorer(mode, before) else None
        versions = versions_of(counts, accepted.handed)
        last = before and (accepted.last_beside or before.order.collected_at)

        def whole_at(section: str) -> datetime | None:
            """When a section that this report tells in part was told as a whole last."""
            if before is None or section not in counts.partial:
                return None
            return before.whole.get(section) or before.absent.get(section) or last

        for section in document.new:
            values = encode(volatile[section]) if volatile.get(section) is not None else None
            self._bytes += len(document.texts[section]) + len(values or b"")
            self.add(
                asset_facts,
                asset_id=asset_id,
                section=section,
                facts=document.texts[section],
                volatile=values,
                digest=bytes.fromhex(document.digests[section]),
                collected_at=None,
                whole_at=whole_at(section),
                source=source,
                version=versions.get(section),
            )
        if before is None:
            return
        owner = str(asset_id)
        texts = [(owner, section, json.dumps(values)) for section, values in refreshed.items()]
        self.refreshed += texts
        self._bytes += sum(len(text) for _, _, text in texts)
        for section in before.digests.keys() - document.new.keys():
            is_absent, whole = section in before.absent, before.whole.get(section)
            was = (is_absent, before.sources.get(section), before.versions.get(section), whole)
            if section in counts.facts:
                now = (False, source, versions.get(section), whole_at(section))
            elif rank(before.source(section)) == rank(mode):
                now = (True, before.source(section), was[2], whole)
            else:
                # Another source tells it; it need not be named while asset_seen names it.
                now = was if source else (is_absent, before.source(section), was[2], whole)
            if now != was:
                at = last if now[0] else None
                self.standing.append((owner, section, at, *now[1:]))

    def _counters(
        self,
        accepted: Accepted,
        document: Document,
        before: Before,
        refreshed: Mapping[str, Any],
        at: datetime,
    ) -> None:
        """Gather the counters of the sections whose volatile values are written."""
        volatile, order = accepted.arrival.report["volatile"], accepted.order
        # A clock may be wrong by ages: nothing was read before the asset was known.
        age = max(order.collected_at - before.volatile_at, timedelta(0))
        read_before = at - min(age, max(at - before.columns["first_seen"], timedelta(0)))
        for section in WATCHED:
            if section in document.new or section in refreshed:
                values, whole = volatile.get(section), document.new.get(section)
                found, told = counts(section, values)
                in_part = whole is None and section in accepted.counts.partial
                there = None if in_part else silent(section, whole, values, told)
                self.readings.append(
                    Reading(
                        *(accepted.asset_id, section, found, there),
                        *(order.boot_id, at, read_before),
                    )
                )

    def _handed(self, accepted: Accepted, document: Document, number: int) -> None:
        """Gather the sections that another source tells from a revision on, as they were before."""
        for section in document.handed:
            told, old = accepted.handed[section], document.old.get(section)
            text = None if old is None else encode(old)
            self._bytes += len(text or b"")
            self.add(
                handover,
                asset_id=accepted.asset_id,
                revision=number,
                section=section,
                source=told.source,
                version=told.version,
                old=text,
            )

    def changed(
        self, asset_id: uuid.UUID, number: int, at: datetime, changes: list[Change]
    ) -> None:
        """Gather the changes of a revision, which was recorded at a moment."""
        named = classes(changes)
        classed = zip(changes, named, losses(changes, named), strict=True)
        for position, (one, name, is_lost) in enumerate(classed):
            op, path, component, field, old, new = one
            # Encoded here and not by the statement, because the size is needed.
            before = None if old is None else encode(old)
            after = None if new is None else encode(new)
            self._bytes += size_bytes(path) + size_bytes(component or "")
            self._bytes += len(before or b"") + len(after or b"")
            self.add(
                change,
                asset_id=asset_id,
                revision=number,
                position=position,
                op=op,
                path=path,
                component=component,
                field=field,
                old=before,
                new=after,
                recorded_at=at,
                **{"class": name},
            )
            if is_lost:
                self.add(
                    loss,
                    asset_id=asset_id,
                    revision=number,
                    position=position,
                    path=path,
                    what=what(one),
                    lost_at=at,
                    looked_at=number,
                )

    def _parts(
        self,
        asset_id: uuid.UUID,
        document: Document,
        at: datetime,
        counted: tuple[Counted, Counted, Counted | None],
        *,
        is_beside: bool,
    ) -> None:
        """
        Gather the counts and the places of the parts, if they are not as before.

        ``counted`` are the parts in the sections that changed, before and after, and those of
        the whole document if they are known.
        """
        if PARTED.isdisjoint(document.new):
            return
        were, are, whole = counted
        if are != were:
            kinds = sorted((whole or parts(document.facts)).items(), key=str)
            self.recounted.append((asset_id, len(kinds)))
            for number, (one, count) in enumerate(kinds):
                self.add(part, asset_id=asset_id, number=number, count=count, **one._asdict())
        before, now = (
            placements({name: one for name, one in facts.items() if name not in document.handed})
            for facts in (document.old, document.new)
        )
        told: dict[Placement, Kind] = {}
        for stay in before.keys() | now.keys():
            if stay not in before:
                # In the row and in its primary key.
                self._bytes += 2 * sum(map(size_bytes, (stay.serial, stay.path, stay.place)))
                if is_beside:  # the better source may have told of it, and its stay goes on
                    told[stay] = now[stay]
                    continue
                model, firmware_version = now[stay]
                self.add(
                    placement,
                    asset_id=asset_id,
                    serial=stay.serial,
                    path=stay.path,
                    place=stay.place,
                    since=at,
                    until=None,
                    model=model,
                    firmware_version=firmware_version,
                )
            elif stay not in now:
                self.placed.append(Placed(stay.serial, stay.path, str(asset_id), at, *before[stay]))
            elif now[stay] != before[stay]:
                # It is the same part; its model is known now, or it has another firmware.
                self.placed.append(Placed(stay.serial, stay.path, str(asset_id), None, *now[stay]))
        if told:
            self.handed.append(HandedStays(asset_id, at, frozenset(), told))

    def _build(
        self,
        asset_id: uuid.UUID,
        document: Document,
        counted: tuple[Counted, Counted, Counted | None],
    ) -> None:
        """Gather what an asset is built of, if that is not as before; ``counted`` as for parts."""
        were, are, whole = counted
        if BUILT.isdisjoint(document.new) or built(document.new, are) == built(document.old, were):
            return
        self.add(build, asset_id=asset_id, **built(document.facts, whole))

    def _stays(
        self, accepted: Accepted, document: Document, before: Before | None, at: datetime
    ) -> None:
        """Gather the parts of sections that were handed over; their stays are read later."""
        sections = {
            name
            for name in PARTED.intersection(accepted.handed)
            if name in document.handed or name not in document.new
        }
        is_best = not is_poorer(accepted.arrival.report["mode"], before)
        ending = sections.difference(accepted.counts.partial) if is_best else set()
        if not ending and sections.isdisjoint(document.new):
            return
        facts = {
            name: document.facts[name] for name in (*sections, "virtual") if name in document.facts
        }
        now = placements(facts)
        new = now.keys() - placements(document.old).keys()
        self._rows += len(new)
        self._bytes += sum(ROW_BYTES + 2 * sum(map(size_bytes, stay)) for stay in new)
        self.handed.append(HandedStays(accepted.asset_id, at, frozenset(ending), now))

    def _ledger(
        self, accepted: Accepted, name: str, before: Before | None, known: Owners, at: datetime
    ) -> None:
        """Gather the identifiers that an asset shows first now, and those that it shows no more."""
        ledger = known.ledger.get(accepted.asset_id, {})
        last_seen = before.last_seen if before is not None else at
        for row in ledger_rows(accepted.found["candidates"], name, ledger, at, last_seen):
            if row["last_seen"] is None:
                self._bytes += 3 * size_bytes(row["value"])  # in the row and in two indexes
            self.add(identifier, asset_id=accepted.asset_id, **row)

    def add(self, table: sa.Table, **row: Any) -> None:
        """Gather a row of a table."""
        self.rows.setdefault(table, []).append(row)
        self._bytes += COSTS.get(table, ROW_BYTES)
        self._rows += table in HISTORY


def _is_found_as_before(columns: Mapping[str, Any], document: Document, before: Before) -> bool:
    """Whether nothing has changed that the search text of an asset is made of."""
    return SEARCHED.isdisjoint(document.new) and all(
        columns[name] == before.columns[name] for name in ("minion_id", *DESCRIBED_BY, *KNOWN_BY)
    )


def _refreshed(accepted: Accepted, document: Document, before: Before) -> dict[str, Any]:
    """Return the volatile values of the sections that stay as they are."""
    report, counts = accepted.arrival.report, accepted.counts
    return {
        section: values
        for section, values in report["volatile"].items()
        if section in before.digests
        and section not in document.new
        and (section in counts.facts or section not in report["facts"])
    }


def _is_old(volatile_at: datetime, collected_at: datetime) -> bool:
    """Whether volatile values must be written again: if they are old, or from the future."""
    age = collected_at - volatile_at
    return not timedelta(0) <= age < timedelta(hours=VOLATILE_HOURS)
