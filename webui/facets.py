"""
The values of fields beside the list of assets, each with the number of the list that it opens.

A field is counted without the filters on itself, so that its other values are seen too. To
count a field of a large fleet costs more than the page: it is kept, and said how old it is.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext.questions import assets
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.cached import kept
from webui.query import Assets, field_of

USUAL = ("site", "product_name", "os", "freshness", "kind", "lifecycle")
FEW = 8
"""So many values of a field are shown at first."""
MANY = 100
"""And so many of one that was opened."""

COUNTED_AT_ONCE = 20_000
"""Of more assets, or of the past, only the fields that are asked for are counted."""


class Value(NamedTuple):
    """A value, how many assets have it, and the list of these; of one that is chosen, of all."""

    value: Any
    assets: int
    is_chosen: bool
    asked: Assets


class Facet(NamedTuple):
    """A field with its most frequent values; ``values`` is None where they are not counted."""

    field: str
    opened: Assets
    """The same list with more values of this field."""
    values: list[Value] | None = None
    left: int = 0
    """How many values there are besides."""
    age_seconds: float = 0


def facets(
    database: Database,
    asked: Assets,
    table: Table,
    listable: Container[str],
    at: datetime | None,
) -> list[Facet]:
    """Return the usual fields, and those that are asked for, beside a page of the list."""
    usual = [one for one in USUAL if one in listable]
    is_whole = not asked.filters and not asked.text
    is_cheap = at is None and (is_whole or (table.exact and table.total <= COUNTED_AT_ONCE))
    return [
        _counted(database, asked, name, at)
        if is_cheap or name in asked.facet
        else Facet(name, _opened(asked, name))
        for name in dict.fromkeys((*usual, *asked.facet))
    ]


def _opened(asked: Assets, name: str) -> Assets:
    return asked.but(facet=tuple(dict.fromkeys((*asked.facet, name))))


def _counted(database: Database, asked: Assets, name: str, at: datetime | None) -> Facet:
    others = {key: given for key, given in asked.filters.items() if field_of(key) != name}
    limit = MANY if name in asked.facet else FEW

    def ask() -> Mapping[str, Any]:
        [found], _ = assets.facets(database, name, others, limit, text=asked.text, at=at)
        return found

    key = ("facet", name, limit, str(sorted(others.items())), asked.text, asked.as_of)
    found, age_seconds = kept(key, ask)
    values = []
    for row in found["values"]:
        value = row["value"]
        chosen = {f"{name}__isnull": "true"} if value is None else {name: _written(value)}
        is_chosen = chosen.items() <= asked.filters.items()
        values.append(
            Value(
                value,
                row["assets"],
                is_chosen,
                asked.where(others if is_chosen else {**others, **chosen}),
            )
        )
    shown = sum(one.value is not None for one in values)
    return Facet(name, _opened(asked, name), values, found["distinct"] - shown, age_seconds)


def _written(value: Any) -> str:
    """Return a value as a filter has it, a moment to the microsecond."""
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)
