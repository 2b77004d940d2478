"""
The changes page by page: each page says where the next one begins.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime, timezone

from salt_ext.store.database import Database, Row
from salt_ext.store.reads.history import Position, Wanted, changes
from salt_ext.store.reads.listing import FilterError


def changes_page(
    database: Database, wanted: Wanted, limit: int, cursor: str = ""
) -> tuple[list[Row], str | None]:
    """Return a page of changes, the newest first, and the cursor of the next page."""
    found = changes(database, wanted, limit + 1, _read(cursor) if cursor else None)
    if len(found) <= limit:
        return found, None
    return found[:limit], _write(found[limit - 1])


def _write(row: Row) -> str:
    words = [
        row["recorded_at"].isoformat(),
        str(row["asset_id"]),
        row["revision"],
        row["position"],
    ]
    return base64.urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode()


def _read(cursor: str) -> Position:
    """Return where to go on; it came back from outside and may hold anything."""
    try:
        at, asset_id, *numbers = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        revision, position = numbers
        when = datetime.fromisoformat(at).astimezone(timezone.utc)
        start = Position(when, uuid.UUID(asset_id), revision, position)
        is_sound = all(type(one) is int and 0 <= one < 2**31 for one in numbers)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        is_sound = False
    if not is_sound:
        raise FilterError("the cursor is none that a list has given: begin without it")
    return start
