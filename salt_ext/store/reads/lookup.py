"""
Where a text is known: as what, of which asset, now or in former times.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.spellings import spellings
from salt_ext.store.said import OWN
from salt_ext.store.schema import asset, asset_was, expected, identifier, placement
from salt_ext.store.text import is_text

COLUMNS = ("minion_id", "hostname", "sn", "address")
"""The columns of an asset that are searched; identifiers are searched besides."""

SHORTEST = 3
"""Characters: a shorter text is not searched inside longer ones, because most contain it."""


def lookup(database: Database, text: str, limit: int = 50) -> tuple[list[Row], bool]:
    """
    Return where a text is known, the present before the past, and whether there is more.

    Each place has ``what`` (a column, a kind of identifier or a list of parts),
    ``value``, ``place`` of a part or the list that says so, ``known`` (``present`` or
    ``former``), ``since_at`` and ``until_at``. Only if nothing equals the text, values
    that contain it are searched, which reads much more.
    """
    if not text or not is_text(text):
        return [], False
    found = _ask(database, text, limit, exact=True)
    if not found and len(text) >= SHORTEST:
        found = _ask(database, text, limit, exact=False)
    return found[:limit], len(found) > limit


def _ask(database: Database, text: str, limit: int, *, exact: bool) -> list[Row]:
    statements = [_columns(text, exact), _former(text, exact), _ledger(text, exact)]
    statements += [_parts(text, exact), _said(text, exact)]
    found = sa.union_all(*statements).subquery("found")
    statement = (
        sa.select(found)
        .order_by(
            found.c.known.desc(), found.c.minion_id, found.c.what, found.c.value, found.c.since_at
        )
        .limit(limit + 1)
    )
    with database.autocommit() as link:
        return rows(link.execute(statement))


def _is(column: sa.ColumnElement[str], text: str, exact: bool) -> sa.ColumnElement[bool]:
    if exact:
        return column.in_(spellings(text))
    return sa.func.lower(column).contains(text.lower(), autoescape=True)


def _hit(
    what: sa.ColumnElement[str],
    value: sa.ColumnElement[str],
    place: sa.ColumnElement[str],
    since: sa.ColumnElement[object],
    until: sa.ColumnElement[object],
) -> sa.Select[tuple[object, ...]]:
    return sa.select(
        what.label("what"),
        value.label("value"),
        place.label("place"),
        asset.c.minion_id,
        asset.c.sn,
        asset.c.id.label("asset_id"),
        sa.case((until.is_(None), "present"), else_="former").label("known"),
        since.label("since_at"),
        until.label("until_at"),
    )


NO_PLACE = sa.literal("", sa.Text)
NOW = sa.cast(sa.null(), asset.c.first_seen.type)


def _columns(text: str, exact: bool) -> sa.Select[tuple[object, ...]]:
    """Return the assets that have the text in one of their columns."""
    each = _unpivoted(asset)
    anywhere = [asset.c[name] for name in COLUMNS]
    # The column "search" has an index if PostgreSQL has the extension pg_trgm.
    where = (
        sa.or_(*(_is(one, text, exact) for one in anywhere))
        if exact
        else asset.c.search.contains(text.lower(), autoescape=True)
    )
    return (
        _hit(each.c.what, each.c.value, NO_PLACE, asset.c.first_seen, NOW)
        .select_from(asset.join(each, sa.true()))
        .where(where, _is(each.c.value, text, exact), asset.c.merged_into.is_(None))
    )


def _former(text: str, exact: bool) -> sa.Select[tuple[object, ...]]:
    """Return the assets that had the text in one of their columns once."""
    each = _unpivoted(asset_was)
    return (
        _hit(each.c.what, each.c.value, NO_PLACE, NOW, sa.func.max(asset_was.c.until))
        .select_from(
            asset_was.join(asset, asset.c.id == asset_was.c.asset_id).join(each, sa.true())
        )
        .where(
            sa.or_(*(_is(asset_was.c[name], text, exact) for name in COLUMNS)),
            _is(each.c.value, text, exact),
            each.c.value.is_distinct_from(each.c.now),
        )
        .group_by(each.c.what, each.c.value, asset.c.id)
    )


def _unpivoted(table: sa.Table) -> sa.FromClause:
    """Return a row for each of the columns: its name, its value, the present value."""
    return sa.union_all(
        *(
            sa.select(
                sa.literal(name, sa.Text).label("what"),
                table.c[name].label("value"),
                asset.c[name].label("now"),
            ).correlate(table, asset)
            for name in COLUMNS
        )
    ).lateral("each")


def _ledger(text: str, exact: bool) -> sa.Select[tuple[object, ...]]:
    """Return the identifiers with the text, except those that a column of the asset shows too."""
    number = sa.func.split_part(identifier.c.value, "/", 2)
    fits = _is(identifier.c.value, text, exact)
    if exact:
        fits = fits | (number == text.lower())
    known = [sa.func.lower(asset.c[name]) for name in ("minion_id", "sn")]
    return (
        _hit(
            identifier.c.kind,
            identifier.c.value,
            NO_PLACE,
            identifier.c.first_seen,
            identifier.c.last_seen,
        )
        .select_from(identifier.join(asset, asset.c.id == identifier.c.asset_id))
        .where(
            fits,
            *(
                (sa.func.lower(identifier.c.value) != one) & (number != one)
                | one.is_(None)
                | identifier.c.last_seen.is_not(None)
                for one in known
            ),
        )
    )


def _parts(text: str, exact: bool) -> sa.Select[tuple[object, ...]]:
    """Return the parts with this serial number, where they are and where they were."""
    return (
        _hit(
            placement.c.path,
            placement.c.serial,
            sa.func.concat_ws(" ", placement.c.place, placement.c.model),
            placement.c.since,
            placement.c.until,
        )
        .select_from(placement.join(asset, asset.c.id == placement.c.asset_id))
        .where(_is(placement.c.serial, text, exact))
    )


def _said(text: str, exact: bool) -> sa.Select[tuple[object, ...]]:
    """
    Return the rows of people's lists with this text, and the assets that they mean.

    Of an asset that reports only the fields count that no machine can fill.
    """
    each = sa.func.jsonb_each_text(expected.c.fields).table_valued("key", "value")
    quoted = encode(text.lower()).decode()[1:-1]
    whole = sa.func.lower(sa.cast(expected.c.fields, sa.Text))
    having = sa.select(asset.c.id).where(asset.c.search.contains(text.lower(), autoescape=True))
    return (
        sa.select(
            each.c.key.label("what"),
            each.c.value.label("value"),
            expected.c.source.label("place"),
            sa.func.coalesce(asset.c.minion_id, expected.c.minion_id).label("minion_id"),
            sa.func.coalesce(asset.c.sn, expected.c.sn).label("sn"),
            sa.func.coalesce(expected.c.asset_id, expected.c.stands_as).label("asset_id"),
            sa.literal("present", sa.Text).label("known"),
            expected.c.imported_at.label("since_at"),
            NOW.label("until_at"),
        )
        .select_from(
            expected.outerjoin(asset, asset.c.id == expected.c.asset_id).join(each, sa.true())
        )
        .where(
            # Most rows are left out by this before their fields are looked at one by one.
            sa.or_(
                expected.c.asset_id.in_(having.correlate(None)) & each.c.key.startswith(OWN),
                sa.and_(
                    expected.c.asset_id.is_(None),
                    # The asset that stands in for it has these itself.
                    each.c.key.not_in(COLUMNS),
                    whole.contains(quoted, autoescape=True),
                ),
            ),
            _is(each.c.value, text, exact),
        )
    )
