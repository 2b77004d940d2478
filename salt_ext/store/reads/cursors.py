"""
Where a page ends: a text that people pass on, and that may come back changed.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Container, Sequence
from datetime import datetime, timezone
from typing import Any

from salt_ext.store.errors import FilterError
from salt_ext.store.text import is_text

LARGEST = 2**63 - 1


def write(values: Sequence[Any]) -> str:
    """Return values as a text for an address: texts, numbers, truths, moments, ids or None."""
    words = [
        one.isoformat()
        if isinstance(one, datetime)
        else str(one)
        if isinstance(one, uuid.UUID)
        else one
        for one in values
    ]
    return base64.urlsafe_b64encode(json.dumps(words, separators=(",", ":")).encode()).decode()


def read(cursor: Any, kinds: Sequence[type], nullable: Container[int] = ()) -> list[Any]:
    """
    Return the values of a cursor, each of the type that belongs there.

    ``nullable`` are the places where None may stand. The cursor came from
    outside and may hold anything: raises :class:`FilterError`.
    """
    try:
        words = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
        if isinstance(words, list):
            return [
                None if word is None and place in nullable else _value(word, kind)
                for place, (word, kind) in enumerate(zip(words, kinds, strict=True))
            ]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    raise FilterError("the cursor is none that a list has given: begin without it")


def _value(word: Any, kind: type) -> Any:
    """Return a word as a value of a type. Raises ValueError, TypeError or OverflowError."""
    if kind is datetime:
        return datetime.fromisoformat(word).astimezone(timezone.utc)
    if kind is uuid.UUID and isinstance(word, str):
        return uuid.UUID(word)
    if type(word) is not kind:
        raise TypeError(f"a {kind.__name__} is wanted")
    if isinstance(word, str) and not is_text(word):
        raise ValueError("PostgreSQL has no such text")
    if isinstance(word, int) and not 0 <= word <= LARGEST:
        raise ValueError("PostgreSQL has no such number")
    return word
