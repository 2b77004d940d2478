"""
What reactions do to machines, or were not permitted to do; the waves that stopped all of them.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, reaction, wave

REACTION_STATES = ("tripped", "refused", "permitted", "released", "reset")
"""What a row can be, what needs a person first."""


@masked
def reactions(
    database: Database, *, state: str = "", limit: int | None = None
) -> tuple[list[Row], int]:
    """
    Return waves and reactions, those that are not over first, and how many there are in all.

    Each has a ``state``, one of :data:`REACTION_STATES`; ``since`` when, ``until`` when, who
    did it (``asked_by``), and the ``reason``. A wave has a ``path`` and how many ``machines`` it
    is of, a reaction its machine and the ``action``.
    """
    every = sa.union_all(WAVES, REACTIONS).subquery("every")
    where = [every.c.state == state] if state else []
    order = sa.case(*((every.c.state == one, at) for at, one in enumerate(REACTION_STATES[:3])))
    statement = (
        sa.select(every)
        .where(*where)
        .order_by(order.nulls_last(), every.c.since.desc())
        .limit(limit)
    )
    with database.autocommit() as link:
        found = rows(link.execute(statement))
        total = link.scalar(sa.select(sa.func.count()).select_from(every).where(*where))
        return found, int(total or 0)


def _nothing(kind: Any = sa.Text) -> sa.ColumnElement[Any]:
    return sa.cast(sa.null(), kind)


WAVES = sa.select(
    sa.case((wave.c.reset_at.is_(None), "tripped"), else_="reset").label("state"),
    _nothing(asset.c.id.type).label("asset_id"),
    _nothing().label("minion_id"),
    _nothing().label("sn"),
    _nothing().label("action"),
    wave.c.since,
    wave.c.reset_at.label("until"),
    wave.c.reset_by.label("asked_by"),
    wave.c.reason,
    _nothing().label("refusal"),
    wave.c.path,
    wave.c.machines,
)
REACTIONS = sa.select(
    sa.case(
        (reaction.c.permitted_at.is_(None), "refused"),
        (reaction.c.released_at.is_(None), "permitted"),
        else_="released",
    ),
    asset.c.id,
    asset.c.minion_id,
    asset.c.sn,
    reaction.c.action,
    sa.func.coalesce(reaction.c.permitted_at, reaction.c.refused_at),
    reaction.c.released_at,
    reaction.c.asked_by,
    reaction.c.reason,
    sa.case((reaction.c.permitted_at.is_(None), reaction.c.refusal)),
    _nothing(),
    _nothing(sa.Integer),
).join(asset, asset.c.id == reaction.c.asset_id)
