"""
What changed in the fleet or on one asset, the newest first.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any

from pydantic import Field

from salt_ext import store
from salt_ext.document.classes import CLASSES
from salt_ext.questions import changes as questions
from salt_ext.questions.span import LAST_NIGHT
from salt_ext.questions.table import Table
from salt_ext.store import Database, Wanted
from salt_ext.words.nearest import nearest, unknown
from webui import timemode
from webui.asked import Filtered, Paged, Past
from webui.language import marked
from webui.query import words_of
from webui.resources import Resource
from webui.runs import days

SPANS = {
    "1h": marked("1 hour"),
    "24h": marked("24 hours"),
    LAST_NIGHT: marked("last night"),
    "7d": marked("7 days"),
    "30d": marked("30 days"),
    "365d": marked("a year"),
}


class AskedChanges(Paged, Past):
    """Which changes."""

    since: str = Field(
        "24h",
        max_length=200,
        description="24h, 7d, 2026-11-01, the name of a snapshot, or last-night: from yesterday"
        " 18:00 to today 8:00.",
    )
    until: str = Field("", max_length=200, description="Up to when; up to now without it.")
    classes: tuple[str, ...] = Field(
        (),
        alias="class",
        description=f"Of {', '.join(CLASSES)} those that are wanted; all of them but device_name"
        " without it, and with all.",
    )
    section: str = Field("", max_length=200, description="memory, or a list: memory.devices.")
    op: str = Field("", max_length=20, description=f"One of {', '.join(store.OPS)}.")

    @property
    def chosen(self) -> tuple[str, ...]:
        """The classes that are asked for."""
        return questions.classes_of(self.classes) or questions.USUAL


class AskedFleet(AskedChanges, Filtered):
    """Changes of the assets that fit the filters now."""


class AskedAsset(AskedChanges):
    """Changes of one asset."""

    since: str = Field("", max_length=200, description="Since when; without it, all there are.")
    report: int | None = Field(None, ge=1, description="Only those of the report of this number.")


def _wanted(database: Database, asked: AskedChanges, **more: Any) -> Wanted:
    """Return what is asked for; in the past, as of then."""
    now = timemode.as_of() or datetime.now(timezone.utc)
    for option, text in (("since", asked.since), ("until", asked.until)):
        if text and text != LAST_NIGHT:
            timemode.moment(option, text)
    found = questions.wanted(
        database,
        now,
        since=asked.since,
        until=asked.until,
        section=asked.section,
        classes=asked.chosen,
        op=asked.op,
        **more,
    )
    if timemode.as_of() is None:
        return found
    return found._replace(until=min(now, found.until or now))


def of_fleet(database: Database, asked: AskedFleet, limit: int | None) -> Table:
    """Return the changes of the fleet."""
    _check_names(database, asked)
    wanted = _wanted(database, asked, filters=asked.filters)
    return questions.changes(database, wanted, limit, asked.cursor, is_quick=True)


def _check_names(database: Database, asked: AskedFleet) -> None:
    """Raise :class:`store.FilterError` for a slip in the name of an option, not of a field."""
    options = [one for one in asked.options() if not one.startswith("_")]
    for name in asked.filters:
        if nearest(name, options) and name.partition("__")[0] not in store.fields(database):
            raise store.FilterError(unknown("option", name, options))


def of_asset(
    database: Database, asked: AskedAsset, limit: int | None, asset_id: uuid.UUID
) -> Table:
    """Return the changes of an asset. Raises :class:`store.NotFound`."""
    store.name_of(database, asset_id)
    wanted = _wanted(database, asked, asset_id=asset_id, revision=asked.report)
    return questions.changes(database, wanted, limit, asked.cursor, is_quick=True)


def _about_fleet(database: Database, asked: AskedFleet, table: Table) -> dict[str, Any]:
    wanted = _wanted(database, asked, filters=asked.filters)
    where = [words_of(name, given) for name, given in asked.filters.items()]
    return {**_about(database, asked, table, wanted), "where": where}


def _about_asset(
    database: Database, asked: AskedAsset, table: Table, asset_id: uuid.UUID
) -> dict[str, Any]:
    wanted = _wanted(database, asked, asset_id=asset_id, revision=asked.report)
    about = _about(database, asked, table, wanted)
    return {**about, "asset_id": asset_id, "name": store.name_of(database, asset_id)}


def _about(database: Database, asked: AskedChanges, table: Table, wanted: Wanted) -> dict[str, Any]:
    """Return the changes by day, each report whole or with what is left of it, and the classes."""
    if wanted.revision is None:
        rows, left, following = questions.whole_reports(database, wanted, table)
        by_day = days(rows, database.zone, left)
    else:
        rows, following = list(table.rows), table.next
        by_day = days(rows, database.zone, shown=len(rows))
    return {
        "days": by_day,
        "shown": len(rows),
        "next": following,
        "span": (wanted.since, wanted.until),
        "chosen": asked.chosen,
        "usual": questions.USUAL,
        "classes": CLASSES,
        "spans": SPANS,
        "ops": store.OPS,
    }


FLEET = Resource(
    "changes",
    "/changes",
    AskedFleet,
    of_fleet,
    "changes.html",
    marked("Changes"),
    has_past=True,
    more=_about_fleet,
)
ASSET = Resource(
    "asset_changes",
    "/a/<uuid:asset_id>/changes",
    AskedAsset,
    of_asset,
    "asset_changes.html",
    marked("Changes"),
    has_past=True,
    more=_about_asset,
)
RESOURCES = (FLEET, ASSET)
