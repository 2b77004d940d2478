"""
The locks of identity and of assets, and what tells that an asset was written meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS, uuid_spellings
from salt_ext.store import bulk
from salt_ext.store.identity.claims import Claim, Key

# OFFSET 0 makes PostgreSQL look up each value by the index. Without it, and without
# statistics because a table was just filled, every value is compared with every identifier.
OF_CLAIMS = """
SELECT asset.id
  FROM unnest(CAST(:names AS text[])) AS i(name) JOIN asset ON asset.minion_id = i.name
 UNION
SELECT claimed.asset_id
  FROM unnest(CAST(:values AS text[])) AS i(value)
 CROSS JOIN LATERAL (
       SELECT asset_id FROM identifier
        WHERE value = i.value AND kind = ANY(CAST(:kinds AS text[])) OFFSET 0) AS claimed
"""


LOCK = bulk.OneByOne(f"""
SELECT seen.asset_id
  FROM asset_seen AS seen JOIN asset ON asset.id = seen.asset_id
 WHERE seen.asset_id IN ({OF_CLAIMS})
 ORDER BY asset.minion_id COLLATE "C", asset.id
   FOR UPDATE OF seen
""")  # noqa: S608 - constants of ours


VERSION = "concat(asset.xmin, ' ', seen.xmin) AS version"
"""
SQL for a text that differs after an asset was written.

It is made from the transactions that wrote the rows in ``asset`` and ``asset_seen``
last; no report changes anything of an asset without a write to ``asset_seen``.
"""


IDENTITY_LOCK = 0x636D6964


def lock_identity(link: sa.Connection) -> None:
    """
    Take the lock of identity: until the transaction ends nobody else decides.

    Call this before any row is locked: a writer that holds rows never waits for
    this lock.
    """
    link.execute(sa.select(sa.func.pg_advisory_xact_lock(IDENTITY_LOCK)))


def lock(link: sa.Connection, claims: Iterable[Claim]) -> set[uuid.UUID]:
    """
    Lock the assets that have a claimed name or key; return their ids.

    One statement locks all of them, in the order of their names. Read them in the
    next statement: one that had to wait for a lock sees old rows of other tables.
    """
    return set(LOCK(link, asked(claims)).scalars())


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
