"""
The list of assets, its totals and its groups: now, or as of a moment.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, UUID

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.filters import (
    NOW_ONLY,
    FilterError,
    Listing,
    freshness_rank,
    is_text,
    matching,
    names,
    only_parts,
    past,
    present,
)
from salt_ext.store.schema import asset, asset_seen, part

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


class Page(NamedTuple):
    """
    A page of the asset list.

    ``total`` assets fit the question, and the first row is number ``first`` of
    them; ``next`` and ``previous`` are the cursors of the pages beside it.
    """

    rows: list[Row]
    total: int
    first: int
    next: str | None
    previous: str | None


class _Cursor(NamedTuple):
    """A row to go on from: its value of the field sorted by, its id, how many go before."""

    sort: str
    value: Any
    id: str
    before: int
    backwards: bool


FEW = 5_000
"""Assets that are found before they are sorted; more of them are found on the way of an index."""


def listing(database: Database, at: datetime | None) -> Listing:
    """Return what a list is made of, now or at a moment."""
    return present(database.settings) if at is None else past(at)


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
    found = matching(source, filters or {}, text)
    order = source.field(sort.removeprefix("-"))
    if sort.removeprefix("-") == "freshness":
        order = freshness_rank(database.settings)
    start = None if cursor is None else _read(cursor, sort, order)
    with database.begin() as link:
        total, few = _total(link, source, found, only_parts(filters or {}, text))
        page = _page(link, source, order, wanted, found, sort, limit, start, total, few)
    before = 0 if start is None else start.before - len(page) if start.backwards else start.before
    first = max(before, 0)
    last = first + len(page)
    return Page(
        [{key: value for key, value in row.items() if key != "_order"} for row in page],
        total,
        first + 1 if page else 0,
        _write(sort, page[-1], last, backwards=False) if page and last < total else None,
        _write(sort, page[0], first, backwards=True) if page and first > 0 else None,
    )


def _total(
    link: sa.Connection,
    source: Listing,
    found: Sequence[sa.ColumnElement[bool]],
    of_parts: sa.Select[Any] | None,
) -> tuple[int, str | None]:
    """
    Return how many assets there are, and which when they are few.

    What is looked for by reading everything is so looked for once: the page of a
    few is made of their ids, an array as PostgreSQL writes it.
    """
    merged: sa.ColumnElement[int] = sa.literal(0)
    if source.at is None and of_parts is not None:
        # A merged asset has no parts, so nothing else needs to be read.
        asked = of_parts.with_only_columns(sa.func.array_agg(sa.distinct(part.c.asset_id)))
    elif source.at is None and sa.select(source.key).where(*found).get_final_froms() == [asset]:
        # To take away the few that are merged lets an index alone find the others.
        count = sa.select(sa.func.count()).select_from(asset)
        merged = count.where(*found, asset.c.merged_into.is_not(None)).scalar_subquery()
        if not found:
            return int(link.scalar(sa.select(count.scalar_subquery() - merged)) or 0), None
        asked = sa.select(sa.func.array_agg(asset.c.id)).where(*found)
    else:
        key = _key(source, sa.select().where(*found))
        asked = joined(sa.select(sa.func.array_agg(key)), source, found)
    [ids] = asked.subquery("gathered").c
    total = sa.func.coalesce(sa.func.cardinality(ids), 0)
    few = sa.case((total <= FEW, sa.func.coalesce(sa.cast(ids, sa.Text), "{}")))
    row = link.execute(sa.select(total - merged, few)).one()
    return int(row[0]), row[1]


def _page(
    link: sa.Connection,
    source: Listing,
    order: sa.ColumnElement[Any],
    wanted: Mapping[str, sa.ColumnElement[Any]],
    found: Sequence[sa.ColumnElement[bool]],
    sort: str,
    limit: int,
    start: _Cursor | None,
    total: int,
    few: str | None,
) -> list[Row]:
    """Return the rows behind, or before, the row of a cursor."""
    if few is None:
        key = _key(source, sa.select(order).where(*found))
    else:
        key = _key(source, sa.select(order))
        found = [key == sa.any_(sa.cast(sa.literal(few, sa.Text), ARRAY(UUID)))]
    backwards = start is not None and start.backwards
    # The id goes the way of the field, so that one index serves both directions.
    down = sort.startswith("-") != backwards
    has_value, has_none = order.is_not(None), order.is_(None)
    is_certain = isinstance(order, sa.Case) or not getattr(order, "nullable", True)
    zones = [None] if is_certain else [has_value, has_none]
    if backwards:
        zones.reverse()
    if start is not None and len(zones) == 2 and (start.value is None) != backwards:
        zones = zones[1:]
    page: list[Row] = []
    for number, zone in enumerate(zones):
        conditions = [*found] if zone is None else [*found, zone]
        if start is not None and number == 0:
            conditions.append(_behind(key, order, zone is has_none, start, down))
        statement = joined(sa.select(order.label("_order"), key.label("id")), source, conditions)
        if few is not None:
            chosen = statement.cte("few").prefix_with("MATERIALIZED")
            statement = sa.select(chosen.c._order, chosen.c.id)
        ids = _first(statement, down, limit - len(page))
        page += rows(link.execute(_with_columns(ids, source, wanted, down)))
        if len(page) == limit or (start is None and len(page) == total):
            break
    return page[::-1] if backwards else page


def _key(source: Listing, statement: sa.Select[Any]) -> sa.ColumnElement[Any]:
    """Return the id of the asset in the table that a statement reads anyway."""
    is_of_seen = statement.get_final_froms() == [asset_seen]
    return asset_seen.c.asset_id if is_of_seen else source.key


def _behind(
    key: sa.ColumnElement[Any],
    order: sa.ColumnElement[Any],
    no_value: bool,
    start: _Cursor,
    down: bool,
) -> sa.ColumnElement[bool]:
    last = sa.literal(uuid.UUID(start.id))
    if no_value:
        return key < last if down else key > last
    here = sa.tuple_(order, key)
    there = sa.tuple_(sa.literal(start.value, order.type), last)
    return here < there if down else here > there


def _first(statement: sa.Select[Any], down: bool, limit: int) -> sa.Subquery:
    """Return the ids of a page: found first, so that rows are joined for these alone."""
    order, key = statement.selected_columns
    ordered = (order.desc(), key.desc()) if down else (order, key)
    return statement.order_by(*ordered).limit(limit).subquery("page")


def joined(
    statement: sa.Select[Any], source: Listing, conditions: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """Add the conditions, and of the tables of the present only those that are asked for."""
    statement = statement.where(*conditions)
    if source.at is not None:
        return statement if statement.get_final_froms() else statement.select_from(source.key.table)
    used = statement.get_final_froms()
    if asset in used and asset_seen in used:
        return statement.where(asset_seen.c.asset_id == asset.c.id)
    if asset in used:
        return statement.where(asset.c.merged_into.is_(None))
    # Of a merged asset nothing is heard: asset_seen has just the others.
    return statement if used else statement.select_from(asset_seen)


def matching_ids(database: Database, filters: Mapping[str, Any]) -> sa.Select[Any]:
    """Return the ids of the assets, as they are now, that fit the filters."""
    source = listing(database, None)
    return joined(sa.select(source.key), source, matching(source, filters, ""))


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


def _write(sort: str, row: Row, before: int, *, backwards: bool) -> str:
    value = row["_order"]
    value = value.isoformat() if isinstance(value, datetime) else value
    words = [sort, value, str(row["id"]), before, backwards]
    return base64.urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode()


def _read(cursor: str, sort: str, order: sa.ColumnElement[Any]) -> _Cursor:
    """Return a cursor; it came back from outside and may hold anything."""
    kind = order.type.python_type
    try:
        start = _Cursor(*json.loads(base64.urlsafe_b64decode(cursor.encode("ascii"))))
        uuid.UUID(start.id)
        value = start.value
        if kind is datetime and value is not None:
            value = datetime.fromisoformat(value).astimezone(timezone.utc)
        is_sound = type(start.before) is int and 0 <= start.before < 2**63
        is_sound &= isinstance(start.backwards, bool)
        is_sound &= value is None or type(value) is kind
        is_sound &= kind is not str or is_text(value or "")
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        is_sound = False
    if not is_sound:
        raise FilterError("the cursor is none that a list has given: begin without it")
    if start.sort != sort:
        raise FilterError(f"the cursor belongs to a list sorted by {start.sort}, not by {sort}")
    return start._replace(value=value)


def report(
    database: Database,
    *,
    group_by: str | Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> tuple[Row, list[Row]]:
    """
    Return the totals of the fleet and the same totals for each group.

    Totals are ``assets``, one count for each freshness, ``processor_threads``,
    ``memory_bytes`` and ``disk_bytes``. How fresh they were is not known of the
    past.
    """
    source = listing(database, at)
    groups = [source.field(name) for name in names(group_by)]
    counted = {
        "assets": sa.func.count(),
        # Counted and not grouped by: PostgreSQL cannot tell how few groups that would be.
        **{state: sa.func.count().filter(is_so) for state, is_so in source.states.items()},
        **{name: sa.cast(sa.func.sum(source.fields[name]), sa.BigInteger) for name in SUMMED},
    }
    found = matching(source, filters or {}, "")
    asked: list[Any] = [*counted.values(), *groups]
    statement: sa.Select[Any] = joined(sa.select(*asked), source, found)
    if groups:
        ordinals = range(len(counted) + 1, len(asked) + 1)
        statement = statement.group_by(*(sa.text(str(one)) for one in ordinals))
    whole: Row = dict.fromkeys(counted, 0)
    by_group: dict[tuple[Any, ...], Row] = {}
    with database.begin() as link:
        for row in link.execute(statement):
            total = {name: value or 0 for name, value in zip(counted, row, strict=False)}
            by_group[tuple(row[len(counted) :])] = total
            whole = {name: whole[name] + value for name, value in total.items()}
    if not groups:
        return whole, []
    named = [
        {**dict(zip(names(group_by), values, strict=True)), **total}
        for values, total in sorted(by_group.items(), key=_by_size)
    ]
    return whole, named


SUMMED = ("processor_threads", "memory_bytes", "disk_bytes")


def _by_size(group: tuple[tuple[Any, ...], Row]) -> tuple[Any, ...]:
    """Sort the largest group first, and what is not known last."""
    values, total = group
    return -total["assets"], [(value is None, value) for value in values]
