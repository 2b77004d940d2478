"""
What changed, and when.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.document.classes import CLASSES
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import is_citus
from salt_ext.store.hidden import Hidden
from salt_ext.store.reads import seen
from salt_ext.store.reads.components import moves
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import asset, change, revision


class Wanted(NamedTuple):
    """Which changes are wanted; by default all that tell people something."""

    asset_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    section: str = ""
    component: str = ""
    filters: Mapping[str, Any] = {}
    """Filters of the asset list, which the assets fit as they are now."""
    classes: Collection[str] = ()
    """Which of the classes of changes; without any, all of them."""
    op: str = ""
    revision: int | None = None
    """Only what this report of the asset changed."""


ALL = Wanted()

TOLD = change.c["class"].is_not(None)
"""Whether a change tells people something."""

SECTION = sa.func.split_part(change.c.path, ".", 1)

FEW = 300
"""The changes of so many assets are found by asset, those of more by their time."""


class Position(NamedTuple):
    """The place of a change in the order of all changes, the newest first."""

    recorded_at: datetime
    asset_id: uuid.UUID
    revision: int
    position: int


def unmasked(
    database: Database, wanted: Wanted = ALL, limit: int = 50, after: Position | None = None
) -> list[Row]:
    """
    Return the newest changes, of one asset or of all; with ``after`` those that follow it.

    Those that tell nobody anything are left out, here and in what is counted.

    Each has ``moved_from`` and ``moved_to``: the asset that the same part came from or
    went to, or None. Of those in which a hidden value stands within others nobody may be told.
    """
    with database.autocommit() as link:
        return _changes(link, newest(link, database, wanted, limit, after))


changes = masked(unmasked)


def of_asset(
    link: sa.Connection,
    ids: Sequence[uuid.UUID],
    limit: int,
    hidden: Hidden,
    until: datetime | None = None,
) -> list[Row]:
    """
    Return the newest changes of an asset and of those that were merged into it, by their ids.

    Each has the ``mode`` and the ``reason`` of the report that brought it.
    """
    statement = _of_asset(hidden, is_past=until is not None)
    found = link.execute(statement, {"ids": [*ids], "most": limit, "until": until})
    return moves(link, rows(found))


@lru_cache(maxsize=16)
def _of_asset(hidden: Hidden, *, is_past: bool) -> sa.Select[Any]:
    """Return the statement of :func:`of_asset`; to make it takes as long as to run it."""
    ids: Any = sa.bindparam("ids", expanding=True)
    here: list[sa.ColumnElement[bool]] = [change.c.asset_id.in_(ids), TOLD]
    here += [change.c.recorded_at <= sa.bindparam("until")] if is_past else []
    newest_first = _order(change.c)
    one = (
        sa.select(change)
        .where(*here, *seen.changes(hidden))
        .order_by(*newest_first)
        .limit(sa.bindparam("most", type_=sa.Integer))
        .subquery("newest")
    )
    of_report = (revision.c.asset_id == one.c.asset_id) & (revision.c.number == one.c.revision)
    told = _named(one).add_columns(revision.c.mode, revision.c.reason)
    return told.join(revision, of_report)


def newest(
    link: sa.Connection,
    database: Database,
    wanted: Wanted,
    limit: int,
    after: Position | None = None,
) -> sa.Select[Any]:
    """Return the statement for the newest changes that are wanted."""
    assets = assets_of(link, database, wanted)
    here = [*span(wanted), *others(database, wanted, assets), *_behind(after)]
    if assets.ids is not None:
        return _first(sa.select(change).where(*here), limit)
    # The newest of each class, however rare it is, stand together in the index.
    found = of_each_class(
        link, wanted, lambda one: _first(sa.select(change).where(one == IS_OF, *here), limit)
    )
    return _first(found, limit)


IS_OF = change.c["class"]


def of_each_class(
    link: sa.Connection,
    wanted: Wanted,
    of_one: Callable[[sa.ColumnElement[str]], sa.Select[Any]],
) -> sa.Select[Any]:
    """
    Return the statement for what a statement has of each class that is wanted.

    ``of_one`` makes that from the class. Citus sends a lateral join to its servers only
    without a limit and without groups, so there each class has a statement of its own in the
    union; to plan these takes PostgreSQL three times as long. Of a section it pays anywhere: the
    index of sections has only some classes of each, so PostgreSQL has to see the class.
    """
    names = list(wanted.classes or CLASSES)
    if is_citus(link) or wanted.section:
        each = sa.union_all(*(of_one(sa.literal(name, IS_OF.type)) for name in names))
        return sa.select(each.subquery("found"))
    one = sa.func.unnest(sa.cast(names, ARRAY(IS_OF.type))).table_valued("name").render_derived()
    found = of_one(one.c.name).lateral("found")
    return sa.select(found).select_from(one).join(found, sa.true())


def span(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Return the conditions on the moment of a change."""
    found = []
    if wanted.since is not None:
        found.append(change.c.recorded_at >= wanted.since)
    if wanted.until is not None:
        found.append(change.c.recorded_at <= wanted.until)
    return found


class Assets(NamedTuple):
    """Whose changes are wanted: of few assets their ids, of many the statement for them."""

    ids: list[uuid.UUID] | None = None
    statement: sa.Select[Any] | None = None


def assets_of(link: sa.Connection, database: Database, wanted: Wanted) -> Assets:
    """Return the assets that are asked for; neither ids nor a statement means all of them."""
    if wanted.asset_id is not None:
        return Assets(_with_merged(link, wanted.asset_id))
    if not wanted.filters:
        return Assets()
    statement = matching_ids(database, wanted.filters)
    found = list(link.scalars(statement.limit(FEW + 1)))
    return Assets(found) if len(found) <= FEW else Assets(None, statement)


def others(database: Database, wanted: Wanted, assets: Assets) -> list[sa.ColumnElement[bool]]:
    """Return the conditions beside the span; ``assets`` are those of :func:`assets_of`."""
    hidden = database.hidden
    hidden.check(wanted.section)
    if wanted.component and hidden.names_parts(wanted.section):
        raise hidden.refusal(f"what the parts of {wanted.section} are known by")
    found: list[sa.ColumnElement[bool]] = seen.changes(hidden)
    if assets.ids is not None:
        found += [change.c.asset_id.in_(assets.ids), TOLD]
        if wanted.classes:
            found.append(change.c["class"].in_(wanted.classes))
    elif assets.statement is not None:
        # "IS true" keeps PostgreSQL from a join, which would read all changes of the span.
        found.append(change.c.asset_id.in_(assets.statement).is_(sa.true()))
    if wanted.section:
        section, _, inside = wanted.section.partition(".")
        found.append(sa.literal(section) == SECTION)
        if inside:
            here = change.c.path == wanted.section
            found.append(here | change.c.path.startswith(wanted.section + ".", autoescape=True))
    if wanted.component:
        found += [change.c.component == wanted.component, *seen.known(hidden, change.c.path)]
    if wanted.op:
        found.append(change.c.op == wanted.op)
    if wanted.revision is not None:
        found.append(change.c.revision == wanted.revision)
    return found


def _changes(link: sa.Connection, found: sa.Select[Any]) -> list[Row]:
    return moves(link, rows(link.execute(_named(found.subquery("newest")))))


def _named(found: sa.Subquery) -> sa.Select[Any]:
    """Return the statement for changes with what their assets are called, in their order."""
    return (
        sa.select(found, asset.c.minion_id, asset.c.sn)
        .join(asset, asset.c.id == found.c.asset_id)
        .order_by(*_order(found.c))
    )


def _first(found: sa.Select[Any], limit: int) -> sa.Select[Any]:
    return found.order_by(*_order(found.selected_columns)).limit(limit)


def _order(columns: Any) -> list[sa.ColumnElement[Any]]:
    *names, last = Position._fields
    return [*(columns[name].desc() for name in names), columns[last]]


def _behind(after: Position | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    here = sa.tuple_(*(change.c[name] for name in Position._fields[:-1]))
    there = sa.tuple_(*after[:-1])
    return [
        change.c.recorded_at <= after.recorded_at,  # where to begin in the index
        (here < there) | ((here == there) & (change.c.position > after.position)),
    ]


def _with_merged(link: sa.Connection, asset_id: uuid.UUID) -> list[uuid.UUID]:
    """
    Return the id, and the ids of the assets that were merged into this one.

    This is a statement of its own: as part of a larger one it would take PostgreSQL
    longer to plan than to run.
    """
    return [asset_id, *link.scalars(sa.select(asset.c.id).where(asset.c.merged_into == asset_id))]
