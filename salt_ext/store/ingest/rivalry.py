"""
Problems of identity: keys of two machines, names of two machines, two machines under one name.

Each machine concerned has a problem of its own, which is closed when it is over.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS
from salt_ext.store.identity import claims
from salt_ext.store.identity.claims import Claim
from salt_ext.store.identity.decision import Decision
from salt_ext.store.identity.owners import Owners, holders
from salt_ext.store.ingest.problems import Problem
from salt_ext.store.listening import Silence
from salt_ext.store.schema import asset, asset_seen, identifier, problem

KEPT, ALTERNATING, SHARED = "kept", "alternating", "shared"
"""What a problem of the kind identity is about, beside ``held``."""


def problems_of(
    claim: Claim,
    verdict: Decision,
    asset_id: uuid.UUID,
    known: Owners,
    at: datetime,
) -> Iterator[Problem]:
    """Yield what is wrong with the identity of a report that is stored; call it before it is."""
    before = known.asset(asset_id)
    name = before.minion_id if before and verdict.action == "known" else claim.minion_id
    name = name or claim.minion_id
    if verdict.problem:
        yield Problem("identity", name, KEPT, verdict.problem, "", at)
    others = sorted({one for key in verdict.shared for one in known.others(claim, key, asset_id)})
    if others:
        message = (
            f"duplicate identity: {_some([name, *others])} show {claims.words(verdict.shared)};"
            " while they do, it decides for none of them alone. If one of them only claims it:"
            f" salt-run cmdb.disown {name} {verdict.shared[0][0]} reason='...', with its name"
        )
        # Where several show it already, each of them has its problem.
        for one in [name, *others] if len(others) == 1 else [name]:
            yield Problem("identity", one, SHARED, message, "", at)
    is_as_before = before is not None and before.keys == frozenset(claim.keys)
    if not is_as_before and (back := _back_again(claim, asset_id, known)):
        yield Problem("identity", name, ALTERNATING, back, "", at)


def _back_again(claim: Claim, asset_id: uuid.UUID, known: Owners) -> str | None:
    """Return a sentence when keys that had been replaced take the place of those that did it."""
    ledger = known.ledger.get(asset_id, {})
    shown = frozenset(claim.keys)
    for kind in KEYS:
        mine = {claims.key(*one): is_now for one, is_now in ledger.items() if one[0] == kind}
        back = [key for key in claim.keys if mine.get(key) is False]
        away = [key for key, is_now in mine.items() if is_now and key not in shown]
        if back and away and any(key[0] == kind for key in claim.keys):
            return (
                f"{claim.minion_id} shows {claims.words(back)} again in place of"
                f" {claims.words(away)}: if nobody has swapped them, two machines report under this"
                " minion id; stop the minion of one, give it another id and a key of its own"
            )
    return None


def _some(names: list[str]) -> str:
    first = sorted(set(names))
    more = len(first) - claims.MOST_WORDS
    words = ", ".join(first[: claims.MOST_WORDS])
    return f"{words} and {more} more" if more > 0 else words


def close_over(link: sa.Connection, silence: Silence, now: datetime) -> int:
    """Close these problems where they are over; return how many were."""
    open_ones = link.execute(
        sa.select(problem.c.id, problem.c.minion_id, problem.c.subject, problem.c.last_seen).where(
            problem.c.kind == "identity",
            problem.c.subject != "held",
            problem.c.closed_at.is_(None),
        )
    ).all()
    shared = _still_shared(
        link, {row.minion_id for row in open_ones if row.subject == SHARED}, silence
    )
    kept = set(
        link.scalars(
            sa.select(asset.c.minion_id)
            .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
            .where(asset_seen.c.reports_as.is_not(None), asset.c.minion_id.is_not(None))
        )
        if any(row.subject == KEPT for row in open_ones)
        else ()
    )

    def is_over(row: Any) -> bool:
        if row.subject == KEPT:
            return row.minion_id not in kept
        if row.subject == SHARED:
            return row.minion_id not in shared
        return silence.is_over(row.last_seen, None)

    over = [row.id for row in open_ones if is_over(row)]
    if over:
        link.execute(sa.update(problem).where(problem.c.id.in_(over)).values(closed_at=now))
    return len(over)


def _still_shared(link: sa.Connection, names: Collection[str], silence: Silence) -> frozenset[str]:
    """Return those of these machines that show a key which another live one shows too."""
    rows = link.execute(
        sa.select(asset.c.minion_id, asset.c.id, identifier.c.kind, identifier.c.value)
        .join(identifier, identifier.c.asset_id == asset.c.id)
        .where(
            asset.c.minion_id.in_(names),
            identifier.c.kind.in_([kind for kind in KEYS if kind != claims.MAC]),
            identifier.c.last_seen.is_(None),
            ~identifier.c.disowned,
        )
    ).all()
    shown = holders(link, {claims.key(row.kind, row.value) for row in rows}, silence)
    return frozenset(
        row.minion_id
        for row in rows
        if row.id in (found := shown.get(claims.key(row.kind, row.value), set())) and len(found) > 1
    )
