"""
What changed in the fleet, the newest first.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template
from pydantic import Field

from salt_ext import store
from salt_ext.words.times import moment
from webui import asked
from webui.reading import database
from webui.runs import runs
from webui.takes import takes

blueprint = Blueprint("changes", __name__)

SINCE = ("1h", "24h", "7d", "30d")


class Asked(asked.Asked):
    """The newest changes since a moment."""

    since: str = "24h"
    limit: int = Field(200, alias="_limit", ge=1, le=1000)


@blueprint.get("/changes")
@takes(Asked)
def page(asked: Asked) -> str:
    """Show the changes since a moment."""
    try:
        start = moment(asked.since, datetime.now(database().zone))
    except ValueError as error:
        raise store.FilterError(f"since: {error}") from None
    wanted = store.Wanted(since=start)
    rows = store.changes(database(), wanted, limit=asked.limit)
    total = store.count_changes(database(), wanted)
    return render_template(
        "changes.html",
        runs=runs(rows),
        shown=len(rows),
        total=total,
        since=asked.since,
        start=start,
        choices=SINCE,
    )
