"""
Volatile values: what changes by itself, apart from the stable facts and over them again.
"""

from __future__ import annotations

from salt_ext.document import is_components, keyed

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def split(facts: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """
    Return the stable facts and the volatile ones.

    A section or a component keeps its volatile values under ``volatile``. They
    come back as ``{section: values}``, below a list under the components' keys.
    """
    volatile = {section: _volatile(value) for section, value in facts.items()}
    return (
        {section: _without_volatile(value) for section, value in facts.items()},
        {section: values for section, values in volatile.items() if values},
    )


def _volatile(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        value = keyed([item for item in value if isinstance(item, dict)])
        own: dict[str, Any] = {}
    elif isinstance(value, dict):
        own = value.get("volatile") or {}
    else:
        return {}
    below = {key: _volatile(item) for key, item in value.items() if key != "volatile"}
    return {**own, **{key: values for key, values in below.items() if values}}


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_volatile(item) for key, item in value.items() if key != "volatile"}
    if isinstance(value, list):
        return [_without_volatile(item) for item in value]
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
