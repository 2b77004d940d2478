"""
What went wrong, and since when it is over: reports, collectors, doubts, identity.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.database import Database
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.schema import held, problem


class Problem(NamedTuple):
    """
    Something that an operator should know.

    ``kind`` is one of ``schema.PROBLEM_KINDS``. ``subject`` says about what: the
    collector, the field, the hook, the mode, or for identity the action that was decided.
    Problems of an engine or a mode are those of a master, by its id.
    """

    kind: str
    minion_id: str
    subject: str
    message: str
    traceback: str
    at: datetime


MOST_PROBLEMS = 300
"""At most so many problems of one machine are kept; no machine has as many collectors."""

# A problem that was over and is back is news, and so is a collector that fails in another
# way, numbers aside: they must be told again.
RECORD = sa.text("""
INSERT INTO problem AS known
       (id, kind, minion_id, subject, message, traceback, first_seen, last_seen, count)
SELECT id, kind, minion_id, subject, message, traceback, at, at, 1
  FROM unnest(CAST(:ids AS uuid[]), CAST(:kinds AS text[]), CAST(:minion_ids AS text[]),
              CAST(:subjects AS text[]), CAST(:messages AS text[]),
              CAST(:tracebacks AS text[]), CAST(:moments AS timestamptz[]))
       AS i(id, kind, minion_id, subject, message, traceback, at)
    ON CONFLICT (minion_id, kind, subject) DO UPDATE
   SET message = excluded.message,
       traceback = excluded.traceback,
       last_seen = greatest(known.last_seen, excluded.last_seen),
       count = known.count + 1,
       closed_at = NULL,
       told = known.told AND known.closed_at IS NULL
              AND (known.kind <> 'collector' OR translate(known.message, '0123456789', '')
                                              = translate(excluded.message, '0123456789', ''))
RETURNING minion_id, xmax = 0 AS is_new
""")

# What a machine can make up goes first, and of that the oldest.
FORGET = sa.text("""
DELETE FROM problem USING (
SELECT id, row_number() OVER (
           PARTITION BY minion_id
               ORDER BY kind = 'collector', kind = 'doubt', kind = 'report', last_seen DESC
       ) AS number
  FROM problem WHERE minion_id = ANY(CAST(:minion_ids AS text[]))) AS ranked
 WHERE problem.id = ranked.id AND ranked.number > :most
""")


def record(link: sa.Connection, problems: Sequence[Problem]) -> None:
    """
    Write problems; if a problem is known already, its count goes up.

    At most :data:`MOST_PROBLEMS` of each machine are kept, whatever it sends.
    """
    found = {(one.minion_id, one.kind, one.subject[:500]): one for one in problems}
    if not found:
        return
    # In one order, so that two writers do not wait for each other.
    rows = [found[key] for key in sorted(found)]
    written = link.execute(
        RECORD,
        {
            "ids": array(uuid.uuid4() for _ in rows),
            "kinds": array(one.kind for one in rows),
            "minion_ids": array(one.minion_id for one in rows),
            "subjects": array(one.subject[:500] for one in rows),
            "messages": array(one.message[:4000] for one in rows),
            "tracebacks": array(one.traceback[:16000] for one in rows),
            "moments": array(one.at for one in rows),
        },
    )
    if more := {row.minion_id for row in written if row.is_new}:
        link.execute(FORGET, {"minion_ids": array(sorted(more)), "most": MOST_PROBLEMS})


class Good(NamedTuple):
    """A report that was stored, and those of its fields that are doubted nevertheless."""

    arrival: Arrival
    doubted: set[str]


LOCK = sa.text("""
SELECT id FROM problem WHERE id = ANY(CAST(:ids AS uuid[]))
 ORDER BY minion_id COLLATE "C", kind COLLATE "C", subject COLLATE "C"
   FOR UPDATE
""")
# A problem whose count is not the same as when it was read stays open: another writer has
# seen it again.
CLOSE = sa.text("""
UPDATE problem SET closed_at = i.at
  FROM unnest(CAST(:id AS uuid[]), CAST(:count AS integer[]), CAST(:at AS timestamptz[]))
       AS i(id, count, at)
 WHERE problem.id = i.id AND problem.count = i.count
""")


def lock_problems(link: sa.Connection, ids: Iterable[uuid.UUID]) -> None:
    """Lock problems in the order in which :func:`record` writes them."""
    link.execute(LOCK, {"ids": array(ids)})


def close(link: sa.Connection, stored: Mapping[str, Good]) -> None:
    """
    Close the problems that are over, as the stored reports (by minion id) show.

    A refused report is over when a later one is stored; a failed collector, when its
    section is reported again; a doubt, when it is not repeated; a held report, when
    it is held no more. A key on two machines is not closed here.
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
        lock_problems(link, (row.id for row in over))
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


def close_problem(database: Database, kind: str, minion_id: str, subject: str) -> None:
    """Close a problem that is over, if there is one."""
    with database.begin() as link:
        link.execute(closed(kind, subject).where(problem.c.minion_id == minion_id))


def closed(kind: str, subject: str) -> sa.Update:
    """Return the statement that closes the problems of a kind about a subject, of whomever."""
    return (
        sa.update(problem)
        .where(
            problem.c.kind == kind,
            problem.c.subject == subject,
            problem.c.closed_at.is_(None),
        )
        .values(closed_at=sa.func.now())
    )


def _is_over(kind: str, subject: str, good: Good) -> bool:
    if kind == "collector":
        # The body of a report that was only touched was not checked: it may be anything.
        facts, errors = good.arrival.report.get("facts"), good.arrival.report["errors"]
        return isinstance(facts, dict) and subject in facts and subject not in errors
    if kind == "doubt":
        return not any(subject == one or subject.startswith(f"{one}.") for one in good.doubted)
    if kind == "hook":
        # Of a report that was only touched the facts were shown to no hook.
        return "facts" not in good.doubted
    return kind == "report"
