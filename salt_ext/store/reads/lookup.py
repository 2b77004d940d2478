"""
Where a text is known: as what, of which asset, now or in former times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from salt_ext.document import encode
from salt_ext.document.keys import number, place
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import unplanned
from salt_ext.store.hidden import MARK, Hidden
from salt_ext.store.parts import PLACED
from salt_ext.store.reads import seen
from salt_ext.store.reads.known import (
    AFTER_MAKER,
    has_bare_sn,
    is_identifier,
    is_known_by,
    is_short_name,
)
from salt_ext.store.reads.listing import listing
from salt_ext.store.reads.masking import masked
from salt_ext.store.said import OWN
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_was,
    expected,
    held,
    identifier,
    placement,
)
from salt_ext.store.search import DESCRIBED_BY, NUMBERS, numbers
from salt_ext.store.text import is_text
from salt_ext.words.match import bare
from salt_ext.words.spellings import bare_address, spellings

COLUMNS = ("minion_id", "hostname", "sn", "address")
"""The columns of an asset that are searched; identifiers are searched besides."""

SHORTEST = 3
"""Letters and digits: of fewer no text is searched inside longer ones, because most have them."""

WORLDWIDE = ("wwn", "eui64", "nguid", "uuid")
"""The fields with another number of a part than that by which it is followed."""

Fits = Callable[[str], bool]
Compares = Callable[[sa.ColumnElement[str]], sa.ColumnElement[bool]]

MOST_CALLED = 50
"""So many assets that are called the same are looked at one by one."""

HELD = "held report"
"""What a text is that only a report shows which waits for a person."""


@masked
def lookup(
    database: Database, text: str, limit: int = 50, *, whole: bool = True, pieces: bool = True
) -> tuple[list[Row], bool]:
    """
    Return where a text is known, the present before the past, and whether there is more.

    Each place has ``what`` (a column, a kind of identifier, a list of parts or the field
    of a section), ``value``, ``place`` of a part or the list that says so, ``known``
    (``present`` or ``former``), ``since_at`` and ``until_at``, and of a part with a number of
    its own that ``serial``. Any spelling of a number or an address will do. If nothing equals
    the text, values that contain it are searched; ``whole`` and ``pieces`` say which of both
    is tried. Of more than ``limit`` any may be left out.
    """
    text = text.strip()
    if not text or not is_text(text):
        return [], False
    found: list[Row] = []
    if whole:
        found = _exact(database, sorted(spellings(text)), limit) or _nearly(database, text, limit)
    if pieces and not found and sum(map(str.isalnum, text)) >= SHORTEST:
        found = _containing(database, text.lower(), limit)
    found.sort(key=_order)
    return found[:limit], len(found) > limit


def _order(row: Row) -> tuple[Any, ...]:
    since = row["since_at"]
    return (
        row["known"] != "present",
        row["minion_id"] is None,
        row["minion_id"] or "",
        row["what"],
        row["value"],
        since.timestamp() if since else 0,
    )


def _exact(database: Database, forms: Sequence[str], limit: int) -> list[Row]:
    lower = sorted({one.lower() for one in forms})
    its_name = is_known_by(lower)
    is_value = _is_seen(sa.func.lower(VALUE).in_(lower), database.hidden)
    hidden = database.hidden
    legs = [
        _former(lower, hidden),
        _ledger(lower, hidden),
        _parts(placement.c.serial.in_(forms), hidden),
        _held(lower, hidden),
    ]
    with database.autocommit() as link:
        found = rows(link.execute(_all(link, legs, limit)))
        found += rows(link.execute(_said(link, is_value, its_name, lower, limit)))
        found += _present(link, its_name, lower.__contains__, found, limit, hidden)
    return found


def _nearly(database: Database, text: str, limit: int) -> list[Row]:
    """Return the assets whose name has no domain, or whose SN has zeros before it, unlike these."""
    hidden = database.hidden
    where = sa.false() if "sn" in hidden.columns else has_bare_sn(bare(text))
    if "." in text and not bare_address(text):
        where |= is_known_by([text.lower().partition(".")[0]])
    names = {bare(text), text.lower().partition(".")[0]}

    def fits(value: str) -> bool:
        return value in names or bare(value) in names

    with database.autocommit() as link:
        return _present(link, where, fits, [], limit, hidden)


def called_so(database: Database, lower: Sequence[str]) -> list[Any]:
    """Return the ids of assets that are known by one of these texts now, as far as it is seen."""
    with database.autocommit() as link:
        where = is_known_by(lower)
        found = _present(link, where, lower.__contains__, [], MOST_CALLED, database.hidden)
    return [row["asset_id"] for row in found]


def _containing(database: Database, text: str, limit: int) -> list[Row]:
    def has(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return column.contains(text, autoescape=True)

    hidden = database.hidden
    said = _is_seen(sa.func.lower(VALUE).contains(text, autoescape=True), hidden)
    legs = [
        _was(has(FORMER_NAMES), has, hidden),
        # Those of now are in the search text.
        _of_ledger(
            has(identifier.c.value) & has(AFTER_MAKER) & identifier.c.last_seen.is_not(None),
            hidden,
        ),
        _parts(has(sa.func.lower(placement.c.serial)), hidden),
    ]
    in_search = has(listing(database, None).text if hidden else asset.c.search)
    with database.autocommit() as link:
        found = rows(link.execute(_all(link, legs, limit)))
        found += rows(link.execute(_said(link, said, in_search, [text], limit)))
        found += _present(
            *(link, in_search, lambda one: text in one, found, limit, hidden, DESCRIBED_BY)
        )
    return found


def _all(link: sa.Connection, legs: Iterable[sa.Select[Any]], limit: int) -> sa.CompoundSelect[Any]:
    return sa.union_all(*(sa.select(_few(link, leg, limit).subquery()) for leg in legs))


def _few(link: sa.Connection, statement: sa.Select[Any], limit: int) -> sa.Select[Any]:
    """Return one row more than the limit, which shows whether there is more."""
    return statement.limit(unplanned(link, limit + 1))


def _hit(
    what: sa.ColumnElement[str],
    value: sa.ColumnElement[str],
    place: sa.ColumnElement[str],
    since: sa.ColumnElement[object],
    until: sa.ColumnElement[object],
    serial: sa.ColumnElement[str] | None = None,
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
        (NO_SERIAL if serial is None else serial).label("serial"),
    )


NO_SERIAL = sa.cast(sa.null(), sa.Text)
NO_PLACE = sa.literal("", sa.Text)
NO_TIME = sa.cast(sa.null(), asset.c.first_seen.type)


def _present(
    link: sa.Connection,
    where: sa.ColumnElement[bool],
    fits: Fits,
    found: Iterable[Row],
    limit: int,
    hidden: Hidden,
    besides: Sequence[str] = (),
) -> list[Row]:
    """
    Return the assets that are known by the text now: by a column, or else in their facts.

    ``besides`` are columns that are looked at where no other one fits.
    """
    shown = [name for name in COLUMNS if name not in hidden.columns]
    besides = [name for name in besides if name not in hidden.columns]
    columns = (asset.c[name] for name in ("id", "first_seen", *COLUMNS, *besides))
    those = sa.select(*columns).where(where, asset.c.merged_into.is_(None))
    told = {row["asset_id"] for row in found if row["known"] == "present"}
    hits: list[Row] = []
    others: dict[Any, Row] = {}
    for one in rows(link.execute(_few(link, those, limit))):
        here = [
            _row(one, name, one[name], "", one["first_seen"])
            for name in shown
            if one[name] and _fits_name(name, one[name].lower(), fits)
        ]
        hits += here
        if not here and one["id"] not in told:
            others[one["id"]] = one
    told_by_facts = _in_facts(link, others, fits, hidden) if others else []
    for hit in told_by_facts:
        others.pop(hit["asset_id"], None)
    return [
        *hits,
        *told_by_facts,
        *(
            _row(one, name, one[name], "", None)
            for one in others.values()
            for name in besides
            if one[name] and fits(one[name].lower())
        ),
    ]


def _fits_name(column: str, value: str, fits: Fits) -> bool:
    return fits(value) or (column in ("minion_id", "hostname") and fits(value.partition(".")[0]))


def _in_facts(
    link: sa.Connection, assets: Mapping[Any, Row], fits: Fits, hidden: Hidden
) -> list[Row]:
    """Return which numbers and addresses in the facts of some assets fit."""
    statement = sa.select(asset_facts.c.asset_id, asset_facts.c.section, asset_facts.c.facts)
    where = (asset_facts.c.asset_id.in_(list(assets)), asset_facts.c.section.in_(NUMBERS))
    hits: dict[tuple[Any, ...], Row] = {}
    for row in link.execute(statement.where(*where)):
        for one in numbers({row.section: row.facts}):
            if fits(one.value) and not hidden.tells(one.section, one.field):
                where_it_is = place(one.item) or ""
                what = f"{one.section}.{one.field}"
                hit = _row(assets[row.asset_id], what, one.value, where_it_is, None)
                is_number = one.section in PLACED and one.field in WORLDWIDE
                hit["serial"] = number(one.item) if is_number else None
                hits.setdefault((row.asset_id, what, one.value, where_it_is), hit)
    _keep_serials_of_parts(link, [*hits.values()], hidden)
    return [*hits.values()]


def _keep_serials_of_parts(link: sa.Connection, hits: Sequence[Row], hidden: Hidden) -> None:
    """Leave the serial numbers of parts that are followed; one on two parts is of neither."""
    numbered = [(hit["serial"], hit["asset_id"]) for hit in hits if hit["serial"]]
    if not numbered:
        return
    pair = sa.tuple_(placement.c.serial, placement.c.asset_id)
    known = sa.select(placement.c.serial, placement.c.asset_id).where(pair.in_(numbered))
    followed = {tuple(row) for row in link.execute(known.where(*seen.placements(hidden)))}
    for hit in hits:
        if (hit["serial"], hit["asset_id"]) not in followed:
            hit["serial"] = None


def _row(asset: Row, what: str, value: str, place: str, since: Any) -> Row:
    return {
        "what": what,
        "value": value,
        "place": place,
        **{name: asset[name] for name in ("minion_id", "sn")},
        "asset_id": asset["id"],
        "known": "present",
        "since_at": since,
        "until_at": None,
        "serial": None,
    }


FORMER_NAMES = sa.func.lower(
    sa.func.coalesce(asset_was.c.hostname, "") + "\n" + sa.func.coalesce(asset_was.c.address, "")
)
"""What an asset was called and how it was reached once; pg_trgm gives it an index."""


def _former(lower: Sequence[str], hidden: Hidden) -> sa.Select[tuple[object, ...]]:
    """Return the assets that had one of these names or addresses once."""
    name = is_short_name(asset_was.c.hostname, lower)
    return _was(name | asset_was.c.address.in_(lower), lambda column: column.in_(lower), hidden)


def _was(
    where: sa.ColumnElement[bool], fits: Compares, hidden: Hidden
) -> sa.Select[tuple[object, ...]]:
    """Return what assets were called, or reached by, and are no more."""
    names = ("hostname", "address")
    each = (
        sa.func.unnest(
            array(sa.literal(name, sa.Text) for name in names),
            array(asset_was.c[name] for name in names),
            array(asset.c[name] for name in names),
        )
        .table_valued(*(sa.column(name, sa.Text) for name in ("what", "value", "now")), name="each")
        .render_derived()
    )
    value = sa.func.lower(each.c.value)
    return (
        _hit(each.c.what, each.c.value, NO_PLACE, NO_TIME, sa.func.max(asset_was.c.until))
        .select_from(
            asset_was.join(asset, asset.c.id == asset_was.c.asset_id).join(each, sa.true())
        )
        .where(
            where,
            fits(value) | (each.c.what == "hostname") & fits(sa.func.split_part(value, ".", 1)),
            each.c.value.is_distinct_from(each.c.now),
            each.c.what.not_in(sorted(hidden.columns)),
        )
        .group_by(each.c.what, each.c.value, asset.c.id)
    )


def _ledger(lower: Sequence[str], hidden: Hidden) -> sa.Select[tuple[object, ...]]:
    """Return the identifiers with one of these values."""
    return _of_ledger(is_identifier(lower), hidden)


def _of_ledger(where: sa.ColumnElement[bool], hidden: Hidden) -> sa.Select[tuple[object, ...]]:
    """Return some identifiers, except those that a column of the asset shows too."""
    number = sa.func.split_part(identifier.c.value, "/", 2)
    shown = [name for name in ("minion_id", "sn") if name not in hidden.columns]
    known = [sa.func.lower(asset.c[name]) for name in shown]
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
            where,
            *seen.identifiers(hidden),
            *(
                (sa.func.lower(identifier.c.value) != one) & (number != one)
                | one.is_(None)
                | identifier.c.last_seen.is_not(None)
                for one in known
            ),
        )
    )


def _parts(where: sa.ColumnElement[bool], hidden: Hidden) -> sa.Select[tuple[object, ...]]:
    """Return the parts with this serial number, where they are and where they were."""
    return (
        _hit(
            placement.c.path,
            placement.c.serial,
            sa.func.concat_ws(" ", placement.c.place, placement.c.model),
            placement.c.since,
            placement.c.until,
            placement.c.serial,
        )
        .select_from(placement.join(asset, asset.c.id == placement.c.asset_id))
        .where(where, *seen.placements(hidden))
    )


def _held(lower: Sequence[str], hidden: Hidden) -> sa.Select[tuple[object, ...]]:
    """Return the held reports under one of these names, or with one of these keys."""
    each = sa.func.jsonb_array_elements(held.c.evidence["keys"]).table_valued("value")
    key = sa.cast(each.c.value, held.c.evidence.type)
    value, is_shown = key[1].astext, key[0].astext.not_in(sorted(hidden.kinds))
    number = sa.func.substr(value, sa.func.strpos(value, "/") + 1)
    shows = sa.exists(sa.select(each).where(value.in_(lower) | number.in_(lower), is_shown))
    return sa.select(
        sa.literal(HELD, sa.Text).label("what"),
        held.c.minion_id.label("value"),
        (sa.literal(MARK, sa.Text) if hidden.kinds else held.c.reason).label("place"),
        held.c.minion_id,
        sa.cast(sa.null(), sa.Text).label("sn"),
        sa.cast(sa.null(), asset.c.id.type).label("asset_id"),
        sa.literal("present", sa.Text).label("known"),
        held.c.first_seen.label("since_at"),
        NO_TIME.label("until_at"),
        NO_SERIAL.label("serial"),
    ).where(sa.func.lower(held.c.minion_id).in_(lower) | shows)


EACH = sa.func.jsonb_each_text(expected.c.fields).table_valued("key", "value")
VALUE: sa.ColumnElement[str] = EACH.c.value


def _is_seen(fits: sa.ColumnElement[bool], hidden: Hidden) -> sa.ColumnElement[bool]:
    """Whether a list says something that fits and is not hidden."""
    return fits & EACH.c.key.not_in(sorted(hidden.columns))


def _said(
    link: sa.Connection,
    fits: sa.ColumnElement[bool],
    is_asset: sa.ColumnElement[bool],
    texts: Iterable[str],
    limit: int,
) -> sa.CompoundSelect[Any]:
    """
    Return the rows of people's lists with this text, and the assets that they mean.

    Of an asset that reports only the fields count that no machine can fill.
    """
    whole = sa.func.lower(sa.cast(expected.c.fields, sa.Text))
    quoted = (encode(one).decode()[1:-1] for one in texts)
    having = sa.select(asset.c.id).where(is_asset).correlate(None)
    of_machines = expected.c.asset_id.in_(having) & EACH.c.key.startswith(OWN)
    of_others = sa.and_(
        expected.c.asset_id.is_(None),
        # The asset that stands in for it has these itself.
        EACH.c.key.not_in(COLUMNS),
        # Most rows are left out by this before their fields are looked at one by one.
        sa.or_(*(whole.contains(one, autoescape=True) for one in quoted)),
    )
    return _all(link, [_of_list().where(where, fits) for where in (of_machines, of_others)], limit)


def _of_list() -> sa.Select[Any]:
    return sa.select(
        EACH.c.key.label("what"),
        VALUE.label("value"),
        expected.c.source.label("place"),
        sa.func.coalesce(asset.c.minion_id, expected.c.minion_id).label("minion_id"),
        sa.func.coalesce(asset.c.sn, expected.c.sn).label("sn"),
        sa.func.coalesce(expected.c.asset_id, expected.c.stands_as).label("asset_id"),
        sa.literal("present", sa.Text).label("known"),
        expected.c.imported_at.label("since_at"),
        NO_TIME.label("until_at"),
        NO_SERIAL.label("serial"),
    ).select_from(
        expected.outerjoin(asset, asset.c.id == expected.c.asset_id).join(EACH, sa.true())
    )
