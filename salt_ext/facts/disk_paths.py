"""
Several paths to one disk are one disk.

A logical unit of a disk array, or a SAS disk with two ports, is a block device for
each path that leads to it. Block devices with one worldwide name of the unit, and
those that one multipath device holds, are told as one disk with a list of its paths.
Nothing else of the disk depends on which paths there are just now, neither its
identity nor its name.
"""

from __future__ import annotations

from salt_ext.document.placeholders import is_unset
from salt_ext.facts import volumes
from salt_ext.facts.sysfs import pci_slot

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

    Facts = dict[str, Any]

BLOCK = "/sys/block"
SHARED = ("fc", "iscsi", "sas", "scsi", "nvme")
"""How the transports begin by which several paths may lead to a disk."""

NAMES = {"wwn": "scsi-3", "eui64": "scsi-2"}
NAMES_OF_NVME = {"uuid": "nvme-uuid.", "nguid": "nvme-eui.", "eui64": "nvme-eui."}
"""The worldwide names of a disk, and how udev's name for it begins in ``/dev/disk/by-id``."""

BROKEN = ("offline", "transport-offline", "blocked", "connecting", "dead")
"""The states, of SCSI devices and of NVMe controllers, in which a path cannot be used."""


def one_for_each_unit(root: Root, disks: list[Facts]) -> list[Facts]:
    """Return the disks in their order, with all paths to one disk as one."""
    held = volumes.held_by_multipath(root)
    named = [(disk, held.get(disk["name"]), _unit(disk)) for disk in disks]
    # A path that multipathd does not hold is known by the name of the unit, and one that
    # does not tell this name by the device that holds it.
    holders = {unit: holder for _, holder, unit in named if holder and unit}
    groups: dict[str, list[Facts]] = {}
    for disk, holder, unit in named:
        name = holder or (unit and holders.get(unit)) or unit or disk["name"]
        groups.setdefault(name, []).append(disk)
    return [
        disk
        for name, paths in groups.items()
        for disk in (
            [_joined(root, name, paths)] if _is_one(paths, name in held.values()) else paths
        )
    ]


def _unit(disk: Facts) -> str | None:
    """Return udev's name for the unit behind a block device, if there may be several paths."""
    transport = disk["transport"] or ""
    names = NAMES_OF_NVME if transport.startswith("nvme") else NAMES
    for field, prefix in names.items():
        name = disk.get(field)
        if name and transport.startswith(SHARED) and not is_unset(name):
            return f"{prefix}{name}"
    return None


def _is_one(paths: list[Facts], is_held: bool) -> bool:
    """Whether block devices with one name are paths to one disk, even a single path."""
    if is_held:
        return len(paths) > 1 or (paths[0]["transport"] or "").startswith(SHARED)
    numbers = {path["serial_number"] for path in paths if path.get("serial_number")}
    # Units of one target, or namespaces of one controller, are several, whatever names they have.
    ways = [way for path in paths if (way := _way(path))]
    return len(paths) > 1 and len(numbers) <= 1 and len(set(ways)) == len(ways)


def _way(disk: Facts) -> str:
    """Return the way to the target of a block device: its address without the unit."""
    if disk["name"].startswith("nvme"):
        return str(disk["name"]).rpartition("n")[0]
    return (disk.get("hctl") or "").rpartition(":")[0]


def _joined(root: Root, name: str, paths: list[Facts]) -> Facts:
    # A path that is not ready does not tell everything, not even the size.
    disk = {
        field: next((path[field] for path in paths if path.get(field) is not None), None)
        for field in dict.fromkeys(field for path in paths for field in path)
    }
    ways = [
        {
            **{field: path.get(field) for field in ("name", "hctl", "pci_slot", "transport")},
            **_state(root.text(f"{BLOCK}/{path['name']}/device/state", 64)),
        }
        for path in paths
    ]
    return {**disk, "name": name, "hctl": None, "pci_slot": None, "paths": ways}


def of_nvme(root: Root, names: list[str]) -> list[Facts]:
    """Return the paths to an NVMe namespace, which the kernel joins itself, by their names."""
    ways = []
    for name in names:
        where = root.link(f"{BLOCK}/{name}") or ""
        controller = f"{BLOCK}/{where.rpartition('/')[0]}"
        address = root.text(f"{controller}/address", 256) or ""
        slot = pci_slot(address)
        ways.append(
            {
                "name": name,
                "pci_slot": slot,
                "address": None if slot else address,
                "transport": root.text(f"{controller}/transport", 64),
                **_state(root.text(f"{controller}/state", 64)),
            }
        )
    return ways


def _state(word: str | None) -> Facts:
    return {"state": word, "health": None if word is None else "failed" if word in BROKEN else "ok"}
