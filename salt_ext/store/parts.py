"""
The parts of a machine: how many of each kind, and where each part with a number of its own is.

Both are made from the facts alone, so they can be made again at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from salt_ext.document import encode, is_components
from salt_ext.document.keys import is_empty, own, place
from salt_ext.store.columns import integer_of

LONGEST = 200
"""Characters; several such columns must fit into one row of an index."""


class Source(NamedTuple):
    """
    Where the parts of a section are, and which of their fields become which column of ``part``.

    Of several fields the first one that has a text is taken. A column without a field is
    always empty. ``same`` are the columns that are called as their fields.
    """

    path: tuple[str, ...]
    manufacturer: tuple[str, ...]
    model: tuple[str, ...]
    type: tuple[str, ...]
    same: tuple[str, ...] = ()

    def made_of(self, column: str) -> tuple[str, ...]:
        """Return the fields that become a column of ``part``."""
        return (column,) if column in self.same else self._asdict().get(column, ())

    def fills(self, column: str) -> bool:
        """Whether a column of ``part`` can have a value."""
        return column == "count" or bool(self.made_of(column))


SOURCES = {
    "disks": Source(
        ("disks",), ("vendor",), ("model",), ("transport",), ("firmware_version", "size_bytes")
    ),
    "memory": Source(
        ("memory", "devices"), ("manufacturer",), ("part_number",), ("type",), ("size_bytes",)
    ),
    "processors": Source(("processors", "packages"), ("manufacturer",), ("version",), ("family",)),
    "network": Source(("network",), (), ("product", "driver"), ("driver",), ("firmware_version",)),
    "gpus": Source(("gpus",), (), ("model", "product"), ("driver",)),
    "power_supplies": Source(
        ("power_supplies",), ("manufacturer",), ("part_number", "name"), ("status",)
    ),
}
"""The sections whose parts people can filter by, as in ``disks.model=...``."""

FILTERS = {
    (".".join(source.path), fields[0]): f"{section}.{column}"
    for section, source in SOURCES.items()
    for column, fields in (
        *((name, getattr(source, name)) for name in ("manufacturer", "model", "type")),
        *((name, (name,)) for name in source.same),
    )
    if fields
}
"""By the path of a list of parts and a field: the filter for machines with such a part."""

PLACED = (
    "baseboards",
    "batteries",
    "chassis",
    "disks",
    "gpus",
    "memory",
    "network",
    "power_supplies",
    "processors",
    "raid",
    "usb",
)
"""The sections of things that can be carried from one machine into another."""

PARTED = frozenset((*SOURCES, *PLACED))
"""All sections that have parts of either sort."""


class Part(NamedTuple):
    """What equal parts have in common; its fields are columns of the table ``part``."""

    section: str
    manufacturer: str | None
    model: str | None
    type: str | None
    firmware_version: str | None
    size_bytes: int | None


BUILT_OF = ("disks", "memory", "network", "gpus", "power_supplies")
"""The sections whose kinds of parts make up a build."""

FIRMWARE = {
    "firmware_version": ("firmware", "version"),
    "firmware_mode": ("firmware", "mode"),
    "secure_boot": ("firmware", "secure_boot"),
    "bmc_firmware_version": ("bmc", "firmware_version"),
}
"""The other columns of a build, each with its section and its field."""

BUILT = frozenset((*BUILT_OF, *(section for section, _ in FIRMWARE.values())))
"""All sections that a build is made from."""

LONGEST_BUILD = 2000
"""Characters of all kinds of one section."""


class Placement(NamedTuple):
    """Where a part with a number of its own is; its fields are columns of ``placement``."""

    serial: str
    path: str
    place: str


def parts(facts: Mapping[str, Any]) -> Counter[Part]:
    """Return how many there are of each kind of part; an empty slot does not count."""
    return Counter(
        Part(
            section,
            _first(item, source.manufacturer),
            _first(item, source.model),
            _first(item, source.type),
            _first(item, ("firmware_version",)),
            integer_of(item.get("size_bytes")),
        )
        for section, source in SOURCES.items()
        for item in items_of(facts, source.path)
        if is_there(item) and item.get("kind", "physical") == "physical"
    )


def build(
    facts: Mapping[str, Any], counted: Mapping[Part, int] | None = None
) -> dict[str, str | None]:
    """
    Return what a machine is built of, as the columns of the table ``build``.

    Of each section that is the models and firmwares of its parts as one text, so that one
    disk of another model is another build. ``counted`` is what :func:`parts` returns of the
    same facts, if the caller has it.
    """
    kinds: dict[str, set[str]] = {}
    for one in parts(facts) if counted is None else counted:
        if one.section in BUILT_OF and one.model is not None:
            kind = " ".join(filter(None, (one.model, one.firmware_version)))
            kinds.setdefault(one.section, set()).add(kind)
    found = {name: ", ".join(sorted(kinds.get(name, ())))[:LONGEST_BUILD] for name in BUILT_OF}
    return {
        **{name: text or None for name, text in found.items()},
        **{name: _told(facts.get(section), field) for name, (section, field) in FIRMWARE.items()},
    }


def _told(section: Any, field: str) -> str | None:
    """Return a value as text, ``true`` and ``false`` as in JSON."""
    value = section.get(field) if isinstance(section, Mapping) else None
    if value is None:
        return None
    return (value if isinstance(value, str) else encode(value).decode())[:LONGEST]


class Kind(NamedTuple):
    """What a part in a place is; its fields are columns of ``placement``."""

    model: str | None
    firmware_version: str | None


def placements(facts: Mapping[str, Any]) -> dict[Placement, Kind]:
    """
    Return the kind of each part with a serial number, WWN or MAC of its own, by its place.

    A number that stands in two lists of one path, such as those of two parts, is nobody's.
    A container has no parts: those that it shows are in its host.
    """
    virtual = facts.get("virtual")
    if isinstance(virtual, Mapping) and virtual.get("container"):
        return {}
    found: dict[tuple[str, str], dict[str, Any]] = {}
    shared: set[tuple[str, str]] = set()
    for section in PLACED:
        for path, items in _below(section, facts.get(section)):
            for at, number in own(items).items():
                item = items[at]
                if is_there(item):
                    key = number[:LONGEST], path[:LONGEST]
                    if found.setdefault(key, item) is not item:
                        shared.add(key)
    return {
        Placement(number, path, (place(item) or "")[:LONGEST]): Kind(
            _model(item), _first(item, ("firmware_version",))
        )
        for (number, path), item in found.items()
        if (number, path) not in shared
    }


def _below(path: str, value: Any) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Walk the lists of components at and below a section."""
    if is_components(value):
        yield path, value
        for item in value:
            for key, below in item.items():
                if isinstance(below, list) and below and isinstance(below[0], dict):
                    yield from _below(f"{path}.{key}", below)
    elif isinstance(value, dict):
        for key, below in value.items():
            if isinstance(below, (list, dict)):
                yield from _below(f"{path}.{key}", below)


def items_of(facts: Mapping[str, Any], path: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the components at a path; an empty list if there is something else."""
    value: Any = facts
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if is_components(value) else []


def is_there(item: Mapping[str, Any]) -> bool:
    """Whether a record describes a part, and not an empty slot."""
    return not is_empty(item)


def _model(item: Mapping[str, Any]) -> str | None:
    return _first(item, ("model", "part_number", "product_name", "product", "version", "type"))


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        if (text := item.get(name)) and isinstance(text, str):
            return text[:LONGEST]
    return None
