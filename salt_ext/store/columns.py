"""
The columns of the asset list, made from an asset's facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext.document import is_components
from salt_ext.store.schema import PLACE
from salt_ext.words.called import MACHINES
from salt_ext.words.places import same_place

LARGEST = 2**63 - 1
LARGEST_COUNT = 2**31 - 1
EXPECTED = "expected"
"""What a list has that does not say what it is: a machine, which shall report."""

UNREPORTED = (
    *(EXPECTED, "switch", "router", "firewall", "load balancer", "pdu", "ups", "storage"),
    *("tape library", "kvm", "spare"),
)
"""What something may be that only people's lists have."""

KINDS = (*MACHINES, *UNREPORTED)
"""What an asset may be."""


def list_columns(
    facts: Mapping[str, Any], identifiers: Iterable[str], listed: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """
    Return the columns of the list by name: :data:`schema.LIST_COLUMNS` without ``temporary``.

    ``identifiers`` are the kinds of identifiers that ``facts.identity`` accepted.
    ``listed`` is what people's lists say: the place of a machine that reports none, and
    ``from_list`` tells which of it that is.
    """
    kinds = set(identifiers)
    system = _mapping(facts, "system")
    os = _mapping(facts, "operating_system")
    processors = _mapping(facts, "processors")
    memory = _mapping(facts, "memory")
    virtual = _mapping(facts, "virtual")
    disks = _components(facts, "disks")
    return {
        "sn": _serial_number(facts, kinds),
        "kind": _kind(system, virtual),
        "hostname": text_of(os.get("hostname")),
        **place_of(_mapping(facts, "location"), listed or {}),
        "manufacturer": text_of(system.get("manufacturer")),
        "product_name": text_of(system.get("product_name")),
        "os": text_of(os.get("pretty_name") or os.get("name")),
        "kernel_release": text_of(os.get("kernel_release")),
        "processor_model": text_of(processors.get("model")),
        "processor_threads": integer_of(processors.get("threads"), LARGEST_COUNT),
        "memory_bytes": integer_of(memory.get("installed_bytes") or memory.get("total_bytes")),
        "disk_count": None if disks is None else sum(not _is_without_medium(one) for one in disks),
        "disk_bytes": None
        if disks is None
        else integer_of(sum(integer_of(disk.get("size_bytes")) or 0 for disk in disks)),
        "address": _address(_components(facts, "network") or []),
    }


def place_of(location: Mapping[str, Any], listed: Mapping[str, Any]) -> dict[str, str | None]:
    """
    Return where a machine stands, as it says itself or else as lists do, and ``from_list``.

    Below a site, room or rack in which lists put it and the machine does not, they say
    nothing: a room of another site is not where it stands.
    """
    reported = {name: _written(location.get(name)) for name in PLACE}
    only_listed = []
    for name in PLACE:
        if not listed.get(name):
            continue
        if reported[name] is None:
            only_listed.append(name)
        elif not same_place(listed[name], reported[name]):
            break
    return {
        **reported,
        **{name: text_of(listed[name]) for name in only_listed},
        "from_list": ", ".join(only_listed) or None,
    }


def _written(value: Any) -> str | None:
    """Return what an operator wrote as the place of a machine; YAML makes a number of ``12``."""
    return str(value) if type(value) is int else text_of(value) or None


def _kind(system: Mapping[str, Any], virtual: Mapping[str, Any]) -> str:
    if system.get("kind") == "network":
        return "network"
    if virtual.get("container"):
        return "container"
    return "virtual" if virtual.get("role") == "guest" else "physical"


def _is_without_medium(disk: Mapping[str, Any]) -> bool:
    """Whether a disk is a drive for cards or other media with nothing in it."""
    return disk.get("removable") is True and not disk.get("size_bytes")


def _serial_number(facts: Mapping[str, Any], kinds: set[str]) -> str | None:
    """Return the serial number that people know the machine by; None for a placeholder."""
    if "serial_number" in kinds:
        return text_of(_mapping(facts, "system").get("serial_number"))
    if "board_serial_number" in kinds:
        boards = _components(facts, "baseboards") or []
        return next(
            (text_of(one["serial_number"]) for one in boards if one.get("serial_number")), None
        )
    return None


def _address(network: list[dict[str, Any]]) -> str | None:
    """
    Return the address by which a machine reaches other networks.

    Of a machine without a default route, and where a report does not tell it, the
    first one: of cards and what stands on them before loopback and tunnels, IPv4
    before IPv6.
    """
    told = [interface.get("default_address") for interface in network]
    if address := next((one for one in told if isinstance(one, str) and one), None):
        return text_of(address)
    found = []
    for interface in network:
        addresses = interface.get("addresses")
        is_virtual = interface.get("kind") == "virtual"
        for address in addresses if isinstance(addresses, list) else []:
            bare = str(address).partition("/")[0]
            found.append((is_virtual, ":" in bare, str(interface.get("name")), bare))
    return text_of(min(found)[-1]) if found else None


def _components(facts: Mapping[str, Any], section: str) -> list[dict[str, Any]] | None:
    value = facts.get(section)
    return value if is_components(value) else None


def _mapping(facts: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    value = facts.get(section)
    return value if isinstance(value, dict) else {}


def text_of(value: Any) -> str | None:
    """Return as much of a text as a column and its index can hold; None for other types."""
    return value[:500] if isinstance(value, str) else None


def integer_of(value: Any, limit: int = LARGEST) -> int | None:
    """Return a count or a size; None for what is no such number or exceeds ``limit``."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= limit else None
