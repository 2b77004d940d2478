"""
The normal form of facts: equal facts have the same bytes.

Facts are ``{section: dict | list of dicts}``. In normal form nothing below a
section is null, blank or empty, and lists of components are sorted by the keys
of the components. The key of a component is its serial number where it has
one, else its place. It is never the position in the list: the same parts in
another order are not a change.

All code that compares, hashes or stores facts uses this form.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

IDENTITY_FIELDS = ("serial_number", "wwn", "permanent_mac", "uuid")
"""The fields that identify a part wherever it is installed, the best first."""

UNSHARED_FIELDS = frozenset((*IDENTITY_FIELDS, "mac", "eui64", "nguid", "asset_tag", "machine_id"))
"""The fields of which no two machines have the same value."""

PLACE_FIELDS = (
    ("bank_locator", "locator"),
    ("socket_designation",),
    ("location_in_chassis",),
    ("location",),
    ("pci_slot",),
    ("enclosure", "slot"),
    ("designation",),
    ("name",),
    ("id",),
    ("level", "type"),
)
"""Groups of fields that say where a part is: the first whose last field the part has is used."""


def normal(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts in normal form; an empty section stays, because it says "none found"."""
    return {section: _normal(value) for section, value in facts.items()}


def _normal(value: Any) -> Any:
    # Most values are neither dict nor list. Checking here saves a call for each of them.
    if isinstance(value, dict):
        return {
            key: item
            for key, one in value.items()
            if (item := _normal(one) if isinstance(one, (dict, list)) else one)
            not in (None, "", [], {})
        }
    if isinstance(value, list):
        items = [_normal(one) if isinstance(one, (dict, list)) else one for one in value]
        return _in_order(items) if is_components(items) else items
    return value


def _in_order(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names: list[tuple[Any, ...]] = [(identity(item) or "", place(item) or "") for item in items]
    if len(set(names)) < len(names):
        # Parts with the same serial number and place are sorted by their text.
        names = [(*name, encode(item)) for name, item in zip(names, items, strict=True)]
    order = sorted(range(len(items)), key=names.__getitem__)
    return [items[number] for number in order]


def is_components(value: Any) -> bool:
    """Whether a value is a list of components: a list of mappings, or an empty list."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def identity(item: Mapping[str, Any]) -> str | None:
    """Return what identifies a part: serial number, else WWN, permanent MAC or UUID, else None."""
    for field in IDENTITY_FIELDS:
        if value := item.get(field):
            return str(value)
    return None


def place_fields(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that say where a part is."""
    for group in PLACE_FIELDS:
        if item.get(group[-1]) is not None:
            return group
    return ()


def place(item: Mapping[str, Any]) -> str | None:
    """Return the place of a part as text, such as ``A3``, ``0000:3b:00.0`` or ``eth0``, or None."""
    words = [str(item[field]) for field in place_fields(item) if item.get(field) is not None]
    return " ".join(words) or None


def keyed(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """
    Return ``{key: component}`` for the components of one list.

    A serial number that occurs twice in the list is not a key by itself: some
    makers print one number on every part. Then ``@`` and the place are added,
    and ``#2``, ``#3`` and so on where that is not unique either.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(identity(item) or place(item) or "", []).append(item)
    result: dict[str, dict[str, Any]] = {}
    last: dict[str, int] = {}
    for key, group in groups.items():
        for item in group:
            name = where = key if len(group) == 1 else f"{key}@{place(item) or ''}"
            # Not from the beginning for each: thousands of equal parts cost no more than others.
            number = last.get(where, 1)
            while name in result:
                number += 1
                name = f"{key}@{place(item) or ''}#{number}"
            last[where] = number
            result[name] = item
    return result


_encode = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,  # a circular value ends in a RecursionError all the same
).encode


def encode(value: Any) -> bytes:
    """
    Return canonical JSON: sorted keys, no blanks, UTF-8.

    Raises TypeError or ValueError for a value that JSON cannot hold, and
    RecursionError for one that is nested too deeply.
    """
    return _encode(value).encode()


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same canonical text; to ``==``, 1, 1.0 and True are equal."""
    if a != b:
        return False
    if isinstance(a, (dict, list)):
        return encode(a) == encode(b)
    return type(a) is type(b)


def without_identity(value: Any) -> Any:
    """Return facts without the fields that differ from machine to machine: UNSHARED_FIELDS."""
    if isinstance(value, dict):
        return {
            key: without_identity(item) for key, item in value.items() if key not in UNSHARED_FIELDS
        }
    if isinstance(value, list):
        return [without_identity(item) for item in value]
    return value
