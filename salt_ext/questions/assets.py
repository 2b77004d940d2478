"""
The list of assets, the values of its fields, and the totals of the fleet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.questions import box
from salt_ext.questions.table import Table
from salt_ext.words.called import called

PAGE = 2000
"""How many assets are read at once where all are asked for."""

PLACE = ("site", "rack", "unit")
"""Where an asset stands: a terminal has no room for it, a page and a file do."""


def usual(database: store.Database, at: datetime | None) -> list[str]:
    """Return the columns of a page and of its files when none are asked for."""
    hidden = database.hidden
    columns = store.usual_columns(at, hidden)
    place = [name for name in PLACE if name not in hidden.columns]
    after = columns.index("sn" if "sn" in columns else "minion_id") + 1
    return [*columns[:after], *place, *columns[after:]]


def assets(
    database: store.Database,
    filters: Mapping[str, Any],
    limit: int | None,
    *,
    text: str = "",
    columns: Sequence[str] = (),
    sort: str = "minion_id",
    cursor: str | None = None,
    at: datetime | None = None,
) -> Table:
    """
    Return a page of the list of assets, now or as of a moment; ``limit`` None returns all.

    ``text`` is what the search box takes, see :mod:`salt_ext.words.box`.
    ``id`` may be among the columns. The rows of a page have ``asset_id`` besides, and
    ``called`` where their first name is not known. All rows of a long list are read from
    the store a page at a time, as they are taken.
    """
    shown = list(columns) or store.usual_columns(at, database.hidden)
    filters, words = box.read(database, text, filters, at)

    def page(limit: int, cursor: str | None) -> store.Page:
        return store.assets(
            database,
            filters=filters,
            text=words,
            # Every row has the id anyway.
            columns=[name for name in shown if name != "id"],
            sort=sort,
            limit=limit,
            cursor=cursor,
            at=at,
        )

    found = page(limit or PAGE, cursor)

    def rest() -> Iterator[dict[str, Any]]:
        yield from found.rows
        after = found.next
        while after is not None:
            following = page(PAGE, after)
            yield from following.rows
            after = following.next

    return Table(
        "assets",
        shown,
        rest() if limit is None else _named(database, found.rows, name_column(shown), at),
        found.total,
        found.exact,
        found.first,
        found.next,
        found.previous,
        "" if found.total else store.hint(database, filters, words),
    )


def facets(
    database: store.Database,
    fields: str | Sequence[str],
    filters: Mapping[str, Any],
    limit: int,
    *,
    text: str = "",
    at: datetime | None = None,
) -> tuple[list[dict[str, Any]], str]:
    """
    Return for each field its most frequent values and how many assets have each, and a hint.

    ``text`` is what the search box takes. The hint says why there are none, if none fits.
    """
    filters, words = box.read(database, text, filters, at)
    found = store.facets(database, fields, filters=filters, text=words, limit=limit, at=at)
    is_empty = not any(one["assets"] for one in found)
    return found, store.hint(database, filters, words) if is_empty else ""


def name_column(columns: Sequence[str]) -> str:
    """Return the column that says which asset a row is, for links and for lists without names."""
    return "minion_id" if "minion_id" in columns else columns[0]


def _named(
    database: store.Database,
    rows: Sequence[Mapping[str, Any]],
    column: str,
    at: datetime | None,
) -> list[dict[str, Any]]:
    """Return rows with their ``asset_id``; those without a name with what people call them."""
    nameless = [row for row in rows if row[column] is None]
    names = store.names_of(database, [row["id"] for row in nameless]) if at is None else {}
    told = {
        row["id"]: names.get(row["id"]) or called({"minion_id": None, **row}) for row in nameless
    }
    return [
        {**row, "asset_id": row["id"], **({"called": told[row["id"]]} if row["id"] in told else {})}
        for row in rows
    ]
