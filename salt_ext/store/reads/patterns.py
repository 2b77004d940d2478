"""
Comparisons with a pattern, made without comparing every row.

Many assets share a model, a maker or a kernel: each such value is found once,
by leaps in the index of its column, and compared once. What hardly two assets
share is looked for in the search text before, of which PostgreSQL knows by
pg_trgm where three characters are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.schema import asset, asset_seen, part

NUMEROUS = ("minion_id", "sn", "hostname", "address")
"""The columns of which nearly each asset has a value of its own; the search text has them all."""

SHORTEST = 3
"""Characters that an index of trigrams can find."""


def matches(
    column: sa.ColumnElement[Any], name: str, operator: str, patterns: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Return whether the field of this name is like one of the patterns."""
    compare = PATTERNS[operator]

    def is_like(value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        text = sa.cast(value, sa.Text)
        return sa.or_(sa.false(), *(compare(text, pattern) for pattern in patterns))

    table = getattr(column, "table", None)
    if table is asset and name in NUMEROUS:
        pieces = [max(re.split(r"[*?]", one), key=len).lower() for one in patterns]
        if all(len(one) >= SHORTEST and one.isascii() for one in pieces):
            has_piece = (asset.c.search.contains(one, autoescape=True) for one in pieces)
            return sa.and_(sa.or_(*has_piece), is_like(column))
    elif table in (asset, asset_seen, part) and isinstance(column.type, (sa.Text, sa.Integer)):
        section = name.partition(".")[0]
        each = _each(column, [part.c.section == section] if table is part else [])
        alike = sa.select(each).where(is_like(each)).scalar_subquery()
        return column == sa.any_(sa.func.array(alike))
    return is_like(column)


def _each(
    column: sa.ColumnElement[Any], within: Sequence[sa.ColumnElement[bool]]
) -> sa.ColumnElement[Any]:
    """Return every value of a column once: from each the index leads to the next."""
    least = sa.select(sa.func.min(column).label("value")).where(*within)
    each = least.cte(recursive=True)
    next_one = least.where(column > each.c.value).scalar_subquery()
    return each.union_all(sa.select(next_one).where(each.c.value.is_not(None))).c.value


def _like(column: sa.ColumnElement[Any], value: str, pattern: str) -> sa.ColumnElement[bool]:
    """Match text whatever its case; ``{}`` in the pattern stands for the value as it is."""
    # Not lower(), of which PostgreSQL has no statistics: it would read all to sort it.
    return column.ilike(pattern.format(_escaped(value)), escape="\\")


def glob(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    """Match text as a shell does; its case counts."""
    if not set(value) & {"*", "?"}:
        return column == value
    return column.like(_escaped(value).replace("*", "%").replace("?", "_"), escape="\\")


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


PATTERNS: dict[str, Callable[[sa.ColumnElement[Any], str], sa.ColumnElement[bool]]] = {
    "contains": lambda column, value: _like(column, value, "%{}%"),
    "startswith": lambda column, value: _like(column, value, "{}%"),
    "endswith": lambda column, value: _like(column, value, "%{}"),
    "glob": glob,
}
