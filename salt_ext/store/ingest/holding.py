"""
Held reports of the machines of a batch: since when, rejected, or decided by a person before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.identity.claims import Claim, evidence, is_gone
from salt_ext.store.identity.decision import Decision
from salt_ext.store.identity.owners import Owners
from salt_ext.store.identity.rulings import accept
from salt_ext.store.ingest.gathering import ENGINE
from salt_ext.store.schema import decision, held

Waiting = Mapping[str, Any]

RULINGS = ("accept", "split", "merge", "reject")
"""What a person may have decided about a report."""


def waiting(link: sa.Connection, claims: Iterable[Claim]) -> Waiting:
    """Return, by minion id, what is held of these machines."""
    columns = (*(held.c[name] for name in ("minion_id", "evidence", "first_seen", "rejected_at")),)
    names = [one.minion_id for one in claims]
    rows = link.execute(sa.select(*columns).where(held.c.minion_id.in_(names)))
    return {row.minion_id: row for row in rows}


def since(claim: Claim, row: Any) -> Claim:
    """Return the claim with the moment since when a report with the same keys is held."""
    if row is None or row.evidence.get("keys") != evidence(claim)["keys"]:
        return claim
    return claim._replace(held_since=row.first_seen)


def count_rejected(link: sa.Connection, claims: Sequence[Claim], before: Waiting) -> frozenset[str]:
    """
    Return the minions that show again the very evidence that a person has rejected.

    Their reports are counted here, and nothing else is done with them.
    """
    again = [
        one.minion_id
        for one in claims
        if (row := before.get(one.minion_id)) is not None
        and row.rejected_at is not None
        and row.evidence == evidence(one)
    ]
    if again:
        link.execute(
            sa.update(held)
            .where(held.c.minion_id.in_(again))
            .values(count=held.c.count + 1, last_seen=sa.func.now())
        )
    return frozenset(again)


def accepted_before(
    link: sa.Connection, known: Owners, claim: Claim, verdict: Decision
) -> Decision:
    """
    Return what a person has decided about the same evidence under the same name, or the verdict.

    The decision stands as long as nobody else has the asset: it has this name or none,
    or its machine is gone.
    """
    shown = evidence(claim)
    row = link.execute(
        sa.select(decision.c.asset_id, decision.c.decided_by, decision.c.action)
        .where(
            decision.c.minion_id == claim.minion_id,
            decision.c.decided_by != ENGINE,
            decision.c.action.in_(RULINGS),
            decision.c.evidence["keys"] == sa.cast(shown["keys"], decision.c.evidence.type),
            decision.c.evidence["machine_id"].astext.is_not_distinct_from(shown["machine_id"]),
        )
        .order_by(decision.c.decided_at.desc())
        .limit(1)
    ).first()
    if row is not None and row.action == "reject":
        return Decision("rejected", None, "a person has rejected it")
    asset_id: uuid.UUID | None = row and row.asset_id
    asset = known.asset(asset_id) if asset_id is not None else None
    if asset is None or not (asset.minion_id == claim.minion_id or is_gone(claim, asset)):
        return verdict
    usable = known.usable(claim)
    ruling = accept(usable, asset, known.around(usable))
    return ruling.decision._replace(reason=f"as {row and row.decided_by} has decided before")
