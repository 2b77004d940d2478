"""
Comparisons with a pattern, made without comparing every row.

Many assets share a model, a maker or a kernel. Each such value is found once, by
leaps in the index of its column, and compared once. In columns whose values hardly
two assets share, the search text is filtered first: pg_trgm gives it an index that
finds any three characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.schema import asset, asset_seen, part

NUMEROUS = ("minion_id", "sn", "hostname", "address")
"""The columns in which nearly each asset has a value of its own; all are in the search text."""

SHORTEST = 3
"""The fewest characters that an index of trigrams can find."""


def matches(
    column: sa.ColumnElement[Any], name: str, operator: str, patterns: Sequence[str]
) -> sa.ColumnElement[bool]:
    """Return the condition that the field of this name matches one of the patterns."""
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
    """Return every value of a column once: from each value the index leads to the next one."""
    least = sa.select(sa.func.min(column).label("value")).where(*within)
    each = least.cte(recursive=True)
    next_one = least.where(column > each.c.value).scalar_subquery()
    return each.union_all(sa.select(next_one).where(each.c.value.is_not(None))).c.value


def _like(column: sa.ColumnElement[Any], value: str, pattern: str) -> sa.ColumnElement[bool]:
    """Match text in upper or lower case; ``{}`` in the pattern is replaced by the escaped value."""
    # Not lower(): without statistics of that PostgreSQL would read all rows and sort them.
    return column.ilike(pattern.format(_escaped(value)), escape="\\")


def glob(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    """Match text as a shell does, with ``*`` and ``?``; upper and lower case differ."""
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
