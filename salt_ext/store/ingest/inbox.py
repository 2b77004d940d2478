"""
Reports of machines without a master.

Their role, ``cmdb_reporter``, may put a report into the inbox and do nothing
else. On the master nobody has authenticated the minion id of such a report:
the first role that reports a machine is the only one that may go on doing so,
and for a minion of a master none may. A machine that is renamed takes its role
along.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext.store.database import Database
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.batch import ingest
from salt_ext.store.ingest.problems import Problem, record
from salt_ext.store.schema import asset, asset_seen, inbox, reporter
from salt_ext.store.text import is_text

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
    reason = _why_not(link, row, row.minion_id, minions)
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
                # Who says what it was called before takes over the asset of that name.
                reason = _why_not(link, row, previous, minions)
    if reason is None:
        return Arrival(row.minion_id, report, row.received_at)
    message = f"{reason}; it was sent by the database role {row.sent_by}"
    record(link, [Problem("report", row.minion_id, "inbox", message, "", row.received_at)])
    outcomes.append(Outcome(row.minion_id, "refused", message))
    return None


def _why_not(link: sa.Connection, row: Any, minion_id: str, minions: Collection[str]) -> str | None:
    """Return why the sender of a row may not speak for a machine."""
    if minion_id in minions:
        return f"{minion_id} has a key on this master and reports by itself"
    if minion_id == row.minion_id:
        role: str | None = bind(link, minion_id, row.sent_by, row.received_at)
    else:
        role = role_of(link, minion_id)  # a name that is only mentioned is nobody's by that
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
    """Let a role report a machine that no other one reports; return the role that does."""
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
    """Return how many reports of machines without a master wait."""
    with database.autocommit() as link:
        return int(link.scalar(sa.select(sa.func.count()).select_from(inbox)) or 0)
