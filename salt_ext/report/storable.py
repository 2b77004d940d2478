"""
Which values JSON, and PostgreSQL's jsonb, can hold as they are.
"""

from __future__ import annotations

import re
from typing import Any

from salt_ext.document import MAX_KEY, is_in_order
from salt_ext.facts.clean import MAX_DEPTH

MAX_NAME = 255
"""The characters of a minion id."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
"""Of 64 bits."""

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
            # Nearly all values are of these kinds: to look here saves a call for each.
            kind = type(item)
            if kind is int and SMALLEST_INTEGER <= item <= LARGEST_INTEGER:
                continue
            if kind is str and item.isascii() and "\0" not in item:
                continue
            if found := fault(item, depth + 1):
                return f".{key}{found[0]}", found[1]
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if found := fault(item, depth + 1):
                return f"[{number}]{found[0]}", found[1]
    elif reason := _why_not(value):
        return "", reason
    return None


def is_plain(value: Any, depth: int) -> bool:
    """
    Whether a section is in normal form and can be stored, its characters aside.

    This takes one quick look at each value, and true is certain. False is not: then
    :func:`fault` and :func:`salt_ext.document.normal` tell, and what is wrong.
    """
    if depth > MAX_DEPTH:
        return False
    if type(value) is dict:
        for key, item in value.items():
            if type(key) is not str or len(key) > MAX_KEY:
                return False
            kind = type(item)
            if kind is str:
                if not item:
                    return False
            elif kind is dict or kind is list:
                if not item or not is_plain(item, depth + 1):
                    return False
            elif kind is int:
                if not SMALLEST_INTEGER <= item <= LARGEST_INTEGER:
                    return False
            elif kind is not bool and (kind is not float or _why_not(item)):
                return False
        return True
    if type(value) is not list:
        return False
    are_components = True
    for item in value:
        kind = type(item)
        if kind is dict or kind is list:
            if not is_plain(item, depth + 1):
                return False
        elif kind is not str and _why_not(item):
            return False
        are_components = are_components and kind is dict
    return not are_components or is_in_order(value)


def why_no_name(minion_id: str) -> str | None:
    """Return why no machine can have this minion id, or None when one can."""
    if not 0 < len(minion_id) <= MAX_NAME:
        return f"has {len(minion_id)} characters; at most {MAX_NAME} are stored"
    return _why_not_text(minion_id)


def why_no_key(key: Any) -> str | None:
    """Return why a key cannot be part of a path, or None when it can."""
    if isinstance(key, str) and len(key) <= MAX_KEY and key.isascii() and "\0" not in key:
        return None
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
        is_short = SMALLEST_INTEGER <= value <= LARGEST_INTEGER
        return None if is_short else "is an integer of more than 64 bits"
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
