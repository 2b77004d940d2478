"""
How the first version named parts: the order of lists, and the keys in old revisions.

Frozen. A minion and a master of different versions must sort a list alike, or
their digests would differ; and a change that names a part by an old key is undone
by it. How parts are named now is in ``keys.py``.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

NUMBERS = ("serial_number", "wwn", "permanent_mac", "uuid")
PLACES = (
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
"""Groups of fields: the first whose last field the part has is its place."""


def number(item: Mapping[str, Any]) -> str:
    """Return the first number that a part has, whatever it is worth; blank without one."""
    for field in NUMBERS:
        if value := item.get(field):
            return str(value)
    return ""


def place(item: Mapping[str, Any]) -> str:
    """Return the place of a part; blank without one."""
    for group in PLACES:
        last = item.get(group[-1])
        if last is not None:
            if len(group) == 1:
                return str(last)
            return " ".join(str(item[field]) for field in group if item.get(field) is not None)
    return ""


def keyed(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """
    Return ``{key: component}`` as revisions of key rule 1 have it.

    A number that occurs twice in the list got ``@`` and the place behind it, and
    ``#2``, ``#3`` and so on where that was not unique either.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        groups.setdefault(number(item) or place(item), []).append(item)
    result: dict[str, dict[str, Any]] = {}
    last: dict[str, int] = {}
    for key, group in groups.items():
        for item in group:
            name = where = key if len(group) == 1 else f"{key}@{place(item)}"
            # Not from the beginning for each: thousands of equal parts cost no more than others.
            counted = last.get(where, 1)
            while name in result:
                counted += 1
                name = f"{key}@{place(item)}#{counted}"
            last[where] = counted
            result[name] = item
    return result
