"""
Disks behind RAID controllers, which the kernel does not show: which there are, and their health.

The controller tells its disks, and passes a SCSI command to one of them. So a disk there
is asked as any other is. Disks that the kernel shows too are left out.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection
from functools import partial
from threading import Semaphore
from typing import Any, NamedTuple

from salt_ext.facts.root import Root
from salt_ext.facts.smart import ata, megaraid, scsi, sg, smartarray
from salt_ext.facts.smart.waiting import answers
from salt_ext.facts.vpd import unit_serial

HOSTS, GENERIC, BLOCK = "/sys/class/scsi_host", "/sys/class/scsi_generic", "/sys/block"
MEGARAID_DRIVER = "megaraid_sas"
SMART_ARRAY_DRIVERS = ("hpsa", "smartpqi")
OLD_SMART_ARRAY = re.compile(r"cciss!c\d+d0$")
STORAGE_CONTROLLER = "12"  # as SCSI peripheral device type
LIST_SECONDS = 4.0
MAX_CONTROLLERS = 16
DISKS_AT_ONCE = 4  # of one controller, which has other things to do
INQUIRY, VITAL, SERIAL_NUMBER = 0x12, 0x01, 0x80
INQUIRY_BYTES, VITAL_BYTES = 96, 252
_SLOT = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=/)")

Send = Callable[[int, bytes, int], sg.Reply]
"""Sends a command to one disk: a file descriptor, the command, how many bytes it reads."""


class Controller(NamedTuple):
    """A controller: its place, the device node by which to reach it, and its SCSI host number."""

    pci_slot: str
    node: str
    host: int = 0


def controllers(root: Root) -> list[Controller]:
    """Return the controllers whose driver passes commands to their disks."""
    found = []
    for name in root.names(HOSTS):
        driver = root.text(f"{HOSTS}/{name}/proc_name", 64)
        number, slot = name.removeprefix("host"), _pci_slot(root, f"{HOSTS}/{name}")
        if slot is None or not number.isdecimal():
            continue
        if driver == MEGARAID_DRIVER:
            found.append(Controller(slot, megaraid.NODE, int(number)))
        elif driver in SMART_ARRAY_DRIVERS and (node := _generic_node(root, name)):
            found.append(Controller(slot, node))
    for name in root.names(BLOCK):
        if OLD_SMART_ARRAY.match(name) and (slot := _pci_slot(root, f"{BLOCK}/{name}")):
            found.append(Controller(slot, f"/dev/{name.replace('!', '/')}"))
    return found[:MAX_CONTROLLERS]


def _pci_slot(root: Root, path: str) -> str | None:
    """Return the last PCI address in the real path of a device."""
    return next(reversed(_SLOT.findall(f"{root.real(path) or ''}/")), None)


def _generic_node(root: Root, host: str) -> str | None:
    """Return the node of a SCSI host's controller; its disks and volumes have nodes as well."""
    for name in root.names(GENERIC):
        if (
            f"/{host}/" in (root.real(f"{GENERIC}/{name}") or "")
            and root.text(f"{GENERIC}/{name}/device/type", 16) == STORAGE_CONTROLLER
        ):
            return f"/dev/{name}"
    return None


def hidden_disks(root: Root) -> list[dict[str, Any]]:
    """Return an item to ask for each disk that a controller tells of."""
    questions = {one.pci_slot: partial(_listed, root, one) for one in controllers(root)}
    lists = answers(root, questions, LIST_SECONDS) if questions else {}
    return [item for _, items in sorted(lists.items()) for item in items]


def _listed(root: Root, controller: Controller) -> list[dict[str, Any]]:
    """Return the disks of one controller, each with a function that sends commands to it."""
    turns = Semaphore(DISKS_AT_ONCE)
    try:
        fd = _open(root, controller)
        try:
            if controller.node == megaraid.NODE:
                places = [
                    _megaraid(controller, one) for one in megaraid.list_disks(fd, controller.host)
                ]
            else:
                rows = enumerate(smartarray.list_disks(fd))
                places = [_smart_array(controller, *row) for row in rows]
        finally:
            os.close(fd)
    except (PermissionError, FileNotFoundError):
        root.denied.append(controller.node)
        return []
    except OSError as error:
        reason = f"{controller.pci_slot}: {error}"
        root.failed(OSError(reason).with_traceback(error.__traceback__))
        return []
    unknown = {"serial_number": None, "transport": None}
    return [{**unknown, "controller": controller, "turns": turns, **place} for place in places]


def _megaraid(controller: Controller, disk: megaraid.Disk) -> dict[str, Any]:
    place = f"{'' if disk.enclosure is None else disk.enclosure}:{disk.slot}"
    send: Send = lambda fd, cdb, length: megaraid.command(  # noqa: E731
        fd, controller.host, disk.device_id, cdb, length
    )
    return {
        "name": f"{controller.pci_slot}/{place}",
        "send": send,
        "raid": {
            "pci_slot": controller.pci_slot,
            "enclosure": None if disk.enclosure is None else str(disk.enclosure),
            "slot": str(disk.slot),
            "device_id": str(disk.device_id),
        },
    }


def _smart_array(controller: Controller, number: int, address: bytes) -> dict[str, Any]:
    send: Send = lambda fd, cdb, length: smartarray.command(fd, address, cdb, length)  # noqa: E731
    return {
        "name": f"{controller.pci_slot}/{number}",
        "send": send,
        "raid": {"pci_slot": controller.pci_slot, "device_id": str(number)},
    }


def _open(root: Root, controller: Controller) -> int:
    if controller.node == megaraid.NODE:
        return megaraid.open_node(megaraid.major_number(root.text(megaraid.DEVICES) or ""))
    return os.open(controller.node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)


def ask(root: Root, disk: dict[str, Any], known: Collection[str]) -> dict[str, Any] | None:
    """
    Return what a disk behind a controller answers, or why it was not asked.

    None for one whose serial number is known, and for what is no disk.
    """
    with disk["turns"]:
        try:
            fd = _open(root, disk["controller"])
            try:
                return health(partial(disk["send"], fd), known)
            finally:
                os.close(fd)
        except OSError as error:
            reason = f"{disk['name']}: {error}"
            root.failed(OSError(reason).with_traceback(error.__traceback__))
            return {"volatile": {"skipped_reason": f"no answer: {error}"}}


def health(send: Callable[[bytes, int], sg.Reply], known: Collection[str]) -> dict[str, Any] | None:
    """
    Return serial number, protocol and health of a disk. Raises OSError.

    Neither who it is nor whether it sleeps wakes it.
    """
    inquiry = send(bytes((INQUIRY, 0, 0, 0, INQUIRY_BYTES, 0)), INQUIRY_BYTES)
    if not inquiry.is_good or len(inquiry.data) < 36 or inquiry.data[0] & 0x1F:
        return None
    page = send(bytes((INQUIRY, VITAL, SERIAL_NUMBER, 0, VITAL_BYTES, 0)), VITAL_BYTES)
    serial = unit_serial(page.data) if page.is_good else None
    if serial in known:
        return None
    is_ata = inquiry.data[8:16].strip() == b"ATA"
    found = {"serial_number": serial, "protocol": "ata" if is_ata else "scsi"}
    # Some controllers do not return the registers in which an ATA disk tells its power mode.
    if is_ata and scsi.sleeps(send):
        return {**found, "volatile": {"skipped_reason": "standby"}}
    return {**found, **(ata.health(send) if is_ata else scsi.health(send))}
