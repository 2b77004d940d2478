"""
The list of assets, filtered, sorted and in pages: now, or as of a moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from salt_ext.store import cursors
from salt_ext.store.cursors import Cursor
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.filters import matching, names, only_parts
from salt_ext.store.listing import NOW_ONLY, Listing, joined, listing, tables_of
from salt_ext.store.schema import asset, asset_seen

DEFAULT_COLUMNS = (
    "freshness",
    "minion_id",
    "sn",
    "manufacturer",
    "product_name",
    "os",
    "processor_threads",
    "memory_bytes",
    "disk_bytes",
    "address",
    "last_seen",
)

FEW = 1_000
"""
Assets whose ids are found before they are sorted.

Of those with a text no more are counted: PostgreSQL looks into each of them for it.
"""

MANY = 50_000
"""Assets of which a set is made, to look into on the way of an index; of more, 100 are met soon."""


class Page(NamedTuple):
    """
    A page of the asset list.

    ``total`` assets fit the question, or more than that where it is not
    ``exact``, and the first row is number ``first`` of them; ``next`` and
    ``previous`` are the cursors of the pages beside it.
    """

    rows: list[Row]
    total: int
    exact: bool
    first: int
    next: str | None
    previous: str | None


class _Found(NamedTuple):
    """How many assets fit, and by what they are found again."""

    total: int
    exact: bool
    conditions: Sequence[sa.ColumnElement[bool]]
    are_few: bool = False


class _Zone(NamedTuple):
    """A part of the list, before or behind all the others, that an index may order."""

    condition: sa.ColumnElement[bool]
    order: sa.ColumnElement[Any]
    constant: Any = ...
    """What all of it has in the field that is sorted by, where that is one value."""


def usual_columns(at: datetime | None) -> list[str]:
    """Return the columns that a list has when none are asked for."""
    return [one for one in DEFAULT_COLUMNS if at is None or one not in NOW_ONLY]


def assets(
    database: Database,
    *,
    filters: Mapping[str, Any] | None = None,
    text: str = "",
    columns: str | Sequence[str] = (),
    sort: str = "minion_id",
    limit: int = 100,
    cursor: str | None = None,
    at: datetime | None = None,
) -> Page:
    """
    Return a page of the asset list and how many assets the filter has in all.

    ``sort`` is a field, with ``-`` before it for the other direction; assets
    without that field come last. Each row has ``id`` beside its columns. With
    ``at`` the assets are as they were then.
    """
    source = listing(database, at)
    wanted = {name: source.field(name) for name in names(columns) or usual_columns(at)}
    zones = _zones(source, sort)
    start = None if cursor is None else cursors.read(cursor, sort, zones[0].order)
    backwards = start is not None and start.backwards
    with database.at_once() as link:
        found = _found(link, source, filters or {}, text)
        # One more, to see whether there is one.
        page = _page(link, source, zones, wanted, found, sort, limit + 1, start)
    is_more = len(page) > limit
    if is_more:
        del page[0 if backwards else -1]
    before = 0 if start is None else start.before - len(page) if backwards else start.before
    first = max(before, 0)
    last = first + len(page)

    def beside(row: Row, number: int, backwards: bool) -> str:
        return cursors.write(Cursor(sort, row["_order"], str(row["id"]), number, backwards))

    return Page(
        [{key: value for key, value in row.items() if key != "_order"} for row in page],
        found.total,
        found.exact,
        first + 1 if page else 0,
        beside(page[-1], last, False) if page and (is_more or backwards) else None,
        beside(page[0], first, True) if page and first > 0 else None,
    )


def _found(link: sa.Connection, source: Listing, filters: Mapping[str, Any], text: str) -> _Found:
    """
    Return which assets fit.

    What is looked for by reading everything is so looked for once, where it finds
    few: the page is made of their ids, an array as PostgreSQL writes it.
    """
    conditions = matching(source, filters, text)
    is_present, is_text = source.at is None, bool(text.strip())
    of_parts = only_parts(filters, text) if is_present else None
    if is_present and not conditions:
        return _Found(link.scalar(sa.select(_number([]) - _number([IS_MERGED]))) or 0, True, ())
    merged: sa.ColumnElement[int] = sa.literal(0)
    which = joined(sa.select(_key(source, conditions)), source, conditions)
    if of_parts is not None:
        # A merged asset has no parts, so nothing else needs to be read.
        which = of_parts
    elif is_present and is_text:
        # As a question, or PostgreSQL would read all and hope for that many at the beginning.
        which = which.limit(sa.select(sa.literal(FEW + 1)).scalar_subquery())
    elif is_present and list(tables_of(*conditions)) == [asset]:
        # To take away the few that are merged lets an index alone find the others.
        which, merged = sa.select(asset.c.id).where(*conditions), _number([*conditions, IS_MERGED])
    [each] = which.subquery("each").c
    gathered = sa.func.array_agg(each if of_parts is None else sa.distinct(each))
    [ids] = sa.select(gathered).subquery("gathered").c
    number = sa.func.coalesce(sa.func.cardinality(ids), 0)
    few = sa.case((number <= FEW, sa.func.coalesce(sa.cast(ids, sa.Text), "{}")))
    total, array = link.execute(sa.select(number - merged, few)).one()
    if array is not None:
        those = source.key == sa.any_(sa.cast(sa.literal(array, sa.Text), ARRAY(UUID)))
        return _Found(total, True, [those], are_few=True)
    if is_present and is_text:
        return _Found(FEW, False, conditions)
    if is_present and total <= MANY:
        # "Is true" keeps it a set: of a join PostgreSQL may take all before the first.
        return _Found(total, True, [source.key.in_(which.correlate(None)).is_(sa.true())])
    return _Found(total, True, conditions)


IS_MERGED = asset.c.merged_into.is_not(None)


def _number(conditions: Sequence[sa.ColumnElement[bool]]) -> sa.ColumnElement[int]:
    return sa.select(sa.func.count()).select_from(asset).where(*conditions).scalar_subquery()


def _zones(source: Listing, sort: str) -> list[_Zone]:
    """Return the parts of a list that is sorted so, each of which an index may order."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    order = source.field(name)
    if name == "freshness":
        is_fresh = source.states["fresh"]
        fresh = _Zone(is_fresh, sa.literal(0), 0)
        others = _Zone(sa.not_(is_fresh), source.rank)
        return [others, fresh] if down else [fresh, others]
    if not getattr(order, "nullable", True):
        return [_Zone(sa.true(), order)]
    return [_Zone(order.is_not(None), order), _Zone(order.is_(None), order, None)]


def _page(
    link: sa.Connection,
    source: Listing,
    zones: Sequence[_Zone],
    wanted: Mapping[str, sa.ColumnElement[Any]],
    found: _Found,
    sort: str,
    limit: int,
    start: Cursor | None,
) -> list[Row]:
    """Return the rows behind, or before, the row of a cursor."""
    if not found.total:
        return []
    backwards = start is not None and start.backwards
    # The id goes the way of the field, so that one index serves both directions.
    down = sort.startswith("-") != backwards
    zones = zones[::-1] if backwards else zones
    if start is not None:
        # The zone with the value of the cursor, or else the one that has many.
        own = [zone for zone in zones if zone.constant in (start.value, ...)]
        own.sort(key=lambda zone: zone.constant is ...)
        zones = zones[zones.index(own[0]) :]
    page: list[Row] = []
    for zone in zones:
        conditions = [*found.conditions, zone.condition]
        key = _key(source, [zone.order, *conditions])
        if start is not None and zone is zones[0]:
            conditions.append(_behind(key, zone, start, down))
        ordered = sa.select(zone.order.label("_order"), key.label("id"))
        statement = joined(ordered, source, conditions)
        if found.are_few:
            chosen = statement.cte("few").prefix_with("MATERIALIZED")
            statement = sa.select(chosen.c._order, chosen.c.id)
        ids = _first(statement, down, limit - len(page))
        page += rows(link.execute(_with_columns(ids, source, wanted, down)))
        if len(page) == limit or (start is None and len(page) == found.total):
            break
    return page[::-1] if backwards else page


def _key(source: Listing, read: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return the id of the asset in the table that is read anyway."""
    is_of_seen = list(tables_of(*read)) == [asset_seen]
    return asset_seen.c.asset_id if is_of_seen else source.key


def _behind(
    key: sa.ColumnElement[Any], zone: _Zone, start: Cursor, down: bool
) -> sa.ColumnElement[bool]:
    last = sa.literal(uuid.UUID(start.id))
    if zone.constant is not ...:
        return key < last if down else key > last
    here = sa.tuple_(zone.order, key)
    there = sa.tuple_(sa.literal(start.value, zone.order.type), last)
    return here < there if down else here > there


def _first(statement: sa.Select[Any], down: bool, limit: int) -> sa.Subquery:
    """Return the ids of a page: found first, so that rows are joined for these alone."""
    order, key = statement.selected_columns
    ordered = (order.desc(), key.desc()) if down else (order, key)
    return statement.order_by(*ordered).limit(limit).subquery("page")


def _with_columns(
    ids: sa.Subquery, source: Listing, wanted: Mapping[str, sa.ColumnElement[Any]], down: bool
) -> sa.Select[Any]:
    statement = sa.select(
        ids.c.id, ids.c._order, *(column.label(name) for name, column in wanted.items())
    ).select_from(ids)
    if source.at is None:
        statement = statement.join(asset, asset.c.id == ids.c.id).join(
            asset_seen, asset_seen.c.asset_id == ids.c.id
        )
    else:
        statement = statement.join(source.key.table, source.key == ids.c.id)
    return statement.order_by(
        *((ids.c._order.desc(), ids.c.id.desc()) if down else (ids.c._order, ids.c.id))
    )
