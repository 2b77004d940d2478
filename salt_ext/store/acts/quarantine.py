"""
What a person may decide about a report that is held, and its execution.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.facts.identity import identify
from salt_ext.report import checking
from salt_ext.report.limits import Limits, limits
from salt_ext.report.order import Age, Order, compare, is_later_in_boot
from salt_ext.store import clock
from salt_ext.store.database import Database
from salt_ext.store.errors import HiddenField, NotFound, StoreError
from salt_ext.store.identity import claims
from salt_ext.store.identity.locking import lock, lock_identity
from salt_ext.store.identity.owners import Owners
from salt_ext.store.identity.rulings import Ruling, rulings
from salt_ext.store.ids import new_id
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.before import NO_HANDOVER, Before, Stored
from salt_ext.store.ingest.gathering import Accepted, Gathered, Ruled
from salt_ext.store.ingest.precedence import taking, weighed
from salt_ext.store.ingest.problems import close_held
from salt_ext.store.ingest.replays import Replays, said
from salt_ext.store.ingest.writing import write_all
from salt_ext.store.listening import silence
from salt_ext.store.schema import held


def choices(database: Database, minion_id: str) -> list[Ruling]:
    """Return what may be decided about the held report of a minion, each with what it would do."""
    if database.hidden:
        raise HiddenField(
            "what may be decided about a report is hidden from viewers: ask an auditor"
        )
    with database.begin() as link:
        arrival = _held(link, minion_id)
        claim = _claim(arrival)
        return _rulings(_owners(link, claim, arrival, database), claim)


def rule(
    database: Database,
    minion_id: str,
    choice: str,
    *,
    subject: uuid.UUID | None = None,
    by: str,
    why: str,
    report: str = "",
) -> Outcome:
    """
    Execute what a person decided about a held report; who decided, and why, is kept for ever.

    ``choice`` is the name of one of :func:`choices`. If several have that name,
    ``subject`` is the id of the asset of the one that is meant. With ``report``, the
    :func:`mark` of what was looked at, another report is not decided about. Raises
    :class:`NotFound` if no report is held, :class:`StoreError` for another choice.
    """
    with database.begin() as link:
        lock_identity(link)
        now = clock.now(link)
        ruled = Ruled(choice, by, why, now)
        arrival = _held(link, minion_id)
        claim = _claim(arrival)
        if report and report != mark(claims.evidence(claim)):
            raise StoreError(
                f"the report of {minion_id} that is held now is not the one that you looked at",
                f"look again: salt-run cmdb.quarantine show {minion_id}",
            )
        lock(link, [claim])
        known = _owners(link, claim, arrival, database)
        verdict = _chosen(_rulings(known, claim), minion_id, choice, subject).decision
        gathered = Gathered()
        if verdict.action == "rejected":
            gathered.decided(arrival, claim, verdict, None, ruled)
            write_all(link, gathered, locked=True)
            link.execute(
                sa.update(held).where(held.c.minion_id == minion_id).values(rejected_at=now)
            )
            close_held(link, minion_id, now)
            return Outcome(minion_id, "held", f"rejected by {by}: {why}")
        checked = _checked(arrival, limits(database.settings))
        modes = taking(database.settings).modes
        order = checking.check_header(arrival.report, arrival.received_at, modes)
        asset_id = verdict.asset_id or new_id()
        stored = Stored(link, [asset_id])
        before = stored.before(asset_id)
        if before is not None:
            _refuse_old(link, arrival, order, before)
        counts, handed = checked, NO_HANDOVER
        if before is not None:
            # Nobody waits for a silent source while a person decides.
            mode = arrival.report["mode"]
            counts, handed = weighed(checked, mode, before, lambda source: False)
        document = stored.after(verdict.asset_id, counts, handed)
        found = identify(document.facts)
        claim = claims.claim(minion_id, claim.previous_minion_id, document.facts, found)
        master = before.master if before is not None else None
        accepted = Accepted(
            *(arrival, order, asset_id, verdict, claim, found, master, counts, handed)
        )
        changes = document.changes() if before is not None else []
        gathered.store(accepted, before, document, changes, known, ruled)
        write_all(link, gathered, locked=True)
        close_held(link, minion_id, now)
    status = "new" if verdict.asset_id is None else "changed"
    return Outcome(minion_id, status, f"{verdict.reason} by {by}: {why}", asset_id)


def _checked(arrival: Arrival, most: Limits) -> checking.Checked:
    """Return what was checked of a held report. Raises StoreError for one beyond the limits."""
    try:
        return checking.check_body(arrival.report, limits=most)
    except checking.TooMuch as error:
        raise StoreError(
            f"the held report of {arrival.minion_id} is beyond the limits of today: {error}",
            "raise that setting on the master, or let the machine report again",
        ) from None


def mark(evidence: Mapping[str, Any]) -> str:
    """Return a short text that tells the evidence of a held report from any other."""
    return hashlib.sha256(encode(evidence)).hexdigest()[:8]


def _refuse_old(link: sa.Connection, arrival: Arrival, order: Order, before: Before) -> None:
    """Raise StoreError for a held report that is not newer than what is stored of its asset."""
    age = compare(order, before.order, before.doubted, is_set_back=False)
    is_later = is_later_in_boot(order, before.order)
    was_stored = not is_later and Replays(link).has(said(before.id, arrival.report, order))
    if age is not Age.NEWER or was_stored:
        raise StoreError(
            f"the held report of {arrival.minion_id} is of {order.collected_at:%Y-%m-%d %H:%M:%S}"
            f" UTC, and what is stored of {before.minion_id or before.id} is newer"
            f" ({before.order.collected_at:%Y-%m-%d %H:%M:%S})",
            f"let it report again, then decide: salt {arrival.minion_id} cmdb.collect",
        )


def _held(link: sa.Connection, minion_id: str) -> Arrival:
    row = link.execute(sa.select(held).where(held.c.minion_id == minion_id)).one_or_none()
    if row is None:
        raise NotFound(
            f"no report of {minion_id!r} is held", "see which are with: salt-run cmdb.quarantine"
        )
    return Arrival(row.minion_id, row.report, row.last_seen)


def _claim(arrival: Arrival) -> claims.Claim:
    report = arrival.report
    previous = report.get("previous_minion_id")
    return claims.claim(arrival.minion_id, previous, report["facts"], shown=report.get("proof"))


def _owners(
    link: sa.Connection, claim: claims.Claim, arrival: Arrival, database: Database
) -> Owners:
    grace = timedelta(seconds=database.settings["rename_grace"])
    return Owners(link, [claim], silence(link, grace, arrival.received_at))


def _rulings(known: Owners, claim: claims.Claim) -> list[Ruling]:
    usable = known.usable(claim)
    return rulings(usable, known.around(usable))


def _chosen(found: list[Ruling], minion_id: str, choice: str, subject: uuid.UUID | None) -> Ruling:
    fitting = [
        one
        for one in found
        if one.name == choice
        and (subject is None or (one.subject is not None and one.subject.id == subject))
    ]
    if len(fitting) == 1:
        return fitting[0]
    offered = "; ".join(
        f"{one.name} {one.subject.name()} ({one.subject.id})" if one.subject else one.name
        for one in found
    )
    raise StoreError(
        f"{choice!r} is "
        + ("more than one of the choices" if fitting else "none of the choices")
        + f" for the report of {minion_id}",
        f"there are: {offered}",
    )
