"""
What changed, and when.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.components import moves
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.telling import TOLD
from salt_ext.store.schema import OF_HANDOVER, OF_REVISION, asset, change, handover, revision


class Wanted(NamedTuple):
    """Which changes are wanted; by default all of them."""

    asset_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    section: str = ""
    component: str = ""
    filters: Mapping[str, Any] = {}
    """Filters of the asset list, which the assets fit as they are now."""


ALL = Wanted()


class Position(NamedTuple):
    """The place of a change in the order of all changes, the newest first."""

    recorded_at: datetime
    asset_id: uuid.UUID
    revision: int
    position: int


def changes(
    database: Database, wanted: Wanted = ALL, limit: int = 50, after: Position | None = None
) -> list[Row]:
    """
    Return the newest changes, of one asset or of all; with ``after`` those that follow it.

    Those that tell nobody anything (:data:`TOLD`) are left out, here and in what is counted.

    Each has ``moved_from`` and ``moved_to``: the asset that the same part came from or
    went to, or None.
    """
    with database.autocommit() as link:
        return _changes(link, _conditions(link, database, wanted) + _behind(after), limit)


def of_asset(
    link: sa.Connection, asset_id: uuid.UUID, limit: int
) -> tuple[list[Row], int, list[Row]]:
    """Return the newest changes of an asset, how many there are, and its newest revisions."""
    ids = _with_merged(link, asset_id)
    newest = _changes(link, [revision.c.asset_id.in_(ids)], limit)
    number = len(newest)
    if number == limit:
        of_assets = (change.c.asset_id.in_(ids), TOLD)
        every = sa.select(sa.func.count()).select_from(change).where(*of_assets)
        number = int(link.scalar(every) or 0)
    return newest, number, _revisions(link, asset_id, limit)


def _changes(
    link: sa.Connection, conditions: Sequence[sa.ColumnElement[bool]], limit: int
) -> list[Row]:
    found = link.execute(
        sa.select(change, revision.c.recorded_at, asset.c.minion_id, asset.c.sn)
        .join(revision, OF_REVISION)
        .join(asset, asset.c.id == revision.c.asset_id)
        .where(*conditions, TOLD)
        .order_by(
            revision.c.recorded_at.desc(),
            revision.c.asset_id.desc(),
            revision.c.number.desc(),
            change.c.position,
        )
        .limit(limit)
    )
    return moves(link, rows(found))


def _behind(after: Position | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    here = sa.tuple_(revision.c.recorded_at, revision.c.asset_id, revision.c.number)
    there = sa.tuple_(*after[:3])
    return [
        revision.c.recorded_at <= after.recorded_at,  # where to begin in the index
        (here < there) | ((here == there) & (change.c.position > after.position)),
    ]


def count_changes(database: Database, wanted: Wanted = ALL) -> int:
    """Return how many changes there are; if nothing limits them, all of them are read."""
    statement = sa.select(sa.func.count()).select_from(change).where(TOLD)
    with database.autocommit() as link:
        if wanted != ALL:
            statement = statement.join(revision, OF_REVISION)
            statement = statement.where(*_conditions(link, database, wanted))
        return int(link.scalar(statement) or 0)


def of_window(
    link: sa.Connection,
    database: Database,
    wanted: Wanted,
    column: sa.ColumnElement[Any],
    limit: int,
) -> sa.Select[Any]:
    """Return the statement for one column of the newest changes that are wanted."""
    statement = sa.select(column).select_from(change).join(revision, OF_REVISION)
    return (
        statement.where(*_conditions(link, database, wanted))
        .order_by(revision.c.recorded_at.desc())
        .limit(limit)
    )


def _conditions(
    link: sa.Connection, database: Database, wanted: Wanted
) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.asset_id is not None:
        found.append(revision.c.asset_id.in_(_with_merged(link, wanted.asset_id)))
    if wanted.since is not None:
        found.append(revision.c.recorded_at >= wanted.since)
    if wanted.until is not None:
        found.append(revision.c.recorded_at <= wanted.until)
    if wanted.section:
        here = change.c.path == wanted.section
        found.append(here | change.c.path.startswith(wanted.section + ".", autoescape=True))
    if wanted.component:
        found.append(change.c.component == wanted.component)
    if wanted.filters:
        found.append(revision.c.asset_id.in_(matching_ids(database, wanted.filters)))
    return found


def _with_merged(link: sa.Connection, asset_id: uuid.UUID) -> list[uuid.UUID]:
    """
    Return the id, and the ids of the assets that were merged into this one.

    This is a statement of its own: as part of a larger one it would take PostgreSQL
    longer to plan than to run.
    """
    return [asset_id, *link.scalars(sa.select(asset.c.id).where(asset.c.merged_into == asset_id))]


def _revisions(link: sa.Connection, asset_id: uuid.UUID, limit: int) -> list[Row]:
    """Return the newest revisions of an asset, with the number of changes and the ``handed``."""
    count = sa.select(sa.func.count()).where(OF_REVISION, TOLD).scalar_subquery()
    pair = sa.func.json_build_array(handover.c.source, handover.c.section)
    every = sa.func.json_agg(aggregate_order_by(pair, handover.c.source, handover.c.section))
    handed = sa.select(every).where(OF_HANDOVER).scalar_subquery()
    names = ("number", "recorded_at", "collected_at", "mode", "reason")
    return rows(
        link.execute(
            sa.select(
                *(revision.c[name] for name in names),
                count.label("changes"),
                handed.label("handed"),
            )
            .where(revision.c.asset_id == asset_id)
            .order_by(revision.c.number.desc())
            .limit(limit)
        )
    )
