"""
Which values JSON, and PostgreSQL's jsonb, can hold as they are.
"""

from __future__ import annotations

import re
from typing import Any

from salt_ext.document import MAX_KEY
from salt_ext.facts.clean import MAX_DEPTH

MAX_NAME = 255
"""The characters of a minion id."""

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII).fullmatch
"""A moment as ``facts.timestamp`` writes it."""


def fault(value: Any, depth: int) -> tuple[str, str] | None:
    """Return the path below a value that cannot be stored, and why; None when all can."""
    # As facts/clean.py counts on the machine: only what holds other values has a depth.
    if depth > MAX_DEPTH and isinstance(value, (dict, list)):
        return "", f"is nested deeper than {MAX_DEPTH}"
    if isinstance(value, dict):
        for key, item in value.items():
            if reason := why_no_key(key):
                return "", reason
            if found := fault(item, depth + 1):
                return f".{key}{found[0]}", found[1]
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if found := fault(item, depth + 1):
                return f"[{number}]{found[0]}", found[1]
    elif reason := _why_not(value):
        return "", reason
    return None


def why_no_key(key: Any) -> str | None:
    """Return why a key cannot be part of a path, or None when it can."""
    if not isinstance(key, str) or len(key) > MAX_KEY or _why_not_text(key):
        return f"has the key {short(key)}"
    return None


def _why_not(value: Any) -> str | None:
    """Return why a value that is neither a dict nor a list cannot be stored, or None."""
    if isinstance(value, str):
        return _why_not_text(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int):
        return None if -(2**63) <= value < 2**63 else "is an integer of more than 64 bits"
    if isinstance(value, float):
        if value - value != 0:
            return f"is {value}, which is no number"
        # jsonb returns such a number in other characters, which have another digest.
        if "e+" in (text := repr(value)) or text == "-0.0":
            return f"is {text}, which jsonb does not keep as it is"
        return None
    return f"is {type(value).__name__}, which is not data"


def _why_not_text(text: str) -> str | None:
    """Return why PostgreSQL cannot store a text, or None when it can."""
    if "\0" in text:
        return "holds a NUL character"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "holds half a surrogate pair"
    return None


def short(value: Any) -> str:
    """Return a value as short text for an error message; of a dict or a list only its type."""
    if isinstance(value, str):
        return ascii(value) if len(value) <= 80 else ascii(value[:77]) + "..."
    if value is None or isinstance(value, (bool, float)):
        return repr(value)
    if isinstance(value, int) and value.bit_length() <= 64:
        return repr(value)
    return f"of type {type(value).__name__}"
