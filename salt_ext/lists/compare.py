"""
Whether what people wrote of a machine is what it reports, field by field.

People write less than a machine says, and in other words: ``戴尔`` for ``Dell Inc.``,
``R740`` for ``PowerEdge R740``, ``16*32G`` for 512 GiB, ``U12-13`` for the unit ``U12``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from salt_ext.lists import models
from salt_ext.lists.amounts import how_many, sizes
from salt_ext.lists.headings import plain
from salt_ext.lists.systems import same_system
from salt_ext.words.cells import spelled, text
from salt_ext.words.places import same_place

TOLERANCE = 0.06
"""How far sizes may differ, as a share: people's lists have 4T for a disk of 3.84 TB."""

KINDS = {
    "physical": ("physical", "bare metal", "物理机", "实体机", "物理服务器", "裸金属"),
    "virtual": ("virtual", "virtual machine", "vm", "kvm", "虚拟机", "云主机", "虚机", "云服务器"),
    "container": ("container", "lxc", "docker", "容器"),
}
"""Kind: words for it; other words, such as "server", say nothing of it."""


def contradicts(field: str, said: Any, machine: Mapping[str, Any]) -> bool:
    """
    Whether what people wrote is not what a machine reports; an unknown value is no contradiction.

    A machine may have ``also``, other values of a field that are right as well, and
    ``sockets``, how many processors it has.
    """
    reported = machine.get(field)
    if reported is None:
        return False
    values = (reported, *machine.get("also", {}).get(field, ()))
    if not any(equal(field, said, value) for value in values):
        return True
    sockets = machine.get("sockets") if field == "processor_model" else None
    return sockets is not None and models.processors_said(said) not in (None, sockets)


def equal(field: str, said: Any, reported: Any) -> bool:
    """Whether what people wrote is what the machine reports; what says nothing is equal."""
    return plain(text(said)) == plain(reported) or RULES.get(field, _text)(said, reported)


def _text(said: Any, reported: Any) -> bool:
    return spelled(said) == spelled(reported)


def _size(said: Any, reported: Any) -> bool:
    amounts = sizes(text(said), "g")
    return not amounts or any(abs(one - reported) <= TOLERANCE * reported for one in amounts)


def _number(said: Any, reported: Any) -> bool:
    number = how_many(text(said))
    return number is None or number == reported


def _maker(said: Any, reported: Any) -> bool:
    same = models.same_maker(said, reported)
    return _words(said, reported) if same is None else same


def _system(said: Any, reported: Any) -> bool:
    same = same_system(said, reported)
    return _words(said, reported) if same is None else same


def _words(said: Any, reported: Any) -> bool:
    """Whether one text has the other as whole words."""
    one, other = (f" {plain(text(value))} " for value in (said, reported))
    return one in other or other in one


def _kind(said: Any, reported: Any) -> bool:
    words = plain(text(said))
    kind = next((kind for kind, names in KINDS.items() if words in names), None)
    return kind is None or kind == reported


def _unit(said: Any, reported: Any) -> bool:
    one, other = units(said), units(reported)
    return not one or not other or not one.isdisjoint(other)


def units(unit: Any) -> set[int]:
    """Return the units of a rack that a text names: of ``U12-13`` 12 and 13."""
    found = re.fullmatch(r"\D{0,9}(\d{1,2})(?:\D{1,4}(\d{1,2}))?\D{0,9}", spelled(unit))
    if found is None:
        return set()
    first, last = sorted((int(found[1]), int(found[2] or found[1])))
    return set(range(first, last + 1))


def unit(said: Any) -> str:
    """Return a unit in the one form in which units have the order of their texts: ``U05``."""
    named = sorted(units(said))
    if not named:
        return text(said)
    return f"U{named[0]:02}" + (f"-{named[-1]:02}" if len(named) > 1 else "")


def _address(said: Any, reported: Any) -> bool:
    found = re.split(r"[\s,;/、|]+", spelled(said))
    return spelled(reported) in found


RULES: dict[str, Callable[[Any, Any], bool]] = {
    "site": same_place,
    "room": same_place,
    "rack": same_place,
    "unit": _unit,
    "manufacturer": _maker,
    "product_name": models.same_product,
    "os": _system,
    "processor_model": models.same_processor,
    "processor_threads": _number,
    "memory_bytes": _size,
    "disk_count": _number,
    "disk_bytes": _size,
    "address": _address,
    "kind": _kind,
}
"""How each field is compared that is not compared as text."""
