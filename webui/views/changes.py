"""
What changed in the fleet, the newest first.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from flask import Blueprint, render_template
from pydantic import Field

from salt_ext import store
from salt_ext.document.classes import CLASSES
from salt_ext.words.times import moment
from webui import asked
from webui.reading import database
from webui.runs import runs
from webui.takes import takes

blueprint = Blueprint("changes", __name__)

SINCE = ("1h", "24h", "7d", "30d")


class Asked(asked.Asked):
    """The newest changes of a span, of some classes."""

    since: str = "24h"
    until: str = ""
    classes: tuple[Literal[tuple(CLASSES)], ...] = Field((), alias="class")  # type: ignore[valid-type]
    limit: int = Field(200, alias="_limit", ge=1, le=1000)


@blueprint.get("/changes")
@takes(Asked)
def page(asked: Asked) -> str:
    """Show the changes since a moment."""
    start = _moment("since", asked.since)
    end = _moment("until", asked.until) if asked.until else None
    wanted = store.Wanted(since=start, until=end, classes=asked.classes)
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


def _moment(option: str, text: str) -> datetime:
    try:
        return moment(text, datetime.now(database().zone))
    except ValueError as error:
        raise store.FilterError(f"{option}: {error}") from None
