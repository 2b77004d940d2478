"""
Up to four assets, moments or baselines side by side, what differs first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from salt_ext import store
from salt_ext.questions import compare
from salt_ext.questions.table import Table
from webui.asked import Past
from webui.language import marked
from webui.resources import Resource
from webui.timemode import as_of, moment

FORMS = "An asset: web01, web01@7d, web01@2026-11-01, web01@baseline."


class Asked(Past):
    """Two to four documents."""

    a: str = Field("", max_length=400, description=FORMS)
    b: str = Field("", max_length=400, description=FORMS)
    c: str = Field("", max_length=400, description=FORMS)
    d: str = Field("", max_length=400, description=FORMS)
    id: tuple[str, ...] = Field((), description="The same, as a list ticks them.")
    everything: bool = Field(False, alias="_all", description="What does not differ, too.")

    @property
    def texts(self) -> list[str]:
        """The documents that are asked for, in their order."""
        return [one.strip() for one in (self.a, self.b, self.c, self.d, *self.id) if one.strip()]


def ask(database: store.Database, asked: Asked, limit: int | None = None) -> Table:
    """Return the values of the sides; no rows while there are less than two."""
    found = sides(database, asked)
    if len(found) < 2:
        return Table("values", (), [], 0)
    return compare.compare(found, whole=asked.everything)


def sides(database: store.Database, asked: Asked) -> list[compare.Side]:
    """Return the documents that are asked for. Raises :class:`store.FilterError` for a fifth."""
    if len(asked.texts) > len(compare.NAMES):
        raise store.FilterError(f"{len(asked.texts)} are too many: four fit side by side")

    def when(text: str) -> datetime:
        return moment("a moment behind @", text, store.as_of_moment)

    def read() -> list[compare.Side]:
        return [compare.side(database, text, when, as_of()) for text in asked.texts]

    # The table and the headings of its columns are made of the same documents.
    found: list[compare.Side] = database.once("sides", read)
    return found


def more(database: store.Database, asked: Asked, table: Table) -> dict[str, Any]:
    """Return the sides, and the same question with all values."""
    return {"sides": list(zip(compare.NAMES, sides(database, asked), strict=False))}


COMPARE = Resource(
    "compare",
    "/compare",
    Asked,
    ask,
    "compare.html",
    marked("Compare"),
    has_past=True,
    more=more,
)
RESOURCES = (COMPARE,)
