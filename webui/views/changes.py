"""
What changed in the fleet, the newest first.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, request

from salt_ext import store
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment
from webui.query import Query, number
from webui.reading import database
from webui.runs import runs

blueprint = Blueprint("changes", __name__)

OPTIONS = ("since", "_limit")
SINCE = ("1h", "24h", "7d", "30d")
LIMIT = 200
MAX_LIMIT = 1000


@blueprint.get("/changes")
def page() -> str:
    """Show the changes since a moment."""
    for name in request.args:
        if name not in OPTIONS:
            raise store.FilterError(unknown("option", name, OPTIONS))
    since = request.args.get("since") or "24h"
    try:
        start = moment(since, datetime.now(database().zone))
    except ValueError as error:
        raise store.FilterError(f"since: {error}") from None
    limit = number(request.args, "_limit", LIMIT, 1, MAX_LIMIT)
    wanted = store.Wanted(since=start)
    rows = store.changes(database(), wanted, limit=limit)
    total = store.count_changes(database(), wanted)
    return render_template(
        "changes.html",
        runs=runs(rows),
        shown=len(rows),
        total=total,
        since=since,
        start=start,
        choices=SINCE,
    )


page.asked = Query  # type: ignore[attr-defined]
