"""
The odd ones out: what few machines of a model have, where most have something else.
"""

from __future__ import annotations

from pydantic import Field

from salt_ext.questions import odd
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.asked import Filtered, Numbered
from webui.cached import kept_table
from webui.language import marked
from webui.resources import Resource


class Asked(Filtered, Numbered):
    """Odd values of the assets that fit the filters."""

    group_by: str = Field(
        "product_name", max_length=200, description="Fields that make a group, with commas."
    )
    threshold: float = Field(
        0.05, gt=0, lt=0.5, description="The largest share of a group that counts as odd."
    )


def ask(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the odd values, the rarest first."""

    def whole() -> Table:
        return odd.odd(database, asked.group_by, asked.threshold, asked.filters, None)

    return kept_table(asked.key, whole, limit)


ODD = Resource(
    "odd",
    "/odd",
    Asked,
    ask,
    "odd.html",
    marked("Odd ones out"),
    marked(
        "Values that few machines of a model have where most have another: memory, disks,"
        " firmware, kernel. In a group of fewer than 20 machines none is odd."
    ),
)
RESOURCES = (ODD,)
