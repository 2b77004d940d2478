"""
The removal of what is over and old. History is never removed.

The history of components, identifiers and decisions is kept for ever. Of volatile
values only the latest are stored at all. Problems that are over, and rejected
reports, are removed after ``keep_problems``.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from salt_ext.store.clock import clock
from salt_ext.store.database import Database, Row
from salt_ext.store.listening import forget
from salt_ext.store.schema import asset, asset_seen, held, identifier, problem

MOST_PROBLEMS = 1000
"""At most so many problems of one machine are kept, whatever it sends."""


def maintain(database: Database, *, test: bool = False) -> list[Row]:
    """
    Close what is over and remove what is old; return a row for each step.

    Each row has ``step`` (what was done) and ``rows`` (to how many). With ``test``
    the rows are counted, and nothing is changed.
    """
    now = clock(database).now
    before = now - timedelta(seconds=database.settings["keep_problems"])
    is_shared = (
        sa.select(identifier.c.asset_id)
        .join(asset, asset.c.id == identifier.c.asset_id)
        .where(
            asset.c.minion_id == problem.c.minion_id,
            identifier.c.shared,
            identifier.c.last_seen.is_(None),
        )
        .exists()
    )
    by_machine = sa.func.row_number().over(
        partition_by=problem.c.minion_id, order_by=problem.c.last_seen.desc()
    )
    ranked = sa.select(problem.c.id, by_machine.label("number")).subquery()
    # The machine of the held report, found by its best key, has been stored again since
    # then: it reports under its own name.
    first_key = held.c.evidence["keys"][0]
    goes_on = (
        sa.select(identifier.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == identifier.c.asset_id)
        .where(
            identifier.c.kind == first_key[0].astext,
            identifier.c.value == first_key[1].astext,
            identifier.c.last_seen.is_(None),
            ~identifier.c.shared,
            asset_seen.c.last_seen > held.c.last_seen,
        )
        .exists()
    )
    is_held = sa.select(held.c.minion_id).where(held.c.minion_id == problem.c.minion_id).exists()
    steps = {
        "held reports of machines that have their own name again, dropped": sa.delete(held).where(
            goes_on
        ),
        "held reports that are over, closed": sa.update(problem)
        .where(
            problem.c.kind == "identity",
            problem.c.subject == "held",
            problem.c.closed_at.is_(None),
            ~is_held,
        )
        .values(closed_at=now),
        "duplicate identities that are over, closed": sa.update(problem)
        .where(
            problem.c.kind == "identity",
            problem.c.subject != "held",
            problem.c.closed_at.is_(None),
            ~is_shared,
        )
        .values(closed_at=now),
        "problems that are over, removed": sa.delete(problem).where(problem.c.closed_at < before),
        f"problems beyond {MOST_PROBLEMS} of one machine, removed": sa.delete(problem).where(
            problem.c.id.in_(sa.select(ranked.c.id).where(ranked.c.number > MOST_PROBLEMS))
        ),
        "rejected reports, removed": sa.delete(held).where(
            held.c.rejected_at < before, held.c.last_seen < before
        ),
    }
    with database.begin() as link, link.begin_nested() as attempt:
        found = [
            {"step": name, "rows": link.execute(step).rowcount} for name, step in steps.items()
        ]
        found.append(
            {"step": "times that masters listened, too old to count, removed"}
            | {"rows": forget(link, database.settings)}
        )
        if test:
            attempt.rollback()
    return found
