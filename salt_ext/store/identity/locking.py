"""
The locks of identity and of assets, and what tells that an asset was written meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS, uuid_spellings
from salt_ext.store import bulk
from salt_ext.store.distribution import is_citus
from salt_ext.store.identity.claims import Claim, Key

OF_CLAIMS = """
SELECT asset.id FROM asset WHERE asset.minion_id = ANY(CAST(:names AS text[]))
 UNION
SELECT asset_id FROM identifier
 WHERE value = ANY(CAST(:values AS text[])) AND kind = ANY(CAST(:kinds AS text[]))
"""

OF_IDS = "SELECT CAST(unnest(CAST(:ids AS text[])) AS uuid)"

# Two writers lock in the same order. On Citus a statement locks the rows of one asset only,
# and what updates many goes from shard to shard: so the order is that of the shards there.
LOCK = """
SELECT seen.asset_id
  FROM asset_seen AS seen JOIN asset ON asset.id = seen.asset_id
 WHERE seen.asset_id IN ({ids})
 ORDER BY asset.minion_id COLLATE "C", asset.id
   FOR UPDATE OF seen
"""
IN_ORDER = """
SELECT asset.id FROM asset WHERE asset.id IN ({ids})
 ORDER BY get_shard_id_for_distribution_column('asset_seen', asset.id),
          asset.minion_id COLLATE "C", asset.id
"""
LOCK_ONE = bulk.Prepared(
    "SELECT asset_id FROM asset_seen WHERE asset_id = CAST(:id AS uuid) FOR UPDATE"
)


class _Lock:
    """Locks assets which a subquery finds, in one order; returns their ids."""

    def __init__(self, ids: str) -> None:
        self._lock = bulk.OneByOne(LOCK.format(ids=ids))
        self._in_order = bulk.OneByOne(IN_ORDER.format(ids=ids))

    def __call__(self, link: sa.Connection, values: Mapping[str, str]) -> list[uuid.UUID]:
        if not is_citus(link):
            return list(self._lock(link, values).scalars())
        found = self._in_order(link, values).scalars().all()
        return [one for one in found if LOCK_ONE(link, {"id": str(one)}).first() is not None]


LOCK_CLAIMED, LOCK_IDS = _Lock(OF_CLAIMS), _Lock(OF_IDS)


VERSION = "concat(asset.xmin, ' ', seen.xmin) AS version"
"""
SQL for a text that differs after an asset was written.

It is made from the transactions that wrote the rows in ``asset`` and ``asset_seen``
last; no report changes anything of an asset without a write to ``asset_seen``.
"""


# A merged asset keeps the keys that it had, and is nobody any more.
AROUND = bulk.OneByOne(
    f"SELECT asset.id FROM asset WHERE asset.id IN ({OF_CLAIMS}) AND asset.merged_into IS NULL"  # noqa: S608 - constants of ours
)

IDENTITY_LOCK = 0x636D6964
ARRIVAL_LOCK = 0x636D6172


class Again(Exception):
    """It is not clear which asset is meant: begin again with the lock of identity."""


def lock_identity(link: sa.Connection, *, shared: bool = False) -> None:
    """
    Take the lock of identity: until the transaction ends nobody else decides.

    If it is ``shared``, others may have it too that do not decide either: who stores machines
    that nobody knows. Call this before any row is locked: a writer that holds rows never
    waits for this lock.
    """
    take = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
    link.execute(sa.select(take(IDENTITY_LOCK)))


def lock_arrival(link: sa.Connection) -> None:
    """
    Let nobody else end a transaction that stores machines which nobody knew, until this one ends.

    Call this when all is written: whoever has this lock waits for nothing.
    """
    link.execute(sa.select(sa.func.pg_advisory_xact_lock(ARRIVAL_LOCK)))


def around(link: sa.Connection, claims: Iterable[Claim]) -> set[uuid.UUID]:
    """Return the ids of the assets that have a claimed name, or have or had a claimed key."""
    return set(AROUND(link, asked(claims)).scalars())


def lock(link: sa.Connection, claims: Iterable[Claim]) -> set[uuid.UUID]:
    """
    Lock the assets that have a claimed name or key; return their ids.

    All of them are locked in one order. Read them in the
    next statement: one that had to wait for a lock sees old rows of other tables.
    """
    return set(LOCK_CLAIMED(link, asked(claims)))


def lock_assets(link: sa.Connection, ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Lock these assets as :func:`lock` does; return the ids of those that there are."""
    return LOCK_IDS(link, {"ids": bulk.array(ids)})


def asked(claims: Iterable[Claim]) -> dict[str, str]:
    """Return the names and keys of claims as :data:`OF_CLAIMS` takes them."""
    names: set[str] = set()
    keys: set[Key] = set()
    for claim in claims:
        names |= {claim.minion_id, claim.previous_minion_id or claim.minion_id}
        keys.update(claim.keys)
    return {"names": bulk.array(sorted(names)), **spelled(keys)}


def spelled(keys: Iterable[Key]) -> dict[str, str]:
    """Return keys, in all their spellings, as SQL takes them."""
    values: set[str] = set()
    for kind, value in keys:
        values.update(uuid_spellings(value) if kind == "uuid" else (value,))
    return {"values": bulk.array(sorted(values)), "kinds": bulk.array(KEYS)}
