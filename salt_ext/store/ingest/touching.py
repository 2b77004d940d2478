"""
Unchanged reports: each updates one row of a narrow table, a whole batch in one statement.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from salt_ext.report import checking, digests
from salt_ext.store.bulk import ONE_BY_ONE, array
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.ingest.before import Before, named
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.problems import Good

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


class Due(NamedTuple):
    """A good report that says something new, and what was checked of it."""

    arrival: Arrival
    collected_at: datetime
    checked: checking.Checked
    named: Before | None
    """The asset of this name, as it was read before it was locked; None if there is none."""


HEARD = sa.text(f"""
{ONE_BY_ONE}
UPDATE asset_seen AS seen
   SET last_seen = greatest(seen.last_seen, least(i.received_at, now()))
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:collected AS timestamptz[]),
              CAST(:received AS timestamptz[]))
       AS i(minion_id, collected_at, received_at)
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id AND seen.collected_at < i.collected_at
""")  # noqa: S608 - a constant of ours


def heard(link: sa.Connection, reports: Sequence[tuple[Arrival, datetime]]) -> None:
    """Note that machines were heard whose reports are refused for their size alone."""
    if reports:
        in_order = sorted(reports, key=lambda one: one[0].minion_id)
        link.execute(
            HEARD,
            {
                "minion_ids": array(arrival.minion_id for arrival, _ in in_order),
                "collected": array(collected_at for _, collected_at in in_order),
                "received": array(arrival.received_at for arrival, _ in in_order),
            },
        )


def touch_unchanged(
    link: sa.Connection, batch: Sequence[Arrival], findings: Findings | None = None
) -> tuple[list[Due], Findings]:
    """
    Check reports and touch the assets of those that say nothing new; return the others.

    No machine may be twice in the batch. The findings are returned too; the problems
    among them are written already.
    """
    findings = findings or Findings()
    limits = findings.limits
    good: list[Arrival] = []
    collected: dict[str, datetime] = {}
    for arrival in batch:
        try:
            collected[arrival.minion_id] = _header(arrival, findings)
            good.append(arrival)
        except checking.ReportError as error:
            findings.refuse(arrival, error)
    touched = _touch(link, good, collected)
    rest = [one for one in good if one.minion_id not in touched]
    known = named(link, [one.minion_id for one in rest]) if rest else {}
    due: list[Due] = []
    too_much: list[tuple[Arrival, datetime]] = []
    for arrival in good:
        collected_at = collected[arrival.minion_id]
        if arrival.minion_id in touched:
            _note_touched(findings, arrival, collected_at, *touched[arrival.minion_id])
            continue
        asset, spent = known[arrival.minion_id]
        if spent is not None and (reason := spent.over(limits)):
            findings.wait(arrival, reason, spent.seconds_left)
            continue
        try:
            with findings.timed(arrival.minion_id):
                checked = checking.check_body(
                    arrival.report, asset.digests if asset else {}, limits
                )
            due.append(Due(arrival, collected_at, checked, asset))
        except checking.ReportError as error:
            findings.refuse(arrival, error)
            if isinstance(error, checking.TooMuch):
                too_much.append((arrival, collected_at))
    heard(link, too_much)
    findings.write_charged(link)
    return due, findings


def _header(arrival: Arrival, findings: Findings) -> datetime:
    """Check the header of a report. Only that of one with errors takes a time worth counting."""
    if not (isinstance(arrival.report, dict) and arrival.report.get("errors")):
        return checking.check_header(arrival.report, arrival.received_at)
    with findings.timed(arrival.minion_id):
        return checking.check_header(arrival.report, arrival.received_at)


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
        },
    )
    return {row.minion_id: (row.asset_id, row.has_problem) for row in rows}
