"""
What went wrong, and since when it is over: refused reports, failed collectors, identity.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from salt_ext.store.bulk import array
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.schema import held, problem


class Problem(NamedTuple):
    """Something an operator should know: ``subject`` is the collector, the field or the key."""

    kind: str
    minion_id: str
    subject: str
    message: str
    traceback: str
    at: datetime


def record(link: sa.Connection, problems: Sequence[Problem]) -> None:
    """Write problems; one that is known already is counted."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for one in problems:
        found[one.minion_id, one.kind, one.subject[:500]] = {
            "id": uuid.uuid4(),
            "kind": one.kind,
            "minion_id": one.minion_id,
            "subject": one.subject[:500],
            "message": one.message[:4000],
            "traceback": one.traceback[:16000],
            "first_seen": one.at,
            "last_seen": one.at,
            "count": 1,
        }
    if not found:
        return
    statement = insert(problem)
    excluded = statement.excluded
    link.execute(
        statement.on_conflict_do_update(
            index_elements=["minion_id", "kind", "subject"],
            set_={
                "message": excluded.message,
                "traceback": excluded.traceback,
                "last_seen": sa.func.greatest(problem.c.last_seen, excluded.last_seen),
                "count": problem.c.count + excluded.count,
                "closed_at": None,
                # One that was over and is there again is news.
                "told": problem.c.told & problem.c.closed_at.is_(None),
            },
        ),
        [found[key] for key in sorted(found)],
    )


class Good(NamedTuple):
    """A report that was stored, and the fields of it that are doubted nevertheless."""

    arrival: Arrival
    doubted: set[str]


# Locked in the order in which record() writes them. What another writer has counted
# since it was read is a problem again.
CLOSE = sa.text("""
WITH over AS (
SELECT problem.id, i.at
  FROM unnest(CAST(:id AS uuid[]), CAST(:count AS integer[]), CAST(:at AS timestamptz[]))
       AS i(id, count, at)
  JOIN problem ON problem.id = i.id AND problem.count = i.count
 ORDER BY minion_id COLLATE "C", kind COLLATE "C", subject COLLATE "C"
   FOR UPDATE OF problem)
UPDATE problem SET closed_at = over.at FROM over WHERE problem.id = over.id
""")


def close(link: sa.Connection, stored: Mapping[str, Good]) -> None:
    """
    Close what the reports that were stored, by minion id, show to be over.

    A report was refused, and this one was stored; a collector had failed, and
    its section is here again; a doubt is not repeated; a report is held no more.
    A key on two machines is not over.
    """
    is_held = sa.exists().where(held.c.minion_id == problem.c.minion_id)
    still_open = link.execute(
        sa.select(
            *(problem.c[name] for name in ("id", "count", "minion_id", "kind", "subject")),
            is_held.label("is_held"),
        ).where(problem.c.minion_id.in_(stored), problem.c.closed_at.is_(None))
    ).all()
    over = [
        row
        for row in still_open
        if (
            not row.is_held
            if row.subject == "held"
            else _is_over(row.kind, row.subject, stored[row.minion_id])
        )
    ]
    if over:
        link.execute(
            CLOSE,
            {
                "id": array(row.id for row in over),
                "count": array(row.count for row in over),
                "at": array(stored[row.minion_id].arrival.received_at for row in over),
            },
        )


def close_held(link: sa.Connection, minion_id: str, at: datetime) -> None:
    """Close the problem of a held report about which a person has decided."""
    link.execute(
        sa.update(problem)
        .where(
            problem.c.minion_id == minion_id,
            problem.c.kind == "identity",
            problem.c.subject == "held",
        )
        .values(closed_at=at)
    )


def _is_over(kind: str, subject: str, good: Good) -> bool:
    if kind == "collector":
        # The body of a report that was only touched has not been looked at.
        facts, errors = good.arrival.report.get("facts"), good.arrival.report["errors"]
        return isinstance(facts, dict) and subject in facts and subject not in errors
    if kind == "doubt":
        return not any(subject == one or subject.startswith(f"{one}.") for one in good.doubted)
    return kind == "report"
