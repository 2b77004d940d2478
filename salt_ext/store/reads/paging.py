"""
One page of a list: in an order, behind a given row, and read along an index.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from salt_ext.store.bulk import array
from salt_ext.store.database import Row, rows
from salt_ext.store.reads.listing import Listing, joined, tables_of
from salt_ext.store.schema import asset, asset_seen
from salt_ext.store.tally import number_of_assets

NEAR = 2_000
"""So many rows are read along an index to find the first ones with a frequent text."""

TO_FIND = 5
"""To find a row by a text that is not frequent costs as much as to read so many of an index."""


class Found(NamedTuple):
    """How many assets fit, and the conditions that find them; there are more if not ``exact``."""

    total: int
    exact: bool
    conditions: Sequence[sa.ColumnElement[bool]]
    sorted_after: bool = False
    """Whether all are found first and sorted then; else they are read along an index."""
    one_by_one: Sequence[sa.ColumnElement[bool]] = ()
    """If not ``exact``: the same conditions for a few rows of an index, each of which is tested."""


class Cursor(NamedTuple):
    """
    A row to go on from: its value in the sort field, and its id.

    ``before`` is how many rows of the list come before the border between this row
    and the wanted page.
    """

    value: Any
    id: uuid.UUID
    before: int
    backwards: bool


class Zone(NamedTuple):
    """A part of the sorted list that one index may order; other zones come before or behind it."""

    condition: sa.ColumnElement[bool]
    order: sa.ColumnElement[Any]
    constant: Any = ...
    """The value of all its rows in the sort field, if they have the same one; else ``...``."""


def zones_of(source: Listing, sort: str) -> list[Zone]:
    """Return the zones of a list that is sorted so."""
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
    """Return up to ``limit`` rows behind the row of a cursor, or before it."""
    if not found.total:
        return []
    backwards = start is not None and start.backwards
    # The id is sorted in the direction of the field, so that one index serves both directions.
    down = sort.startswith("-") != backwards
    zones = zones[::-1] if backwards else zones
    if start is not None:
        # The zone whose constant is the value of the cursor, or else the zone of many values.
        own = [zone for zone in zones if zone.constant in (start.value, ...)]
        own.sort(key=lambda zone: zone.constant is ...)
        zones = zones[zones.index(own[0]) :]
    page: list[Row] = []
    for zone in zones:
        here = start if zone is zones[0] else None
        for conditions, sorted_after in _stretches(
            link, source, zone, found, down, here, page, limit
        ):
            statement = _ordered(source, zone, conditions)
            if sorted_after:
                chosen = statement.cte("chosen").prefix_with("MATERIALIZED")
                statement = sa.select(chosen.c._order, chosen.c.id)
            ids = _first(statement, down, limit - len(page))
            page += _rows(link, ids, source, wanted, down)
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
    page: Sequence[Row],
    limit: int,
) -> Iterator[tuple[list[sa.ColumnElement[bool]], bool]]:
    """
    Yield the conditions of one stretch of a zone after the other, and how to read each.

    The second value says whether to find all its rows before they are sorted. If it is
    not known how many assets fit, the first ones are searched in the next :data:`NEAR`
    rows of the index, where they mostly are. How many were there tells whether it is less
    work to go on so until ``page`` is full; if not, or if it is not full then, all the rest is
    found and sorted.
    """
    conditions = [zone.condition]
    key = key_of(source, [zone.order, *found.conditions, zone.condition])
    if start is not None:
        conditions.append(_side(key, zone, start.value, start.id, down))
    if found.exact:
        yield [*found.conditions, *conditions], found.sorted_after
        return
    had, step = len(page), NEAR
    while step:
        border = _first(_ordered(source, zone, conditions), down, 1).offset(step)
        far = link.execute(border).first()
        if far is None:
            yield [*found.one_by_one, *conditions], False
            return
        before, behind = (_side(key, zone, far._order, far.id, way) for way in (not down, down))
        yield [*found.one_by_one, *conditions, before], False
        conditions = [zone.condition, behind | (key == far.id)]
        step = _step(link, len(page) - had, limit - len(page)) if step == NEAR else 0
    yield [*found.conditions, *conditions], True


def _step(link: sa.Connection, near: int, wanted: int) -> int:
    """
    Return how many more rows of the index to read for those that are wanted; 0: all are found.

    ``near`` were in the first :data:`NEAR` rows. If as many are in the others, the wanted ones
    are behind ``ahead`` more rows, and ``every`` is how many there are to find and sort.
    """
    if not near:
        return 0
    ahead = wanted * NEAR // near
    every = near * (link.scalar(sa.select(number_of_assets())) or 0) // NEAR
    return 2 * ahead + NEAR + 1 if 2 * ahead < TO_FIND * every else 0


def _ordered(
    source: Listing, zone: Zone, conditions: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    key = key_of(source, [zone.order, *conditions])
    return joined(sa.select(zone.order.label("_order"), key.label("id")), source, conditions)


def key_of(source: Listing, read: Sequence[sa.ColumnElement[Any]]) -> sa.ColumnElement[Any]:
    """Return the column with the id of the asset, from a table that is read anyway."""
    is_of_seen = list(tables_of(*read)) == [asset_seen]
    return asset_seen.c.asset_id if is_of_seen else source.key


def _side(
    key: sa.ColumnElement[Any], zone: Zone, value: Any, asset_id: uuid.UUID, down: bool
) -> sa.ColumnElement[bool]:
    """Return the condition for the rows behind a row, in rising order or ``down``."""
    last = sa.literal(asset_id)
    if zone.constant is not ...:
        return key < last if down else key > last
    here = sa.tuple_(zone.order, key)
    there = sa.tuple_(sa.literal(value, zone.order.type), last)
    return here < there if down else here > there


def _first(statement: sa.Select[Any], down: bool, limit: int) -> sa.Select[Any]:
    """Return the statement for the ids of a page; other tables are joined for these ids alone."""
    order, key = statement.selected_columns
    ordered = (order.desc(), key.desc()) if down else (order, key)
    return statement.order_by(*ordered).limit(limit)


def _rows(
    link: sa.Connection,
    statement: sa.Select[Any],
    source: Listing,
    wanted: Mapping[str, sa.ColumnElement[Any]],
    down: bool,
) -> list[Row]:
    """Return the rows of a page, of which a statement finds the ids in their order."""
    columns = [column.label(name) for name, column in wanted.items()]
    if source.at is not None:
        # Joined with a page, the whole fleet of that moment would be put together.
        page = rows(link.execute(statement))
        those = key_in(source, array(row["id"] for row in page))
        found = link.execute(sa.select(source.key.label("id"), *columns).where(those))
        by_id = {row["id"]: row for row in rows(found)}
        return [{**row, **by_id[row["id"]]} for row in page if row["id"] in by_id]
    ids = statement.subquery("page")
    joined_ids = (
        sa.select(ids.c.id, ids.c._order, *columns)
        .join(asset, asset.c.id == ids.c.id)
        .join(asset_seen, asset_seen.c.asset_id == ids.c.id)
    )
    order = (ids.c._order.desc(), ids.c.id.desc()) if down else (ids.c._order, ids.c.id)
    return rows(link.execute(joined_ids.order_by(*order)))


def key_in(source: Listing, ids: str) -> sa.ColumnElement[bool]:
    """Whether an asset is one of these, which are the text of an array."""
    return source.key == sa.any_(sa.cast(sa.literal(ids, sa.Text), ARRAY(UUID)))
