"""
Parts that fail or wear out, the worst machine first.
"""

from __future__ import annotations

from flask import Blueprint

from salt_ext.questions.health import health
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.asked import Filtered, Paged
from webui.resources import Resource

blueprint = Blueprint("health", __name__)


class Asked(Filtered, Paged):
    """Ill parts of the assets that fit the filters."""


def ask(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the ill parts."""
    return health(database, asked.filters, limit)


ILL_PARTS = Resource("health", "/health", Asked, ask, "health.html")
ILL_PARTS.register(blueprint)
