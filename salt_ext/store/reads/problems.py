"""
What is wrong, for people to read.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.patterns import glob
from salt_ext.store.schema import problem


def problems(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    minion_id: str | None = None,
    problem_id: uuid.UUID | None = None,
    is_open: bool = True,
    limit: int = 50,
) -> tuple[list[Row], int]:
    """
    Return the problems last seen most recently, and how many there are in all.

    ``minion_id`` may be a glob, and the name of a machine that is no asset. Those
    that are over come with ``is_open=False``, and when asked for by id.
    """
    where = []
    if since is not None:
        where.append(problem.c.last_seen >= since)
    if until is not None:
        where.append(problem.c.first_seen <= until)
    if minion_id is not None:
        where.append(glob(problem.c.minion_id, minion_id))
    if problem_id is not None:
        where.append(problem.c.id == problem_id)
    elif is_open:
        where.append(problem.c.closed_at.is_(None))
    with database.autocommit() as link:
        found = _newest(link, where, limit)
        total = link.scalar(sa.select(sa.func.count()).select_from(problem).where(*where))
        return found, int(total or 0)


def open_of(link: sa.Connection, minion_id: str | None, limit: int = 50) -> list[Row]:
    """Return the problems of a machine that are not over, those last seen first."""
    return _newest(link, [problem.c.minion_id == minion_id, problem.c.closed_at.is_(None)], limit)


def _newest(link: sa.Connection, where: Sequence[sa.ColumnElement[bool]], limit: int) -> list[Row]:
    return rows(
        link.execute(
            sa.select(problem)
            .where(*where)
            .order_by(problem.c.last_seen.desc(), problem.c.minion_id, problem.c.subject)
            .limit(limit)
        )
    )
