"""
Volatile values, which change by themselves: taken out of the facts, and put back.
"""

from __future__ import annotations

from salt_ext.document import MAX_KEY, is_components
from salt_ext.document.keys import keyed
from salt_ext.document.names import RULES

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def split(facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return the stable facts and the volatile values.

    A section or a component has its volatile values under ``volatile``. The
    second result is ``{section: values}``. For a list of components the values
    stand under the keys of the components.
    """
    volatile = {section: _volatile(value) for section, value in facts.items()}
    return (
        {section: _without_volatile(value) for section, value in facts.items()},
        {section: values for section, values in volatile.items() if values},
    )


def _volatile(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        items = [item for item in value if isinstance(item, dict)]
        values = [_volatile(item) for item in items]
        if not any(values):  # most lists have none, and then nobody needs their keys
            return {}
        # What a part is known by may be any text, and a key has a limit.
        keys = [key[:MAX_KEY] for key in keyed(items)]
        return {key: found for key, found in zip(keys, values, strict=True) if found}
    if not isinstance(value, dict):
        return {}
    below = {key: _volatile(item) for key, item in value.items() if key != "volatile"}
    own = value.get("volatile") or {}
    return {**own, **{key: values for key, values in below.items() if values}}


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_volatile(item) for key, item in value.items() if key != "volatile"}
    if isinstance(value, list):
        return [_without_volatile(item) for item in value]
    return value


def with_volatile(facts: Any, volatile: Any) -> Any:
    """Return facts with the values of :func:`split` put back, without the key ``volatile``."""
    if not isinstance(volatile, dict):
        return facts
    if is_components(facts):
        # A minion of another version may name its components otherwise.
        found: dict[int, Any] = {}
        known: set[str] = set()
        for names in (keyed(facts), *(rule(facts) for rule in RULES.values())):
            for name, item in names.items():
                known.add(key := name[:MAX_KEY])
                if key in volatile:
                    found.setdefault(id(item), volatile[key])
        return [
            *(with_volatile(item, found.get(id(item))) for item in facts),
            *_within(known, volatile),
        ]
    if not isinstance(facts, dict):
        return facts
    return {
        **volatile,
        **{key: with_volatile(one, volatile.get(key)) for key, one in facts.items()},
    }


def _within(known: set[str], volatile: Mapping[str, Any]) -> list[dict[str, Any]]:
    """
    Return what is told of pieces of parts, which have no record of their own.

    Their names begin with that of the part: ``mc0 dimm3 DIMM_A2`` is a module of ``mc0``.
    """
    return [
        {"name": name, **values}
        for name, values in volatile.items()
        if name not in known and " " in name and name.partition(" ")[0] in known
        if isinstance(values, dict)
    ]
