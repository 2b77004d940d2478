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
MAX_KEY = 255  # that of salt_ext.document, which would import json
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
        return {_key(key): clean(item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item, depth + 1) for item in value]
    raise TypeError(f"{type(value).__name__} is not data")


def section_of(value: Any) -> dict[str, Any] | list[dict[str, Any]] | None:
    """
    Return what a section of the facts shall be, cleaned.

    Raises TypeError or ValueError for what cannot be one. ``volatile`` is a mapping wherever
    it stands: each value that changes by itself has a name.
    """
    cleaned = clean(value)
    is_list = isinstance(cleaned, list) and all(isinstance(item, dict) for item in cleaned)
    if not (is_list or cleaned is None or isinstance(cleaned, dict)):
        raise TypeError(f"returned {type(value).__name__}, not a dict or a list of dicts")
    _check_volatile(cleaned)
    return cleaned  # type: ignore[no-any-return]


def _check_volatile(value: Any) -> None:
    if isinstance(value, dict):
        moving = value.get("volatile")
        if moving is not None and not isinstance(moving, dict):
            raise TypeError(f"volatile is {type(moving).__name__}, not a dict")
        value = value.values()
    for item in value or ():
        if isinstance(item, (dict, list)):
            _check_volatile(item)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key is {type(key).__name__}, not text")
    name = _text(key) or ""
    if len(name) > MAX_KEY:
        raise ValueError(f"a key is longer than {MAX_KEY} characters: {name[:40]!r}...")
    return name


def _text(value: str) -> str | None:
    if not (value.isascii() and value.isprintable()):
        value = "".join(
            character if character.isprintable() or character in "\n\t " else ""
            for character in value.encode("utf-8", "replace").decode("utf-8")
        )
    found = value.strip()[:MAX_STRING]
    return (_without_address(found) if found[:3].lower() == "ds=" else found) or None


def _without_address(text: str) -> str:
    """Return an instruction to cloud-init without its address, in which may stand a password."""
    # Not imported at the top: few machines have one, and that package needs json.
    from salt_ext.document.placeholders import is_instruction

    return f"{text.partition(';')[0]};(not shown)" if is_instruction(text) else text
