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
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.errors import FilterError
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.listing import PARTS, Listing, joined, present
from salt_ext.store.reads.patterns import PATTERNS, matches
from salt_ext.store.schema import asset_seen, part
from salt_ext.store.text import is_text
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment


def listable(settings: Mapping[str, Any]) -> list[str]:
    """Return the fields that a list can show and be sorted by."""
    return list(present(settings).fields)


def fields(settings: Mapping[str, Any]) -> list[str]:
    """Return the fields that one can filter by: those of parts too."""
    return [*listable(settings), *PARTS]


def matching_ids(database: Database, filters: Mapping[str, Any]) -> sa.Select[Any]:
    """Return the ids of the assets, as they are now, that fit the filters."""
    source = present(database.settings)
    return joined(sa.select(source.key), source, matching(source, filters, ""))


def matching(
    source: Listing, filters: Mapping[str, Any], text: str
) -> list[sa.ColumnElement[bool]]:
    """Return one SQL condition for each filter and word. Raises :class:`FilterError`."""
    found: list[sa.ColumnElement[bool]] = []
    sections: dict[str, dict[str, Any]] = {}
    for name, value in filters.items():
        field, _, operator = name.partition("__")
        section = field.partition(".")[0]
        if section not in SOURCES:
            column = source.key if field == "id" else source.field(field)
            operator = operator or "exact"
            if field == "freshness":
                # State by state, of which PostgreSQL knows how frequent they are.
                each = [
                    sa.and_(is_so, _condition(sa.literal(state), field, operator, value))
                    for state, is_so in source.states.items()
                ]
                found.append(sa.or_(*each))
            else:
                found.append(_condition(column, field, operator, value))
        elif source.at is None:
            sections.setdefault(section, {})[name] = value
        else:
            raise FilterError(f"{field} is known of the present only, and as_of is in the past")
    # Where nothing else is asked of the assets, the narrow table has their ids.
    key = source.key if found or text.strip() or source.at else asset_seen.c.asset_id
    for section, asked in sections.items():
        having = sa.select(part.c.asset_id).where(part.c.section == section, *of_parts(asked))
        found.append(key.in_(having))
    if not is_text(text):
        raise FilterError(f"the words {text!a} hold a NUL or half a character")
    for word in text.lower().split():
        found.append(source.text.contains(word, autoescape=True))
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
            raise FilterError(unknown("field", field, PARTS))
        found.append(_condition(PARTS[field], field, operator or "exact", value))
    return found


TRUTH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

COMPARISONS: dict[str, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "exact": lambda column, value: column == value,
    "not": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}
OPERATORS = (*COMPARISONS, *PATTERNS, "in", "notin", "isnull")


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
    values = value if isinstance(value, list) else [value]
    if operator in PATTERNS:
        return matches(column, name, operator, [_text(name, str(one)) for one in values])
    if operator not in COMPARISONS:
        raise FilterError(f"{name}: {unknown('comparison', operator, OPERATORS)}")
    values = [_value(column, name, one) for one in values]
    # "Not this and not that" is what people mean by two of them.
    conditions = [COMPARISONS[operator](column, one) for one in values]
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
