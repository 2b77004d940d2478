"""
Numbers of the fleet, values of fields, and what the fields are.
"""

from __future__ import annotations

from flask import Blueprint, Response
from pydantic import Field

from salt_ext import store
from salt_ext.questions import assets, box
from salt_ext.words import fields
from webui.api.description import described
from webui.api.envelope import PREFIX, Value, value
from webui.asked import Asked, Filtered, Past
from webui.cached import kept
from webui.reading import database
from webui.takes import takes
from webui.timemode import as_of
from webui.views import quality

blueprint = Blueprint("api_fleet", __name__, url_prefix=PREFIX)


class AskedCount(Filtered, Past):
    """The assets that fit the filters and the words."""

    q: str = Field("", max_length=1000, description="What the search box takes.")


class AskedFacets(AskedCount):
    """The values that these assets have in some fields."""

    fields: str = Field(
        "site,manufacturer,product_name,os",
        alias="_facet",
        max_length=400,
        description="Fields, with commas.",
    )
    limit: int = Field(20, alias="_limit", ge=1, le=1000, description="Values of each field.")


def count(asked: AskedCount) -> Response:
    """
    How many assets there are.

    ``exact`` is false where there are more than ``total``.
    """
    filters, words = box.read(database(), asked.q, asked.filters, as_of())
    page = store.assets(
        database(), filters=filters, text=words, columns=("minion_id",), limit=1, at=as_of()
    )
    return value(total=page.total, exact=page.exact)


def facets(asked: AskedFacets) -> Response:
    """
    The values of fields.

    Each with the number of assets that have it, the most frequent first.
    """
    found, _ = assets.facets(
        database(), asked.fields, asked.filters, asked.limit, text=asked.q, at=as_of()
    )
    return value(facets=found)


def counts(_asked: Asked) -> Response:
    """
    The numbers of the fleet.

    Totals, how fresh the assets are, and how many rows each list of data quality has.
    """

    def ask() -> dict[str, object]:
        totals, _ = store.totals(database())
        of_lists = {
            one.name: one.ask(database(), one.asked(), limit=1).total for one in quality.RESOURCES
        }
        return {"totals": totals, "quality": of_lists}

    found, age_seconds = kept("counts", ask)
    return value(**found, age_seconds=round(age_seconds, 1))


def schema(_asked: Asked) -> Response:
    """
    The fields that a list can be filtered by.

    Each with its meaning, and whether a list can show it and be sorted by it.
    """
    listable = store.listable(database())
    found = [
        {
            "name": name,
            "meaning": fields.MEANINGS.get(name) or fields.PART_MEANINGS.get(name.split(".")[-1]),
            "is_listable": name in listable,
        }
        for name in store.fields(database())
    ]
    return value(fields=found)


for path, view, model in (
    ("/assets/count", count, AskedCount),
    ("/facets", facets, AskedFacets),
    ("/counts", counts, Asked),
    ("/schema/fields", schema, Asked),
):
    blueprint.add_url_rule(
        path,
        view.__name__,
        takes(model, has_past=issubclass(model, Past), is_page=False)(
            described(view, model, Value, tag="fleet")
        ),
    )
