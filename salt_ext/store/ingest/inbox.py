"""
Reports of machines without a master.

Their database role, a member of ``cmdb_reporter``, may put a report into the inbox
and do nothing else. Salt has not authenticated the minion id of such a report. So
only the first role that reports a machine may go on reporting it, and no role may
report a machine that has a master. When a machine is renamed, its role may also
report it under the new name.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext.store.bulk import array
from salt_ext.store.clock import now
from salt_ext.store.database import Database
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.batch import ingest
from salt_ext.store.ingest.isolation import STORED, Suspects
from salt_ext.store.ingest.problems import Problem, record
from salt_ext.store.schema import asset, asset_seen, inbox, reporter
from salt_ext.store.text import is_text

MODE = "return"
"""The mode of reports that may come through the inbox."""

BATCH = 100


def submit(database: Database, arrivals: Iterable[Arrival]) -> list[Outcome]:
    """Store reports, or put them into the inbox if the role of this process may do no more."""
    reports = list(arrivals)
    with database.begin() as link:
        if not link.scalar(sa.text("SELECT has_table_privilege('asset_seen', 'UPDATE')")):
            # What is not JSON (NaN) raises ValueError here, where the machine can show it.
            rows = [
                {"minion_id": one.minion_id, "report": json.dumps(one.report, allow_nan=False)}
                for one in reports
            ]
            link.execute(sa.insert(inbox).inline(), rows)
            detail = "is in the inbox; the master stores it"
            return [Outcome(one.minion_id, "waiting", detail) for one in reports]
    return [
        # Nobody keeps such a report: here is no master with a cache.
        one._replace(status="refused") if one.status == "waiting" else one
        for one in ingest(database, reports)
    ]


def take_inbox(
    database: Database,
    minions: Collection[str],
    waiting: Iterable[str] = (),
    suspects: Suspects | None = None,
    seconds: float = math.inf,
) -> list[Outcome]:
    """
    Store the reports in the inbox; return what became of each.

    After so many ``seconds`` the rest is left for the next time.

    ``minions`` have a key on this master, so reports of them are refused here. A
    report is removed from the inbox only after it was stored or refused. Two masters
    may take the same report at once; the second one changes nothing. Of the machines
    that are ``waiting``, or have used up their hour, only the latest report stays.
    """
    outcomes: list[Outcome] = []
    left = set(waiting)
    over_at = time.monotonic() + seconds
    while time.monotonic() < over_at:
        with database.begin() as link:
            found = link.execute(
                sa.select(inbox)
                .where(inbox.c.minion_id.not_in(sorted(left)))
                .order_by(inbox.c.received_at, inbox.c.id)
                .limit(BATCH)
            ).all()
            # Of two roles that report a new machine at once, the first one has it.
            roles: dict[str, str] = {}
            arrivals = [
                one for row in found if (one := _admit(link, row, minions, roles, outcomes))
            ]
        if not found:
            break
        taken = ingest(database, arrivals, suspects=suspects)
        outcomes += taken
        wait = {one.minion_id for one in taken if one.status == "waiting"}
        with database.begin() as link:
            over = [row.id for row in found if row.minion_id not in wait]
            link.execute(sa.delete(inbox).where(inbox.c.id.in_(over)))
            for outcome in taken:
                if outcome.status in STORED:
                    # Only now: a role whose report is refused does not get the machine.
                    bind(link, outcome.minion_id, roles[outcome.minion_id], now(link))
        left |= wait
    if left:
        with database.begin() as link:
            link.execute(KEEP_LATEST, {"minion_ids": array(sorted(left))})
    return outcomes


KEEP_LATEST = sa.text("""
DELETE FROM inbox USING inbox AS later
 WHERE inbox.minion_id = ANY(CAST(:minion_ids AS text[])) AND later.minion_id = inbox.minion_id
   AND later.sent_by = inbox.sent_by
   AND (later.received_at, later.id) > (inbox.received_at, inbox.id)
""")


def _admit(
    link: sa.Connection,
    row: Any,
    minions: Collection[str],
    roles: dict[str, str],
    outcomes: list[Outcome],
) -> Arrival | None:
    """
    Return the report of a row; if it is refused, record why and return None.

    ``roles`` are those of the reports before it, by minion id.
    """
    reason = _why_not(link, row, row.minion_id, minions)
    if reason is None and roles.get(row.minion_id, row.sent_by) != row.sent_by:
        reason = f"{row.minion_id} is reported by the database role {roles[row.minion_id]}"
    report = None
    if reason is None:
        try:
            report = json.loads(row.report)
        except (ValueError, RecursionError) as error:
            reason = f"the report is no JSON: {error}"
        else:
            said = report if isinstance(report, dict) else {}
            mode, previous = said.get("mode"), said.get("previous_minion_id")
            if mode != MODE:
                reason = f"the report is in the mode {mode!r:.80}, not {MODE}"
            elif isinstance(previous, str) and is_text(previous):
                # A report that names its previous name can take over the asset of that name.
                reason = _why_not(link, row, previous, minions)
    if reason is None:
        roles[row.minion_id] = row.sent_by
        return Arrival(row.minion_id, report, row.received_at)
    message = f"{reason}; it was sent by the database role {row.sent_by}"
    record(link, [Problem("report", row.minion_id, "inbox", message, "", row.received_at)])
    outcomes.append(Outcome(row.minion_id, "refused", message))
    return None


def _why_not(link: sa.Connection, row: Any, minion_id: str, minions: Collection[str]) -> str | None:
    """Return why the sender of a row may not report a machine; None if it may."""
    if minion_id in minions:
        return f"{minion_id} has a key on this master and reports by itself"
    role = role_of(link, minion_id)
    if role not in (None, row.sent_by):
        return f"{minion_id} is reported by the database role {role}"
    mode = link.scalar(
        sa.select(asset_seen.c.mode)
        .join(asset, asset.c.id == asset_seen.c.asset_id)
        .where(asset.c.minion_id == minion_id)
    )
    if mode not in (None, MODE):
        return f"{minion_id} is known by a master, which it reports to in the mode {mode}"
    return None


def bind(link: sa.Connection, minion_id: str, role: str, at: datetime) -> str:
    """Bind a machine to a role, if no other role has it yet; return the role that has it."""
    statement = insert(reporter).values(minion_id=minion_id, role=role, since=at)
    owner = link.scalar(
        statement.on_conflict_do_update(
            index_elements=["minion_id"], set_={"role": reporter.c.role}
        ).returning(reporter.c.role)
    )
    return str(owner)


def role_of(link: sa.Connection, minion_id: str) -> str | None:
    """Return which role reports a machine; None for one that no role has reported."""
    statement = sa.select(reporter.c.role).where(reporter.c.minion_id == minion_id)
    return link.scalar(statement)


def inbox_size(database: Database) -> int:
    """Return how many reports of machines without a master wait in the inbox."""
    with database.autocommit() as link:
        return int(link.scalar(sa.select(sa.func.count()).select_from(inbox)) or 0)
