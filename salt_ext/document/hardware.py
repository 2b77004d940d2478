"""
Which changes are of the hardware, and not of what a kernel or a person sets up on it.
"""

from __future__ import annotations

import hashlib

from salt_ext.document import encode, same
from salt_ext.document.names import NUMBERS

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from salt_ext.document.diff import Change

HARDWARE = (
    "baseboards",
    "batteries",
    "chassis",
    "disks",
    "firmware",
    "gpus",
    "memory",
    "network",
    "pci",
    "power_supplies",
    "processors",
    "system",
    "tpm",
)
"""The sections that describe it."""

SET_BY_SOFTWARE = frozenset(
    (
        *("addresses", "default_address", "driver", "flags", "hctl", "mac", "master", "microcode"),
        *("mtu", "name"),
        *("numa_node", "numa_nodes", "online", "plugged", "slaves", "sriov", "status"),
        *("total_bytes", "vlan_id", "vulnerabilities", "wake_up_type"),
    )
)
"""Fields of these sections that another kernel or another configuration changes."""

UPON_CARDS = ("bond", "bridge", "virtual", "vlan")
"""Kinds of network interfaces that are made by software."""


def is_hardware(one: Change) -> bool:
    """Whether a change is one of the hardware."""
    return one.path.partition(".")[0] in HARDWARE and not is_set(one) and not _is_as_before(one)


def is_set(one: Change) -> bool:
    """Whether software makes what a change is of: a network interface, or what its path names."""
    whole = [item for item in (one.old, one.new) if isinstance(item, dict)]
    is_made = one.path == "network" and any(item.get("kind") in UPON_CARDS for item in whole)
    return is_made or not SET_BY_SOFTWARE.isdisjoint(one.path.split(".")[1:])


def which(one: Change) -> bytes:
    """Return which part or field of a document a change is of, whatever is in its place now."""
    part = one.component if one.field is not None else one.old
    return encode([one.path, part, one.field])


def pci_slot(one: Change) -> str | None:
    """Return the PCI function at which a part was before a change."""
    before = one.old if one.field is None else {one.field: one.old}
    name = "slot" if one.path in ("pci", "gpus") else "pci_slot"
    slot = before.get(name) if isinstance(before, dict) else None
    return slot if isinstance(slot, str) else None


def what(one: Change) -> bytes:
    """Return of what a loss is, in few bytes: two losses of one part or of one amount are equal."""
    is_part = one.component is not None and one.field is None
    told = [one.path, one.component, one.field, None if is_part else one.old]
    return hashlib.sha256(encode(told)).digest()[:8]


def differing(one: Change) -> set[str]:
    """Return the fields of a part that differ, or the name of the value."""
    if one.component is None:
        return {one.path.rpartition(".")[2]}
    if one.field is not None:
        return {one.field}
    old, new = one.old or {}, one.new or {}
    return {name for name in old.keys() | new.keys() if not same(old.get(name), new.get(name))}


def _is_as_before(one: Change) -> bool:
    """
    Whether a part is the same, and what differs is set by software or is a number of it.

    Such a number could not be read before, or cannot be read any more: a part with
    another number would be replaced.
    """
    if one.component is None or one.op not in ("changed", "moved"):
        return False
    return differing(one) <= SET_BY_SOFTWARE.union(NUMBERS)
