"""
The names of a part in its list, by which a change finds it again.

Frozen, as ``first.py`` is: what is a name here, and which of several parts it is of,
stays as it is, so that old changes can be undone. What a name is worth is judged
in ``keys.py``, and may be judged better in a later version.
"""

from __future__ import annotations

import re
from functools import partial

from salt_ext.document import first

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    Item = dict[str, Any]
    Read = Callable[[Mapping[str, Any]], "str | None"]

NUMBERS = ("serial_number", "wwn", "eui64", "nguid", "permanent_mac", "uuid")
"""The fields with a number that may be a part's own, the best first."""

PLACES = (
    ("bank_locator", "locator"),
    ("socket_designation",),
    ("location_in_chassis",),
    ("location",),
    ("controller", "enclosure", "slot"),
    ("hctl",),
    ("pci_slot",),
    ("designation",),
    ("name",),
    ("controller", "id"),
    ("level", "type"),
)
"""
Groups of fields that say where a part is: a part has a place when it has the last field.

All disks of a controller have its ``pci_slot``, so their own addresses come first.
A kernel's name comes late: it may be another disk's after a boot.
"""

LONGEST = 128
SLOT = ("pci_slot",)
NAMESPACE = re.compile(r"nvme\d+n(\d+)").fullmatch


def number_in(field: str, item: Mapping[str, Any]) -> str | None:
    """Return the number in a field, or None; a namespace of an NVMe disk has not the disk's."""
    value = item.get(field)
    if not value or not isinstance(value, str) or len(value) > LONGEST:
        return None
    return None if field == "serial_number" and namespace(item) else value


def place_in(group: tuple[str, ...], item: Mapping[str, Any]) -> str | None:
    """Return the words of a group of fields, or None when the part has not the last of them."""
    if item.get(group[-1]) is None:
        return None
    text = " ".join(str(item[field]) for field in group if item.get(field) is not None)
    return text + namespace(item) if group == SLOT else text


def namespace(item: Mapping[str, Any]) -> str:
    """
    Return which further namespace of an NVMe disk this is, such as `` n2``; blank for the first.

    The serial number and the slot are those of the whole disk. Its first namespace, which is
    the only one nearly always, stands for it.
    """
    name = item.get("name")
    found = NAMESPACE(name) if isinstance(name, str) else None
    return f" n{found[1]}" if found and found[1] != "1" else ""


NAMES: list[tuple[str, Read]] = [
    *((field, partial(number_in, field)) for field in NUMBERS),
    *((group[-1], partial(place_in, group)) for group in PLACES),
]
"""What may name a part, in order: the field that it needs, and how it is read."""


def alone(read: Read, items: Iterable[tuple[Any, Item]]) -> dict[str, Any]:
    """Return ``{name: key}`` of the names that only one of some ``(key, component)`` has."""
    keys: dict[str, Any] = {}
    for key, item in items:
        if name := read(item):
            keys[name] = None if name in keys else key
    return {name: key for name, key in keys.items() if key is not None}


def named(items: list[Item]) -> dict[str, Item]:
    """Return ``{name: component}`` for each name that only one component of a list has."""
    fields: set[str] = set().union(*items)
    found: dict[str, Item] = {}
    for field, read in NAMES:
        if field in fields:
            for name, at in alone(read, enumerate(items)).items():
                found.setdefault(name, items[at])
    return found


RULES = {1: first.keyed, 2: named}
"""By the number that a revision has: how its changes name the components of a list."""

RULE = max(RULES)
"""The rule of the revisions that are written now."""
