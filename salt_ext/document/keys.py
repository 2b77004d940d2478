"""
What a part is known by: a number of its own, else its place. Never by what is another's.

A number is a part's own when it passes the rules for placeholders, stands on one
part of its list only, and is neither its controller's nor given by a hypervisor to
all its guests. Numbers are tried in the order of :data:`NUMBERS`, then places in
the order of :data:`PLACES`: a part is known by the first of them that no other
part of the list has.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial

from salt_ext.document import first
from salt_ext.document.placeholders import MAX_LENGTH, why_not_mac, why_not_serial

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
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

SLOTS = frozenset(field for group in PLACES[:5] for field in group) | {"pci_slot"}
"""The fields that differ only when somebody has moved the part; the others change at a boot."""

FILLED = ("present", "populated")
"""One of them is false in the record of an empty slot."""

NOT_THEIR_OWN = ("LOGICAL VOLUME", "PersistentDisk")
"""
The models of disks whose serial number is never their own.

Logical drives of a Smart Array print their controller's, disks of Google's cloud
the name that they have in their machine.
"""

SLOT = ("pci_slot",)
UNSET = "0" * 8
SEPARATORS = str.maketrans("", "", " -:.")
NAMESPACE = re.compile(r"nvme\d+n(\d+)").fullmatch


def number(item: Mapping[str, Any]) -> str | None:
    """Return the number that is a part's own as far as the part alone can show, or None."""
    for field in NUMBERS:
        if value := _number(field, item):
            return value
    return None


def numbers(items: list[Item]) -> list[str | None]:
    """Return for each part of a list the number that is its own, or None."""
    return [name if is_number else None for name, is_number in _names(items)]


def is_empty(item: Mapping[str, Any]) -> bool:
    """Whether a record describes an empty slot, and not a part."""
    return any(item.get(name) is False for name in FILLED)


def may_be_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two records may be of one part: they share a number, or neither has one."""
    if number(one) == number(other):
        return True
    return any((value := read(one)) is not None and value == read(other) for read in _BY_NUMBER)


def place(item: Mapping[str, Any]) -> str | None:
    """Return the place of a part as text, such as ``A3``, ``2:0:1:0`` or ``eth0``, or None."""
    for group in PLACES:
        if text := _place(group, item):
            return text
    return None


def slot_fields(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that say where a part was put."""
    for group in PLACES:
        if group[-1] in SLOTS and item.get(group[-1]) is not None:
            return group
    return ()


def keyed(items: list[Item]) -> dict[str, Item]:
    """
    Return ``{key: component}`` for the components of one list.

    Where nothing tells parts apart, ``#2``, ``#3`` and so on are added.
    """
    result: dict[str, Item] = {}
    last: dict[str, int] = {}
    for item, (name, _) in zip(items, _names(items), strict=True):
        key = name or "#1"
        # Not from the beginning for each: thousands of equal parts cost no more than others.
        counted = last.get(name, 1)
        while key in result:
            counted += 1
            key = f"{name}#{counted}"
        last[name] = counted
        result[key] = item
    return result


RULES = {1: first.keyed, 2: keyed}
"""By the number that a revision has: how its changes name the components of a list."""

RULE = max(RULES)
"""The rule of the revisions that are written now."""


def partners(old: Mapping[str, Item], new: Mapping[str, Item]) -> dict[str, str]:
    """
    Return ``{key in old: key in new}`` of the parts that are the same, or in the same place.

    Given are the parts whose keys the other list does not have. The same number makes
    two of them one part, even if others had that number too before or have it after.
    A place counts when no better one tells them apart.
    """
    gone, come = dict(old), dict(new)
    found: dict[str, str] = {}
    for number, read in enumerate(MATCHING):
        if not gone or not come:
            break
        theirs = _alone(read, come)
        for value, key in _alone(read, gone).items() if theirs else ():
            other = theirs.get(value)
            if other is not None and _may_be_one(gone[key], come[other], number):
                found[key] = other
                del gone[key], come[other]
    return found


def _alone(read: Read, items: Mapping[str, Item]) -> dict[str, str]:
    """Return ``{value: key}`` of the values that only one of the components has."""
    keys: dict[str, str | None] = {}
    for key, item in items.items():
        if value := read(item):
            keys[value] = None if value in keys else key
    return {value: key for value, key in keys.items() if key is not None}


def _may_be_one(one: Item, other: Item, number: int) -> bool:
    """Whether no better place than the one that two parts share tells them apart."""
    return all(
        (here := read(one)) is None or (there := read(other)) is None or here == there
        for read in MATCHING[len(NUMBERS) : number]
    )


def _names(items: list[Item]) -> list[tuple[str, bool]]:
    """Return what each part of a list is known by, and whether that is a number."""
    found: dict[int, tuple[str, bool]] = {}
    fields: set[str] = set().union(*items)
    for field, is_number, read in NAMING:
        if len(found) == len(items):
            break
        if field not in fields:
            continue
        owners: dict[str, int | None] = {}
        for at, item in enumerate(items):
            if value := read(item):
                owners[value] = None if value in owners else at
        for value, owner in owners.items():
            if owner is not None:
                found.setdefault(owner, (value, is_number))
    return [
        found.get(at) or (place(item) or number(item) or "", False) for at, item in enumerate(items)
    ]


def _number(field: str, item: Mapping[str, Any]) -> str | None:
    """Return the number in a field if it may be the part's own, else None."""
    value = item.get(field)
    if not value or not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    if field == "serial_number" and (item.get("model") in NOT_THEIR_OWN or _namespace(item)):
        return None
    return value if _may_be_own(field, value) else None


@lru_cache(4096)  # a document is compared with the one before, which has nearly the same numbers
def _may_be_own(field: str, value: str) -> bool:
    if field == "permanent_mac":
        return why_not_mac(value) is None
    if field == "serial_number":
        return why_not_serial(value) is None
    return why_not_serial(value) is None and not _is_unset(value)


def _is_unset(value: str) -> bool:
    """Whether a world wide name or UUID is hardly more than zeros, or has only its maker's part."""
    digits = value.translate(SEPARATORS)
    return len(set(digits)) <= 2 or digits.endswith(UNSET)


def _namespace(item: Mapping[str, Any]) -> str:
    """
    Return which further namespace of an NVMe disk this is, such as `` n2``; blank for the first.

    The serial number and the slot are those of the whole disk. Its first namespace, which is
    the only one nearly always, stands for it.
    """
    name = item.get("name")
    found = NAMESPACE(name) if isinstance(name, str) else None
    return f" n{found[1]}" if found and found[1] != "1" else ""


def _place(group: tuple[str, ...], item: Mapping[str, Any]) -> str | None:
    """Return the words of a group of fields, or None when the part has not the last of them."""
    if item.get(group[-1]) is None:
        return None
    text = " ".join(str(item[field]) for field in group if item.get(field) is not None)
    return text + _namespace(item) if group == SLOT else text


def _address(item: Mapping[str, Any]) -> str | None:
    """Return where a disk without a number is on its controller, whose own number may change."""
    hctl, slot = item.get("hctl"), item.get("pci_slot")
    if not isinstance(hctl, str) or slot is None or number(item):
        return None
    return f"{slot} {hctl.partition(':')[2]}"


_BY_NUMBER = [partial(_number, field) for field in NUMBERS]
_BY_PLACE = [partial(_place, group) for group in PLACES]

NAMING = [
    *((field, True, read) for field, read in zip(NUMBERS, _BY_NUMBER, strict=True)),
    *((group[-1], False, read) for group, read in zip(PLACES, _BY_PLACE, strict=True)),
]
"""How parts are named, in order: the field that is needed, whether it is a number, how to read."""

MATCHING: list[Read] = [*_BY_NUMBER, _address, *_BY_PLACE]
"""By what parts that have another key in another list may be found there, in order."""
