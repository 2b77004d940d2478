"""
Strings and numbers cleaned, so that every later step accepts them.

A byte that is not UTF-8 or a lone surrogate in a grain keeps a minion from
starting; PostgreSQL's jsonb refuses NUL and NaN; msgpack refuses integers of
more than 64 bits. So such values are replaced here, on the machine.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

MAX_DEPTH = 16
MAX_STRING = 4096
LARGEST_FLOAT = 10**16


def clean(value: Any, depth: int = 0) -> Any:
    """
    Return a value made of dict, list, str, int, float, bool and None only.

    Blanks around a string and control characters in it are dropped, strings are
    cut at :data:`MAX_STRING` characters, and an empty string becomes None. So do
    NaN and the infinities. An integer of more than 64 bits becomes text. Raises
    TypeError for any other type, ValueError for a value nested too deeply.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            return str(value)
        return value
    if isinstance(value, float):
        if value - value != 0:  # NaN and the infinities
            return None
        # As jsonb returns it: a large float comes back as an integer, -0.0 as 0.0.
        return value + 0.0 if abs(value) < LARGEST_FLOAT else clean(int(value))
    if isinstance(value, bytes):
        return _text(value.decode("utf-8", "replace"))
    if depth >= MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        return {
            _text(key) or "": clean(item, depth + 1) for key, item in value.items() if _key(key)
        }
    if isinstance(value, (list, tuple)):
        return [clean(item, depth + 1) for item in value]
    raise TypeError(f"{type(value).__name__} is not data")


def _key(key: object) -> bool:
    if isinstance(key, str):
        return True
    raise TypeError(f"a key is {type(key).__name__}, not text")


def _text(value: str) -> str | None:
    if not (value.isascii() and value.isprintable()):
        value = "".join(
            character if character.isprintable() or character in "\n\t " else ""
            for character in value.encode("utf-8", "replace").decode("utf-8")
        )
    return value.strip()[:MAX_STRING] or None
