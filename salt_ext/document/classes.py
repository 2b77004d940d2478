"""
The class of a change: what sort of news it is, so that people can ask for one sort.

The class is stored with each change. Migration 0013 has this rule as it was then, in SQL,
for the changes that are older.
"""

from __future__ import annotations

from salt_ext.document.hardware import (
    HARDWARE,
    SET_BY_SOFTWARE,
    differing,
    is_hardware,
    is_set,
    pci_slot,
)
from salt_ext.document.keys import SLOTS, is_empty

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from salt_ext.document.diff import Change

CLASSES = {
    "loss": "hardware that is gone, or is less than it was",
    "replaced": "hardware in whose place is other hardware",
    "added": "hardware that was not there",
    "firmware": "firmware, microcode and their settings",
    "moved": "parts that are in another place of their machine",
    "renamed": "machines that have another name",
    "software": "operating systems, and what they set up on the hardware",
    "other": "all else, such as USB devices, the health of disks, neighbours in the network",
    "device_name": "other names that a kernel gives to devices, mostly after a boot",
}
"""What belongs to each class, the gravest first."""

MACHINE_NAMES = ("minion_id", "operating_system.hostname")
DEVICE_NAMES = {"name", "hctl"}
FIRMWARE = {"firmware_version", "firmware_package", "microcode", "vbios"}
SOFTWARE = ("operating_system", "lvm", "md", "multipath")
"""Sections that are of software as a whole."""

BEHIND_CONTROLLERS = ("raid.controllers", "raid.members")
"""Lists of hardware that the kernel does not show; software arrays have members too."""

QUANTITIES = {
    *("installed_bytes", "memory_bytes", "persistent_bytes", "size_bytes"),
    *("sockets", "cores", "threads", "core_count", "core_enabled", "thread_count"),
}
"""Fields by which hardware is less or more than it was."""

LEAVES = ("loss", "replaced", "moved")
"""The classes of changes by which a part leaves its slot."""

OF_PARTS = {"removed": "loss", "replaced": "replaced", "added": "added"}

NOTHING: tuple[Any, ...] = (None, [], {})


def classes(changes: Sequence[Change]) -> list[str | None]:
    """
    Return the class of each change of one report; None for those that tell people nothing.

    These are sections that appear or disappear empty, the empty slots that appear and
    disappear when a part is moved, and what ``smart`` tells of a disk that ``disks`` tells
    too. A sum that follows its parts is no loss of its own.
    """
    moved = {one.path for one in changes if one.op == "moved"}
    disks = {(one.op, one.component, one.field) for one in changes if one.path == "disks"}
    parted = {_section(one) for one in changes if one.component is not None and _of_part(one)}
    found: list[str | None] = []
    for one in changes:
        is_told = not (
            _is_empty_section(one)
            or (one.path in moved and is_bare_slot(one))
            or (one.path == "smart" and (one.op, one.component, one.field) in disks)
        )
        is_sum = one.component is None and _section(one) in parted
        found.append(_class(one, is_sum=is_sum) if is_told else None)
    return found


def losses(changes: Sequence[Change], named: Sequence[str | None]) -> list[bool]:
    """
    Return for each change of one report, whose classes are ``named``, whether it is a loss.

    The PCI function of a disk or a card goes with it: it is a loss of its own only where no
    other section tells what has left its slot.
    """
    left = {
        pci_slot(one)
        for one, name in zip(changes, named, strict=True)
        if one.path != "pci" and name in LEAVES
    } - {None}
    return [
        name == "loss" and (one.path != "pci" or pci_slot(one) not in left)
        for one, name in zip(changes, named, strict=True)
    ]


def is_bare_slot(one: Change) -> bool:
    """Whether a change is only an empty slot that was added to a list or removed from it."""
    if one.component is None or one.field is not None:
        return False
    items = [item for item in (one.old, one.new) if item is not None]
    return len(items) == 1 and is_empty(items[0])


def _class(one: Change, *, is_sum: bool) -> str:
    fields = differing(one)
    if one.path in MACHINE_NAMES:
        return "renamed"
    if _section(one) in SOFTWARE:
        return "software"
    if _section(one) == "firmware" or fields <= FIRMWARE:
        return "firmware"
    if one.component is not None and one.op in ("changed", "moved"):
        if one.op == "moved" or fields <= SLOTS:
            return "moved"
        if fields <= DEVICE_NAMES:
            return "device_name"
    if found := _of_part(one) or _of_quantity(one):
        return "other" if is_sum else found
    is_software = is_set(one) or fields <= SET_BY_SOFTWARE
    return "software" if is_software and _section(one) in HARDWARE else "other"


def _of_part(one: Change) -> str | None:
    """Return the class of a whole part of the hardware that went, came, or is another one."""
    if one.component is None or one.field is not None or one.op not in OF_PARTS:
        return None
    item = one.new if one.op == "added" else one.old
    behind = one.path in BEHIND_CONTROLLERS and "raid_device" not in item
    if is_empty(item) or not (behind or is_hardware(one)):
        return None
    return "loss" if one.op == "replaced" and _of_quantity(one) == "loss" else OF_PARTS[one.op]


def _of_quantity(one: Change) -> str | None:
    """Return the class of hardware that is less than it was, or more."""
    if not is_hardware(one):
        return None
    found = {_step(old, new) for old, new in _quantities(one)} - {None}
    return "loss" if "loss" in found else next(iter(found), None)


def _quantities(one: Change) -> list[tuple[Any, Any]]:
    if one.component is not None and one.field is None:
        return [((one.old or {}).get(name), (one.new or {}).get(name)) for name in QUANTITIES]
    return [(one.old, one.new)] if differing(one) <= QUANTITIES else []


def _step(old: Any, new: Any) -> str | None:
    if not _is_number(old) or not _is_number(new) or old == new:
        return None
    return "loss" if new < old else "added"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_empty_section(one: Change) -> bool:
    is_section = one.component is None and "." not in one.path
    return is_section and one.old in NOTHING and one.new in NOTHING


def _section(one: Change) -> str:
    return one.path.partition(".")[0]
