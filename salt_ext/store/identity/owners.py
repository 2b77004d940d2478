"""
The assets that a batch of reports may belong to, read from the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS
from salt_ext.report.sources import OF_GRAINS
from salt_ext.store import bulk
from salt_ext.store.identity.claims import PART_PATHS, Asset, Claim, Key, Proof
from salt_ext.store.identity.claims import key as key_of
from salt_ext.store.identity.decide import decide, settled
from salt_ext.store.identity.decision import Decision
from salt_ext.store.identity.locking import OF_CLAIMS, VERSION, asked, spelled
from salt_ext.store.listening import Listener, Silence

WITH_KEY = ("agent", "salt", *OF_GRAINS)
"""The modes of reports that come from a minion, whose key the master has accepted."""

READ = bulk.OneByOne(f"""
SELECT asset.id, asset.minion_id, seen.last_seen, seen.reports_as, seen.secret_hash,
       seen.collected_at, seen.mode, seen.master, seen.boot_id, seen.since_boot_ms,
       ledger.identifiers, {VERSION}
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 CROSS JOIN LATERAL (
       SELECT json_agg(json_build_array(kind, value, disowned, last_seen IS NULL)) AS identifiers
         FROM identifier WHERE asset_id = seen.asset_id) AS ledger
 WHERE seen.asset_id IN ({OF_CLAIMS})
""")  # noqa: S608 - constants of ours

SHOWN = bulk.OneByOne("""
SELECT shown.kind, shown.value, shown.asset_id, seen.master,
       least(shown.last_seen, seen.last_seen) AS last_seen
  FROM identifier AS shown
  JOIN asset_seen AS seen ON seen.asset_id = shown.asset_id
  JOIN asset ON asset.id = shown.asset_id AND asset.minion_id IS NOT NULL
 WHERE shown.value = ANY(CAST(:values AS text[])) AND shown.kind = ANY(CAST(:kinds AS text[]))
   AND NOT shown.disowned
""")
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
        silence: Silence | None = None,
        listener: Listener | None = None,
    ) -> None:
        """
        Read the assets that may be meant.

        ``silence`` tells which assets are silent; so is one whose minion has no accepted
        key any more on the master that listens to it. Without ``silence`` none is, and
        nothing is read that is needed only where it is not clear whose a report is:
        parts, and who else shows the keys.
        """
        self.ledger: dict[uuid.UUID, dict[tuple[str, str], bool]] = {}
        self._disowned: dict[uuid.UUID, set[Key]] = {}
        self._shown: dict[Key, set[uuid.UUID]] = {}
        self._is_whole = silence is not None
        self._assets: dict[uuid.UUID, Asset] = {}
        self._by_name: dict[str, uuid.UUID] = {}
        self._by_key: dict[Key, set[uuid.UUID]] = {}
        rows = READ(link, asked(claims)).all()
        self.versions = {row.id: row.version for row in rows}
        gone: frozenset[uuid.UUID] = frozenset()
        parts: dict[uuid.UUID, frozenset[str]] = {}
        if silence is not None:
            silent = (row.id for row in rows if silence.is_over(row.last_seen, row.master))
            gone = _keyless(rows, listener).union(silent)
            parts = _parts(link, [row.id for row in rows])
        for row in rows:
            ledger = self.ledger[row.id] = {}
            for kind, value, disowned, is_current in row.identifiers or ():
                ledger[kind, value] = is_current
                if disowned and kind in KEYS:
                    self._disowned.setdefault(row.id, set()).add(key_of(kind, value))
        for row in rows:
            self._put(self._asset(row, row.id in gone, parts.get(row.id, frozenset())))
        if silence is not None:
            keys = {key for claim in claims for key in claim.keys}.union(
                *(asset.keys for asset in self._assets.values())
            )
            self._shown = {key: ids - gone for key, ids in holders(link, keys, silence).items()}

    def _asset(self, row: Any, is_silent: bool, parts: frozenset[str]) -> Asset:
        ledger = self.ledger[row.id]
        now = [key for key, is_current in ledger.items() if is_current]
        keys = frozenset(key_of(kind, value) for kind, value in now if kind in KEYS)
        return Asset(
            row.id,
            row.minion_id,
            keys - self._disowned.get(row.id, set()),
            next((value for kind, value in now if kind == "machine_id"), None),
            is_silent=is_silent,
            is_temporary=not any(kind in KEYS for kind, _ in ledger),
            reports_as=row.reports_as,
            chassis=frozenset(value for kind, value in now if kind == "chassis_serial_number"),
            parts=parts,
            proof=row.secret_hash and Proof(bytes(row.secret_hash), _moment(row.collected_at)),
            last_seen=row.last_seen,
            boot_id=row.boot_id and str(row.boot_id),
            booted_at=booted(row.last_seen, row.since_boot_ms),
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

    def asset(self, asset_id: uuid.UUID) -> Asset | None:
        """Return one of these assets."""
        return self._assets.get(asset_id)

    def usable(self, claim: Claim) -> Claim:
        """Return the claim without keys of which a person said that it only claims them."""
        named = self._by_name.get(claim.minion_id)
        disowned = self._disowned.get(named) if named is not None else None
        if not disowned:
            return claim
        return claim._replace(keys=tuple(key for key in claim.keys if key not in disowned))

    def around(self, claim: Claim) -> list[Asset]:
        """Return the assets with a claimed name, present or previous, or a claimed key."""
        names = (claim.minion_id, claim.previous_minion_id)
        ids = {self._by_name[name] for name in names if name in self._by_name}
        for key in claim.keys:
            ids |= self._by_key.get(key, set())
        return [self._assets[asset_id] for asset_id in sorted(ids)]

    def shared(self, assets: Iterable[Asset]) -> frozenset[Key]:
        """Return those keys of these assets that two live ones or more show."""
        if not self._shown:
            return frozenset()
        keys = frozenset[Key]().union(*(one.keys for one in assets))
        return frozenset(key for key in keys if len(self._shown.get(key, ())) > 1)

    def settled(self, claim: Claim) -> uuid.UUID | None:
        """Return the id of the asset whose name and keys are exactly those of the claim."""
        usable = self.usable(claim)
        known = settled(usable, self.around(usable._replace(previous_minion_id=None)))
        return known and known.id

    def named(self, claim: Claim) -> Asset | None:
        """Return the asset of the claimed name."""
        named = self._by_name.get(claim.minion_id)
        return self._assets[named] if named is not None else None

    def is_own_name(self, claim: Claim) -> bool:
        """Whether the asset of the claimed name shows a claimed key; true if none is claimed."""
        named = self._by_name.get(claim.minion_id)
        if named is None:
            return False
        return not claim.keys or not self._assets[named].keys.isdisjoint(claim.keys)

    def decide(self, claim: Claim) -> Decision:
        """Decide to whom a report belongs."""
        usable = self.usable(claim)
        assets = self.around(usable)
        return decide(usable, assets, self.shared(assets))

    def others(self, claim: Claim, key: Key, asset_id: uuid.UUID) -> list[str]:
        """Return the names of the other assets around a claim that show a key."""
        return sorted(
            one.minion_id
            for one in self.around(claim)
            if key in one.keys
            and one.minion_id is not None
            and not one.is_silent
            and one.id != asset_id
        )

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
        for shown in self._shown.values() if decision.detached or decision.merged else ():
            shown -= {decision.detached, decision.merged}
        keys = frozenset(claim.keys) or (before.keys if before else frozenset())
        keys -= self._disowned.get(asset_id, set())
        if self._is_whole:
            for key in keys:
                self._shown.setdefault(key, set()).add(asset_id)
        self._put(
            Asset(
                asset_id,
                name,
                keys,
                claim.machine_id or (before.machine_id if before else None),
                is_temporary=not claim.keys and (before is None or before.is_temporary),
                reports_as=claim.minion_id if claim.minion_id != name else None,
                chassis=claim.chassis,
                parts=claim.parts,
            )
        )
        return name

    def name(self, asset_id: uuid.UUID) -> str:
        """Return the name of an asset after the decisions until now; blank when it has none."""
        return self._assets[asset_id].minion_id or ""


def holders(
    link: sa.Connection, keys: Collection[Key], silence: Silence
) -> dict[Key, set[uuid.UUID]]:
    """Return, by key, the live assets that show it, or have shown it within the rename grace."""
    found: dict[Key, set[uuid.UUID]] = {}
    if keys:
        for row in SHOWN(link, spelled(keys)):
            if silence.is_over(row.last_seen, row.master):
                continue
            found.setdefault(key_of(row.kind, row.value), set()).add(row.asset_id)
    return found


def booted(heard_at: datetime, since_boot_ms: int | None) -> datetime | None:
    """Return when a machine has booted, by the clock of the store; None if that is not known."""
    if since_boot_ms is None:
        return None
    try:
        return heard_at - timedelta(milliseconds=since_boot_ms)
    except OverflowError:
        return None


def _moment(collected_at: datetime) -> str:
    """Return the moment of a report as it stands in the report: exact, with milliseconds."""
    return f"{collected_at:%Y-%m-%dT%H:%M:%S}.{collected_at.microsecond // 1000:03d}Z"


def _keyless(rows: Sequence[Any], listener: Listener | None) -> frozenset[uuid.UUID]:
    """Return the assets that this master heard last and whose minion has no accepted key now."""
    if listener is None:
        return frozenset()
    heard = {
        row.minion_id: row.id
        for row in rows
        if row.minion_id is not None and row.mode in WITH_KEY and row.master == listener.number
    }
    trusted = listener.trusted(heard) if heard else ()
    return frozenset(asset_id for name, asset_id in heard.items() if name not in trusted)


def _parts(link: sa.Connection, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, frozenset[str]]:
    """Return, by asset, the serial numbers of the parts that stay when a board is replaced."""
    found: dict[uuid.UUID, set[str]] = {}
    asked = {"ids": bulk.array(ids), "paths": bulk.array(PART_PATHS)}
    for row in link.execute(PARTS, asked):
        found.setdefault(row.asset_id, set()).add(row.serial)
    return {asset_id: frozenset(serials) for asset_id, serials in found.items()}
