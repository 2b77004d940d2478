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
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from salt_ext.store.reads.listing import Listing
from salt_ext.store.schema import asset, asset_seen, part

NUMEROUS = ("minion_id", "sn", "hostname", "address")
"""The columns in which nearly each asset has a value of its own; all are in the search text."""

SHORTEST = 3
"""The fewest characters that an index of trigrams can find."""

WILD = re.compile(r"\*|\?|\[(?:!.|[^!])[^\]]*\]", re.DOTALL)
"""What is special in a glob: any characters, one, or one of several; an open ``[`` is not."""


def matches(
    column: sa.ColumnElement[Any],
    name: str,
    operator: str,
    patterns: Sequence[str],
    source: Listing,
) -> sa.ColumnElement[bool]:
    """
    Return the condition that the field of this name matches one of the patterns.

    The search text is not filtered first if anything is hidden from whoever asks: the time would
    tell how many assets are left. Citus takes no leaps through an index in a statement about
    what is spread.
    """
    compare = PATTERNS[operator]

    def is_like(value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        text = sa.cast(value, sa.Text)
        return sa.or_(sa.false(), *(compare(text, pattern) for pattern in patterns))

    table = getattr(column, "table", None)
    with_leaps = () if source.is_spread else (asset, asset_seen, part)
    if table is asset and name in NUMEROUS:
        pieces = [max(re.split(WILD, one), key=len).lower() for one in patterns]
        if not source.hidden and all(len(one) >= SHORTEST and one.isascii() for one in pieces):
            has_piece = (asset.c.search.contains(one, autoescape=True) for one in pieces)
            return sa.and_(sa.or_(*has_piece), is_like(column))
    elif table in with_leaps and isinstance(column.type, (sa.Text, sa.Integer)):
        section = name.partition(".")[0]
        each = each_value(column, [part.c.section == section] if table is part else [])
        alike = sa.select(each).where(is_like(each)).scalar_subquery()
        return column == sa.any_(sa.func.array(alike))
    return is_like(column)


def each_value(
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


TEXTS: dict[str, Callable[[str, str], bool]] = {
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
}


def fits(operator: str, word: str, value: str) -> bool:
    """Whether a word fits a comparison without order, as PostgreSQL would find it."""
    if operator in TEXTS:
        return TEXTS[operator](word.lower(), value.lower())
    return fnmatchcase(word, value) if operator == "glob" else word == value


def is_glob(text: str) -> bool:
    """Whether a text is a pattern, and not just a name."""
    return WILD.search(text) is not None


def glob(column: sa.ColumnElement[Any], value: str) -> sa.ColumnElement[bool]:
    """Match text as a shell does, with ``*``, ``?`` and ``[..]``; upper and lower case differ."""
    wild = WILD.findall(value)
    if not wild:
        return column == value
    if {"*", "?"}.issuperset(wild):
        return column.like(_escaped(value).replace("*", "%").replace("?", "_"), escape="\\")
    return column.regexp_match(as_regex(value))


def as_regex(pattern: str) -> str:
    """Return a glob as a regular expression of PostgreSQL that fits the whole text."""
    found, at = "", 0
    for wild in WILD.finditer(pattern):
        found += _plain(pattern[at : wild.start()]) + _wild(wild[0])
        at = wild.end()
    # (?s) lets a dot be a line break too.
    return f"(?s)^(?:{found}{_plain(pattern[at:])})$"


def _wild(text: str) -> str:
    if len(text) == 1:
        return ".*" if text == "*" else "."
    is_not, members = text[1] == "!", text[1:-1].removeprefix("!")
    found, at = "", 0
    while at < len(members):
        first, last = members[at], members[at + 2 : at + 3]
        if last and members[at + 1] == "-":
            found += f"{_plain(first)}-{_plain(last)}" if first <= last else ""
            at += 3
        else:
            found += _plain(first)
            at += 1
    if not found:
        return "." if is_not else "(?!)"
    return f"[{'^' * is_not}{found}]"


def _plain(text: str) -> str:
    """Return text in which nothing is special to a regular expression."""
    return re.sub(r"([^\w\s])", r"\\\1", text)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


PATTERNS: dict[str, Callable[[sa.ColumnElement[Any], str], sa.ColumnElement[bool]]] = {
    "contains": lambda column, value: _like(column, value, "%{}%"),
    "startswith": lambda column, value: _like(column, value, "{}%"),
    "endswith": lambda column, value: _like(column, value, "%{}"),
    "glob": glob,
}
