"""
Parts that fail or wear out, the worst part first; and the kinds of parts that do.
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


class AskedWarnings(Numbered):
    """How often the warnings of the whole fleet came true."""


class AskedBatches(Filtered, Numbered):
    """Kinds of parts that failed more often since a moment, on the assets that fit the filters."""

    since: str = Field(
        "365d",
        max_length=200,
        description="How far back: 90d, 2026-01-01 or the name of a snapshot.",
    )


def ill_parts(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the ill parts."""
    return kept_table(asked.key, lambda: health.health(database, asked.filters, None), limit)


def batches(database: Database, asked: AskedBatches, limit: int | None) -> Table:
    """Return the kinds of parts that fail more often than others."""
    start = moment("since", asked.since)
    return kept_table(
        asked.key, lambda: health.batches(database, start, asked.filters, None), limit
    )


def warnings(database: Database, asked: AskedWarnings, limit: int | None) -> Table:
    """Return how often warnings came true."""
    return kept_table(asked.key, lambda: health.warnings(database, None), limit)


ILL_PARTS = Resource(
    "health",
    "/health",
    Asked,
    ill_parts,
    "health.html",
    marked("Health"),
    marked(
        "What disks say by SMART, errors that memory controllers count, and the states of RAID"
        " volumes and power supplies; the worst part first."
    ),
)
BATCHES = Resource(
    "batches",
    "/health/batches",
    AskedBatches,
    batches,
    "batches.html",
    marked("Kinds of parts that fail more often"),
    marked(
        "Models and firmwares, by the quarter in which they came, of which parts fail or are taken"
        " out more often than others of their section: how many times as often, and between what"
        " that is with 95 per cent. The surest first, and which machines have the same parts."
    ),
)
WARNINGS = Resource(
    "warnings",
    "/health/warnings",
    AskedWarnings,
    warnings,
    title=marked("How often warnings came true"),
    about=marked(
        "How many of the parts that each rule warned of more than 30 days ago were replaced or gone"
        " within 30 days, with an interval of 95 per cent; and how many of the disks that were"
        " replaced or gone had been warned of before."
    ),
)
RESOURCES = (ILL_PARTS, BATCHES, WARNINGS)
