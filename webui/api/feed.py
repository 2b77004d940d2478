"""
The feed of changes: for programs that follow them, and for readers of feeds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from flask import Blueprint, Response, request
from pydantic import Field

from salt_ext import store
from salt_ext.questions import changes as questions
from salt_ext.store import Wanted
from salt_ext.words.changes import line
from salt_ext.words.times import timestamp
from salt_ext.words.visible import visible
from webui import timemode
from webui.access.log import counted
from webui.access.ways import origin
from webui.api.description import described
from webui.api.envelope import PREFIX, Value, value
from webui.asked import Filtered, Limited, Paged
from webui.language import translated
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("api_feed", __name__, url_prefix=PREFIX)

ATOM = "application/atom+xml"

MOST_WAITING = 4
"""So many programs at once may wait for news in a worker; others are answered at once."""

LOOK_SECONDS = 2
"""How often is looked for news while a program waits."""

_waiting = threading.BoundedSemaphore(MOST_WAITING)


class AskedNews(Filtered, Limited):
    """Changes of the assets that fit the filters now."""

    since: str = Field(
        "24h", max_length=200, description="Where to begin, without a cursor: 24h, 2026-11-01."
    )
    classes: tuple[str, ...] = Field((), alias="class", description="Classes, repeated.")
    section: str = Field("", max_length=200, description="Of one section or list.")
    op: str = Field("", max_length=20, description=f"One of {', '.join(store.OPS)}.")

    @property
    def wanted(self) -> Wanted:
        """What is asked for."""
        try:
            return questions.wanted(
                database(),
                datetime.now(timezone.utc),
                since=self.since,
                section=self.section,
                classes=self.classes or questions.USUAL,
                op=self.op,
                filters=self.filters,
            )
        except ValueError as error:
            raise store.FilterError(str(error)) from None


class AskedFeed(AskedNews, Paged):
    """The same behind a cursor, the oldest first."""

    wait: int = Field(0, alias="_wait", ge=0, le=20, description="Seconds to wait for news.")


def feed(asked: AskedFeed) -> Response:
    """
    Changes in the order in which they were recorded.

    Ask again with the cursor of the answer as _from. Each change is told at least once, a
    minute after it was recorded; a cursor holds for the whole history.
    """
    rows, cursor, more = store.feed(database(), asked.wanted, asked.limit, asked.cursor)
    if not rows and asked.wait and _waiting.acquire(blocking=False):
        try:
            rows, cursor, more = _awaited(asked, cursor)
        finally:
            _waiting.release()
    return value(rows=list(counted(rows)), cursor=cursor, more=more)


def _awaited(asked: AskedFeed, cursor: str) -> tuple[list[dict[str, Any]], str, bool]:
    """Return the first news, or nothing when the time is over; no connection is held meanwhile."""
    until = time.monotonic() + asked.wait
    while True:
        left = until - time.monotonic()
        time.sleep(max(0.0, min(LOOK_SECONDS, left)))
        found = store.feed(database(), asked.wanted, asked.limit, cursor)
        if found[0] or left <= LOOK_SECONDS:
            return found


def atom(asked: AskedNews) -> Response:
    """
    The newest changes for readers of feeds.

    An Atom document (RFC 4287), the newest first; it has no pages.
    """
    table = questions.changes(database(), asked.wanted, asked.limit, is_quick=True)
    root = Element("feed", xmlns="http://www.w3.org/2005/Atom")
    here = f"{origin()}{request.script_root}{request.path}"
    SubElement(root, "id").text = here
    SubElement(root, "title").text = translated("Changes")
    SubElement(root, "link", rel="self", href=here)
    rows = list(counted(table.rows))
    newest = rows[0]["recorded_at"] if rows else datetime.fromtimestamp(0, timezone.utc)
    SubElement(root, "updated").text = timestamp(newest)
    author = SubElement(root, "author")
    SubElement(author, "name").text = "salt-cmdb"
    for row in rows:
        _entry(root, row)
    return Response(tostring(root, encoding="utf-8", xml_declaration=True), mimetype=ATOM)


def _entry(root: Element, row: Mapping[str, Any]) -> None:
    """Add a change; its id is the same for ever."""
    told = line(row)
    entry = SubElement(root, "entry")
    name = row["minion_id"] or row["sn"] or str(row["asset_id"])
    report = f"{row['asset_id']}/{row['revision']}/{row['position']}"
    SubElement(entry, "id").text = f"urn:salt-cmdb:change:{report}"
    SubElement(entry, "title").text = visible(f"{name}: {told.what} {told.op}")
    SubElement(entry, "updated").text = timestamp(row["recorded_at"])
    SubElement(entry, "category", term=str(row["class"]))
    address = timemode.to("asset.page", asset_id=row["asset_id"])
    SubElement(entry, "link", rel="alternate", href=origin() + address)
    values = " → ".join(one for one in (told.old, told.new) if one is not None)
    SubElement(entry, "summary").text = visible(values)


for path, view, model, media in (
    ("/changes/feed", feed, AskedFeed, ""),
    ("/changes.atom", atom, AskedNews, ATOM),
):
    blueprint.add_url_rule(
        path,
        view.__name__,
        takes(model, is_page=False)(described(view, model, Value, tag="changes", media=media)),
    )
