"""
The one filter grammar: ``field=value`` and ``field__op=value``.

The runner's arguments and the web's query string both come here. Different
fields are joined by AND; a list, or a text with commas under ``__in``, by OR.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from salt_ext.settings import nearest
from salt_ext.store.schema import LIST_COLUMNS, asset, asset_seen
from salt_ext.times import moment


class FilterError(ValueError):
    """A filter that cannot be understood; the text says which and names the nearest."""


FIELDS: dict[str, sa.ColumnElement[Any]] = {
    **{
        name: asset.c[name]
        for name in ("minion_id", *LIST_COLUMNS, "lifecycle", "first_seen", "changed_at")
    },
    "last_seen": asset_seen.c.last_seen,
    "mode": asset_seen.c.mode,
}
"""What can be listed, sorted and filtered; ``freshness`` is added by :func:`fields`."""


def freshness(settings: Mapping[str, Any]) -> sa.ColumnElement[str]:
    """Return the one expression for how fresh an asset is: fresh, stale, missing, detached."""
    silent = sa.func.now() - asset_seen.c.last_seen
    return sa.case(
        (asset.c.detached_at.is_not(None), "detached"),
        (silent <= sa.func.make_interval(0, 0, 0, 0, 0, 0, settings["stale_after"]), "fresh"),
        (silent <= sa.func.make_interval(0, 0, 0, 0, 0, 0, settings["missing_after"]), "stale"),
        else_="missing",
    )


def fields(settings: Mapping[str, Any]) -> dict[str, sa.ColumnElement[Any]]:
    """Return every field by its name."""
    return {**FIELDS, "freshness": freshness(settings)}


def field(name: str, settings: Mapping[str, Any]) -> sa.ColumnElement[Any]:
    """Return a field by its name, or raise :class:`FilterError` that names the nearest."""
    known = fields(settings)
    if name not in known:
        hint = nearest(name, known) or f"; there are: {', '.join(sorted(known))}"
        raise FilterError(f"there is no field {name!r}{hint}")
    return known[name]


def _like(column: sa.ColumnElement[Any], value: str, pattern: str) -> sa.ColumnElement[bool]:
    """Match text whatever its case; ``{}`` in the pattern stands for the value as it is."""
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


def conditions(
    filters: Mapping[str, Any], settings: Mapping[str, Any]
) -> list[sa.ColumnElement[bool]]:
    """Return one SQL condition for each filter. Raises :class:`FilterError`."""
    return [_condition(name, value, settings) for name, value in filters.items()]


def _condition(name: str, value: Any, settings: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    name, _, operator = name.partition("__")
    column = field(name, settings)
    operator = operator or "exact"
    if operator in ("in", "notin"):
        values = value if isinstance(value, list) else str(value).split(",")
        found = column.in_([_value(column, name, one) for one in values])
        return sa.not_(found) if operator == "notin" else found
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
    join = sa.and_ if operator == "not" else sa.or_
    return join(*(OPERATORS[operator](column, one) for one in values))


def _value(column: sa.ColumnElement[Any], name: str, value: Any) -> Any:
    """Return a value in the type of its column."""
    if isinstance(column.type, sa.Boolean):
        return _truth(name, value)
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
    if "\0" in value:
        raise FilterError(f"{name} is compared with a text that holds a NUL character")
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
