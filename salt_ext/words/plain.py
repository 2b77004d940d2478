"""
Values as JSON and msgpack have them: one form for the runner, the event bus and the web.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from salt_ext.words.times import timestamp


def plain(value: Any) -> Any:
    """Return a value made of what JSON and msgpack know; keys become text, tuples lists."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return simple(value)


def simple(value: Any) -> Any:
    """Return a value that holds no others: moments in UTC, ids and bytes as text."""
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    if isinstance(value, uuid.UUID):
        return str(value)
    return value
