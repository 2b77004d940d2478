"""
Where a page of a list ends: a text that people pass on and that comes back.
"""

from __future__ import annotations

import base64
import json
import uuid
from datetime import datetime, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.reads.filters import is_text
from salt_ext.store.reads.listing import FilterError


class Cursor(NamedTuple):
    """A row to go on from: its value of the field sorted by, its id, how many go before."""

    sort: str
    value: Any
    id: str
    before: int
    backwards: bool


def write(cursor: Cursor) -> str:
    """Return a cursor as a text."""
    value = cursor.value.isoformat() if isinstance(cursor.value, datetime) else cursor.value
    words = list(cursor._replace(value=value))
    return base64.urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode()


def read(text: str, sort: str, order: sa.ColumnElement[Any]) -> Cursor:
    """Return a cursor into a list with this order; it came from outside and may hold anything."""
    kind = order.type.python_type
    try:
        found = Cursor(*json.loads(base64.urlsafe_b64decode(text.encode("ascii"))))
        uuid.UUID(found.id)
        value = found.value
        if kind is datetime and value is not None:
            value = datetime.fromisoformat(value).astimezone(timezone.utc)
        is_sound = type(found.before) is int and 0 <= found.before < 2**63
        is_sound &= isinstance(found.backwards, bool)
        is_sound &= value is None or type(value) is kind
        is_sound &= kind is not str or is_text(value or "")
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        is_sound = False
    if not is_sound:
        raise FilterError("the cursor is none that a list has given: begin without it")
    if found.sort != sort:
        raise FilterError(f"the cursor belongs to a list sorted by {found.sort}, not by {sort}")
    return found._replace(value=value)
