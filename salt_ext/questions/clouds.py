"""
What clouds were found to have and not to have, as of the last time that each was asked.
"""

from __future__ import annotations

from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table
from salt_ext.words.nearest import unknown

COUNT_COLUMNS = ("instances", "matched", "unreported", "unlisted", "tied", "deleted")
COLUMNS = ("cloud", "driver", "listed_at", *COUNT_COLUMNS, "tried_at", "failure")
UNREPORTED_COLUMNS = (
    *("name", "id", "state", "project", "region", "zone", "host", "flavor", "addresses", "since"),
)
UNLISTED_COLUMNS = (
    *("minion_id", "sn", "freshness", "last_seen", "name", "id", "state", "why", "since"),
)
TIED_COLUMNS = ("minion_id", "sn", "freshness", "name", "id", "why", "since")

LISTS = {
    "unreported": Table("instances without a report", UNREPORTED_COLUMNS, (), 0),
    "unlisted": Table("reports without an instance", UNLISTED_COLUMNS, (), 0),
    "tied": Table("machines that show one id", TIED_COLUMNS, (), 0),
}
"""What a cloud leaves over, before anything is in it."""

FIRST = "unreported"
"""The list that is shown when all are empty."""


def clouds(database: store.Database, limit: int | None = None) -> Table:
    """Return the clouds that were asked, with what was found and why the last time failed."""
    rows = [row_of(one) for one in store.clouds(database)]
    hint = (
        "" if rows else "no cloud was asked: salt-run cmdb.cloud <name> does it, see docs/clouds.md"
    )
    return Table("clouds", COLUMNS, rows[:limit], len(rows), hint=hint)


def row_of(said: dict[str, Any]) -> dict[str, Any]:
    """Return a cloud as a row: the counts as columns."""
    counts = said["counts"] or {}
    told = {name: counts.get(name) for name in COUNT_COLUMNS}
    return {**said, "cloud": said["name"], **told}


def left_over(database: store.Database, name: str, which: str, limit: int | None = None) -> Table:
    """
    Return one of the lists of a cloud; where ``which`` is blank, the first that is not empty.

    Raises :class:`store.NotFound` for a cloud that was never asked.
    """
    known = [one["name"] for one in store.clouds(database)]
    if name not in known:
        raise store.NotFound(
            unknown("cloud that was asked", name, known),
            "salt-run cmdb.cloud <name> asks one of the setting clouds",
        )
    which = which or next(
        (one for one, number in counts_of(database, name).items() if number), FIRST
    )
    empty = LISTS[which]
    found, total = store.cloud_findings(database, name, which, limit)
    rows = [{**dict.fromkeys(empty.columns), **row["facts"], **row} for row in found]
    return empty._replace(rows=rows, total=total)


def counts_of(database: store.Database, name: str) -> dict[str, int]:
    """Return how long each list of a cloud is."""
    counts = next((one["counts"] for one in store.clouds(database) if one["name"] == name), None)
    return {which: int((counts or {}).get(which) or 0) for which in LISTS}
