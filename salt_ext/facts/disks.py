"""
Whole disks, real ones and those a hypervisor presents.

Everything comes from what the kernel read when it found the disk: no command
is sent and no sleeping disk is woken. Devices that the kernel makes of other
devices, of memory or of a network service (loop, ram, zram, dm, md, nbd, drbd,
...) are not disks.
"""

from __future__ import annotations

from salt_ext.facts import disk_paths, udev
from salt_ext.facts.enclosures import bays
from salt_ext.facts.sysfs import pci_slot
from salt_ext.facts.usb import is_of_controller, strings_of
from salt_ext.facts.vpd import identify_device, rotation_rate, unit_names, unit_serial

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

BLOCK = "/sys/block"
SECTOR_BYTES = 512  # the unit of sysfs, whatever the disk's own block size is
NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "nbd", "rbd", "drbd", "sr", "fd", "mtd", "zd")
FABRICS = "/sys/devices/virtual/nvme-fabrics/ctl"
NETWORKS_OF_NVME = ("tcp", "rdma", "fc", "loop", "fabrics")
OF_SCSI = ("ID_SCSI_SERIAL", "SCSI_IDENT_SERIAL")  # by scsi_id, by sg_inq
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
    return disk_paths.one_for_each_unit(root, found)


def _disk(root: Root, name: str) -> dict[str, Any] | None:
    base = f"{BLOCK}/{name}"
    where = root.link(base) or ""
    nvme = name.startswith("nvme")
    if "/virtual/" in where and not nvme:
        return None
    if name.startswith("mmcblk") and not name[len("mmcblk") :].isdigit():
        return None  # a region of an MMC chip (boot0, rpmb, gp0); the chip is listed as a disk
    if nvme and "c" in name:
        return None  # one path to a namespace, nvme0c1n1; the namespace is listed as a disk
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
        if disk["transport"] == "usb" and is_of_controller(
            root, where, disk["vendor"], disk["model"]
        ):
            return None  # a floppy or a medium of a management controller
    elif name.startswith("dasd"):
        disk.update(_dasd(root, base))
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
    if network := _network_of_nvme(root, controller):
        # The number is that of the array, which all its namespaces show on all machines.
        found["subsystem_serial_number"] = found.pop("serial_number")
        found["transport"] = f"nvme-{network}"
    # For NVMe over a network the address is that of the target, not a PCI slot.
    slot = pci_slot(root.text(f"{controller}/address", 256) or "")
    paths = root.once(_paths_to_namespaces).get(base.rpartition("/")[2], [])
    if len(paths) > 1:
        return {**found, "pci_slot": None, "paths": disk_paths.of_nvme(root, paths)}
    return {**found, "pci_slot": slot} if slot else found


def _network_of_nvme(root: Root, controller: str) -> str | None:
    """Return the network by which a controller is reached, such as tcp; None for a local one."""
    transport = root.text(f"{controller}/transport", 64)
    if transport is None and "/nvme-fabrics/" in (where := root.link(controller) or ""):
        transport = root.text(f"{FABRICS}/{where.rpartition('/')[2]}/transport", 64) or "fabrics"
    return transport if transport in NETWORKS_OF_NVME else None


def _paths_to_namespaces(root: Root) -> dict[str, list[str]]:
    """Return the paths that the kernel joins to each namespace, nvme0c0n1 to nvme0n1."""
    found: dict[str, list[str]] = {}
    for name in root.names(BLOCK):
        subsystem, _, rest = name.partition("c")
        controller, _, namespace = rest.partition("n")
        if name[:4] == "nvme" and controller.isdigit():
            found.setdefault(f"{subsystem}n{namespace}", []).append(name)
    return found


def _names_of_namespace(root: Root, base: str) -> dict[str, str]:
    kind, _, value = (root.text(f"{base}/wwid", 256) or "").lower().partition(".")
    if kind == "eui":
        return {"eui64" if len(value) == 16 else "nguid": value}
    # When the namespace also has a UUID, wwid is that UUID; these files have the others.
    files = {"eui64": root.text(f"{base}/eui", 64), "nguid": root.text(f"{base}/nguid", 64)}
    found = {
        name: text.lower().replace(" ", "").replace("-", "") for name, text in files.items() if text
    }
    return {**found, "uuid": value} if kind == "uuid" else found


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
    address = (root.link(device) or "").rpartition("/")[2]
    found: dict[str, Any] = {
        "vendor": None if is_ata else vendor,
        "model": root.text(f"{device}/model", 64),
        "serial_number": unit_serial(root.data(f"{device}/vpd_pg80", 256) or b""),
        "firmware_version": root.text(f"{device}/rev", 64),
        "wwn": None,
        "eui64": None,
        **_names_of_unit(root, device),
        "hctl": address,
        **root.once(bays).get(address, {}),
    }
    if disk["transport"] is None:
        found["transport"] = "sata" if is_ata else "scsi"
    elif is_ata and disk["transport"] == "sas":
        found["transport"] = "sata"  # a SATA disk behind a SAS controller
    if is_ata:
        found.update(identify_device(root.data(f"{device}/vpd_pg89", 1024) or b""))
    elif disk["rotational"]:
        found.update(rotation_rate(root.data(f"{device}/vpd_pgb1", 64) or b""))
    if not found["serial_number"] or not found["wwn"]:
        found.update(_second_source(root, base, found))
    return found


def _names_of_unit(root: Root, device: str) -> dict[str, str]:
    kind, _, name = (root.text(f"{device}/wwid", 256) or "").lower().partition(".")
    if kind in ("naa", "eui"):
        return {"wwn" if kind == "naa" else "eui64": name}
    return unit_names(root.data(f"{device}/vpd_pg83", 1024) or b"")


def _second_source(root: Root, base: str, found: dict[str, Any]) -> dict[str, Any]:
    """
    Return what udev wrote down of a disk that did not tell the kernel everything.

    That is so behind most USB bridges, and on kernels that keep no VPD pages.
    """
    said = udev.properties(root, base)
    bus, name = said.get("ID_BUS"), said.get("ID_WWN_WITH_EXTENSION") or said.get("ID_WWN") or ""
    # Of a SCSI disk ID_SERIAL_SHORT is the worldwide name.
    names = ("ID_SERIAL_SHORT",) if bus in ("ata", "usb") else OF_SCSI
    serial = next((said[one] for one in names if one in said), None)
    where = root.link(base) or ""
    if serial is None and "/usb" in where:
        # .../usb2/2-2/2-2:1.0/host0/... : the interface, and above it the device.
        device = where.partition("/host")[0].rpartition("/")[0]
        serial = strings_of(root, f"{BLOCK}/{device}")["serial"]
    second = {
        "serial_number": serial,
        "wwn": name[2:].lower() if name[:2] == "0x" else None,
    }
    told: dict[str, Any] = {
        field: value for field, value in second.items() if value and not found[field]
    }
    if bus == "ata" and "/usb" in where:
        # The bridge tells 24 characters as vendor and model; udev has asked the disk itself.
        model = udev.decoded(said.get("ID_MODEL_ENC") or "") or said.get("ID_MODEL")
        told |= {"vendor": None, "model": model, "firmware_version": said.get("ID_REVISION")}
    return told


def _dasd(root: Root, base: str) -> dict[str, Any]:
    return {
        "vendor": root.text(f"{base}/device/vendor", 64),
        "model": root.text(f"{base}/device/devtype", 64),
        # Vendor, serial number of the storage server, its subsystem and the unit in that.
        "serial_number": root.text(f"{base}/device/uid", 128),
    }
