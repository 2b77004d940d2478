"""
What the kernel makes of disks: md arrays, multipath devices, logical volumes.

Only what ``/sys`` and ``/proc`` tell. Volume groups that are not active, and the
free space in a volume group, are only in LVM's own metadata, which is not read.
"""

from __future__ import annotations

from salt_ext.facts import mdstat, udev

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

    Facts = dict[str, Any]

BLOCK = "/sys/block"
SECTOR_BYTES = 512
# With every write an array changes between these states. They are all told as "active".
ACTIVE = ("clean", "active", "active-idle", "write-pending", "read-auto")
MULTIPATH, LVM = "mpath-", "LVM-"
NAA = "3"  # scsi_id's prefix for a name of the type NAA, which is the wwn of a disk
UUID_CHARACTERS = 32  # of an LVM id: letters and digits, without the dashes
# lvm(8) reserves these in names: a volume with such a name is a part of another one.
PARTS = ("_rimage_", "_rmeta_", "_mimage_", "_mlog", "_tdata", "_tmeta", "_cdata", "_cmeta")
MAX_DEPTH = 8


def md(root: Root) -> list[Facts] | None:
    """Return the md arrays; None where neither sysfs nor procfs can list them."""
    names = root.names(BLOCK)
    text = root.text("/proc/mdstat")
    if not names and text is None:
        return None
    found = {name: array for name in names if (array := _array(root, name)) is not None}
    for array in mdstat.arrays(text or ""):
        found.setdefault(array["name"], array)
    return list(found.values())


def _array(root: Root, name: str) -> Facts | None:
    base = f"{BLOCK}/{name}/md"
    entries = root.names(base) if name[:2] == "md" else []
    if not entries:
        return None
    state = root.text(f"{base}/array_state", 64)
    progress = root.text(f"{base}/sync_completed", 64)
    degraded = root.number(f"{base}/degraded")  # only where a member may be missing
    return {
        "name": name,
        "uuid": array_uuid(root.text(f"{base}/uuid", 64) or _udev_uuid(root, name)),
        "level": root.text(f"{base}/level", 64),
        "metadata_version": root.text(f"{base}/metadata_version", 64),
        "state": "active" if state in ACTIVE else state,
        "raid_disks": _first_number(root.text(f"{base}/raid_disks", 64)),
        "size_bytes": _size(root, name),
        "members": _members(root, base, entries),
        "health": None if degraded is None else {"degraded": degraded},
        "volatile": {
            "array_state": state,
            "action": root.text(f"{base}/sync_action", 64),
            "progress": None if progress == "none" else progress,
            "mismatch_count": root.number(f"{base}/mismatch_cnt"),
        },
    }


def _members(root: Root, base: str, entries: list[str]) -> list[Facts]:
    """Return the devices of an array; a spare has no slot."""
    slots = {
        root.link(f"{base}/{entry}"): int(entry[2:])
        for entry in entries
        if entry[:2] == "rd" and entry[2:].isdecimal()
    }
    return [
        {
            # A "/" in a device's name, as in "cciss/c0d0p1", is "!" here.
            "name": entry[4:].replace("!", "/"),
            "slot": slots.get(entry),
            "state": root.text(f"{base}/{entry}/state", 128),
        }
        for entry in entries
        if entry[:4] == "dev-"
    ]


def array_uuid(text: str | None) -> str | None:
    """Return mdadm's ``7615b98d:f2ba4d99:bee86202:d8e130b9`` in the usual form of a UUID."""
    digits = (text or "").replace("-", "").replace(":", "").lower()
    if len(digits) != 32 or not digits.strip("0"):
        return None
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _udev_uuid(root: Root, name: str) -> str | None:
    """Return the UUID that mdadm told udev, for kernels that do not show it in sysfs."""
    return udev.properties(root, f"{BLOCK}/{name}").get("MD_UUID")


def _first_number(text: str | None) -> int | None:
    """Return 5 for ``5 (4)``: during a reshape, the new number of disks and the old one."""
    word = (text or "").partition(" ")[0]
    return int(word) if word.isdecimal() else None


def multipath(root: Root) -> list[Facts] | None:
    """
    Return the multipath devices; None without ``/sys/block``.

    The paths themselves are told of in ``disks``, each with its state. Here are the names of
    those that a device holds now: which they are is no second change beside that one.
    """
    mapped = root.once(_mapped)
    if mapped is None:
        return None
    found = []
    for device, (name, uuid) in mapped.items():
        if uuid[: len(MULTIPATH)] == MULTIPATH:
            wwid = uuid[len(MULTIPATH) :]
            found.append(
                {
                    "name": name,
                    "wwid": wwid,
                    "wwn": wwid[1:].lower() if wwid[:1] == NAA else None,
                    "size_bytes": _size(root, device),
                    "volatile": {"paths": _slaves(root, device)},
                }
            )
    return found


def held_by_multipath(root: Root) -> dict[str, str]:
    """Return the name of the multipath device that holds a block device, by that one's name."""
    return {
        path: name
        for device, (name, uuid) in (root.once(_mapped) or {}).items()
        if uuid[: len(MULTIPATH)] == MULTIPATH
        for path in _slaves(root, device)
    }


def lvm(root: Root) -> list[Facts] | None:
    """Return the active logical volumes; None without ``/sys/block``."""
    mapped = root.once(_mapped)
    if mapped is None:
        return None
    found = []
    for device, (mapped_name, uuid) in mapped.items():
        names = volume_names(mapped_name, uuid)
        if names is not None:
            group, name = names
            ids = uuid[len(LVM) :]
            found.append(
                {
                    "volume_group": group,
                    "name": name,
                    "uuid": lvm_uuid(ids[UUID_CHARACTERS : 2 * UUID_CHARACTERS]),
                    "volume_group_uuid": lvm_uuid(ids[:UUID_CHARACTERS]),
                    "size_bytes": _size(root, device),
                    "devices": sorted(_physical(root, device, mapped, MAX_DEPTH)),
                }
            )
    return found


def volume_names(name: str, uuid: str) -> tuple[str | None, str] | None:
    """
    Return (volume group, logical volume), or None for a device that is not a volume.

    A mapped device is called ``group-volume``; a dash in one of the names is
    doubled. A device that LVM uses inside a volume is not a volume: it has the name
    of a layer after the two ids in its UUID, or a reserved name.
    """
    ids, _, layer = uuid[len(LVM) :].partition("-")
    if uuid[: len(LVM)] != LVM or len(ids) != 2 * UUID_CHARACTERS or layer not in ("", "pool"):
        return None
    group, dash, volume = name.replace("--", "\0").partition("-")
    if any(part in volume for part in PARTS):
        return None
    if not dash:  # the device was named by something else than LVM
        return None, name
    return group.replace("\0", "-"), volume.replace("\0", "-")


def lvm_uuid(ids: str) -> str:
    """Return an id as LVM's commands print it, in groups of 6, 4, 4, 4, 4, 4 and 6."""
    return "-".join((ids[:6], *(ids[at : at + 4] for at in range(6, 26, 4)), ids[26:]))


def _mapped(root: Root) -> dict[str, tuple[str, str]] | None:
    """Return ``{device: (name, UUID)}`` of the device mapper; None without ``/sys/block``."""
    names = root.names(BLOCK)
    if not names:
        return None
    return {
        device: (
            root.text(f"{BLOCK}/{device}/dm/name", 256) or device,
            root.text(f"{BLOCK}/{device}/dm/uuid", 256) or "",
        )
        for device in names
        if device[:3] == "dm-"
    }


def _physical(root: Root, device: str, mapped: dict[str, tuple[str, str]], depth: int) -> set[str]:
    """Return the names of the devices below a volume; LVM's own in between are looked through."""
    found = set()
    for below in _slaves(root, device):
        name, uuid = mapped.get(below, (below, ""))
        if uuid[: len(LVM)] == LVM and depth:
            found |= _physical(root, below, mapped, depth - 1)
        else:
            found.add(name)
    return found


def _slaves(root: Root, device: str) -> list[str]:
    return root.names(f"{BLOCK}/{device}/slaves")


def _size(root: Root, device: str) -> int | None:
    sectors = root.number(f"{BLOCK}/{device}/size")
    return sectors * SECTOR_BYTES if sectors else None
