"""
One value out of a fact document, by the path that people type: ``disks.S64F1.model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext.document import IDENTITY_FIELDS, is_components, keyed, place
from salt_ext.words.nearest import unknown
from salt_ext.words.values import by_place

NAMES = ("name", "locator", *IDENTITY_FIELDS)
"""By which fields people call a part, beside its key and its place."""


class NoValue(LookupError):
    """A path that leads nowhere; the text says what is there instead."""


def value_at(facts: Mapping[str, Any], path: str) -> Any:
    """
    Return what a path leads to.

    Between dots stand names of fields and, for a part, its key, its slot, its
    name or its number in the list as it is shown, from 0 on. Where a key has
    dots itself the longest name that fits is meant. Raises :class:`NoValue`.
    """
    value: Any = facts
    words, done = path.split("."), 0
    while done < len(words):
        offered = _offered(value)
        fitting = [
            end for end in range(len(words), done, -1) if ".".join(words[done:end]) in offered
        ]
        if not fitting:
            raise _nowhere(words, done, offered)
        value = offered[".".join(words[done : fitting[0]])]
        done = fitting[0]
    return value


def _offered(value: Any) -> dict[str, Any]:
    """Return what can follow on a value, by all of its names; a better name goes first."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list):
        return {}
    if not is_components(value):
        return {str(number): item for number, item in enumerate(value)}
    offered: dict[str, Any] = dict(keyed(value))
    for item in value:
        for name in (place(item), *(item.get(field) for field in NAMES)):
            if name is not None:
                offered.setdefault(str(name), item)
    for number, item in enumerate(by_place(value)):
        offered.setdefault(str(number), item)
    return offered


def _nowhere(words: list[str], done: int, offered: Mapping[str, Any]) -> NoValue:
    where = ".".join(words[:done])
    return NoValue(f"{where}: " * bool(where) + unknown("value", words[done], offered))
