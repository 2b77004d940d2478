"""
The one filter grammar: ``field=value`` and ``field__op=value``.

The runner's arguments and the web's query string both come here. Different
fields are joined by AND; a list, or a text with commas under ``__in``, by OR.
What is asked of a section's parts, as in ``disks.model=...``, must all be true
of one of its parts.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.settings import nearest
from salt_ext.store.parts import SOURCES
from salt_ext.store.schema import (
    KEPT_COLUMNS,
    PART_FIELDS,
    WAS_COLUMNS,
    asset,
    asset_seen,
    asset_was,
    change,
    part,
    revision,
)
from salt_ext.times import moment


class FilterError(ValueError):
    """A filter that cannot be understood; the text says which and names the nearest."""


FRESHNESS = ("fresh", "stale", "missing", "detached")

PARTS: dict[str, sa.ColumnElement[Any]] = {
    f"{section}.{name}": part.c[name] for section in SOURCES for name in (*PART_FIELDS, "count")
}
"""What can be filtered by and neither listed nor sorted: an asset has many of them."""


class Listing(NamedTuple):
    """
    What a list is made of: the assets of now, or as they were at a moment.

    ``fields`` are the columns by the names that people use; ``key`` is the id
    of the asset, ``text`` what free text is looked for in.
    """

    fields: dict[str, sa.ColumnElement[Any]]
    key: sa.ColumnElement[Any]
    text: sa.ColumnElement[str]
    at: datetime | None = None
    states: Mapping[str, sa.ColumnElement[bool]] = {}
    """When an asset is fresh, stale and so on; of the present only."""

    def field(self, name: str) -> sa.ColumnElement[Any]:
        """Return a field by its name, or raise :class:`FilterError` that names the nearest."""
        if name in self.fields:
            return self.fields[name]
        if name in PARTS:
            raise FilterError(
                f"{name} can be filtered by, but an asset has many of them: see cmdb.components"
            )
        if self.at is not None and name in NOW_ONLY:
            raise FilterError(f"{name} is known of the present only, and as_of is in the past")
        hint = nearest(name, self.fields) or f"; there are: {', '.join(sorted(self.fields))}"
        raise FilterError(f"there is no field {name!r}{hint}")


NOW_ONLY = ("freshness", "last_seen", "changed_at", "mode")


def freshness(settings: Mapping[str, Any]) -> sa.ColumnElement[str]:
    """Return the one expression for how fresh an asset is: fresh, stale, missing, detached."""
    return _by_freshness(settings, *FRESHNESS)


def freshness_rank(settings: Mapping[str, Any]) -> sa.ColumnElement[int]:
    """Return the same as a number to sort by, 0 for the freshest."""
    return _by_freshness(settings, *range(len(FRESHNESS)))


def _states(settings: Mapping[str, Any]) -> dict[str, sa.ColumnElement[bool]]:
    """Return when an asset is in each state of :data:`FRESHNESS`."""
    attached, seen = asset_seen.c.detached_at.is_(None), asset_seen.c.last_seen
    stale, missing = (
        sa.func.now() - sa.func.make_interval(0, 0, 0, 0, 0, 0, settings[name])
        for name in ("stale_after", "missing_after")
    )
    return {
        "fresh": sa.and_(attached, seen >= stale),
        "stale": sa.and_(attached, seen < stale, seen >= missing),
        "missing": sa.and_(attached, seen < missing),
        "detached": asset_seen.c.detached_at.is_not(None),
    }


def _by_freshness(settings: Mapping[str, Any], *values: Any) -> sa.ColumnElement[Any]:
    *others, last = zip(_states(settings).values(), values, strict=True)
    return sa.case(*others, else_=last[1])


def listable(settings: Mapping[str, Any]) -> list[str]:
    """Return the fields that a list can show and be sorted by."""
    return list(present(settings).fields)


def fields(settings: Mapping[str, Any]) -> list[str]:
    """Return the fields that one can filter by: those of parts too."""
    return [*listable(settings), *PARTS]


def present(settings: Mapping[str, Any]) -> Listing:
    """Return the listing of the assets as they are."""
    seen = asset_seen.c
    return Listing(
        {
            **{name: asset.c[name] for name in (*KEPT_COLUMNS, "first_seen")},
            "last_seen": seen.last_seen,
            "changed_at": seen.changed_at,
            "mode": seen.mode,
            "freshness": freshness(settings),
        },
        asset.c.id,
        asset.c.search,
        states=_states(settings),
    )


def past(at: datetime) -> Listing:
    """Return the listing of the assets as they were: the first former state after the moment."""
    # First the moments alone: to sort whole rows takes several times as long.
    ends = (
        sa.select(asset_was.c.asset_id, sa.func.min(asset_was.c.until).label("until"))
        .where(asset_was.c.until > at)
        .group_by(asset_was.c.asset_id)
        .subquery("ends")
    )
    of_end = sa.and_(asset_was.c.asset_id == ends.c.asset_id, asset_was.c.until == ends.c.until)
    after = sa.select(asset_was).join(ends, of_end).subquery("was")
    was_other = after.c.asset_id.is_not(None)
    then = (
        sa.select(
            asset.c.id,
            asset.c.first_seen,
            *(
                sa.case((was_other, after.c[name]), else_=asset.c[name]).label(name)
                for name in WAS_COLUMNS
            ),
            _kernel_release(at).label("kernel_release"),
        )
        .select_from(asset.outerjoin(after, after.c.asset_id == asset.c.id))
        .where(asset.c.first_seen <= at, sa.or_(was_other, asset.c.merged_into.is_(None)))
        .subquery("asset_then")
    )
    texts = [then.c[name] for name in WAS_COLUMNS if isinstance(then.c[name].type, sa.Text)]
    return Listing(
        {name: then.c[name] for name in (*KEPT_COLUMNS, "first_seen")},
        then.c.id,
        sa.func.lower(sa.func.concat_ws("\n", *texts)),
        at,
    )


def _kernel_release(at: datetime) -> sa.ColumnElement[str]:
    """Return the kernel of an asset at a moment: what the first change after it replaced."""
    replaced = (
        sa.select(sa.func.coalesce(change.c.old.op("#>>", return_type=sa.Text)("{}"), ""))
        .join(
            revision,
            sa.and_(
                revision.c.asset_id == change.c.asset_id, revision.c.number == change.c.revision
            ),
        )
        .where(
            change.c.asset_id == asset.c.id,
            change.c.path.in_(("operating_system", "operating_system.kernel_release")),
            revision.c.recorded_at > at,
        )
        .order_by(revision.c.number)
        .limit(1)
        .correlate(asset)
        .scalar_subquery()
    )
    return sa.func.nullif(sa.func.coalesce(replaced, asset.c.kernel_release), "", type_=sa.Text)


def matching(
    listing: Listing, filters: Mapping[str, Any], text: str
) -> list[sa.ColumnElement[bool]]:
    """Return one SQL condition for each filter and word. Raises :class:`FilterError`."""
    found: list[sa.ColumnElement[bool]] = []
    sections: dict[str, dict[str, Any]] = {}
    for name, value in filters.items():
        field, _, operator = name.partition("__")
        section = field.partition(".")[0]
        if section not in SOURCES:
            column = listing.key if field == "id" else listing.field(field)
            operator = operator or "exact"
            if field == "freshness":
                # State by state, of which PostgreSQL knows how frequent they are.
                each = [
                    sa.and_(is_so, _condition(sa.literal(state), field, operator, value))
                    for state, is_so in listing.states.items()
                ]
                found.append(sa.or_(*each))
            else:
                found.append(_condition(column, field, operator, value))
        elif listing.at is None:
            sections.setdefault(section, {})[name] = value
        else:
            raise FilterError(f"{field} is known of the present only, and as_of is in the past")
    # Where nothing else is asked of the assets, the narrow table has their ids.
    key = listing.key if found or text.strip() or listing.at else asset_seen.c.asset_id
    for section, asked in sections.items():
        having = sa.select(part.c.asset_id).where(part.c.section == section, *of_parts(asked))
        found.append(key.in_(having))
    if not is_text(text):
        raise FilterError(f"the words {text!a} hold a NUL or half a character")
    for word in text.lower().split():
        found.append(listing.text.contains(word, autoescape=True))
    return found


def only_parts(filters: Mapping[str, Any], text: str) -> sa.Select[Any] | None:
    """Return the ids that filters of the parts of one section find, if nothing else is asked."""
    sections = {name.partition(".")[0] for name in filters}
    if len(sections) != 1 or not sections <= SOURCES.keys() or text.strip():
        return None
    return sa.select(part.c.asset_id).where(part.c.section.in_(sections), *of_parts(filters))


def of_parts(filters: Mapping[str, Any]) -> list[sa.ColumnElement[bool]]:
    """Return what filters such as ``disks.model=...`` ask of one row of the table of parts."""
    found = []
    for name, value in filters.items():
        field, _, operator = name.partition("__")
        if field not in PARTS:
            hint = nearest(field, PARTS) or f"; there are: {', '.join(PARTS)}"
            raise FilterError(f"there is no field {field!r}{hint}")
        found.append(_condition(PARTS[field], field, operator or "exact", value))
    return found


def _like(column: sa.ColumnElement[Any], value: str, pattern: str) -> sa.ColumnElement[bool]:
    """Match text whatever its case; ``{}`` in the pattern stands for the value as it is."""
    # Not lower(), of which PostgreSQL has no statistics: it would read all to sort it.
    return column.ilike(pattern.format(_escaped(value)), escape="\\")


def _glob(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    return column.like(_escaped(value).replace("*", "%").replace("?", "_"), escape="\\")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
PATTERNS = ("contains", "startswith", "endswith", "glob")

OPERATORS: dict[str, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "exact": lambda column, value: column == value,
    "not": lambda column, value: column.is_distinct_from(value),
    "contains": lambda column, value: _like(column, value, "%{}%"),
    "startswith": lambda column, value: _like(column, value, "{}%"),
    "endswith": lambda column, value: _like(column, value, "%{}"),
    "glob": _glob,
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}


def _condition(
    column: sa.ColumnElement[Any], name: str, operator: str, value: Any
) -> sa.ColumnElement[bool]:
    if operator in ("in", "notin"):
        values = value if isinstance(value, list) else str(value).split(",")
        # Each once: PostgreSQL takes what is named twice for twice as frequent.
        found = column.in_(dict.fromkeys(_value(column, name, one) for one in values))
        return column.is_(None) | ~found if operator == "notin" else found
    if operator == "isnull":
        return column.is_(None) if _truth(f"{name}__isnull", value) else column.is_not(None)
    if operator not in OPERATORS:
        hint = nearest(operator, [*OPERATORS, "in", "notin", "isnull"])
        raise FilterError(f"there is no comparison {operator!r} for {name}{hint}")
    values = value if isinstance(value, list) else [value]
    if operator in PATTERNS:
        column, values = sa.cast(column, sa.Text), [_text(name, str(one)) for one in values]
    else:
        values = [_value(column, name, one) for one in values]
    # "Not this and not that" is what people mean by two of them.
    conditions = [OPERATORS[operator](column, one) for one in values]
    return sa.and_(sa.true(), *conditions) if operator == "not" else sa.or_(sa.false(), *conditions)


def _value(column: sa.ColumnElement[Any], name: str, value: Any) -> Any:
    """Return a value in the type of its column."""
    if isinstance(column.type, sa.Boolean):
        return _truth(name, value)
    if isinstance(column.type, sa.UUID):
        try:
            return uuid.UUID(str(value))
        except ValueError:
            raise FilterError(f"{value!r} is not the id of an asset") from None
    if name.endswith("_bytes"):
        return _size(name, value)
    if isinstance(column.type, sa.Integer):
        if not re.fullmatch(r"-?\d{1,18}", str(value)):
            raise FilterError(f"{name} is a number, and {value!r} is not one")
        return int(value)
    if isinstance(column.type, sa.DateTime):
        try:
            return moment(value, datetime.now(timezone.utc))
        except ValueError as error:
            raise FilterError(f"{name}: {error}") from None
    if not isinstance(value, str):
        raise FilterError(
            f"{name} is a text, and {value!r} arrived as {type(value).__name__}:"
            f""" the command line reads YAML, so write {name}='"{value}"'"""
        )
    return _text(name, value)


def _truth(name: str, value: Any) -> bool:
    if str(value).lower() not in TRUTH:
        raise FilterError(f"{name} is true or false, not {value!r}")
    return TRUTH[str(value).lower()]


def _text(name: str, value: str) -> str:
    if not is_text(value):
        raise FilterError(
            f"{name} is compared with {value!a}, which holds a NUL or half a character"
        )
    return value


def is_text(value: str) -> bool:
    """Whether PostgreSQL can be asked for a text; bytes of a shell may be half a character."""
    return "\0" not in value and not any("\ud800" <= one <= "\udfff" for one in value)


def _size(name: str, value: Any) -> int:
    """Return ``256GiB``, ``4TB`` or a plain number as bytes."""
    match = re.fullmatch(r"(\d{1,18})\s*(?:([kKMGTPE]?)(i?)B)?", str(value).strip())
    if match is None:
        raise FilterError(f"{name} is a size such as 256GiB or a number of bytes, not {value!r}")
    number, prefix, binary = match.groups()
    step = 1024 if binary else 1000
    size = int(number) * step ** " kMGTPE".index((prefix or " ").replace("K", "k"))
    return int(min(size, 2**63 - 1))


def names(values: str | Iterable[str]) -> list[str]:
    """Return a list of names given as one text with commas or as a list."""
    parts = values.split(",") if isinstance(values, str) else values
    return [str(one).strip() for one in parts if str(one).strip()]
