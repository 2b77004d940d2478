"""
What was lost: not confirmed yet, confirmed, or over; and where a part is now.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import OF_LOSS, asset, change, loss, placement

ENDINGS = {
    "back": "the part is in its machine again",
    "replaced": "other hardware is in its place",
    "elsewhere": "it was in another machine before the loss was confirmed",
    "retold": "another source tells the section since before the loss was confirmed",
    "accepted": "a person accepted the hardware without it as the baseline",
    "retired": "the machine was retired",
    "too_many": "its machine has lost so much more that it was not kept open",
    "gone": "other hardware has the name of the machine",
}
"""Why a loss is none any more."""

LOSS_STATES = ("unconfirmed", "lost", *ENDINGS)
"""What a loss is: not confirmed yet, confirmed, or how it ended."""

STATE = sa.func.coalesce(
    loss.c.ending, sa.case((loss.c.confirmed_at.is_(None), "unconfirmed"), else_="lost")
)


@masked
def losses(
    database: Database,
    *,
    state: str = "",
    since: datetime | None = None,
    filters: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> tuple[list[Row], int]:
    """
    Return losses, the newest first, and how many there are in all.

    Each has the change that told of it, ``lost_at``, its ``state`` (one of :data:`LOSS_STATES`),
    ``confirmed_at`` and ``ended_at``, and ``elsewhere``: the other machine that a part with a
    number of its own is in now.
    """
    where: list[sa.ColumnElement[bool]] = [STATE.in_([state])] if state else []
    if since is not None:
        where.append(loss.c.lost_at >= since)
    if filters:
        where.append(loss.c.asset_id.in_(matching_ids(database, filters)))
    told = (change.c[name] for name in ("op", "path", "component", "field", "old", "new"))
    statement = (
        sa.select(
            *(loss.c[name] for name in ("asset_id", "revision", "lost_at")),
            *(loss.c[name] for name in ("confirmed_at", "ended_at")),
            *(asset.c[name] for name in ("minion_id", "sn")),
            STATE.label("state"),
            *told,
        )
        .join(asset, asset.c.id == loss.c.asset_id)
        .join(change, OF_LOSS)
        .where(*where)
        .order_by(loss.c.lost_at.desc(), loss.c.asset_id, loss.c.revision, loss.c.position)
        .limit(limit)
    )
    with database.autocommit() as link:
        found = rows(link.execute(statement))
        counted = sa.select(sa.func.count()).select_from(loss).where(*where)
        total = int(link.scalar(counted) or 0)
        now_in = _now_in(link, found)
    for row in found:
        may_be = row["ended_at"] is None or row["state"] == "elsewhere"
        its = now_in.get((row["path"], row["component"]), ()) if may_be else ()
        row["elsewhere"] = next((name for one, name in its if one != row["asset_id"]), None)
    return found, total


def _now_in(
    link: sa.Connection, found: Iterable[Row]
) -> dict[tuple[str, str], list[tuple[uuid.UUID, str]]]:
    """
    Return by path and number the assets that have such a part now, the newest first.

    That is a statement of its own: on Citus a part may be kept by another server than its loss.
    """
    numbers = {row["component"] for row in found if row["component"]}
    if not numbers:
        return {}
    here: dict[tuple[str, str], list[tuple[uuid.UUID, str]]] = {}
    for row in link.execute(NOW_IN, {"numbers": [*numbers]}):
        here.setdefault((row.path, row.serial), []).append((row.asset_id, row.name))
    return here


NOW_IN = (
    sa.select(
        *(placement.c.path, placement.c.serial, placement.c.asset_id),
        sa.func.coalesce(asset.c.minion_id, asset.c.sn).label("name"),
    )
    .join(asset, asset.c.id == placement.c.asset_id)
    .where(
        placement.c.serial == sa.any_(sa.bindparam("numbers", type_=ARRAY(sa.Text))),
        placement.c.until.is_(None),
    )
    .order_by(placement.c.since.desc())
)
