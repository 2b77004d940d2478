"""
Values of a field, for a form that suggests some and for programs.
"""

from __future__ import annotations

from pydantic import Field

from salt_ext.questions.suggest import suggest
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.asked import Asked
from webui.language import marked
from webui.resources import Resource

LIMIT = 20


class AskedValues(Asked):
    """The values of a field."""

    field: str = Field("site", max_length=200, description="A field of the list, or of parts.")
    q: str = Field("", max_length=200, description="What the values have in them.")
    limit: int = Field(LIMIT, alias="_limit", ge=1, le=100, description="At most so many.")


def values(database: Database, asked: AskedValues, limit: int | None) -> Table:
    """Return the most frequent values."""
    return suggest(database, asked.field, asked.q.strip(), limit or LIMIT)


SUGGEST = Resource(
    "suggest",
    "/suggest",
    AskedValues,
    values,
    title=marked("Values"),
    about=marked("The most frequent values of a field, and how many assets have each."),
)
RESOURCES = (SUGGEST,)
