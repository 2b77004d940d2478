"""
The list of assets, filtered, sorted and in pages: now, or as of a moment.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.columns import UNREPORTED
from salt_ext.store.database import Database, Row
from salt_ext.store.distribution import unplanned
from salt_ext.store.errors import FilterError
from salt_ext.store.hidden import MARK, NOTHING, Hidden, hidden
from salt_ext.store.reads import cursors
from salt_ext.store.reads.filters import matching, names, only_parts
from salt_ext.store.reads.listing import NOW_ONLY, Listing, joined, listing, tables_of
from salt_ext.store.reads.paging import Cursor, Found, key_in, key_of, page_of, zones_of
from salt_ext.store.schema import asset
from salt_ext.store.tally import IS_MERGED, number_of, number_of_assets

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
If no more assets than this fit, they are searched once: the page is made from their ids.

With a free text no more assets are counted, because PostgreSQL must read each one.
"""

MANY = 50_000
"""
The most assets whose ids PostgreSQL collects in a set, to test each row of an index with it.

If more assets fit, the 100 of a page are met soon, without a set.
"""


class Page(NamedTuple):
    """
    A page of the asset list.

    ``total`` assets fit the question, or more than that if ``exact`` is False. The
    first row of the page is number ``first`` of them, counted from 1. ``next`` and
    ``previous`` are the cursors of the neighbouring pages, None if there is none.
    """

    rows: list[Row]
    total: int
    exact: bool
    first: int
    next: str | None
    previous: str | None


def usual_columns(at: datetime | None, hidden: Hidden = NOTHING) -> list[str]:
    """Return the columns that a list has when none are asked for."""
    shown = [one for one in DEFAULT_COLUMNS if one not in hidden.columns]
    return [one for one in shown if at is None or one not in NOW_ONLY]


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
    mask_hidden: bool = False,
) -> Page:
    """
    Return a page of the asset list and how many assets the filter has in all.

    ``sort`` is a field, with ``-`` before it for the other direction; assets
    without a value in it come last. Each row has ``id`` beside its columns. With
    ``at`` the assets are as they were at that moment. With ``mask_hidden``, for columns that
    nobody chose, a hidden one is not refused: it has the word ``hidden`` in each row.
    """
    source = listing(database, at)
    asked = names(columns) or usual_columns(at, source.hidden)
    masked = {name: MARK for name in asked if mask_hidden and name in source.hidden.columns}
    wanted = {name: source.field(name) for name in asked if name not in masked}
    zones = zones_of(source, sort)
    start = None if cursor is None else _start(cursor, sort, zones[0].order)
    backwards = start is not None and start.backwards
    # Whoever gets such a cursor from an auditor cannot read in it what he may not see.
    is_secret = sort.removeprefix("-") in hidden(database.settings["hidden_fields"]).columns
    with database.autocommit() as link:
        if start is not None and is_secret:
            start = start._replace(value=_value_of(link, source, zones[0].order, start.id))
        found = _found(link, source, filters or {}, text)
        # One row more than asked for shows whether there is a further page.
        page = page_of(link, source, zones, wanted, found, sort, limit + 1, start)
    is_more = len(page) > limit
    if is_more:
        del page[0 if backwards else -1]
    before = 0 if start is None else start.before - len(page) if backwards else start.before
    first = max(before, 0)
    last = first + len(page)

    def beside(row: Row, number: int, backwards: bool) -> str:
        value = None if is_secret else row["_order"]
        return cursors.write((sort, value, row["id"], number, backwards))

    return Page(
        [{key: value for key, value in row.items() if key != "_order"} | masked for row in page],
        found.total,
        found.exact,
        first + 1 if page else 0,
        beside(page[-1], last, False) if page and (is_more or backwards) else None,
        beside(page[0], first, True) if page and first > 0 else None,
    )


def _start(cursor: str, sort: str, order: sa.ColumnElement[Any]) -> Cursor:
    """Return the row that a cursor stands for, in a list sorted so. Raises :class:`FilterError`."""
    kinds = (str, order.type.python_type, uuid.UUID, int, bool)
    sorted_by, *start = cursors.read(cursor, kinds, nullable=(1,))
    if sorted_by != sort:
        raise FilterError(f"the cursor belongs to a list sorted by {sorted_by}, not by {sort}")
    return Cursor(*start)


def _value_of(
    link: sa.Connection, source: Listing, field: sa.ColumnElement[Any], asset_id: uuid.UUID
) -> Any:
    """Return what an asset has in a field, for a cursor that does not say it."""
    found = link.execute(joined(sa.select(field), source, [source.key == asset_id])).one_or_none()
    if found is None:
        raise FilterError("the asset at which the cursor stood is gone: begin without it")
    return found[0]


def _found(link: sa.Connection, source: Listing, filters: Mapping[str, Any], text: str) -> Found:
    """
    Return how many assets fit, and the conditions that find them.

    A search that must read everything is done only once if it finds few assets: the
    page is made from their ids, an array in PostgreSQL's own text form.
    """
    conditions = matching(source, filters, text)
    if not conditions:
        return Found(link.scalar(sa.select(_every(source.at))) or 0, True, ())
    which = joined(sa.select(key_of(source, conditions)), source, conditions)
    merged: sa.ColumnElement[int] = sa.literal(0)
    if source.at is not None:
        total, ids = _some(link, which, merged)
        return Found(total, True, conditions) if ids is None else _few(source, total, ids)
    of_parts = only_parts(filters, text, source)
    if of_parts is not None:
        # A merged asset has no parts, so nothing else needs to be read.
        which = of_parts
    elif not text.strip() and list(tables_of(*conditions)) == [asset]:
        # The few merged assets are subtracted, so that an index alone can find the others.
        which, merged = sa.select(asset.c.id).where(*conditions), number_of(*conditions, IS_MERGED)
    first = which.limit(unplanned(link, FEW + 1))
    total, ids = _some(link, first, merged, is_distinct=of_parts is None)
    if ids is not None:
        return _few(source, total, ids)
    if text.strip():
        # Without the index of the search text, of which PostgreSQL reads all that have the word.
        by_itself = source._replace(text=source.text.concat(""))
        return Found(FEW, False, conditions, one_by_one=matching(by_itself, filters, text))
    [each] = which.subquery("each").c
    # Several parts of an asset may fit: to sort their ids takes a quarter of what a set takes.
    rows = sa.func.count() if of_parts is None else sa.func.count(each.distinct())
    total = link.scalar(sa.select(rows - merged).select_from(each.table)) or 0
    if total <= MANY:
        # IS TRUE keeps it a set: with a join PostgreSQL may read all rows before the first one.
        return Found(total, True, [source.key.in_(which.correlate(None)).is_(sa.true())])
    return Found(total, True, conditions)


def _some(
    link: sa.Connection,
    which: sa.Select[Any],
    merged: sa.ColumnElement[int],
    *,
    is_distinct: bool = True,
) -> tuple[int, str | None]:
    """
    Return how many assets a statement finds, and the array of their ids if they are few.

    Where it may find one several times, that is one of them.
    """
    [each] = which.subquery("each").c
    ids = sa.func.array_agg(each if is_distinct else sa.distinct(each)).label("ids")
    gathered = sa.select(sa.func.count().label("rows"), ids).subquery("gathered").c
    number = sa.func.coalesce(sa.func.cardinality(gathered.ids), 0)
    few = sa.case((gathered.rows <= FEW, sa.func.coalesce(sa.cast(gathered.ids, sa.Text), "{}")))
    total, array = link.execute(sa.select(number - merged, few)).one()
    return total, array


def _few(source: Listing, total: int, ids: str) -> Found:
    return Found(total, True, [key_in(source, ids)], sorted_after=True)


def _every(at: datetime | None) -> sa.ColumnElement[int]:
    """Return the number of all assets."""
    if at is None:
        return number_of_assets()
    # The few that do not count are subtracted, by indexes.
    was_there = asset.c.first_seen <= at
    unreported = number_of(was_there, asset.c.kind.in_(UNREPORTED))
    return number_of(was_there) - unreported - number_of(IS_MERGED, asset.c.unchanged_since <= at)
