"""
Why nothing was found: which part of a question nothing fits, and the nearest that is known.

All of this is asked only when nothing was found. Values that many assets share are
found by leaps in the index of their column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.distribution import is_citus
from salt_ext.store.errors import FilterError
from salt_ext.store.hidden import NOTHING
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads import seen
from salt_ext.store.reads.filters import matching, several
from salt_ext.store.reads.history import Wanted, newest
from salt_ext.store.reads.listing import PARTS, Listing, joined, listing
from salt_ext.store.reads.patterns import NUMEROUS, WILD, each_value
from salt_ext.store.reads.slipped import NAMES, slipped
from salt_ext.store.schema import asset, asset_facts, change, part
from salt_ext.store.text import is_text
from salt_ext.words.box import words
from salt_ext.words.nearest import nearest, unknown
from salt_ext.words.values import value as shown

MOST = 5000
"""So many values of a column are compared with what was typed."""

FEW = 12
"""So many values are all listed if none of them is near."""

LISTS = tuple(".".join(source.path) for source in SOURCES.values())
"""The paths of the parts that most machines have."""

NEWEST = 10_000
"""So many changes are looked through for the parts that they are of."""

SHARED = ("site", "rack", "manufacturer", "product_name", "os")
"""The columns whose words people look for in free text, besides names and numbers."""


def hint(database: Database, filters: Mapping[str, Any], text: str = "") -> str:
    """
    Return which of the filters and words no asset fits, and the nearest values that are known.

    It is blank if each of them fits some asset, and only all of them together none.
    The assets are looked at as they are, also for a question about the past.
    """
    source = listing(database, None)
    said = []
    with database.autocommit() as link:
        for name, value in filters.items():
            for one in several(name.partition("__")[2], value):
                if not _is_found(link, source, {name: one}):
                    said.append(_of_filter(link, source, name, one))
        for word in words(text):
            if not _is_found(link, source, {}, word):
                known = [*_words(link, source), *slipped(link, word, NAMES, source.hidden)]
                near = nearest(word, known)
                said.append(f"no asset has the word {word!r}{_the(near)}")
    return "; and ".join(said)


def check_section(database: Database, section: str) -> None:
    """
    Raise :class:`FilterError` for the path of a section that no machine can report.

    Those of our collectors are known; for another one the store is searched, because a
    site may have added it.
    """
    database.hidden.check(section)
    name = section.partition(".")[0]
    ours = [*database.settings["collectors"], *database.settings["slow_collectors"]]
    if name in ours:
        return
    if is_text(name):
        reported = sa.select(asset_facts.c.asset_id).where(asset_facts.c.section == name).limit(1)
        with database.autocommit() as link:
            if link.scalar(reported) is not None:
                return
    raise FilterError(unknown("section", name, sorted(ours)))


def hint_of_changes(database: Database, wanted: Wanted) -> str:
    """Return why no changes were found: the assets, the path, or the part that is asked for."""
    if said := hint(database, wanted.filters):
        return said
    for name, column, typed, known in (
        ("component", change.c.component, wanted.component, ()),
        ("section", change.c.path, wanted.section, LISTS),
    ):
        if not typed:
            continue
        others = wanted._replace(component="", section="")
        with database.autocommit() as link:
            last = newest(link, database, others, NEWEST).subquery()
            known_by = seen.known(database.hidden, last.c.path) if name == "component" else []
            told = sa.select(last.c[column.name]).where(*known_by).distinct()
            values = link.scalars(told).all()
        if typed not in values:
            listed = sorted(filter(None, values))
            near = None if typed in known else nearest(typed, [*known, *listed])
            if near is None and 0 < len(listed) <= FEW:
                return f"no change there is of {name}={typed}; there are: {', '.join(listed)}"
            return f"no change there is of {name}={typed}{_the(near)}"
    return ""


def _is_found(
    link: sa.Connection, source: Listing, filters: Mapping[str, Any], text: str = ""
) -> bool:
    found = joined(sa.select(source.key), source, matching(source, filters, text))
    return link.scalar(found.limit(1)) is not None


def _the(near: str | None) -> str:
    return "" if near is None else f"; the nearest is {near!r}"


def _of_filter(link: sa.Connection, source: Listing, name: str, value: Any) -> str:
    """Return the sentence that nothing fits a filter, with what would."""
    field, _, operator = name.partition("__")
    if name == "minion_id__glob":
        near = _near(link, source.fields[field], [], operator, str(value))
        return f"no asset is called {value!r}{_the(near)}"
    asked = f"{name}={value}"
    column = PARTS[field] if field in PARTS else source.fields.get(field)
    if field in source.words or column is None:
        return f"no asset has {asked}"
    within = [part.c.section == field.partition(".")[0]] if field in PARTS else []
    if isinstance(column.type, sa.Integer):
        least, most = link.execute(
            sa.select(sa.func.min(column), sa.func.max(column)).where(*within)
        ).one()
        known = "" if least is None else f"; they are from {_size(least, field)} to"
        return f"no asset has {asked}{known and f'{known} {_size(most, field)}'}"
    if not isinstance(column.type, sa.Text) or operator not in (*PIECES, "", "exact", "in"):
        return f"no asset has {asked}"
    if str(value) == "":
        return f"no asset has a blank {field}; {field}__isnull=true finds those without one"
    near = _near(link, column, within, operator, str(value))
    if near is None and not _is_numerous(column):
        words = _values(link, column, within)
        if 0 < len(words) <= FEW:
            return f"no asset has {asked}; there are: {', '.join(words)}"
    return f"no asset has {asked}{_the(near)}"


def _size(number: int, field: str) -> str:
    return shown(number, field.replace(".", "_").replace("disks_", "disk_"))


def _near(
    link: sa.Connection,
    column: sa.ColumnElement[Any],
    within: Sequence[sa.ColumnElement[bool]],
    operator: str,
    typed: str,
) -> str | None:
    """Return what would be found in a column in place of a value, or in place of a pattern."""
    is_numerous = _is_numerous(column)
    if operator not in PIECES:
        if is_numerous:
            return nearest(
                typed, [*_cased(link, column, typed), *slipped(link, typed, [column], NOTHING)]
            )
        return nearest(typed, _values(link, column, within))
    piece, cut = PIECES[operator](typed)
    if not piece:
        return None
    if is_numerous:
        if cut is None:
            return None
        ends = sa.func.left if cut > 0 else sa.func.right
        known = link.scalars(sa.select(ends(column, len(piece))).distinct().limit(MOST)).all()
    else:
        values = _values(link, column, within)
        if cut is None:
            known = [word for one in values for word in (one, *one.split())]
        else:
            known = [one[: len(piece)] if cut > 0 else one[-len(piece) :] for one in values]
    near = nearest(piece, [one for one in known if one])
    return None if near in (None, piece) else typed.replace(piece, str(near), 1)


def _cased(link: sa.Connection, column: sa.ColumnElement[Any], typed: str) -> list[str]:
    """Return a value that differs in upper and lower case only; the search text has an index."""
    in_text = asset.c.search.contains(typed.lower(), autoescape=True)
    here = sa.select(column).where(in_text, sa.func.lower(column) == typed.lower())
    return [*link.scalars(here.limit(1))]


def _is_numerous(column: sa.ColumnElement[Any]) -> bool:
    return getattr(column, "table", None) is asset and getattr(column, "name", "") in NUMEROUS


def _values(
    link: sa.Connection, column: sa.ColumnElement[Any], within: Sequence[sa.ColumnElement[bool]]
) -> list[str]:
    if getattr(column, "table", None) is None or is_citus(link):
        # A field of people's lists has no index to leap in, and Citus does not take leaps.
        each = sa.select(column).where(*within).distinct()
    else:
        each = sa.select(each_value(column, within))
    return [one for one in link.scalars(each.limit(MOST)) if one is not None]


def _words(link: sa.Connection, source: Listing) -> Iterable[str]:
    """Return the words of what many assets share."""
    for name in SHARED:
        for one in _values(link, source.fields[name], []) if name in source.fields else ():
            yield from one.split()


def _of_glob(pattern: str) -> tuple[str, int | None]:
    """Return the longest text in a glob, and where it stands, as :data:`PIECES` has it."""
    pieces = WILD.split(pattern)
    piece = max(pieces, key=len)
    if piece == pieces[0]:
        return piece, 1
    return piece, -1 if piece == pieces[-1] else None


PIECES: dict[str, Callable[[str], tuple[str, int | None]]] = {
    "contains": lambda text: (text, None),
    "startswith": lambda text: (text, 1),
    "endswith": lambda text: (text, -1),
    "glob": _of_glob,
}
"""The text in a pattern, and whether it stands first (1), last (-1) or anywhere (None)."""
