"""
What a list of assets is made of: the assets of now, or as they were at a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.report.envelope import MODES
from salt_ext.store.columns import KINDS, UNREPORTED
from salt_ext.store.database import Database
from salt_ext.store.distribution import is_citus
from salt_ext.store.errors import FilterError
from salt_ext.store.hidden import NOTHING, Hidden
from salt_ext.store.listening import silences
from salt_ext.store.parts import SOURCES
from salt_ext.store.said import OWN
from salt_ext.store.schema import (
    KEPT_COLUMNS,
    LIFECYCLES,
    OF_REVISION,
    PART_FIELDS,
    PLACE,
    WAS_COLUMNS,
    asset,
    asset_seen,
    asset_was,
    change,
    list_field,
    part,
    revision,
)
from salt_ext.store.search import DESCRIBED_BY, KNOWN_BY, NUMBERS
from salt_ext.words.fields import FIELDS
from salt_ext.words.nearest import unknown
from salt_ext.words.times import zone_of

SEARCHED = ("minion_id", *KNOWN_BY, *DESCRIBED_BY)
"""The columns that free text is searched in, beside the numbers in the facts."""

FRESHNESS = ("fresh", "stale", "missing", "detached", "unreported")

PARTS: dict[str, sa.ColumnElement[Any]] = {
    f"{section}.{name}": part.c[name]
    for section, source in SOURCES.items()
    for name in (*PART_FIELDS, "count")
    if source.fills(name)
}
"""Fields to filter by that can neither be listed nor sorted by: an asset has many parts."""


class Listing(NamedTuple):
    """
    What a list is made of: the assets of now, or as they were at a moment.

    ``fields`` are the columns by the names that people use. ``key`` is the id of the
    asset, ``text`` the text that free text is searched in.
    """

    fields: dict[str, sa.ColumnElement[Any]]
    key: sa.ColumnElement[Any]
    text: sa.ColumnElement[str]
    at: datetime | None = None
    states: Mapping[str, sa.ColumnElement[bool]] = {}
    """The condition for each state of :data:`FRESHNESS`; empty for the past."""
    rank: sa.ColumnElement[int] = sa.literal(0)
    """How fresh an asset is as a number to sort by, 0 for fresh; for the present only."""
    words: Mapping[str, Sequence[str]] = {}
    """All values that some fields can have."""
    zone: tzinfo = timezone.utc
    """Of the moments that people write without one."""
    hidden: Hidden = NOTHING
    """What is not among the fields because whoever asks may not see it."""
    is_spread: bool = False
    """Whether the tables are on several servers: no index leads from a value to the next one."""

    def field(self, name: str) -> sa.ColumnElement[Any]:
        """Return a field by its name, or raise :class:`FilterError` that names the nearest."""
        self.hidden.check(name)
        if name in self.fields:
            return self.fields[name]
        if name in PARTS:
            raise FilterError(
                f"{name} can be filtered by, but an asset has many of them: see cmdb.components"
            )
        if self.at is not None and (name in NOW_ONLY or name.startswith(OWN)):
            raise FilterError(f"{name} is known of the present only, and as_of is in the past")
        raise no_field(name, self.fields)


def no_field(name: str, fields: Iterable[str]) -> FilterError:
    """
    Return the error about an unknown field.

    What has a dot in it is meant to be one of people's lists, or else of parts.
    """
    known = sorted(fields)
    if name.startswith(OWN):
        known = [one for one in known if one.startswith(OWN)]
        if not known:
            return FilterError(
                f"there is no field {name!r}, because no list of people's was imported yet: see"
                " salt-run cmdb.expected import file=..."
            )
    elif "." in name:
        section = name.partition(".")[0]
        known = [one for one in PARTS if section not in SOURCES or one.startswith(f"{section}.")]
    return FilterError(unknown("field", name, known, FIELDS))


NOW_ONLY = ("freshness", "last_seen", "changed_at", "mode", "from_list")


def listing(database: Database, at: datetime | None) -> Listing:
    """Return what a list is made of, now or at a moment."""
    is_spread = database.once("is citus", lambda: _is_citus(database))
    if at is not None:
        then = _past(at, is_spread=is_spread)._replace(
            words=_words(database.settings), zone=database.zone
        )
        return _without(then, database.hidden)
    own = database.once("own fields", lambda: _own_fields(database))
    now = present(database.settings, own)._replace(is_spread=is_spread)
    return _without(now, database.hidden)


def _own_fields(database: Database) -> tuple[tuple[str, str], ...]:
    with database.autocommit() as link:
        return tuple((row.name, row.type) for row in link.execute(OWN_FIELDS))


def _is_citus(database: Database) -> bool:
    with database.autocommit() as link:
        return is_citus(link)


def hides_part(hidden: Hidden, name: str) -> bool:
    """Whether a field of :data:`PARTS` tells something that is hidden."""
    section, _, column = name.partition(".")
    path = ".".join(SOURCES[section].path)
    return hidden.path(path) or hidden.any(path, SOURCES[section].made_of(column))


def _without(source: Listing, hidden: Hidden) -> Listing:
    """Return a listing without hidden fields: neither among its fields nor in its text."""
    if not hidden:
        return source
    fields = {name: one for name, one in source.fields.items() if name not in hidden.columns}
    if source.at is None and not _hides_text(hidden):
        return source._replace(fields=fields, hidden=hidden)
    searched = WAS_COLUMNS if source.at is not None else SEARCHED
    texts = [fields[name] for name in searched if name in fields]
    texts = [one for one in texts if isinstance(one.type, sa.Text)]
    if source.at is None:
        texts.append(_said_but(hidden.columns))
    # One value on each line, as in the column that is made for this.
    text = sa.func.lower(sa.func.concat_ws("\n", *texts))
    return source._replace(fields=fields, text=text, hidden=hidden)


def _hides_text(hidden: Hidden) -> bool:
    """Whether something hidden is in the text that free text is searched in now."""
    of_lists = any(name.startswith(OWN) for name in hidden.columns)
    return (
        of_lists
        or not hidden.columns.isdisjoint((*SEARCHED, *PLACE))
        or any(hidden.tells(section, one) for section, fields in NUMBERS.items() for one in fields)
    )


def _said_but(names: Iterable[str]) -> sa.ColumnElement[str]:
    """Return what people's lists say of an asset but for some fields."""
    others = asset.c.listed.op("-")(sa.cast(sorted(names), ARRAY(sa.Text)))
    values = sa.func.jsonb_path_query_array(others, sa.text("'$.*'"))
    return sa.case((asset.c.listed.is_not(None), sa.cast(values, sa.Text)))


def freshness(settings: Mapping[str, Any]) -> sa.ColumnElement[str]:
    """Return the one expression for how fresh an asset is: fresh, stale, missing, detached."""
    return freshness_after(settings["stale_after"], settings["missing_after"])


def freshness_after(stale_after: int, missing_after: int) -> sa.ColumnElement[str]:
    """Return the same for these two ages, in seconds."""
    return _present(stale_after, missing_after, ()).fields["freshness"]


def present(settings: Mapping[str, Any], own: tuple[tuple[str, str], ...] = ()) -> Listing:
    """Return the listing of the assets as they are; ``own`` are name and type of lists' fields."""
    source = _present(settings["stale_after"], settings["missing_after"], own)
    return source._replace(words=_words(settings), zone=zone_of(settings["timezone"]))


def _words(settings: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    """Return the fields that have one of a few words as their value, and these words."""
    return {
        "freshness": FRESHNESS,
        "lifecycle": LIFECYCLES,
        "kind": KINDS,
        "mode": list(dict.fromkeys((*MODES, *settings["modes"], "list"))),
    }


OWN_FIELDS = (
    sa.select(
        list_field.c.name,
        # Where two lists do not agree, it is text.
        sa.case(
            (sa.func.count(list_field.c.type.distinct()) == 1, sa.func.min(list_field.c.type)),
            else_="text",
        ).label("type"),
    )
    .group_by(list_field.c.name)
    .order_by(list_field.c.name)
)


@lru_cache(maxsize=16)
def _present(stale_after: int, missing_after: int, own: tuple[tuple[str, str], ...]) -> Listing:
    counted = states(stale_after, missing_after)
    return Listing(
        {
            **{name: asset.c[name] for name in (*KEPT_COLUMNS, "first_seen", "from_list")},
            **{name: asset_seen.c[name] for name in ("changed_at", "mode")},
            "last_seen": sa.case((asset_seen.c.mode != "list", asset_seen.c.last_seen)),
            "freshness": _case(counted, FRESHNESS),
            **{name: own_value(asset.c.listed[name], TYPES[kind]) for name, kind in own},
        },
        asset.c.id,
        asset.c.search,
        states=counted,
        rank=_case(counted, range(len(FRESHNESS))),
    )


class Day(sa.Text):
    """A day as ``2027-03-01``: such texts have the order of the days."""


class Number(sa.TypeDecorator[float]):
    """A number that somebody's list has: a whole one is read as such."""

    impl = sa.Double
    cache_ok = True

    @property
    def python_type(self) -> type[Any]:
        """The type of a value in a cursor."""
        return float

    def process_result_value(self, value: float | None, dialect: Any) -> float | None:
        """Return a value of PostgreSQL as one of Python."""
        return int(value) if value is not None and value.is_integer() else value


TYPES: dict[str, sa.types.TypeEngine[Any]] = {"number": Number(), "date": Day(), "text": sa.Text()}


def own_value(value: Any, kind: sa.types.TypeEngine[Any]) -> sa.ColumnElement[Any]:
    """Return what a list says, a value of jsonb, as one of these types."""
    if isinstance(kind, Number):
        # A list may be imported since the type was read: another value is none, not an error.
        is_number = sa.func.jsonb_typeof(value) == "number"
        return sa.case((is_number, sa.cast(value.astext, kind)))
    return sa.type_coerce(value.astext, kind) if isinstance(kind, Day) else value.astext


def states(
    stale_after: int, missing_after: int, seen: Any = asset_seen.c
) -> dict[str, sa.ColumnElement[bool]]:
    """Return the condition for each state of :data:`FRESHNESS`; the ages are in seconds."""
    attached = seen.detached_at.is_(None)
    is_stale, is_missing = (one(seen) for one in silences(stale_after, missing_after))
    return {
        "fresh": sa.and_(attached, ~is_stale),
        "stale": sa.and_(attached, is_stale, ~is_missing),
        "missing": sa.and_(attached, is_missing),
        "detached": seen.detached_at.is_not(None) & (seen.mode != "list"),
        # What only people's lists have: see ingest/stand_ins.
        "unreported": seen.mode == "list",
    }


def _case(
    counted: Mapping[str, sa.ColumnElement[bool]], values: Sequence[Any]
) -> sa.ColumnElement[Any]:
    *others, last = zip(counted.values(), values, strict=True)
    return sa.case(*others, else_=last[1])


def _past(at: datetime, *, is_spread: bool = False) -> Listing:
    """
    Return the listing of the assets as they were at a moment.

    Of an asset that is its row of ``asset_was`` in whose time the moment is; or its present
    row, if that has been so since. Each is read along an index where a filter has one.
    """
    now: sa.FromClause = asset
    if is_spread:
        # Citus looks up changes of what it has in shards only, and asset stands on each server.
        now = asset.join(asset_seen, asset_seen.c.asset_id == asset.c.id)
    key = asset_seen.c.asset_id if is_spread else asset.c.id
    since = (
        sa.select(
            key.label("id"),
            asset.c.first_seen,
            _kernel_release(at, key),
            *(asset.c[name] for name in WAS_COLUMNS),
        )
        .select_from(now)
        .where(
            asset.c.unchanged_since <= at,
            asset.c.kind.not_in(UNREPORTED),
            asset.c.merged_into.is_(None),
        )
    )
    # An outer join, because PostgreSQL leaves that out where nothing of it is asked for.
    until = (
        sa.select(
            asset_was.c.asset_id.label("id"),
            asset.c.first_seen,
            _kernel_release(at, asset_was.c.asset_id),
            *(asset_was.c[name] for name in WAS_COLUMNS),
        )
        .outerjoin(asset, asset.c.id == asset_was.c.asset_id)
        .where(asset_was.c.since <= at, asset_was.c.until > at)
    )
    then = sa.union_all(since, until).subquery("asset_then")
    texts = [then.c[name] for name in WAS_COLUMNS if isinstance(then.c[name].type, sa.Text)]
    return Listing(
        {name: then.c[name] for name in (*KEPT_COLUMNS, "first_seen")},
        then.c.id,
        sa.func.lower(sa.func.concat_ws("\n", *texts)),
        at,
    )


def _kernel_release(at: datetime, key: sa.ColumnElement[Any]) -> sa.Label[str]:
    """Return the kernel of an asset at a moment: the old value of the first change after that."""
    replaced = (
        sa.select(sa.func.coalesce(change.c.old.op("#>>", return_type=sa.Text)("{}"), ""))
        .join(revision, OF_REVISION)
        .where(
            change.c.asset_id == key,
            change.c.path.in_(("operating_system", "operating_system.kernel_release")),
            revision.c.recorded_at > at,
        )
        .order_by(revision.c.number)
        .limit(1)
        .correlate(asset, asset_seen, asset_was)
        .scalar_subquery()
    )
    release = sa.func.nullif(sa.func.coalesce(replaced, asset.c.kernel_release), "", type_=sa.Text)
    return release.label("kernel_release")


def joined(
    statement: sa.Select[Any], source: Listing, conditions: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """Add conditions to a statement; for the present, join only the tables that it needs."""
    used = tables_of(*statement.selected_columns, *conditions)
    statement = statement.where(*conditions)
    if source.at is not None:
        return statement if used else statement.select_from(source.key.table)
    if asset in used and asset_seen in used:
        return statement.where(asset_seen.c.asset_id == asset.c.id)
    if asset in used:
        return statement.where(asset.c.merged_into.is_(None))
    # A merged asset has no row in asset_seen: this table has exactly the other assets.
    return statement if used else statement.select_from(asset_seen)


def tables_of(*expressions: sa.ColumnElement[Any]) -> Sequence[sa.FromClause]:
    """Return the tables that must be read for some expressions."""
    return sa.select(*expressions).columns_clause_froms
