"""
What became of the fleet between two moments: what most have in common first, then each asset.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from pydantic import Field

from salt_ext.questions import fleet_diff
from salt_ext.questions.table import Table
from salt_ext.store import Database
from salt_ext.words.changes import line
from webui.asked import Filtered, Paged
from webui.cached import kept_heavy
from webui.language import marked
from webui.resources import Resource
from webui.timemode import moment


class Asked(Filtered, Paged):
    """The assets that fit the filters now, between two moments."""

    since: str = Field("7d", max_length=200, description="The first moment.")
    until: str = Field("", max_length=200, description="The second one; now when empty.")

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The two moments."""
        end = moment("until", self.until) if self.until else datetime.now(timezone.utc)
        return moment("since", self.since), end


def ask(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the differences of a page of assets, or all of them."""
    if limit is None:
        return fleet_diff.table(database, *asked.span, asked.filters)
    found, age_seconds = _page(database, asked, limit)
    rows = [one for row in found["rows"] for one in fleet_diff.of_asset(row)]
    last = found["rows"][-1]["name"] if len(found["rows"]) == limit else None
    return Table(
        "assets that differ",
        fleet_diff.COLUMNS,
        rows,
        found["assets"],
        next=last,
        hint=found["hint"],
        age_seconds=age_seconds,
    )


def _page(database: Database, asked: Asked, limit: int) -> Any:
    def whole() -> dict[str, Any]:
        span = asked.span
        return fleet_diff.fleet_diff(
            database, *span, asked.filters, after=asked.cursor, limit=limit
        )

    return kept_heavy((asked.key, asked.cursor, limit), whole)


def more(database: Database, asked: Asked, _table: Table) -> Mapping[str, Any]:
    """Return what many assets have in common, and the assets with their changes in words."""
    found, _ = _page(database, asked, asked.limit)
    waves = [one for one in found["waves"] if one["assets"] > 1]
    return {
        "new": found["new"],
        "sections": found["sections"],
        "waves": [(one, line({"component": None, **one})) for one in waves],
        "assets": [(row, [line(one) for one in row["changes"]]) for row in found["rows"]],
        "span": asked.span,
    }


FLEET_DIFF = Resource(
    "fleet_diff",
    "/changes/fleet",
    Asked,
    ask,
    "fleet_diff.html",
    marked("The fleet, compared"),
    marked("What differs between two moments; what was undone in between does not count."),
    more=more,
)
RESOURCES = (FLEET_DIFF,)
