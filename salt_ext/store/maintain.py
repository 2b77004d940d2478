"""
The removal of what is over and old. History is never removed.

The history of components, identifiers and decisions is kept for ever. Of volatile
values only the latest are stored at all. Problems that are over, and rejected
reports, are removed after ``keep_problems``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import sqlalchemy as sa

from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database, Row
from salt_ext.store.disk_models import count_models
from salt_ext.store.ingest.listed import rematch
from salt_ext.store.ingest.rivalry import close_over
from salt_ext.store.listening import forget, silence
from salt_ext.store.schema import asset_seen, delivery, held, identifier, problem
from salt_ext.store.tally import count_anew
from salt_ext.store.warnings import keep_warnings

LOCK = 0x636D6D6E


def maintain(database: Database, *, test: bool = False, is_patient: bool = True) -> list[Row]:
    """
    Close what is over and remove what is old; return a row for each step.

    Each row has ``step`` (what was done) and ``rows`` (to how many). With ``test``
    the rows are counted, and nothing is changed. One process does it at a time;
    without ``is_patient`` the answer is empty while another one does.
    """
    kept, grace = (
        timedelta(seconds=database.settings[name]) for name in ("keep_problems", "rename_grace")
    )
    with database.begin() as link, link.begin_nested() as attempt:
        if is_patient:
            link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        elif not link.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            return []
        now = time_of(link)
        silent = silence(link, grace, now)
        found = [
            {"step": name, "rows": link.execute(step).rowcount}
            for name, step in _steps(link, now, now - kept, silent.moment()).items()
        ]
        over = {"step": "other doubts about identity that are over, closed"}
        found.insert(2, {**over, "rows": close_over(link, silent, now)})
        forgotten = {"step": "times that masters listened, too old to count, removed"}
        found.append({**forgotten, "rows": forget(link, database.settings)})
        count_anew(link)
        if test:
            attempt.rollback()
    failed: list[Exception] = []
    for name, work in LATER.items():
        # Each by itself: none waits for those before it, nor fails with them.
        try:
            found.append({"step": name, "rows": work(database, test)})
        except Exception as error:
            failed.append(error)
    if failed:
        raise failed[0]
    return found


def _count_models(database: Database, test: bool) -> int:
    with database.begin() as link, link.begin_nested() as attempt:
        link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        counted = count_models(link)
        if test:
            attempt.rollback()
    return counted


LATER: Mapping[str, Callable[[Database, bool], int]] = {
    # This reads where every disk ever was: nobody shall wait for that.
    "models of disks, of which it is counted how often they fail": _count_models,
    "warnings that are new or over, noted": lambda database, test: (
        0 if test else keep_warnings(database)
    ),
    "machines that rows of people's lists mean now, found": lambda database, test: (
        0 if test else rematch(database)
    ),
}
"""What has a transaction of its own, by what it does; it returns to how many rows."""


def _steps(
    link: sa.Connection, now: datetime, before: datetime, silent_before: datetime
) -> dict[str, sa.Delete | sa.Update]:
    # The claim was not repeated for the grace, and the machine that has the best key has
    # been stored since: it reports under its own name.
    first_key = held.c.evidence["keys"][0]
    goes_on = (
        sa.select(held.c.minion_id)
        .select_from(identifier)
        .join(asset_seen, asset_seen.c.asset_id == identifier.c.asset_id)
        .join(
            held,
            (identifier.c.kind == first_key[0].astext)
            & (identifier.c.value == first_key[1].astext),
        )
        .where(
            identifier.c.last_seen.is_(None),
            held.c.last_seen < silent_before,
            asset_seen.c.last_seen > held.c.last_seen,
        )
    )
    over = [*link.scalars(goes_on)]
    is_held = sa.select(held.c.minion_id).where(held.c.minion_id == problem.c.minion_id).exists()
    return {
        "held reports of machines that have their own name again, dropped": sa.delete(held).where(
            held.c.minion_id.in_(over), held.c.last_seen < silent_before
        ),
        "held reports that are over, closed": sa.update(problem)
        .where(
            problem.c.kind == "identity",
            problem.c.subject == "held",
            problem.c.closed_at.is_(None),
            ~is_held,
        )
        .values(closed_at=now),
        "problems that are over, removed": sa.delete(problem).where(problem.c.closed_at < before),
        "rejected reports, removed": sa.delete(held).where(
            held.c.rejected_at < before, held.c.last_seen < before
        ),
        "events that no webhook took, removed": sa.delete(delivery).where(
            delivery.c.queued_at < before
        ),
    }
