"""
An unchanged report: one row of one narrow table, for a whole batch in one statement.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.bulk import ONE_BY_ONE, array
from salt_ext.store.ingest.arrivals import Arrival

VOLATILE_HOURS = 24
"""An unchanged report refreshes its volatile values only when they are older than this."""

TOUCH = sa.text(f"""
{ONE_BY_ONE}
WITH touched AS (
UPDATE asset_seen AS seen
   SET last_seen = greatest(seen.last_seen, i.received_at),
       collected_at = i.collected_at,
       mode = i.mode,
       reports_as = NULL
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:digests AS bytea[]),
              CAST(:collected AS timestamptz[]), CAST(:received AS timestamptz[]),
              CAST(:modes AS text[]))
       AS i(minion_id, digest, collected_at, received_at, mode)
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id
   AND seen.digest = i.digest
   AND seen.collected_at <= i.collected_at
   AND seen.volatile_at > i.collected_at - interval '{VOLATILE_HOURS} hours'
RETURNING i.minion_id, asset.id AS asset_id
)
SELECT minion_id, asset_id,
       EXISTS (SELECT FROM problem
                WHERE problem.minion_id = touched.minion_id AND problem.closed_at IS NULL)
       AS has_problem
  FROM touched
""")  # noqa: S608 - a constant of ours


def fingerprint(report: Mapping[str, Any]) -> bytes:
    """
    Return what is equal of two reports that say the same.

    The same facts say more when they are all there is than when a collector saw
    a part of it.
    """
    digest = bytes.fromhex(report["digest"])
    partial = sorted(name for name in report["partial"] if isinstance(name, str))
    if not partial:
        return digest
    return hashlib.sha256(digest + "\n".join(partial).encode(errors="replace")).digest()


def touch(
    link: sa.Connection, batch: Sequence[Arrival], collected: Mapping[str, datetime]
) -> dict[str, tuple[uuid.UUID, bool]]:
    """
    Note of each report that is as the stored one when it came, and nothing else.

    Returns of each of these minions its asset, and whether it has an open
    problem.
    """
    if not batch:
        return {}
    rows = link.execute(
        TOUCH,
        {
            "minion_ids": array(one.minion_id for one in batch),
            "digests": array(fingerprint(one.report) for one in batch),
            "collected": array(collected[one.minion_id] for one in batch),
            "received": array(one.received_at for one in batch),
            "modes": array(one.report["mode"] for one in batch),
        },
    )
    return {row.minion_id: (row.asset_id, row.has_problem) for row in rows}
