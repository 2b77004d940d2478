"""
Cursors: each says where a page ends, as a text that may come back changed by people.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Container, Sequence
from datetime import datetime, timezone
from typing import Any

from salt_ext.store.columns import LARGEST
from salt_ext.store.errors import FilterError
from salt_ext.store.text import is_text


def write(values: Sequence[Any]) -> str:
    """Return values as a text for a URL: texts, numbers, booleans, moments, UUIDs or None."""
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

    ``nullable`` are the positions at which None is allowed. The cursor comes from
    outside and may hold anything: raises :class:`FilterError` if it does not fit.
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
    if kind is float and type(word) is int:
        word = float(word)
    if type(word) is not kind:
        raise TypeError(f"a {kind.__name__} is wanted")
    if isinstance(word, str) and not is_text(word):
        raise ValueError("PostgreSQL has no such text")
    if isinstance(word, int) and not 0 <= word <= LARGEST:
        raise ValueError("PostgreSQL has no such number")
    return word
