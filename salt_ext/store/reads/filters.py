"""
The one filter grammar: ``field=value`` and ``field__op=value``.

The runner's arguments and the web's query string both come here. Different
fields are joined by AND; a list, or a text with commas under ``__in``, by OR.
Filters on the parts of one section, as in ``disks.model=...``, must all fit one
and the same part.
"""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.errors import FilterError
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.listing import (
    PARTS,
    Day,
    Listing,
    Number,
    hides_part,
    joined,
    listing,
    no_field,
)
from salt_ext.store.reads.patterns import PATTERNS, fits, matches
from salt_ext.store.reads.searched import has_word
from salt_ext.store.said import OWN
from salt_ext.store.schema import asset_seen, part
from salt_ext.store.text import is_text
from salt_ext.words.box import words
from salt_ext.words.durations import seconds
from salt_ext.words.fields import COMPARISONS as SYNONYMS
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment


def listable(database: Database, at: datetime | None = None) -> list[str]:
    """Return the fields that a list, now or as of a moment, can show and be sorted by."""
    return list(listing(database, at).fields)


def fields(database: Database, at: datetime | None = None) -> list[str]:
    """Return the fields that people can filter by: those of a list, and now those of parts."""
    parts = [name for name in PARTS if at is None and not hides_part(database.hidden, name)]
    return [*listable(database, at), *parts]


class Asking(NamedTuple):
    """
    What can be asked of assets: the fields, and of what kind the values of each are.

    A kind is ``text``, ``word``, ``truth``, ``number``, ``size``, ``moment`` or ``day``.
    ``check`` raises :class:`FilterError` for filters that cannot be understood.
    """

    kinds: dict[str, str]
    check: Callable[[Mapping[str, Any]], object]


def asking(database: Database, at: datetime | None = None) -> Asking:
    """Return what can be asked of assets, as they are or as they were at a moment."""
    source = listing(database, at)
    return Asking(kinds_of(source), lambda filters: matching(source, filters, ""))


def kinds_of(source: Listing) -> dict[str, str]:
    """Return the fields of a listing and of parts, and of what kind the values of each are."""
    columns = {**source.fields, **PARTS}
    return {
        name: "word" if name in source.words else _kind(name, column)
        for name, column in columns.items()
    }


def _kind(name: str, column: sa.ColumnElement[Any]) -> str:
    if name.endswith("_bytes") and not name.startswith(OWN):
        return "size"
    kinds = (
        (sa.Boolean, "truth"),
        (Day, "day"),
        (Number, "number"),
        (sa.Integer, "number"),
        (sa.DateTime, "moment"),
    )
    return next((kind for type_, kind in kinds if isinstance(column.type, type_)), "text")


def matching_ids(database: Database, filters: Mapping[str, Any]) -> sa.Select[Any]:
    """Return the statement for the ids of the assets that fit the filters now."""
    source = listing(database, None)
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
        if section not in SOURCES or "." not in field:
            column = source.key if field == "id" else source.field(field)
            operator = operator or "exact"
            if field in source.words:
                _check(field, operator, value, source.words[field])
            if field == "freshness":
                # A condition for each state: PostgreSQL can estimate how frequent each one is.
                each = [
                    sa.and_(is_so, _condition(sa.literal(state), field, operator, value, source))
                    for state, is_so in source.states.items()
                ]
                found.append(sa.or_(*each))
            else:
                found.append(_condition(column, field, operator, value, source))
        elif source.at is None:
            sections.setdefault(section, {})[name] = value
        else:
            raise FilterError(f"{field} is known of the present only, and as_of is in the past")
    # If the filters ask nothing else of the assets, the narrow table has their ids.
    key = source.key if found or text.strip() or source.at else asset_seen.c.asset_id
    for section, asked in sections.items():
        having = sa.select(part.c.asset_id).where(
            part.c.section == section, *of_parts(asked, source)
        )
        found.append(key.in_(having))
    if not is_text(text):
        raise FilterError(f"the words {text!a} hold a NUL or half a character")
    return [*found, *(has_word(source, word) for word in words(text))]


def only_parts(filters: Mapping[str, Any], text: str, source: Listing) -> sa.Select[Any] | None:
    """Return the statement for the ids if all filters are on parts of one section, else None."""
    sections = {name.partition(".")[0] for name in filters}
    if len(sections) != 1 or not sections <= SOURCES.keys() or text.strip():
        return None
    conditions = (part.c.section.in_(sections), *of_parts(filters, source))
    return sa.select(part.c.asset_id).where(*conditions)


def of_parts(filters: Mapping[str, Any], source: Listing) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of filters such as ``disks.model=...`` on one row of ``part``."""
    found = []
    for name, value in filters.items():
        field, _, operator = name.partition("__")
        if field not in PARTS:
            raise no_field(field, PARTS)
        if hides_part(source.hidden, field):
            raise source.hidden.refusal(field)
        found.append(_condition(PARTS[field], field, operator or "exact", value, source))
    return found


TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

COMPARISONS: dict[str, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "exact": lambda column, value: column == value,
    "not": lambda column, value: column.is_distinct_from(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
}
OPERATORS = (*COMPARISONS, *PATTERNS, "notcontains", "in", "notin", "isnull")
IN_ORDER = ("gt", "gte", "lt", "lte")
WITHOUT_ORDER = ("exact", "not", "in", "notin", "isnull")
"""The comparisons of values that are neither more nor less than others, and no free text."""


def _check(name: str, operator: str, value: Any, words: Sequence[str]) -> None:
    """Refuse what no word of a field fits, however it is compared."""
    _check_operator(name, operator, (*WITHOUT_ORDER, *PATTERNS))
    if operator == "isnull":
        return
    for one in several(operator, value):
        if not any(fits(operator, word, str(one)) for word in words):
            raise FilterError(f"{name}: {unknown('value', one, words)}")


def _check_operator(name: str, operator: str, known: Iterable[str]) -> None:
    if operator not in known:
        raise FilterError(f"{name}: {unknown('comparison', operator, known, SYNONYMS)}")


def several(operator: str, value: Any) -> list[Any]:
    """Return the values that a field is compared with, one of which must fit."""
    if isinstance(value, list):
        return value
    if operator in ("in", "notin"):
        return [one.strip() for one in str(value).split(",")]
    return [value]


def _condition(
    column: sa.ColumnElement[Any],
    name: str,
    operator: str,
    value: Any,
    source: Listing,
) -> sa.ColumnElement[bool]:
    is_truth = isinstance(column.type, sa.Boolean)
    _check_operator(name, operator, WITHOUT_ORDER if is_truth else OPERATORS)
    if operator == "isnull":
        return column.is_(None) if _truth(f"{name}__isnull", value) else column.is_not(None)
    values = several(operator, value)
    if operator in PATTERNS:
        texts = [_text(name, str(one)) for one in values]
        return matches(column, name, operator, texts, source)
    if operator == "notcontains":
        texts = [_text(name, str(one)) for one in values]
        having = matches(column, name, "contains", texts, source)
        return column.is_(None) | ~having
    if name.startswith(OWN) and operator in IN_ORDER:
        if isinstance(column.type, Day):
            # A word beside the days is neither before nor after one of them.
            column = sa.case((column.op("~")(IS_DAY), column))
        elif not isinstance(column.type, Number):
            _check_words(name, values)
    values = [_value(column, name, one, source.zone) for one in values]
    if operator in ("in", "notin"):
        # Each value once: PostgreSQL takes a value that is named twice for twice as frequent.
        found = column.in_(dict.fromkeys(values))
        return column.is_(None) | ~found if operator == "notin" else found
    # With several values after "not", people mean: not this and not that.
    conditions = [COMPARISONS[operator](column, one) for one in values]
    return sa.and_(sa.true(), *conditions) if operator == "not" else sa.or_(sa.false(), *conditions)


def _value(column: sa.ColumnElement[Any], name: str, value: Any, zone: tzinfo) -> Any:
    """Return a value in the type of its column."""
    if isinstance(column.type, sa.Boolean):
        return _truth(name, value)
    if isinstance(column.type, sa.UUID):
        try:
            return uuid.UUID(str(value))
        except ValueError:
            raise FilterError(f"{value!r} is not the id of an asset") from None
    if isinstance(column.type, Day):
        return _day(name, value, zone)
    if isinstance(column.type, Number):
        if not re.fullmatch(r"-?\d{1,18}(\.\d{1,18})?", str(value)):
            raise FilterError(f"{name} is a number, and {value!r} is not one")
        return float(value)
    if name.endswith("_bytes") and not name.startswith(OWN):
        return _size(name, value)
    if isinstance(column.type, sa.Integer):
        if not re.fullmatch(r"-?\d{1,18}", str(value)):
            raise FilterError(f"{name} is a whole number such as 64, not {value!r}")
        return int(value)
    if isinstance(column.type, sa.DateTime):
        try:
            return moment(value, datetime.now(zone))
        except ValueError as error:
            raise FilterError(f"{name}: {error}") from None
    if not isinstance(value, str):
        raise FilterError(
            f"{name} is a text, and {value!r} arrived as {type(value).__name__}:"
            f""" the command line reads YAML, so write {name}='"{value}"'"""
        )
    return _text(name, value)


DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
IS_DAY = r"^\d{4}-\d\d-\d\d$"
AMOUNT = re.compile(r"-?\d+(?:\.\d+)?[smhdw]?")


def _check_words(name: str, values: Iterable[Any]) -> None:
    """Refuse to compare a text with a day or a number: it is neither before nor after one."""
    for value in values:
        words = str(value).strip()
        if isinstance(value, date) or DAY.fullmatch(words) or AMOUNT.fullmatch(words):
            raise FilterError(
                f"{name} is a text and cannot be compared with {words!r}: too few of its values are"
                f" days or numbers; see them with cmdb.facets {name}, mend the lists, and import"
                " them again"
            )


def _day(name: str, value: Any, zone: tzinfo) -> str:
    """Return a day as text: ``90d`` is in 90 days, ``-365d`` was 365 days ago."""
    words = str(value).strip()
    with contextlib.suppress(ValueError, OverflowError):
        if found := DAY.fullmatch(words):
            return date(int(found[1]), int(found[2]), int(found[3])).isoformat()
        ahead = timedelta(seconds=seconds(words.removeprefix("-")))
        now = datetime.now(zone)
        return (now - ahead if words.startswith("-") else now + ahead).date().isoformat()
    raise FilterError(
        f"{name} is a day, and {value!r} is none; write 2027-03-01, 90d for in 90 days,"
        f" or -365d for 365 days ago; a word beside the days is found by {name}__contains"
    )


def _truth(name: str, value: Any) -> bool:
    if str(value).lower() not in TRUTH:
        raise FilterError(f"{name}: {unknown('truth value', value, TRUTH)}")
    return TRUTH[str(value).lower()]


def _text(name: str, value: str) -> str:
    if not is_text(value):
        raise FilterError(
            f"{name} is compared with {value!a}, which holds a NUL or half a character"
        )
    return value


SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,6})?)\s*(?:([KMGTPE])I?)?(B?)", re.IGNORECASE)


def _size(name: str, value: Any) -> int:
    """Return ``256GiB``, ``4TB``, ``1.5T`` or a plain number as bytes; G is GiB, as GNU has it."""
    text = str(value).strip()
    match = SIZE.fullmatch(text)
    if match is None:
        raise FilterError(
            f"{name} is a size such as 512GiB, 128G (the same as 128GiB), 4TB or a number of"
            f" bytes, not {value!r}"
        )
    number, prefix, is_bytes = match.groups(default="")
    step = 1000 if is_bytes and "i" not in text.lower() else 1024
    size = Decimal(number) * step ** " KMGTPE".index(prefix.upper() or " ")
    return int(min(size, 2**63 - 1))


def names(values: str | Iterable[str]) -> list[str]:
    """Return a list of names given as one text with commas or as a list."""
    parts = values.split(",") if isinstance(values, str) else values
    return [str(one).strip() for one in parts if str(one).strip()]
