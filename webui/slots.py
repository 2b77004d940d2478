"""
Slots and bays as a picture: which are filled, empty, ill, or have lost what was in them.

A row of the picture is what the names of its slots have in common: all but their last number.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext.document.keys import is_empty, number, place
from salt_ext.words.values import by_place

LAST_NUMBER = re.compile(r"(.*?)[\s_#-]*(\d{1,6})\D*", re.DOTALL)
STATES = ("filled", "ill", "lost", "empty")

MOST_ROWS, MOST_SLOTS = 32, 64
"""A larger picture shows nothing that its table does not; no machine is so large."""


class Slot(NamedTuple):
    """A slot and what is with it: one of :data:`STATES`."""

    name: str
    state: str


class Row(NamedTuple):
    """Slots side by side."""

    name: str
    slots: list[Slot]


class Picture(NamedTuple):
    """The rows, and how many slots there are in each state."""

    rows: list[Row]
    counts: Mapping[str, int]

    @property
    def width(self) -> int:
        """How many slots the longest row has."""
        return max(len(row.slots) for row in self.rows)


def memory(
    devices: Iterable[Mapping[str, Any]], ill: Collection[str], lost: Collection[str]
) -> Picture | None:
    """
    Return the picture of the slots for memory modules.

    ``ill`` are names and numbers of parts that are ill, ``lost`` places that lost their part.
    """
    found: dict[str, list[Slot]] = {}
    for item in by_place(devices):
        name = place(item)
        if name is None:
            continue
        row, short = _split(name)
        found.setdefault(row, []).append(Slot(short, _state(item, name, ill, lost)))
    return _picture(found)


def bays(
    disks: Iterable[Mapping[str, Any]], ill: Collection[str], lost: Collection[str]
) -> Picture | None:
    """
    Return the picture of the bays of the enclosures in which there are disks.

    A number between those of two disks is that of a bay without one.
    """
    enclosures: dict[str, dict[int, str]] = {}
    for item in disks:
        slot = item.get("slot")
        if isinstance(slot, int) and not isinstance(slot, bool) and 0 <= slot < MOST_SLOTS:
            name = place(item) or ""
            row = str(item.get("enclosure") or "")
            enclosures.setdefault(row, {})[slot] = _state(item, name, ill, lost)
    found = {}
    for row, known in enclosures.items():
        span = range(min(known), max(known) + 1)
        gone = {one for one in span if f"{row} {one}".strip() in lost}
        found[row] = [
            Slot(str(one), known.get(one) or ("lost" if one in gone else "empty")) for one in span
        ]
    return _picture(found)


def _split(name: str) -> tuple[str, str]:
    match = LAST_NUMBER.fullmatch(name)
    return (match[1].strip(), match[2]) if match else (name, "")


def _state(item: Mapping[str, Any], name: str, ill: Collection[str], lost: Collection[str]) -> str:
    if is_empty(item):
        return "lost" if name in lost else "empty"
    names = {str(one) for one in (number(item), item.get("name"), item.get("serial_number")) if one}
    if item.get("slot") is not None:
        names.add(":".join(str(item[one]) for one in ("enclosure", "slot") if one in item))
    return "filled" if names.isdisjoint(ill) else "ill"


def _picture(found: Mapping[str, list[Slot]]) -> Picture | None:
    """Return the picture, or None where it would show nothing: a single slot, or too many."""
    slots = [slot for row in found.values() for slot in row]
    too_many = len(found) > MOST_ROWS or any(len(row) > MOST_SLOTS for row in found.values())
    if len(slots) < 2 or too_many:
        return None
    counts = {state: sum(slot.state == state for slot in slots) for state in STATES}
    return Picture([Row(name, row) for name, row in found.items()], counts)
