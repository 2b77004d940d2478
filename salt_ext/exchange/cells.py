"""
What goes into one cell: lists and mappings in words, everything else as it is.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any


def simple(value: Any) -> bool | int | float | str | datetime | None:
    """Return a value as one that a cell can hold."""
    if value is None or isinstance(value, (bool, int, float, str, datetime)):
        return value
    if isinstance(value, (list, tuple)) and not any(isinstance(one, (dict, list)) for one in value):
        return ", ".join(str(one) for one in value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, sort_keys=True, default=text)
    return text(value)


def text(value: Any) -> str:
    """Return a value that JSON does not know as text: moments in UTC, ids, bytes."""
    if isinstance(value, datetime):
        return f"{value.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    if isinstance(value, (bytes, memoryview)):
        return bytes(value).hex()
    return str(value)
