"""
How the inventory itself does, and the moments that have names.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, render_template

from salt_ext.questions import status
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui.asked import Asked, Numbered
from webui.cached import kept
from webui.language import marked
from webui.reading import database
from webui.resources import Resource
from webui.takes import takes

blueprint = Blueprint("status", __name__)


def named(database: Database, _asked: Any, limit: int | None) -> Table:
    """Return the snapshots."""
    return status.snapshots(database, limit)


SNAPSHOTS = Resource(
    "snapshots",
    "/snapshots",
    Numbered,
    named,
    "snapshots.html",
    marked("Snapshots"),
    marked("Names for moments: each opens the fleet as it was then."),
)
RESOURCES = (SNAPSHOTS,)


@blueprint.get("/status")
@takes()
def page(_asked: Asked) -> str:
    """Show masters, what comes in, sizes and versions."""
    found, age_seconds = kept("status", lambda: status.status(database()))
    return render_template("status.html", **found, age_seconds=age_seconds)
