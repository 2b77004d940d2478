"""
The assets that a batch of reports may belong to, read from the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS
from salt_ext.store import bulk
from salt_ext.store.identity.claims import PART_PATHS, Asset, Claim, Key
from salt_ext.store.identity.claims import key as key_of
from salt_ext.store.identity.decide import Decision, decide, settled
from salt_ext.store.identity.locking import OF_CLAIMS, VERSION, asked

READ = sa.text(f"""
SELECT asset.id, asset.minion_id, seen.last_seen, seen.reports_as, ledger.identifiers, {VERSION}
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 CROSS JOIN LATERAL (
       SELECT json_agg(json_build_array(kind, value, shared, last_seen IS NULL)) AS identifiers
         FROM identifier WHERE asset_id = asset.id) AS ledger
 WHERE asset.id IN ({OF_CLAIMS})
""")  # noqa: S608 - constants of ours

PARTS = sa.text("""
SELECT asset_id, serial FROM placement
 WHERE asset_id = ANY(CAST(:ids AS uuid[])) AND path = ANY(CAST(:paths AS text[]))
   AND until IS NULL
""")


MOST_CANDIDATES, MOST_KEYS = 20, 100
"""So many assets, and keys of each, are kept beside a held report."""


class Owners:
    """The assets that have a claimed name or key, kept up to date while a batch is decided."""

    def __init__(
        self,
        link: sa.Connection,
        claims: Sequence[Claim],
        silent_before: datetime,
        *,
        with_parts: bool,
    ) -> None:
        """
        Read the assets; one that was last seen before ``silent_before`` counts as silent.

        ``with_parts`` is needed only where it is not clear whose a report is.
        """
        self.ledger: dict[uuid.UUID, dict[tuple[str, str], bool]] = {}
        self.shared: set[Key] = set()
        self._assets: dict[uuid.UUID, Asset] = {}
        self._by_name: dict[str, uuid.UUID] = {}
        self._by_key: dict[Key, set[uuid.UUID]] = {}
        rows = link.execute(READ, asked(claims)).all()
        self.versions = {row.id: row.version for row in rows}
        parts = _parts(link, [row.id for row in rows]) if with_parts else {}
        for row in rows:
            ledger = self.ledger[row.id] = {}
            for kind, value, shared, is_current in row.identifiers or ():
                ledger[kind, value] = is_current
                if shared and kind in KEYS:
                    self.shared.add(key_of(kind, value))
        for row in rows:
            self._put(self._asset(row, silent_before, parts.get(row.id, frozenset())))

    def _asset(self, row: Any, silent_before: datetime, parts: frozenset[str]) -> Asset:
        ledger = self.ledger[row.id]
        now = [key for key, is_current in ledger.items() if is_current]
        keys = frozenset(key_of(kind, value) for kind, value in now if kind in KEYS)
        return Asset(
            row.id,
            row.minion_id,
            keys - self.shared,
            next((value for kind, value in now if kind == "machine_id"), None),
            is_silent=row.last_seen < silent_before,
            is_temporary=not any(kind in KEYS for kind, _ in ledger),
            reports_as=row.reports_as,
            chassis=frozenset(value for kind, value in now if kind == "chassis_serial_number"),
            parts=parts,
        )

    def _put(self, asset: Asset) -> None:
        self._take(asset.id)
        self._assets[asset.id] = asset
        if asset.minion_id is not None:
            self._by_name[asset.minion_id] = asset.id
        for key in asset.keys:
            self._by_key.setdefault(key, set()).add(asset.id)

    def _take(self, asset_id: uuid.UUID) -> Asset | None:
        asset = self._assets.pop(asset_id, None)
        if asset is not None:
            if asset.minion_id is not None and self._by_name.get(asset.minion_id) == asset_id:
                del self._by_name[asset.minion_id]
            for key in asset.keys:
                self._by_key[key].discard(asset_id)
        return asset

    def ids(self) -> set[uuid.UUID]:
        """Return the ids of all these assets."""
        return set(self._assets)

    def usable(self, claim: Claim) -> Claim:
        """Return the claim without keys that were found on two machines."""
        if not self.shared:
            return claim
        return claim._replace(keys=tuple(key for key in claim.keys if key not in self.shared))

    def around(self, claim: Claim) -> list[Asset]:
        """Return the assets with a claimed name, present or previous, or a claimed key."""
        names = (claim.minion_id, claim.previous_minion_id)
        ids = {self._by_name[name] for name in names if name in self._by_name}
        for key in claim.keys:
            ids |= self._by_key.get(key, set())
        return [self._assets[asset_id] for asset_id in sorted(ids)]

    def settled(self, claim: Claim) -> uuid.UUID | None:
        """
        Return the id of the asset whose name and keys are exactly those of the claim.

        None if there is no such asset, or another asset has one of the keys too.
        """
        usable = self.usable(claim)
        known = settled(usable, self.around(usable._replace(previous_minion_id=None)))
        return known and known.id

    def decide(self, claim: Claim) -> Decision:
        """Decide to whom a report belongs."""
        usable = self.usable(claim)
        return decide(usable, self.around(usable))

    def candidates(self, claim: Claim) -> list[dict[str, Any]]:
        """Return the first assets that a held report may belong to, for a person to read."""
        return [
            {
                "asset_id": str(one.id),
                "minion_id": one.minion_id,
                "keys": sorted(" ".join(key) for key in one.keys)[:MOST_KEYS],
            }
            for one in self.around(claim)[:MOST_CANDIDATES]
        ]

    def learn(self, asset_id: uuid.UUID, claim: Claim, decision: Decision) -> str:
        """Apply a decision here, for the next reports of the batch; return the asset's name."""
        before = self._assets.get(asset_id)
        keeps_name = before is not None and decision.action == "known" and before.minion_id
        name = str(keeps_name or claim.minion_id)
        if decision.detached and (detached := self._take(decision.detached)):
            self._put(detached._replace(minion_id=None))
        if decision.merged:
            self._take(decision.merged)
        self.shared.update(decision.shared)
        for key in decision.shared:
            for other in sorted(self._by_key.get(key, ())):
                asset = self._assets[other]
                self._put(asset._replace(keys=asset.keys - self.shared))
        keys = frozenset(claim.keys) or (before.keys if before else frozenset())
        self._put(
            Asset(
                asset_id,
                name,
                keys - self.shared,
                claim.machine_id or (before.machine_id if before else None),
                is_temporary=not claim.keys and (before is None or before.is_temporary),
                reports_as=claim.minion_id if claim.minion_id != name else None,
                chassis=claim.chassis,
                parts=claim.parts,
            )
        )
        return name


def _parts(link: sa.Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Return, by asset, the serial numbers of the parts that stay when a board is replaced."""
    found: dict[uuid.UUID, set[str]] = {}
    asked = {"ids": bulk.array(ids), "paths": bulk.array(PART_PATHS)}
    for row in link.execute(PARTS, asked):
        found.setdefault(row.asset_id, set()).add(row.serial)
    return {asset_id: frozenset(serials) for asset_id, serials in found.items()}
