"""
What is wrong, for people to read: each problem, and how many of each kind wait for a person.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.masking import masked
from salt_ext.store.reads.patterns import glob
from salt_ext.store.schema import problem

NAMED = 5
"""How many machines of each kind are named."""

OWN_BUSINESS = ("collector", "doubt", "sweep")
"""Problems that keep no report from being stored."""

KINDS = sa.text(f"""
SELECT 'held' AS kind, count(*) AS machines,
       (array_agg(minion_id ORDER BY minion_id))[1:{NAMED}] AS names
  FROM held
 WHERE rejected_at IS NULL
HAVING count(*) > 0
UNION ALL
SELECT kind, count(DISTINCT minion_id), (array_agg(DISTINCT minion_id))[1:{NAMED}]
  FROM problem
 WHERE closed_at IS NULL AND NOT (kind = 'identity' AND subject = 'held')
 GROUP BY kind
 ORDER BY kind
""")  # noqa: S608 - a constant of ours

TROUBLED = sa.text(f"""
SELECT DISTINCT minion_id FROM problem
 WHERE closed_at IS NULL AND kind NOT IN {OWN_BUSINESS!r}
   AND minion_id = ANY(CAST(:names AS text[]))
 UNION
SELECT minion_id FROM held WHERE minion_id = ANY(CAST(:names AS text[]))
""")  # noqa: S608 - a constant of ours


@masked
def problems(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    minion_id: str | None = None,
    problem_id: uuid.UUID | None = None,
    kind: str | None = None,
    is_open: bool = True,
    limit: int = 50,
) -> tuple[list[Row], int]:
    """
    Return the problems last seen most recently, and how many there are in all.

    ``minion_id`` may be a glob, and the name of a machine that has no asset. Problems
    that are over are returned with ``is_open=False``, and if asked for by id.
    """
    where = []
    if since is not None:
        where.append(problem.c.last_seen >= since)
    if until is not None:
        where.append(problem.c.first_seen <= until)
    if minion_id is not None:
        where.append(glob(problem.c.minion_id, minion_id))
    if kind is not None:
        where.append(problem.c.kind == kind)
    if problem_id is not None:
        where.append(problem.c.id == problem_id)
    elif is_open:
        where.append(problem.c.closed_at.is_(None))
    with database.autocommit() as link:
        found = rows(link.execute(_newest(where, limit)))
        total = link.scalar(sa.select(sa.func.count()).select_from(problem).where(*where))
        return found, int(total or 0)


def open_of(link: sa.Connection, minion_id: str | None) -> list[Row]:
    """Return the problems of a machine that are not over, those last seen first."""
    return rows(link.execute(OPEN_OF, {"minion_id": minion_id}))


def _newest(where: Sequence[sa.ColumnElement[bool]], limit: int) -> sa.Select[Any]:
    return (
        sa.select(*(one for one in problem.columns if one.name != "told"))
        .where(*where)
        .order_by(problem.c.last_seen.desc(), problem.c.minion_id, problem.c.subject)
        .limit(limit)
    )


OPEN_OF = _newest(
    [problem.c.minion_id == sa.bindparam("minion_id"), problem.c.closed_at.is_(None)], 50
)


def attention(database: Database) -> list[Row]:
    """
    Return for each ``kind`` of open problem how many ``machines`` have one, and some ``names``.

    The kind ``held`` is that of the reports that a person has to decide about.
    """
    with database.autocommit() as link:
        return rows(link.execute(KINDS))


def troubled(database: Database, minion_ids: Iterable[str]) -> set[str]:
    """Return those of these machines whose reports are held, or have an open problem: they wait."""
    with database.autocommit() as link:
        return set(link.scalars(TROUBLED, {"names": array(minion_ids)}))
