"""
The normal form of facts: equal facts have the same bytes.

Facts are ``{section: dict | list of dicts}``. In normal form nothing below a
section is null, blank or empty, and lists of components are sorted by their
numbers and places. What a component is known by is in ``keys.py``. It is never
the position in the list: the same parts in another order are not a change.

All code that compares, hashes or stores facts uses this form.
"""

from __future__ import annotations

import json

from salt_ext.document import first

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

UNSHARED_FIELDS = frozenset(
    [
        "serial_number",
        "wwn",
        "eui64",
        "nguid",
        "permanent_mac",
        "mac",
        "uuid",
        "asset_tag",
        "machine_id",
    ]
)
"""The fields of which no two machines have the same value."""

MAX_KEY = 255
"""The most characters of a key in a report."""


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
    names: list[tuple[Any, ...]] = [(first.number(item), first.place(item)) for item in items]
    if len(set(names)) < len(names):
        # Parts with the same serial number and place are sorted by their text.
        names = [(*name, encode(item)) for name, item in zip(names, items, strict=True)]
    order = sorted(range(len(items)), key=names.__getitem__)
    return [items[number] for number in order]


def is_in_order(items: list[dict[str, Any]]) -> bool:
    """Whether components stand in the order of the normal form."""
    if len(items) < 2:
        return True
    last: tuple[str, str] | None = None
    for at, item in enumerate(items):
        name = first.number(item), first.place(item)
        if last is None or name > last:
            last = name
        # Parts with the same serial number and place are sorted by their text.
        elif name < last or encode(item) < encode(items[at - 1]):
            return False
    return True


def is_components(value: Any) -> bool:
    """Whether a value is a list of components: a list of mappings, or an empty list."""
    if not isinstance(value, list):
        return False
    for item in value:  # noqa: SIM110 - asked of every list; a generator takes three times as long
        if not isinstance(item, dict):
            return False
    return True


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
    return bool(a == b) and _is_alike(a, b)


def _is_alike(a: Any, b: Any) -> bool:
    """Whether values that are equal are so in their types too, at any depth."""
    kind = type(a)
    if kind is not type(b):
        return False
    if kind is dict:
        pairs = ((one, b[key]) for key, one in a.items() if type(one) is not str)
        return all(_is_alike(one, other) for one, other in pairs)
    if kind is list:
        return all(map(_is_alike, a, b))
    return kind is not float or repr(a) == repr(b)  # 0.0 and -0.0 are equal


def without_identity(value: Any) -> Any:
    """Return facts without the fields that differ from machine to machine: UNSHARED_FIELDS."""
    if isinstance(value, dict):
        return {
            key: without_identity(item) for key, item in value.items() if key not in UNSHARED_FIELDS
        }
    if isinstance(value, list):
        return [without_identity(item) for item in value]
    return value
