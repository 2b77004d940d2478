"""
What is known of a machine after a report that may have seen only a part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from salt_ext.document import is_components, normal
from salt_ext.document.keys import is_empty, keyed, may_be_same, number, partners, place


def overlay(
    known: Mapping[str, Any],
    reported: Mapping[str, Any],
    partial: Iterable[str],
    apart: Collection[str] = frozenset(),
) -> dict[str, Any]:
    """
    Return what is known after a report, in normal form.

    A section that the report does not have stays as it was. A section that the
    report has and that is not in ``partial`` replaces the known one. A section
    in ``partial`` is added to the known one and removes nothing from it, except
    a part whose slot the report lists as empty. Of a section that a source of another sort
    told until now, one in ``apart``, no list of parts is mixed: these name parts and places
    in different ways.
    """
    merged = {**known, **reported}
    for section in partial:
        if section in known and section in reported:
            merged[section] = _overlay(known[section], reported[section], section in apart)
    return normal(merged)


def _overlay(known: Any, reported: Any, is_apart: bool = False) -> Any:
    if isinstance(known, dict) and isinstance(reported, dict):
        return {
            **known,
            **{key: _overlay(known.get(key), one, is_apart) for key, one in reported.items()},
        }
    if not is_apart and is_components(known) and is_components(reported):
        return _components(keyed(known), keyed(reported))
    return reported


def _components(
    known: dict[str, dict[str, Any]], reported: dict[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    items = dict(known)
    places = {place(item): key for key, item in known.items() if place(item)}
    reported = _by_known_keys(known, reported)
    for key, item in reported.items():
        here = places.get(place(item))
        before = items.get(here) if here is not None else None
        is_other = before is not None and is_empty(before) != is_empty(item)
        # The slot was filled or emptied. A part that is reported elsewhere has moved.
        if is_other and here is not None and (here == key or here not in reported):
            del items[here]
        items[key] = _overlay(items.get(key), item)
    return list(items.values())


def _by_known_keys(
    known: dict[str, dict[str, Any]], reported: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the reported parts under the keys of those that they are taken for."""
    gone = {key: item for key, item in known.items() if key not in reported}
    come = {key: item for key, item in reported.items() if key not in known}
    names = {
        key: before
        for before, key in partners(gone, come).items()
        if _is_taken_for(gone[before], come[key])
    }
    return {names.get(key, key): item for key, item in reported.items()}


def _is_taken_for(known: Mapping[str, Any], reported: Mapping[str, Any]) -> bool:
    """Whether a part in the place of another is that one: unless both have their own numbers."""
    if is_empty(known) != is_empty(reported):
        return False
    return number(known) is None or number(reported) is None or may_be_same(known, reported)
