"""
The list of assets: filtered, sorted, in pages.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, redirect
from pydantic import Field
from werkzeug.wrappers import Response

from salt_ext import store
from salt_ext.questions import assets as questions
from salt_ext.questions.suggest import suggest
from salt_ext.questions.table import Table
from salt_ext.store import Database
from salt_ext.words.fields import PARTS, grouped
from webui import query
from webui.cached import kept
from webui.facets import facets
from webui.language import marked
from webui.query import Assets
from webui.resources import Resource
from webui.takes import takes
from webui.timemode import as_of, to

blueprint = Blueprint("assets", __name__)

ALSO = (
    *(("changes.page", marked("Changes")), ("health.page", marked("Health"))),
    *(("odd.page", marked("Odd ones out")), ("groups.page", marked("Counted"))),
    *(("missing.page", marked("Silent")), ("kinds.page", marked("Parts"))),
)
"""The pages that tell more of the assets that fit a filter, and what they are called."""

SIZES = (25, 50, 100, 250, 1000)
"""How many rows a page may have, to choose among."""


def ask(database: Database, asked: Assets, limit: int | None) -> Table:
    """Return a page of the list, or all of it."""
    return questions.assets(
        database,
        asked.filters,
        limit,
        text=asked.text,
        columns=asked.columns or questions.usual(database, as_of()),
        sort=asked.sort,
        cursor=asked.cursor or None,
        at=as_of(),
    )


def more(database: Database, asked: Assets, table: Table) -> Mapping[str, Any]:
    """Return what the page has around the list."""
    fields = grouped(store.fields(database, as_of()))
    listable = {group: names for group, names in fields.items() if group != PARTS}
    return {
        "then": as_of(),
        "link": questions.name_column(table.columns),
        "fields": fields,
        "listable": listable,
        "also": ALSO,
        "sizes": sorted({*SIZES, asked.limit}),
        "comparisons": query.WORDS,
        "facets": facets(database, asked, table, set().union(*listable.values()), as_of())
        if table.total
        else [],
        "suggested": _suggested(database, asked.field),
        "without": {} if table.total else _without(database, asked),
    }


SUGGESTED = 50


def _suggested(database: Database, field: str) -> list[str]:
    """Return the values that the filter form suggests for a field; none of a number or a time."""

    def ask() -> list[str]:
        try:
            found = suggest(database, field, "", SUGGESTED)
        except store.FilterError:
            return []
        return [row["value"] for row in found.rows]

    return kept(("suggested", field), ask).value if field else []


MOST_PILLS = 8
"""So many conditions of a question that finds nothing are left out, one after the other."""


def _without(database: Database, asked: Assets) -> dict[str, int]:
    """Return by its words how many assets fit without each condition of a question."""
    return {words: ask(database, without, 1).total for words, without in asked.pills[:MOST_PILLS]}


LIST = Resource(
    *("assets", "/assets", Assets, ask, "assets.html"),
    has_past=True,
    more=more,
    settled=query.settled,
)
LIST.register(blueprint)


class Narrowed(Assets):
    """The list with one more condition, as the form of the page sends it."""

    operator: str = Field("exact", alias="_op", max_length=20, description="A comparison.")
    value: str = Field("", alias="_value", max_length=1000, description="What to compare with.")


@blueprint.get("/assets/filter")
@takes(Narrowed, has_past=True)
def narrow(sent: Narrowed) -> Response:
    """Lead to the list with one more condition: the address to pass on has no form in it."""
    options = {name: getattr(sent, name) for name in Assets.model_fields}
    asked = query.added(
        Assets.model_validate({**options, **sent.filters}),
        sent.field,
        sent.operator,
        sent.value.strip(),
    )
    return redirect(to("assets.page", asked))
