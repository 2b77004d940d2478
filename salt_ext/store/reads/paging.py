"""
One page of a list: in an order, behind a row, found on the way of an index.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Row, rows
from salt_ext.store.reads.listing import Listing, joined, tables_of
from salt_ext.store.schema import asset, asset_seen

NEAR = 2_000
"""Rows that are looked through for the first with a text that many have."""


class Found(NamedTuple):
    """How many assets fit, and by what they are found again."""

    total: int
    exact: bool
    conditions: Sequence[sa.ColumnElement[bool]]
    sorted_after: bool = False
    """Whether all are found before they are sorted; else on the way of an index."""


class Cursor(NamedTuple):
    """A row to go on from: its value of the field sorted by, its id, how many go before."""

    value: Any
    id: uuid.UUID
    before: int
    backwards: bool


class Zone(NamedTuple):
    """A part of the list, before or behind all the others, that an index may order."""

    condition: sa.ColumnElement[bool]
    order: sa.ColumnElement[Any]
    constant: Any = ...
    """What all of it has in the field that is sorted by, where that is one value."""


def zones_of(source: Listing, sort: str) -> list[Zone]:
    """Return the parts of a list that is sorted so, each of which an index may order."""
    name, down = sort.removeprefix("-"), sort.startswith("-")
    order = source.field(name)
    if name == "freshness":
        is_fresh = source.states["fresh"]
        fresh = Zone(is_fresh, sa.literal(0), 0)
        others = Zone(sa.not_(is_fresh), source.rank)
        return [others, fresh] if down else [fresh, others]
    if not getattr(order, "nullable", True):
        return [Zone(sa.true(), order)]
    return [Zone(order.is_not(None), order), Zone(order.is_(None), order, None)]


def page_of(
    link: sa.Connection,
    source: Listing,
    zones: Sequence[Zone],
    wanted: Mapping[str, sa.ColumnElement[Any]],
    found: Found,
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
        here = start if zone is zones[0] else None
        for conditions, sorted_after in _stretches(link, source, zone, found, down, here):
            statement = _ordered(source, zone, conditions)
            if sorted_after:
                chosen = statement.cte("chosen").prefix_with("MATERIALIZED")
                statement = sa.select(chosen.c._order, chosen.c.id)
            ids = _first(statement, down, limit - len(page)).subquery("page")
            page += rows(link.execute(_with_columns(ids, source, wanted, down)))
            is_all = start is None and found.exact and len(page) == found.total
            if len(page) == limit or is_all:
                return page[::-1] if backwards else page
    return page[::-1] if backwards else page


def _stretches(
    link: sa.Connection,
    source: Listing,
    zone: Zone,
    found: Found,
    down: bool,
    start: Cursor | None,
) -> Iterator[tuple[list[sa.ColumnElement[bool]], bool]]:
    """
    Yield the conditions of what comes in a zone, and whether to find it before it is sorted.

    Of how many nobody knows, the first are looked for in what is near on the way of
    the index, where they mostly are, and only then in all the rest.
    """
    conditions = [zone.condition]
    key = key_of(source, [zone.order, *found.conditions, zone.condition])
    if start is not None:
        conditions.append(_side(key, zone, start.value, start.id, down))
    if found.exact:
        yield [*found.conditions, *conditions], found.sorted_after
        return
    far = link.execute(_first(_ordered(source, zone, conditions), down, 1).offset(NEAR)).first()
    if far is None:
        yield [*found.conditions, *conditions], False
        return
    before, behind = (_side(key, zone, far._order, far.id, way) for way in (not down, down))
    yield [*found.conditions, *conditions, before], False
    yield [*found.conditions, *conditions, behind | (key == far.id)], True


def _ordered(
    source: Listing, zone: Zone, conditions: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    key = key_of(source, [zone.order, *conditions])
    return joined(sa.select(zone.order.label("_order"), key.label("id")), source, conditions)


def key_of(source: Listing, read: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return the id of the asset in the table that is read anyway."""
    is_of_seen = list(tables_of(*read)) == [asset_seen]
    return asset_seen.c.asset_id if is_of_seen else source.key


def _side(
    key: sa.ColumnElement[Any], zone: Zone, value: Any, asset_id: uuid.UUID, down: bool
) -> sa.ColumnElement[bool]:
    """Return what is on one side of a row: behind it on the way of the order, or before it."""
    last = sa.literal(asset_id)
    if zone.constant is not ...:
        return key < last if down else key > last
    here = sa.tuple_(zone.order, key)
    there = sa.tuple_(sa.literal(value, zone.order.type), last)
    return here < there if down else here > there


def _first(statement: sa.Select[Any], down: bool, limit: int) -> sa.Select[Any]:
    """Return the ids of a page: found first, so that rows are joined for these alone."""
    order, key = statement.selected_columns
    ordered = (order.desc(), key.desc()) if down else (order, key)
    return statement.order_by(*ordered).limit(limit)


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
