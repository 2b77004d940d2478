"""
Reports of machines without a master.

Their role, ``cmdb_reporter``, may put a report into the inbox and do nothing
else. On the master nobody has authenticated the minion id of such a report:
the first role that reports a machine is the only one that may go on doing so,
and for a minion of a master none may.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext.store.arrivals import Arrival, Outcome
from salt_ext.store.database import Database
from salt_ext.store.ingest import ingest
from salt_ext.store.problems import Problem, record
from salt_ext.store.schema import asset, asset_seen, inbox, reporter

MODE = "return"
"""How the machines report that may come this way."""

BATCH = 100


def submit(database: Database, arrivals: Iterable[Arrival]) -> list[Outcome]:
    """Store reports, or leave them in the inbox where this role may do no more."""
    reports = list(arrivals)
    with database.begin() as link:
        if not link.scalar(sa.text("SELECT has_table_privilege('asset_seen', 'UPDATE')")):
            # What is no JSON for us is refused here, where the machine can read why.
            rows = [
                {"minion_id": one.minion_id, "report": json.dumps(one.report, allow_nan=False)}
                for one in reports
            ]
            link.execute(sa.insert(inbox).inline(), rows)
            detail = "is in the inbox; the master stores it"
            return [Outcome(one.minion_id, "waiting", detail) for one in reports]
    return ingest(database, reports)


def take_inbox(database: Database, minions: Collection[str]) -> list[Outcome]:
    """
    Store what lies in the inbox; ``minions`` have a key on this master, so nobody speaks for them.

    A report leaves the inbox after it was stored or refused: two masters may
    take it at once.
    """
    outcomes: list[Outcome] = []
    while True:
        with database.begin() as link:
            found = link.execute(
                sa.select(inbox).order_by(inbox.c.received_at, inbox.c.id).limit(BATCH)
            ).all()
            arrivals = [one for row in found if (one := _admit(link, row, minions, outcomes))]
        if not found:
            return outcomes
        outcomes += ingest(database, arrivals)
        with database.begin() as link:
            link.execute(sa.delete(inbox).where(inbox.c.id.in_([row.id for row in found])))


def _admit(
    link: sa.Connection, row: Any, minions: Collection[str], outcomes: list[Outcome]
) -> Arrival | None:
    """Return the report of a row, or put down why it is refused."""
    reason = _why_not(link, row, minions)
    report = None
    if reason is None:
        try:
            report = json.loads(row.report)
        except (ValueError, RecursionError) as error:
            reason = f"the report is no JSON: {error}"
        else:
            mode = report.get("mode") if isinstance(report, dict) else None
            if mode != MODE:
                reason = f"the report is in the mode {mode!r:.80}, not {MODE}"
    if reason is None:
        return Arrival(row.minion_id, report, row.received_at)
    message = f"{reason}; it was sent by the database role {row.sent_by}"
    record(link, [Problem("report", row.minion_id, "inbox", message, "", row.received_at)])
    outcomes.append(Outcome(row.minion_id, "refused", message))
    return None


def _why_not(link: sa.Connection, row: Any, minions: Collection[str]) -> str | None:
    if row.minion_id in minions:
        return f"{row.minion_id} has a key on this master and reports by itself"
    statement = insert(reporter).values(
        minion_id=row.minion_id, role=row.sent_by, since=row.received_at
    )
    role = link.scalar(
        statement.on_conflict_do_update(
            index_elements=["minion_id"], set_={"role": reporter.c.role}
        ).returning(reporter.c.role)
    )
    if role != row.sent_by:
        return f"{row.minion_id} is reported by the database role {role}"
    mode = link.scalar(
        sa.select(asset_seen.c.mode)
        .join(asset, asset.c.id == asset_seen.c.asset_id)
        .where(asset.c.minion_id == row.minion_id)
    )
    if mode not in (None, MODE):
        return f"{row.minion_id} is known by a master, which it reports to in the mode {mode}"
    return None
