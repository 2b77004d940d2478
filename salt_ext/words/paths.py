"""
One value out of a fact document, by the path that people type: ``disks.S64F1.model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext.document import is_components
from salt_ext.document.keys import keyed, place
from salt_ext.document.names import NUMBERS
from salt_ext.words.nearest import unknown
from salt_ext.words.values import by_place

NAMES = ("name", "locator", *NUMBERS)
"""The fields whose values name a part, besides its key and its place."""


class NoValue(LookupError):
    """A path that leads to no value; the message lists what there is instead."""


def value_at(facts: Mapping[str, Any], path: str) -> Any:
    """
    Return the value at a path.

    A path is made of names with dots between them. A name is that of a field. For a
    part it is its key, its slot, its name, or its number in the list as shown,
    from 0 on. A key may contain dots: the longest name that fits is taken.
    Raises :class:`NoValue`.
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
    """Return ``{name: value}`` of all that is below a value; a key goes before other names."""
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
