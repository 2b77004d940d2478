"""
Parts that fail or wear out, the worst machine first; and the kinds of parts that do.
"""

from __future__ import annotations

from pydantic import Field

from salt_ext.questions import health
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.asked import Filtered, Numbered
from webui.cached import kept_table
from webui.language import marked
from webui.resources import Resource
from webui.timemode import moment


class Asked(Filtered, Numbered):
    """Ill parts of the assets that fit the filters."""


class AskedBatches(Filtered, Numbered):
    """Kinds of parts that failed since a moment, on the assets that fit the filters."""

    since: str = Field(
        "365d",
        max_length=200,
        description="How far back: 90d, 2026-01-01 or the name of a snapshot.",
    )


def ill_parts(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the ill parts."""
    return kept_table(asked.key, lambda: health.health(database, asked.filters, None), limit)


def batches(database: Database, asked: AskedBatches, limit: int | None) -> Table:
    """Return the models and firmwares of which several parts failed."""
    start = moment("since", asked.since)
    return kept_table(
        asked.key, lambda: health.batches(database, start, asked.filters, None), limit
    )


ILL_PARTS = Resource(
    "health",
    "/health",
    Asked,
    ill_parts,
    "health.html",
    marked("Ill parts"),
    marked(
        "What disks say by SMART, errors that memory controllers count, and the states of RAID"
        " volumes and power supplies; the worst machine first."
    ),
)
BATCHES = Resource(
    "batches",
    "/health/batches",
    AskedBatches,
    batches,
    "batches.html",
    marked("Kinds of parts that fail"),
    marked(
        "Models and firmwares of which several parts failed or were taken out, the worst share"
        " first, and which machines have the same parts."
    ),
)
RESOURCES = (ILL_PARTS, BATCHES)
