"""
The normal form of facts: what is equal has the same bytes.

Facts are ``{section: dict | list of dicts}``. In normal form nothing below a
section is null, blank or empty, and lists of components stand in the order of
their keys. A component's key is its own serial where it has one, else its
place, never its position in a list: a reader that lists the same parts in
another order has seen no change.

Everything that compares, hashes or stores facts does it on this form.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

IDENTITY_FIELDS = ("serial_number", "wwn", "permanent_mac", "uuid")
"""What a part carries with it wherever it is put, the best first."""

UNSHARED_FIELDS = frozenset((*IDENTITY_FIELDS, "mac", "eui64", "nguid", "asset_tag", "machine_id"))
"""Of which no two machines have the same value."""

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
"""Where a part is: the first group of which a part has the last field is its place."""


def normal(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts in normal form; a section without content stays, as "none found"."""
    return {section: _normal(value) for section, value in facts.items()}


def _normal(value: Any) -> Any:
    # Most values hold no others: they are not worth a call.
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
        # The text decides between parts that nothing else tells apart.
        names = [(*name, encode(item)) for name, item in zip(names, items, strict=True)]
    order = sorted(range(len(items)), key=names.__getitem__)
    return [items[number] for number in order]


def is_components(value: Any) -> bool:
    """Whether a value is a list of components: a list of mappings."""
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def identity(item: Mapping[str, Any]) -> str | None:
    """Return what a part carries with it: its serial, else its WWN or permanent MAC."""
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
    """Return where a part is, for people: ``A3``, ``0000:3b:00.0``, ``eth0``."""
    words = [str(item[field]) for field in place_fields(item) if item.get(field) is not None]
    return " ".join(words) or None


def keyed(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """
    Return each component of one list by its key.

    Serials that stand twice in one list are no keys (some makers print one
    number on every part): there the place comes along, and after that a number.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(identity(item) or place(item) or "", []).append(item)
    result: dict[str, dict[str, Any]] = {}
    for key, group in groups.items():
        for item in group:
            name = key if len(group) == 1 else f"{key}@{place(item) or ''}"
            number = 1
            while name in result:
                number += 1
                name = f"{key}@{place(item) or ''}#{number}"
            result[name] = item
    return result


_encode = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,  # a circle is nested too deeply, too
).encode


def encode(value: Any) -> bytes:
    """Return canonical JSON: sorted keys, no blanks, UTF-8."""
    return _encode(value).encode()


def same(a: Any, b: Any) -> bool:
    """Whether two values have the same canonical text; for == 1, 1.0 and True are the same."""
    if a != b:
        return False
    if isinstance(a, (dict, list)):
        return encode(a) == encode(b)
    return type(a) is type(b)


def without_identity(value: Any) -> Any:
    """Return facts without the numbers that no two machines or parts share."""
    if isinstance(value, dict):
        return {
            key: without_identity(item) for key, item in value.items() if key not in UNSHARED_FIELDS
        }
    if isinstance(value, list):
        return [without_identity(item) for item in value]
    return value
