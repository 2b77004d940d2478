"""
What a part is known by: a number of its own, else its place. Never by what is another's.

A number is a part's own when it passes the rules for placeholders, stands on one
part of its list only, and is neither its controller's nor given by a hypervisor to
all its guests. Numbers are tried in the order of :data:`NUMBERS`, then places in
the order of :data:`PLACES`: a part is known by the first of them that no other
part of the list has.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache, partial

from salt_ext.document.names import NUMBERS, PLACES, alone, number_in, place_in
from salt_ext.document.placeholders import (
    is_unset,
    why_not_mac,
    why_not_serial,
    why_not_text,
)

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from typing import Any

    from salt_ext.document.names import Item, Read

SLOTS = frozenset(field for group in PLACES[:5] for field in group) | {"pci_slot"}
"""The fields that differ only when somebody has moved the part; the others change at a boot."""

FILLED = ("present", "populated")
"""One of them is false in the record of an empty slot."""

KIND = (
    *("manufacturer", "vendor", "vendor_id", "model", "version", "part_number"),
    *("product", "product_name", "product_id", "device_id"),
)
"""
The fields that say what sort of part it is, beside ``size_bytes``.

Where none of them is known there is the ``driver``; the same card may get another one.
"""

NOT_THEIR_OWN = ("LOGICAL VOLUME", "PersistentDisk")
"""
The models of disks whose serial number is never their own.

Logical drives of a Smart Array print their controller's, disks of Google's cloud
the name that they have in their machine.
"""


def number(item: Mapping[str, Any]) -> str | None:
    """Return the number that is a part's own as far as the part alone can show, or None."""
    for field in NUMBERS:
        if value := _number(field, item):
            return value
    return None


def numbers(items: list[Item]) -> list[str | None]:
    """Return for each part of a list the number that is its own, or None."""
    found = own(items)
    return [found.get(at) for at in range(len(items))]


def is_empty(item: Mapping[str, Any]) -> bool:
    """Whether a record describes an empty slot, and not a part."""
    present, populated = map(item.get, FILLED)
    return present is False or populated is False


def of_several(items: list[Item]) -> set[str | None]:
    """Return the numbers that several parts of a list have, which are of none of them."""
    counts = Counter(value for item in items for value in {read(item) for read in _BY_NUMBER})
    return {value for value, count in counts.items() if count > 1}


def may_be_same(
    one: Mapping[str, Any], other: Mapping[str, Any], nobodys: Container[str | None] = ()
) -> bool:
    """
    Whether two records of one place may be of one part.

    Then they share a number, or neither has one. Or no number that both have tells them
    apart, and they are of the same kind: a number can be read that could not be read
    before, or no more, and a card that was given another address does not tell its
    permanent one. Numbers that are ``nobodys`` do not count.
    """
    pairs = [
        tuple(value if value not in nobodys else None for value in (read(one), read(other)))
        for read in _BY_NUMBER
    ]
    both = [mine == theirs for mine, theirs in pairs if mine and theirs]
    return any(both) if both else not any(map(any, pairs)) or is_same_kind(one, other)


def is_same_kind(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether something says what sort of part two records are of, and all that both say agrees."""
    fields = [name for name in KIND if _says(one, name) and _says(other, name)] or ["driver"]
    size = ["size_bytes"] if "size_bytes" in one and "size_bytes" in other else []
    return fields[0] in one and all(one[name] == other.get(name) for name in (*fields, *size))


def _says(item: Mapping[str, Any], name: str) -> bool:
    value = item.get(name)
    return isinstance(value, str) and why_not_text(value) is None


def place(item: Mapping[str, Any]) -> str | None:
    """Return the place of a part as text, such as ``A3``, ``2:0:1:0`` or ``eth0``, or None."""
    return next(places(item), None)


def places(item: Mapping[str, Any]) -> Iterator[str]:
    """Yield every place of a part, the best first."""
    return (text for group in PLACES if group[-1] in item and (text := place_in(group, item)))


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
    for item, name in zip(items, _names(items), strict=True):
        key = name or "#1"
        # Not from the beginning for each: thousands of equal parts cost no more than others.
        counted = last.get(name, 1)
        while key in result:
            counted += 1
            key = f"{name}#{counted}"
        last[name] = counted
        result[key] = item
    return result


def partners(old: Mapping[str, Item], new: Mapping[str, Item]) -> dict[str, str]:
    """
    Return ``{key in old: key in new}`` of the parts that are the same, or in the same place.

    Given are the parts whose keys the other list does not have. The same number makes
    two of them one part, even if others had that number too before or have it after.
    A place counts when no better one tells them apart.
    """
    gone, come = dict(old), dict(new)
    found: dict[str, str] = {}
    for step, read in enumerate(MATCHING):
        if not gone or not come:
            break
        theirs = alone(read, come.items())
        for value, key in alone(read, gone.items()).items() if theirs else ():
            other = theirs.get(value)
            if other is not None and _may_be_one(gone[key], come[other], step):
                found[key] = other
                del gone[key], come[other]
    return found


def _may_be_one(one: Item, other: Item, step: int) -> bool:
    """
    Whether no place before the one of this step tells apart two parts that share it.

    Nor do two numbers of their own, where the number of the controller may be another.
    """
    if MATCHING[step] is _address and number(one) and number(other):
        return False
    return all(
        (here := read(one)) is None or (there := read(other)) is None or here == there
        for read in MATCHING[len(NUMBERS) : step]
    )


def own(items: list[Item]) -> dict[int, str]:
    """Return the numbers that are parts' own, by the position of the part in its list."""
    found: dict[int, str] = {}
    fields: set[str] = set().union(*items)
    for field, read in zip(NUMBERS, _BY_NUMBER, strict=True):
        if field in fields and len(found) < len(items):
            having = [(at, item) for at, item in enumerate(items) if field in item]
            for name, at in alone(read, having).items():
                found.setdefault(at, name)
    return found


def _names(items: list[Item]) -> list[str]:
    """Return what each part of a list is known by."""
    found = own(items)
    fields: set[str] = set().union(*items)
    for group, read in zip(PLACES, _BY_PLACE, strict=True):
        if len(found) == len(items):
            break
        if group[-1] in fields:
            for name, at in alone(read, enumerate(items)).items():
                found.setdefault(at, name)
    return [found.get(at) or place(item) or number(item) or "" for at, item in enumerate(items)]


def _number(field: str, item: Mapping[str, Any]) -> str | None:
    """Return the number in a field if it may be the part's own, else None."""
    value = number_in(field, item)
    if value is None or not _may_be_own(field, value):
        return None
    return None if field == "serial_number" and _is_unit(item) else value


def _is_unit(item: Mapping[str, Any]) -> bool:
    """
    Whether a disk is a unit of an array, of a controller or of a hypervisor.

    Then its serial number may be theirs. The worldwide name that such units have, an
    extended one of 32 digits, is the unit's (SPC-4, NAA 6).
    """
    wwn = item.get("wwn")
    is_extended = isinstance(wwn, str) and len(wwn) == 32 and wwn[0] == "6"
    return is_extended or item.get("model") in NOT_THEIR_OWN


@lru_cache(16384)  # a document is compared with the one before, which has nearly the same numbers
def _may_be_own(field: str, value: str) -> bool:
    if field == "permanent_mac":
        return why_not_mac(value) is None
    if field == "serial_number":
        return why_not_serial(value) is None
    return why_not_serial(value) is None and not is_unset(value)


def _address(item: Mapping[str, Any]) -> str | None:
    """Return where a disk is on its controller, whose own number may change."""
    hctl, slot = item.get("hctl"), item.get("pci_slot")
    if not isinstance(hctl, str) or slot is None:
        return None
    return f"{slot} {hctl.partition(':')[2]}"


_BY_NUMBER = [partial(_number, field) for field in NUMBERS]
_BY_PLACE = [partial(place_in, group) for group in PLACES]

MATCHING: list[Read] = [*_BY_NUMBER, _address, *_BY_PLACE]
"""By what parts that have another key in another list may be found there, in order."""
