"""
The locks of identity and of assets, and what tells that an asset was written meanwhile.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS, uuid_spellings
from salt_ext.store import bulk
from salt_ext.store.identity import decide as identity

# By OFFSET 0 each value is looked up: without statistics of a table that was just
# filled PostgreSQL would compare each of them with every identifier.
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


LOCK = sa.text(f"""
{bulk.ONE_BY_ONE}
SELECT seen.asset_id
  FROM asset_seen AS seen JOIN asset ON asset.id = seen.asset_id
 WHERE seen.asset_id IN ({OF_CLAIMS})
 ORDER BY asset.minion_id COLLATE "C", asset.id
   FOR UPDATE OF seen
""")  # noqa: S608 - constants of ours


VERSION = "concat(asset.xmin, ' ', seen.xmin) AS version"
"""What is another once an asset was written: nothing of it is without its row in asset_seen."""


IDENTITY_LOCK = 0x636D6964


def lock_identity(link: sa.Connection) -> None:
    """
    Let nobody else decide about identity until the transaction ends.

    Before any row is locked: who holds rows never waits for this.
    """
    link.execute(sa.select(sa.func.pg_advisory_xact_lock(IDENTITY_LOCK)))


def lock(link: sa.Connection, claims: Iterable[identity.Claim]) -> set[uuid.UUID]:
    """
    Lock the assets that have a claimed name or key; return their ids.

    In one statement, in the order of the names. They are read in the next one:
    a statement that waited for a lock reads old rows of the other tables.
    """
    return set(link.scalars(LOCK, asked(claims)))


def asked(claims: Iterable[identity.Claim]) -> dict[str, str]:
    """Return the names and keys of claims as :data:`OF_CLAIMS` takes them."""
    names: set[str] = set()
    values: set[str] = set()
    for claim in claims:
        names |= {claim.minion_id, claim.previous_minion_id or claim.minion_id}
        for kind, value in claim.keys:
            values.update(uuid_spellings(value) if kind == "uuid" else (value,))
    return {
        "names": bulk.array(sorted(names)),
        "values": bulk.array(sorted(values)),
        "kinds": bulk.array(KEYS),
    }
