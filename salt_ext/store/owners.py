"""
The assets that a batch of reports may belong to, read from the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS, uuid_spellings
from salt_ext.store import identity
from salt_ext.store.schema import asset, asset_facts, asset_seen, identifier


class Owners:
    """The assets that have one of the claimed names or keys, as a batch goes on."""

    def __init__(
        self, link: sa.Connection, claims: Sequence[identity.Claim], silent_before: datetime
    ) -> None:
        """Read them; who was last seen before ``silent_before`` counts as gone."""
        values = {
            spelling
            for claim in claims
            for kind, value in claim.keys
            for spelling in (uuid_spellings(value) if kind == "uuid" else (value,))
        }
        names = {name for claim in claims for name in (claim.minion_id, claim.previous_minion_id)}
        ids = sa.union(
            sa.select(asset.c.id).where(asset.c.minion_id.in_([name for name in names if name])),
            sa.select(identifier.c.asset_id).where(
                identifier.c.value.in_(values), identifier.c.kind.in_(KEYS)
            ),
        )
        rows = link.execute(
            sa.select(
                asset.c.id,
                asset.c.minion_id,
                asset_seen.c.last_seen,
                identifier.c.kind,
                identifier.c.value,
                identifier.c.shared,
                identifier.c.last_seen.is_(None).label("is_current"),
            )
            .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
            .outerjoin(identifier, identifier.c.asset_id == asset.c.id)
            .where(asset.c.id.in_(ids))
        ).all()
        self.ledger: dict[uuid.UUID, dict[tuple[str, str], bool]] = {}
        self.shared: set[identity.Key] = set()
        self._assets: dict[uuid.UUID, identity.Asset] = {}
        keys: dict[uuid.UUID, set[identity.Key]] = {}
        machine_ids: dict[uuid.UUID, str] = {}
        for row in rows:
            if row.kind is not None:
                self.ledger.setdefault(row.id, {})[row.kind, row.value] = row.is_current
            if row.kind in KEYS and row.shared:
                self.shared.add(identity.key(row.kind, row.value))
            elif row.kind in KEYS and row.is_current:
                keys.setdefault(row.id, set()).add(identity.key(row.kind, row.value))
            elif row.kind == "machine_id" and row.is_current:
                machine_ids[row.id] = row.value
        for row in rows:
            self._assets[row.id] = identity.Asset(
                row.id,
                row.minion_id,
                frozenset(keys.get(row.id, ())),
                machine_ids.get(row.id),
                row.last_seen < silent_before,
            )

    def ids(self) -> list[uuid.UUID]:
        """Return the ids of all of them."""
        return list(self._assets)

    def assets(self) -> list[identity.Asset]:
        """Return what identity needs to know of all of them."""
        return list(self._assets.values())

    def usable(self, claim: identity.Claim) -> identity.Claim:
        """Return the claim without keys that were found on two machines."""
        return claim._replace(keys=tuple(key for key in claim.keys if key not in self.shared))

    def is_settled(self, claim: identity.Claim) -> bool:
        """Whether the claim says of its asset what is known, and nobody else has its keys."""
        keys = set(self.usable(claim).keys)
        owners = [
            one for one in self.assets() if one.minion_id == claim.minion_id or one.keys & keys
        ]
        return (
            len(owners) == 1
            and bool(keys)
            and (owners[0].minion_id == claim.minion_id and owners[0].keys == keys)
        )

    def candidates(self, claim: identity.Claim) -> list[dict[str, Any]]:
        """Return the assets that a held report may belong to, for a person to read."""
        return [
            {
                "asset_id": str(one.id),
                "minion_id": one.minion_id,
                "keys": sorted(" ".join(key) for key in one.keys),
            }
            for one in self.assets()
            if one.minion_id == claim.minion_id or one.keys & set(claim.keys)
        ]

    def learn(self, asset_id: uuid.UUID, claim: identity.Claim, decision: identity.Decision) -> str:
        """Take in a decision, so that the next report of the batch sees it; return the name."""
        self.shared.update(decision.shared)
        if decision.detached:
            self._assets[decision.detached] = self._assets[decision.detached]._replace(
                minion_id=None
            )
        before = self._assets.get(asset_id)
        keeps_name = before is not None and decision.action == "known" and before.minion_id
        name = str(keeps_name or claim.minion_id)
        keys = frozenset(claim.keys) or (before.keys if before else frozenset())
        self._assets[asset_id] = identity.Asset(asset_id, name, keys, claim.machine_id)
        for one in self.assets():
            self._assets[one.id] = one._replace(keys=one.keys - self.shared)
        return name


def documents_of(link: sa.Connection, ids: list[uuid.UUID]) -> dict[uuid.UUID, sa.Row[Any]]:
    """Return asset, digest, times and documents of each of these assets."""
    rows = link.execute(
        sa.select(
            asset,
            asset_seen.c.digest,
            asset_seen.c.collected_at,
            asset_seen.c.last_seen,
            asset_facts.c.facts,
            asset_facts.c.volatile,
            asset_facts.c.collected,
        )
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .join(asset_facts, asset_facts.c.asset_id == asset.c.id)
        .where(asset.c.id.in_(ids))
    )
    return {row.id: row for row in rows}
