"""
Unchanged reports: each updates one row of a narrow table, a whole batch in one statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.report import checking, digests
from salt_ext.store.bulk import ONE_BY_ONE, array
from salt_ext.store.database import HEAD
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.ingest.before import Before, named
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.problems import Good

VOLATILE_HOURS = 24
"""An unchanged report refreshes its volatile values only when they are older than this."""

# In a schema that this code does not know nothing is touched: then all reports are due, and
# the transaction that shall store them refuses.
TOUCH = sa.text(f"""
{ONE_BY_ONE}
WITH touched AS (
UPDATE asset_seen AS seen
   SET last_seen = greatest(seen.last_seen, i.received_at),
       collected_at = i.collected_at,
       mode = i.mode,
       secret_hash = i.secret_hash,
       reports_as = NULL
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:digests AS bytea[]),
              CAST(:collected AS timestamptz[]), CAST(:received AS timestamptz[]),
              CAST(:modes AS text[]), CAST(:secret_hashes AS bytea[]))
       AS i(minion_id, digest, collected_at, received_at, mode, secret_hash)
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id
   AND seen.digest = i.digest
   AND seen.collected_at <= i.collected_at
   AND seen.volatile_at > i.collected_at - interval '{VOLATILE_HOURS} hours'
   AND (SELECT version_num FROM alembic_version) = '{HEAD}'
RETURNING i.minion_id, asset.id AS asset_id
)
SELECT minion_id, asset_id,
       EXISTS (SELECT FROM problem
                WHERE problem.minion_id = touched.minion_id AND problem.closed_at IS NULL)
       AS has_problem
  FROM touched
""")  # noqa: S608 - a constant of ours


class Due(NamedTuple):
    """A good report that says something new, and what was checked of it."""

    arrival: Arrival
    collected_at: datetime
    checked: checking.Checked
    named: Before | None
    """The asset of this name, as it was read before it was locked; None if there is none."""


def touch_unchanged(link: sa.Connection, batch: Sequence[Arrival]) -> tuple[list[Due], Findings]:
    """
    Check reports and touch the assets of those that say nothing new; return the others.

    No machine may be twice in the batch. The findings are returned too; nothing of them
    is written yet.
    """
    findings = Findings()
    good: list[Arrival] = []
    collected: dict[str, datetime] = {}
    for arrival in batch:
        try:
            collected[arrival.minion_id] = checking.check_header(
                arrival.report, arrival.received_at
            )
            good.append(arrival)
        except checking.ReportError as error:
            findings.refuse(arrival, error)
    touched = _touch(link, good, collected)
    rest = [one for one in good if one.minion_id not in touched]
    assets = named(link, [one.minion_id for one in rest]) if rest else {}
    due: list[Due] = []
    for arrival in good:
        collected_at = collected[arrival.minion_id]
        if arrival.minion_id in touched:
            _note_touched(findings, arrival, collected_at, *touched[arrival.minion_id])
            continue
        try:
            asset = assets.get(arrival.minion_id)
            checked = checking.check_body(arrival.report, asset.digests if asset else {})
            due.append(Due(arrival, collected_at, checked, asset))
        except checking.ReportError as error:
            findings.refuse(arrival, error)
    return due, findings


def secret_hash(report: Mapping[str, Any]) -> bytes | None:
    """
    Return the hash of the secret that proves a rename later, None without one.

    A report without a hash, by ssh or by the first edition, leaves no older hash standing:
    its moment is not in the machine's name file, so that nothing proves a rename then.
    """
    said = report.get("secret_hash")
    return bytes.fromhex(said) if said is not None else None


def _note_touched(
    findings: Findings,
    arrival: Arrival,
    collected_at: datetime,
    asset_id: uuid.UUID,
    has_problem: bool,
) -> None:
    findings.outcome(arrival, "unchanged", "as before", asset_id)
    findings.failed_collectors(arrival)
    if has_problem:
        # Its facts are as before, so the doubts about them stay open.
        behind = checking.is_behind(arrival.report, collected_at, arrival.received_at)
        doubted = {"facts", "collected_at"} if behind else {"facts"}
        findings.good[arrival.minion_id] = Good(arrival, doubted)


def _touch(
    link: sa.Connection, batch: Sequence[Arrival], collected: Mapping[str, datetime]
) -> dict[str, tuple[uuid.UUID, bool]]:
    """
    Update the times of each asset whose stored report is the same as the new one.

    Returns, by minion id, the id of the asset and whether the machine has an open
    problem.
    """
    if not batch:
        return {}
    rows = link.execute(
        TOUCH,
        {
            "minion_ids": array(one.minion_id for one in batch),
            "digests": array(digests.of_report(one.report) for one in batch),
            "collected": array(collected[one.minion_id] for one in batch),
            "received": array(one.received_at for one in batch),
            "modes": array(one.report["mode"] for one in batch),
            "secret_hashes": array(secret_hash(one.report) for one in batch),
        },
    )
    return {row.minion_id: (row.asset_id, row.has_problem) for row in rows}
