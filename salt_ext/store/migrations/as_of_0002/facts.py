"""
What step 0002 keeps beside an asset's facts: its search text, its parts and their places.

Frozen: what a later step wants otherwise it changes itself.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

SEARCHED = ("hostname", "sn", "site", "rack", "manufacturer", "product_name", "os", "address")
"""The columns of ``asset`` whose texts are in its search text."""

SEARCH_LENGTH = 6000
LONGEST = 200
LARGEST = 2**63 - 1


class Source(NamedTuple):
    """Where the parts of a section stand, and which of their fields are which of ours."""

    path: tuple[str, ...]
    manufacturer: tuple[str, ...]
    model: tuple[str, ...]
    type: tuple[str, ...]


SOURCES = {
    "disks": Source(("disks",), ("vendor",), ("model",), ("transport",)),
    "memory": Source(("memory", "devices"), ("manufacturer",), ("part_number",), ("type",)),
    "processors": Source(("processors", "packages"), ("manufacturer",), ("version",), ("family",)),
    "network": Source(("network",), ("vendor",), ("product", "driver"), ("driver",)),
    "gpus": Source(("gpus",), ("vendor",), ("model", "product"), ("driver",)),
    "power_supplies": Source(
        ("power_supplies",), ("manufacturer",), ("part_number", "name"), ("status",)
    ),
}

PLACED = (
    *("baseboards", "batteries", "chassis", "disks", "gpus", "memory", "network"),
    *("power_supplies", "processors", "raid", "usb"),
)

MODEL_FIELDS = ("model", "part_number", "product_name", "product", "version", "type")
IDENTITY_FIELDS = ("serial_number", "wwn", "permanent_mac", "uuid")
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


class Part(NamedTuple):
    """What equal parts have in common; its fields are columns of the table ``part``."""

    section: str
    manufacturer: str | None
    model: str | None
    type: str | None
    firmware_version: str | None
    size_bytes: int | None


class Placement(NamedTuple):
    """Where a part with a number of its own is; its fields are columns of ``placement``."""

    serial: str
    path: str
    place: str


def digest(facts: Any) -> bytes:
    """Return what tells the facts of a section from others: of their canonical JSON, 16 bytes."""
    text = json.dumps(
        facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).digest()[:16]


def search_text(columns: Iterable[Any], facts: Mapping[str, Any]) -> str:
    """Return the texts of columns, MACs and addresses in lower case, one after the other."""
    words = [*columns]
    for interface in _items_of(facts, ("network",)):
        addresses = interface.get("addresses")
        words += [interface.get("permanent_mac"), interface.get("mac")]
        words += addresses if isinstance(addresses, list) else []
    found = dict.fromkeys(one.lower() for one in words if isinstance(one, str) and one)
    return "\n".join(found)[:SEARCH_LENGTH]


def parts(facts: Mapping[str, Any]) -> Counter[Part]:
    """Return how many of which parts there are; an empty slot is none."""
    return Counter(
        Part(
            section,
            _first(item, source.manufacturer),
            _first(item, source.model),
            _first(item, source.type),
            _first(item, ("firmware_version",)),
            _size(item.get("size_bytes")),
        )
        for section, source in SOURCES.items()
        for item in _items_of(facts, source.path)
        if _is_there(item) and item.get("kind", "physical") == "physical"
    )


def placements(facts: Mapping[str, Any]) -> dict[Placement, str | None]:
    """Return where each part with a serial number, WWN or MAC of its own is, and its model."""
    return {
        Placement(serial[:LONGEST], path[:LONGEST], _place(item)[:LONGEST]): _first(
            item, MODEL_FIELDS
        )
        for section in PLACED
        for path, item in _below(section, facts.get(section))
        if _is_there(item) and (serial := _identity(item))
    }


def _below(path: str, value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Walk the lists of components at and below a section."""
    if _is_components(value):
        for item in value:
            yield path, item
            for key, below in item.items():
                if isinstance(below, list) and below:
                    yield from _below(f"{path}.{key}", below)
    elif isinstance(value, dict):
        for key, below in value.items():
            if isinstance(below, (list, dict)):
                yield from _below(f"{path}.{key}", below)


def _items_of(facts: Mapping[str, Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    value: Any = facts
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if _is_components(value) else []


def _is_components(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _is_there(item: Mapping[str, Any]) -> bool:
    return item.get("present") is not False and item.get("populated") is not False


def _identity(item: Mapping[str, Any]) -> str | None:
    return next((str(item[field]) for field in IDENTITY_FIELDS if item.get(field)), None)


def _place(item: Mapping[str, Any]) -> str:
    group = next((group for group in PLACE_FIELDS if item.get(group[-1]) is not None), ())
    return " ".join(str(item[field]) for field in group if item.get(field) is not None)


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = item.get(name)
        if isinstance(value, str) and value:
            return value[:LONGEST]
    return None


def _size(value: Any) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 0 <= value <= LARGEST else None
