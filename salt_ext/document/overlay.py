"""
What is known after a report that may have seen a part of the machine only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext.document import (
    identity,
    is_components,
    keyed,
    normal,
    place,
)


def overlay(
    known: Mapping[str, Any], reported: Mapping[str, Any], partial: Iterable[str]
) -> dict[str, Any]:
    """
    Return what is known after a report.

    A section that the report does not have stays as it was known; one that it
    has and names as partial adds to what was known and takes nothing away but
    what was in a slot that is seen empty.
    """
    merged = {**known, **reported}
    for section in partial:
        if section in known and section in reported:
            merged[section] = _overlay(known[section], reported[section])
    return normal(merged)


def _overlay(known: Any, reported: Any) -> Any:
    if isinstance(known, dict) and isinstance(reported, dict):
        return {
            **known,
            **{key: _overlay(known.get(key), value) for key, value in reported.items()},
        }
    if is_components(known) and is_components(reported):
        items = keyed(known)
        places = {place(item): key for key, item in items.items() if place(item)}
        for key, item in keyed(reported).items():
            here = places.get(place(item))
            if key in items or here is None:
                items[key] = _overlay(items.get(key), item)
            elif items[here].get("present") is False or item.get("present") is False:
                items[here] = item
            elif identity(item) is None or identity(items[here]) is None:
                # A part whose serial could not be read once is still the one in its place.
                items[here] = _overlay(items[here], item)
            else:
                items[key] = item
        return list(items.values())
    return reported
