"""
Whole disks, real ones and those a hypervisor presents.

Everything comes from what the kernel read when it found the disk: no command
is sent and no sleeping disk is woken. Devices that the kernel makes of other
devices, of memory or of a network service (loop, ram, zram, dm, md, nbd, drbd,
...) are not disks.
"""

from __future__ import annotations

from salt_ext.facts.sysfs import pci_slot

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

BLOCK = "/sys/block"
SECTOR_BYTES = 512  # the unit of sysfs, whatever the disk's own block size is
NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "nbd", "rbd", "drbd", "sr", "fd", "mtd", "zd")
IDENTIFY = 60  # where the ATA IDENTIFY DEVICE data begin in VPD page 89h (SAT-4)
TRANSPORTS = (
    ("/usb", "usb"),
    ("/ata", "sata"),
    ("/session", "iscsi"),
    ("/rport-", "fc"),
    ("/end_device-", "sas"),
    ("/virtio", "virtio"),
    ("/nvme", "nvme"),
    ("/mmc", "mmc"),
    ("/vbd-", "xen"),
    ("/css", "ccw"),
    ("/ndbus", "nvdimm"),
    ("/ide", "ata"),
)


def disks(root: Root) -> list[dict[str, Any]]:
    """Return the disks in the order of their kernel names."""
    found = []
    for name in root.names(BLOCK):
        if not name.startswith(NOT_DISKS):
            disk = _disk(root, name)
            if disk is not None:
                found.append(disk)
    return found


def _disk(root: Root, name: str) -> dict[str, Any] | None:
    base = f"{BLOCK}/{name}"
    where = root.link(base) or ""
    nvme = name.startswith("nvme")
    if "/virtual/" in where and not nvme:
        return None
    if name.startswith("mmcblk") and ("boot" in name or name.endswith("rpmb")):
        return None  # a region of an MMC chip; the chip itself is listed as a disk
    if nvme and root.number(f"{base}/hidden"):
        return None  # one path to a namespace; the namespace itself is listed as a disk
    size = root.number(f"{base}/size")
    rotational = root.number(f"{base}/queue/rotational")
    removable = root.number(f"{base}/removable")
    disk: dict[str, Any] = {
        "name": name,
        "size_bytes": size * SECTOR_BYTES if size else None,
        "logical_block_size": root.number(f"{base}/queue/logical_block_size"),
        "physical_block_size": root.number(f"{base}/queue/physical_block_size"),
        "rotational": None if rotational is None else rotational == 1,
        "removable": None if removable is None else removable == 1,
        "transport": next((kind for mark, kind in TRANSPORTS if mark in where), None),
        "pci_slot": pci_slot(where),
    }
    if nvme:
        disk.update(_nvme(root, base))
    elif name.startswith("vd"):
        disk.update(_virtio(root, base))
    elif name.startswith("mmcblk"):
        disk.update(_mmc(root, base))
    elif name.startswith("sd"):
        disk.update(_scsi(root, base, disk))
    return disk


def _nvme(root: Root, base: str) -> dict[str, Any]:
    device = f"{base}/device"
    found: dict[str, Any] = {
        "model": root.text(f"{device}/model", 256),
        "serial_number": root.text(f"{device}/serial", 256),
        "firmware_version": root.text(f"{device}/firmware_rev", 64),
        "transport": "nvme",
        **_names_of_namespace(root, base),
    }
    controller = device
    if root.text(f"{device}/address", 256) is None:
        # With native multipath the device is a subsystem; its controllers are links in it.
        names = (name for name in root.names(device) if name[:4] == "nvme" and name[4:].isdigit())
        controller = f"{device}/{next(names, '')}"
    # For NVMe over a network the address is that of the target, not a PCI slot.
    slot = pci_slot(root.text(f"{controller}/address", 256) or "")
    return {**found, "pci_slot": slot} if slot else found


def _names_of_namespace(root: Root, base: str) -> dict[str, str]:
    kind, _, value = (root.text(f"{base}/wwid", 256) or "").lower().partition(".")
    if kind == "eui":
        return {"eui64" if len(value) == 16 else "nguid": value}
    # When the namespace also has a UUID, wwid is that UUID; these files have the others.
    found = {"eui64": root.text(f"{base}/eui", 64), "nguid": root.text(f"{base}/nguid", 64)}
    return {
        name: text.lower().replace(" ", "").replace("-", "") for name, text in found.items() if text
    }


def _virtio(root: Root, base: str) -> dict[str, Any]:
    serial = root.text(f"{base}/serial", 64)
    # The hypervisor may write a name here. A text without a digit is not a serial number.
    if serial and not any(character.isdigit() for character in serial):
        serial = None
    return {"serial_number": serial, "transport": "virtio"}


def _mmc(root: Root, base: str) -> dict[str, Any]:
    return {
        "model": root.text(f"{base}/device/name", 64),
        "serial_number": root.text(f"{base}/device/serial", 64),
        "firmware_version": root.text(f"{base}/device/fwrev", 64),
        "transport": "mmc",
    }


def _scsi(root: Root, base: str, disk: dict[str, Any]) -> dict[str, Any]:
    device = f"{base}/device"
    vendor = root.text(f"{device}/vendor", 64)
    is_ata = vendor == "ATA"
    kind, _, wwid = (root.text(f"{device}/wwid", 256) or "").partition(".")
    found: dict[str, Any] = {
        "vendor": None if is_ata else vendor,
        "model": root.text(f"{device}/model", 64),
        "serial_number": unit_serial(root.data(f"{device}/vpd_pg80", 256) or b""),
        "firmware_version": root.text(f"{device}/rev", 64),
        "wwn": wwid.lower() if kind == "naa" else None,
        "eui64": wwid.lower() if kind == "eui" else None,
        "hctl": (root.link(device) or "").rpartition("/")[2],
    }
    if disk["transport"] is None:
        found["transport"] = "sata" if is_ata else "scsi"
    elif is_ata and disk["transport"] == "sas":
        found["transport"] = "sata"  # a SATA disk behind a SAS controller
    if is_ata:
        found.update(identify_device(root.data(f"{device}/vpd_pg89", 1024) or b""))
    elif disk["rotational"]:
        found.update(rotation_rate(root.data(f"{device}/vpd_pgb1", 64) or b""))
    return found


def unit_serial(page: bytes) -> str | None:
    """Return the serial number in a VPD page 80h."""
    if len(page) < 4 or page[1] != 0x80:
        return None
    size = int.from_bytes(page[2:4], "big")
    return page[4 : 4 + size].decode("ascii", "replace").strip("\0 ") or None


def identify_device(page: bytes) -> dict[str, Any]:
    """
    Return the fields of an ATA disk's IDENTIFY DEVICE data, in a VPD page 89h.

    INQUIRY cuts the model at 16 characters and the firmware version at 4. These
    are complete.
    """
    if len(page) < IDENTIFY + 512 or page[1] != 0x89:
        return {}
    found: dict[str, Any] = {
        "serial_number": _ata_text(page, 10, 20),
        "firmware_version": _ata_text(page, 23, 27),
        "model": _ata_text(page, 27, 47),
        **_rate(_ata_word(page, 217)),
    }
    return {key: value for key, value in found.items() if value}


def rotation_rate(page: bytes) -> dict[str, int]:
    """Return the rotation rate in a VPD page B1h (block device characteristics)."""
    return _rate(int.from_bytes(page[4:6], "big")) if page[1:2] == b"\xb1" else {}


def _rate(value: int) -> dict[str, int]:
    # 0 means "not reported", 1 "does not rotate"; other values below 0401h are reserved.
    return {"rotation_rate_rpm": value} if 0x0401 <= value < 0xFFFF else {}


def _ata_text(page: bytes, first: int, last: int) -> str | None:
    raw = page[IDENTIFY + 2 * first : IDENTIFY + 2 * last]
    swapped = b"".join(raw[at + 1 : at + 2] + raw[at : at + 1] for at in range(0, len(raw), 2))
    return swapped.decode("ascii", "replace").strip("\0 ") or None


def _ata_word(page: bytes, number: int) -> int:
    return int.from_bytes(page[IDENTIFY + 2 * number : IDENTIFY + 2 * number + 2], "little")
