"""
Work of the engine on one machine that fails is set aside, until that machine reports again.

It is a problem of the machine, with the traceback, whose subject says which work; so the
others go on, and nothing is tried endlessly. The problem is over when the work succeeds.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

import sqlalchemy as sa

from salt_ext.store.schema import problem

KIND = "sweep"


def name_of(asset_id: uuid.UUID, minion_id: str | None) -> str:
    """Return the name by which the problem of a machine is kept."""
    return minion_id or str(asset_id)


def is_due(subject: str, seen: str) -> str:
    """Return SQL for whether this work on an ``asset`` that is ``seen`` is not set aside."""
    return f"""NOT EXISTS (SELECT FROM problem
         WHERE problem.minion_id = coalesce(asset.minion_id, CAST(asset.id AS text))
           AND problem.kind = '{KIND}' AND problem.subject = '{subject}'
           AND problem.closed_at IS NULL AND problem.last_seen >= {seen}.last_seen)"""


def take_back(link: sa.Connection, subject: str, names: Collection[str]) -> None:
    """Note that this work on machines has succeeded, if it ever failed."""
    link.execute(
        sa.update(problem)
        .where(
            problem.c.minion_id.in_(names),
            problem.c.kind == KIND,
            problem.c.subject == subject,
            problem.c.closed_at.is_(None),
        )
        .values(closed_at=sa.func.now())
    )
