"""
One value out of a fact document, by the path that people type: ``disks.S64F1.model``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext.document import IDENTITY_FIELDS, is_components, keyed, place
from salt_ext.settings import nearest
from salt_ext.words.values import by_place

NAMES = ("name", "locator", *IDENTITY_FIELDS)
"""By which fields people call a part, beside its key and its place."""

MANY = 12


class NoValue(LookupError):
    """A path that leads nowhere; ``hint`` says what is there instead."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep both for whoever shows them."""
        super().__init__(message)
        self.hint = hint


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


def with_volatile(facts: Any, volatile: Any) -> Any:
    """Return facts with the volatile values where they belong, as the machine reported them."""
    if not isinstance(volatile, dict):
        return facts
    if is_components(facts):
        return [with_volatile(item, volatile.get(key)) for key, item in keyed(facts).items()]
    if not isinstance(facts, dict):
        return facts
    return {
        **volatile,
        **{key: with_volatile(one, volatile.get(key)) for key, one in facts.items()},
    }


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
    wrong = ".".join(words[done:])
    if not offered:
        what = f"nothing in {where}" if where else "nothing at all"
        return NoValue(f"there is no {wrong!r} in {where or 'it'}: there is {what}", "")
    names = [str(name) for name in offered]
    shown = ", ".join(names[:MANY]) + (", …" if len(names) > MANY else "")
    return NoValue(
        f"there is no {wrong!r} in {where or 'it'}{nearest(words[done], names)}",
        f"there are: {shown}",
    )
