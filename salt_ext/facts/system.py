"""
Which machine this is: system, boards, chassis and firmware.

Strings are as the firmware has them, including placeholders, which ``identity.py``
judges. The sources, the first that has something: the SMBIOS tables, the kernel's
files in /sys/class/dmi/id, the device tree, and /proc/sysinfo of s390.
"""

from __future__ import annotations

from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields, hpe
from salt_ext.facts.smbios.enums import CHASSIS_TYPES

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

    Facts = dict[str, Any]

DMI = "/sys/class/dmi/id"
DEVICE_TREES = ("/proc/device-tree", "/sys/firmware/devicetree/base")
EFI = "/sys/firmware/efi"
SECURE_BOOT = f"{EFI}/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

SYSTEM_FILES = {
    "manufacturer": "sys_vendor",
    "product_name": "product_name",
    "version": "product_version",
    "serial_number": "product_serial",
    "uuid": "product_uuid",
    "sku_number": "product_sku",
    "family": "product_family",
}
BASEBOARD_FILES = {
    "manufacturer": "board_vendor",
    "product_name": "board_name",
    "version": "board_version",
    "serial_number": "board_serial",
    "asset_tag": "board_asset_tag",
}
CHASSIS_FILES = {
    "manufacturer": "chassis_vendor",
    "type": "chassis_type",
    "version": "chassis_version",
    "serial_number": "chassis_serial",
    "asset_tag": "chassis_asset_tag",
}
FIRMWARE_FILES = {
    "vendor": "bios_vendor",
    "version": "bios_version",
    "release_date": "bios_date",
    "revision": "bios_release",
    "embedded_controller_revision": "ec_firmware_release",
}
SYSINFO_NAMES = {
    "Manufacturer": "manufacturer",
    "Type": "product_name",
    "Model": "version",
    "Sequence Code": "serial_number",
    "LPAR UUID": "uuid",
    "VM00 UUID": "uuid",  # the guest's own; it comes later in the file and replaces the LPAR's
}


def system(root: Root) -> Facts | None:
    """Return the system as a whole; None on a machine that does not say what it is."""
    tables = root.once(smbios.tables)
    for item in tables.of(fields.SYSTEM):
        facts = fields.system(item, tables.version)
        if hpe.is_by(facts["manufacturer"]):
            facts["enclosure"] = hpe.enclosure(tables)
        return facts
    return _dmi(root, SYSTEM_FILES) or _device_tree(root) or _sysinfo(root) or _xen(root) or None


def baseboards(root: Root) -> list[Facts] | None:
    """Return every board that the firmware lists; None on a machine without DMI."""
    tables = root.once(smbios.tables)
    if tables.structures:
        return [fields.baseboard(item) for item in tables.of(fields.BASEBOARD)]
    board = _dmi(root, BASEBOARD_FILES)
    return [board] if board else None


def chassis(root: Root) -> list[Facts] | None:
    """Return the chassis, several where one encloses another; None on a machine without DMI."""
    tables = root.once(smbios.tables)
    if tables.structures:
        return [fields.chassis(item) for item in tables.of(fields.CHASSIS)]
    item = _dmi(root, CHASSIS_FILES)
    if "type" in item:
        code = item["type"]
        item["type"] = CHASSIS_TYPES.get(int(code) & 0x7F) if code.isdecimal() else None
    return [item] if item else None


def firmware(root: Root) -> Facts | None:
    """Return the firmware and how it started the machine; None when nothing tells of it."""
    tables = root.once(smbios.tables)
    found = tables.of(fields.BIOS)
    facts = fields.bios(found[0]) if found else _dmi(root, FIRMWARE_FILES)
    mode = _mode(root, bool(facts))
    if mode:
        facts["mode"] = mode
    if mode == "uefi":
        facts["secure_boot"] = _secure_boot(root)
    written = facts.get("release_date")
    if written:
        facts["release_date"] = iso_date(written)
        if facts["release_date"] is None:
            facts["raw"] = {"release_date": written}
    if tables.structures:
        facts["smbios_version"] = ".".join(map(str, tables.version))
        # Broken tables explain facts that are missing or odd.
        facts["smbios_problems"] = tables.problems
    return facts or None


def iso_date(text: str) -> str | None:
    """Return ``mm/dd/yyyy``, ``mm/dd/yy`` or a C compiler's ``Mon dd yyyy`` as ISO 8601."""
    parts = text.split("/") if "/" in text else text.split()
    if len(parts) == 3 and parts[0] in MONTHS:
        parts[0] = str(MONTHS.index(parts[0]) + 1)
    if len(parts) != 3 or not all(part.isdecimal() and len(part) <= 4 for part in parts):
        return None
    month, day, year = map(int, parts)
    if year < 100:  # SMBIOS began in 1995, so nothing is older
        year += 1900 if year >= 95 else 2000
    if not (1 <= month <= 12 and 1 <= day <= 31 and year >= 1980):
        return None
    return f"{year:04d}-{month:02d}-{day:02d}"


def _dmi(root: Root, files: dict[str, str]) -> Facts:
    """Return the strings in the kernel's DMI files; only root may read the serial numbers."""
    there = root.once(_dmi_names)
    texts = {
        field: root.text(f"{DMI}/{name}", 256) for field, name in files.items() if name in there
    }
    return {field: text for field, text in texts.items() if text}


def _dmi_names(root: Root) -> list[str]:
    return root.names(DMI)


def _device_tree(root: Root) -> Facts:
    for base in DEVICE_TREES:
        model = root.text(f"{base}/model", 256)
        compatible = (root.text(f"{base}/compatible", 1024) or "").split("\0")
        if model or compatible[0]:
            # A name is written "vendor,device"; PowerVM calls the serial number system-id.
            vendor, comma, _ = compatible[0].partition(",")
            facts = {
                "manufacturer": root.text(f"{base}/vendor", 256) or (vendor if comma else None),
                "product_name": model or compatible[0],
                "serial_number": root.text(f"{base}/serial-number", 256)
                or root.text(f"{base}/system-id", 256),
                "uuid": root.text(f"{base}/vm,uuid", 64)
                or root.text(f"{base}/ibm,partition-uuid", 64),
                "compatible": [name for name in compatible if name],
            }
            return {field: value for field, value in facts.items() if value}
    return {}


def _sysinfo(root: Root) -> Facts:
    facts = {}
    for line in (root.text("/proc/sysinfo") or "").splitlines():
        name, colon, value = line.partition(":")
        field = SYSINFO_NAMES.get(name.strip())
        if field and colon and value.strip():
            facts[field] = " ".join(value.split())
    return facts


def _xen(root: Root) -> Facts:
    """Return the UUID of a domain of Xen that has no firmware; the first domain has zeros."""
    uuid = root.text("/sys/hypervisor/uuid", 64) or ""
    return {"uuid": uuid} if uuid.strip("0-") else {}


def _mode(root: Root, has_dmi: bool) -> str | None:
    """Return how the firmware started the kernel, ``uefi`` or ``bios``; None when unknown."""
    if root.exists(EFI):
        return "uefi"
    # DMI without EFI on x86 means BIOS. ACPI tables do not prove a BIOS: a hypervisor
    # that starts the kernel directly, such as Firecracker, has them too.
    return "bios" if has_dmi and _is_x86(root) else None


def _is_x86(root: Root) -> bool:
    if root.exists("/sys/kernel/boot_params"):
        return True
    # Not on a live machine, where the kernel measures every CPU when the file is read.
    return not root.is_live and "cpu family" in (root.text("/proc/cpuinfo", 1024) or "")


def _secure_boot(root: Root) -> bool | None:
    value = root.data(SECURE_BOOT, 8)  # four bytes of attributes, then the variable
    return value[4] == 1 if value is not None and len(value) == 5 else None
