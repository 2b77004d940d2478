"""
What is known of a machine after a report that may have seen only a part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from salt_ext.document import identity, is_components, keyed, normal, place


def overlay(
    known: Mapping[str, Any],
    reported: Mapping[str, Any],
    partial: Iterable[str],
    handed: Collection[str] = frozenset(),
) -> dict[str, Any]:
    """
    Return what is known after a report, in normal form.

    A section that the report does not have stays as it was. A section that the
    report has and that is not in ``partial`` replaces the known one. A section
    in ``partial`` is added to the known one and removes nothing from it, except
    a part whose slot the report lists as empty. Of a section that another source told
    until now, one of ``handed``, no list of parts is mixed: two sources name parts and
    places in different ways.
    """
    merged = {**known, **reported}
    for section in partial:
        if section in known and section in reported:
            merged[section] = _overlay(known[section], reported[section], section in handed)
    return normal(merged)


def _overlay(known: Any, reported: Any, is_handed: bool = False) -> Any:
    if isinstance(known, dict) and isinstance(reported, dict):
        return {
            **known,
            **{key: _overlay(known.get(key), one, is_handed) for key, one in reported.items()},
        }
    if not is_handed and is_components(known) and is_components(reported):
        return _components(keyed(known), keyed(reported))
    return reported


def _components(
    known: dict[str, dict[str, Any]], reported: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    items = dict(known)
    places = {place(item): key for key, item in known.items() if place(item)}
    for key, item in reported.items():
        here = places.get(place(item))
        before = items.get(here) if here is not None else None
        if here is not None and before is not None and _is_empty(before) != _is_empty(item):
            # The slot was filled or emptied. A part that is reported elsewhere has moved.
            if here == key or here not in reported:
                del items[here]
            items[key] = _overlay(items.get(key), item)
        elif key in items or here is None or before is None:
            items[key] = _overlay(items.get(key), item)
        elif identity(item) is None or identity(before) is None:
            # One of them has no serial number, so it is taken for the same part.
            items[here] = _overlay(before, item)
        else:
            items[key] = item
    return list(items.values())


def _is_empty(item: Mapping[str, Any]) -> bool:
    return item.get("present") is False
