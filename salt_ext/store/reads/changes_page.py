"""
The changes page by page: each page says where the next one begins.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from salt_ext.store.database import Database, Row
from salt_ext.store.reads import cursors
from salt_ext.store.reads.history import Position, Wanted, unmasked
from salt_ext.store.reads.masking import of_answer

KINDS = (datetime, uuid.UUID, int, int)
"""The types of the fields of a position."""

LAST = 2**31 - 1
"""No report has so many changes."""


def changes_page(
    database: Database, wanted: Wanted, limit: int, cursor: str = ""
) -> tuple[list[Row], str | None]:
    """
    Return a page of changes, the newest first, and the cursor of the next page.

    A page has fewer than ``limit`` where some of it is hidden, and none only if it is the last.
    """
    start = Position(*cursors.read(cursor, KINDS)) if cursor else None
    while True:
        found = unmasked(database, wanted, limit + 1, start)
        told = of_answer(database.hidden, found[:limit]) if database.hidden else found[:limit]
        if len(found) <= limit:
            return told, None
        start = Position(*(found[limit - 1][name] for name in Position._fields))
        if told:
            return told, cursors.write(start)


def after_report(row: Mapping[str, Any]) -> str:
    """Return the cursor of the page that begins behind the report that brought a change."""
    *report, _ = (row[name] for name in Position._fields)
    return cursors.write([*report, LAST])
