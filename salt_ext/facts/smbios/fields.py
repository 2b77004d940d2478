"""
SMBIOS: what the fields of each structure type mean (DMTF DSP0134, chapter 7).

There is one function for each type. It takes a :class:`Structure` and returns its
facts under the names of ``docs/facts.md``. A field is None when the structure is too
short for it, when it is unspecified, or when its code is not defined.
"""

from __future__ import annotations

from salt_ext.facts.smbios import enums as words

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.smbios import Structure, Version

    Facts = dict[str, Any]

(BIOS, SYSTEM, BASEBOARD, CHASSIS, PROCESSOR, SLOT, OEM_STRINGS, MEMORY_ARRAY, MEMORY_DEVICE) = (
    0,
    1,
    2,
    3,
    4,
    9,
    11,
    16,
    17,
)
IPMI, POWER_SUPPLY, ONBOARD_DEVICE, HOST_INTERFACE, TPM = 38, 39, 41, 42, 43

UNKNOWN_BYTES = 0xFFFF_FFFF_FFFF_FFFF
READ_MOSTLY = ("ROM", "Flash", "EEPROM", "FEPROM", "EPROM")
VOLATILE = ("DRAM", "MRDIMM")

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def bios(item: Structure) -> Facts:
    """Type 0. The release date is as the firmware writes it."""
    return {
        "vendor": item.text(0x04),
        "version": item.text(0x05),
        "release_date": item.text(0x08),
        "revision": _revision(item, 0x14),
        "embedded_controller_revision": _revision(item, 0x16),
        "rom_size_bytes": _rom_size(item),
    }


def system(item: Structure, version: Version) -> Facts:
    """Type 1; the byte order of the UUID depends on the version of the table."""
    return {
        "manufacturer": item.text(0x04),
        "product_name": item.text(0x05),
        "version": item.text(0x06),
        "serial_number": item.text(0x07),
        "uuid": _uuid(item.data(0x08, 16), version),
        "sku_number": item.text(0x19),
        "family": item.text(0x1A),
        "wake_up_type": _named(words.WAKE_UP_TYPES, item.byte(0x18)),
    }


def baseboard(item: Structure) -> Facts:
    """Type 2."""
    return {
        "manufacturer": item.text(0x04),
        "product_name": item.text(0x05),
        "version": item.text(0x06),
        "serial_number": item.text(0x07),
        "asset_tag": item.text(0x08),
        "location_in_chassis": item.text(0x0A),
        "chassis_handle": item.word(0x0B),
        "type": _named(words.BASEBOARD_TYPES, item.byte(0x0D)),
    }


def chassis(item: Structure) -> Facts:
    """Type 3; its handle is what a board's ``chassis_handle`` points to."""
    kind = item.byte(0x05)
    elements = (item.byte(0x13) or 0) * (item.byte(0x14) or 0)
    # In a shorter structure these two octets are what is left of an older layout.
    has_height = len(item) >= 0x13
    return {
        "handle": item.handle,
        "manufacturer": item.text(0x04),
        "type": None if kind is None else words.CHASSIS_TYPES.get(kind & 0x7F),  # bit 7: a lock
        "version": item.text(0x06),
        "serial_number": item.text(0x07),
        "asset_tag": item.text(0x08),
        "height_u": (item.byte(0x11) or None) if has_height else None,
        "number_of_power_cords": (item.byte(0x12) or None) if has_height else None,
        "sku_number": item.text(0x15 + elements),
    }


def processor(item: Structure) -> Facts:
    """Type 4."""
    status = item.byte(0x18)
    identity = item.data(0x08, 8)
    return {
        "socket_designation": item.text(0x04),
        "type": _named(words.PROCESSOR_TYPES, item.byte(0x05)),
        "family": _processor_family(item),
        "manufacturer": item.text(0x07),
        "id": None if identity is None else identity.hex(" ").upper(),
        "version": item.text(0x10),
        "external_clock_mhz": item.word(0x12) or None,
        "max_speed_mhz": item.word(0x14) or None,
        "current_speed_mhz": item.word(0x16) or None,
        "populated": None if status is None else bool(status & 0x40),
        "status": None if status is None else _processor_status(status),
        "upgrade": _named(words.PROCESSOR_UPGRADES, item.byte(0x19)),
        "serial_number": item.text(0x20),
        "asset_tag": item.text(0x21),
        "part_number": item.text(0x22),
        "core_count": _count(item, 0x23, 0x2A),
        "core_enabled": _count(item, 0x24, 0x2C),
        "thread_count": _count(item, 0x25, 0x2E),
    }


def slot(item: Structure) -> Facts:
    """Type 9; ``type`` begins with the width of the bus, as in "x8 PCI Express 3 x16"."""
    kind = _named(words.SLOT_TYPES, item.byte(0x05))
    width = _named(words.SLOT_WIDTHS, item.byte(0x06))
    return {
        "designation": item.text(0x04),
        "type": f"{width} {kind}" if kind and width else kind,
        "usage": _named(words.SLOT_USAGES, item.byte(0x07)),
        "length": _named(words.SLOT_LENGTHS, item.byte(0x08)),
        "bus_address": _bus_address(item, 0x0D),
    }


def oem_strings(item: Structure) -> list[str | None]:
    """Type 11: the strings in their order, empty ones as None, because their numbers matter."""
    return [item.string(number) for number in range(1, (item.byte(0x04) or 0) + 1)]


def memory_array(item: Structure) -> Facts:
    """Type 16."""
    capacity = item.dword(0x07)
    if capacity == 0x80000000:  # the size does not fit; the extended field has it in bytes
        capacity_bytes = item.qword(0x0F)
    else:
        capacity_bytes = None if capacity is None else capacity * KIB
    return {
        "location": _named(words.MEMORY_ARRAY_LOCATIONS, item.byte(0x04)),
        "use": _named(words.MEMORY_ARRAY_USES, item.byte(0x05)),
        "error_correction": _named(words.MEMORY_ERROR_CORRECTIONS, item.byte(0x06)),
        "maximum_capacity_bytes": capacity_bytes,
        "number_of_devices": item.word(0x0D),
    }


def memory_device(item: Structure) -> Facts:
    """
    Type 17: a slot and, when it is not empty, the module in it.

    For an empty slot, what firmware writes about a module ("NO DIMM",
    "Manufacturer0") is dropped.
    """
    size = item.word(0x0C)
    facts: Facts = {
        "locator": item.text(0x10),
        "bank_locator": item.text(0x11),
        "present": None if size in (None, 0xFFFF) else size != 0,
        "form_factor": _named(words.MEMORY_FORM_FACTORS, item.byte(0x0E)),
        "type": _named(words.MEMORY_TYPES, item.byte(0x12)),
        "type_detail": _type_detail(item.word(0x13)),
        "total_width_bits": _specified(item.word(0x08)),
        "data_width_bits": _specified(item.word(0x0A)),
    }
    if size == 0:
        return facts
    facts.update(
        size_bytes=_module_size(item, size),
        speed_mts=_speed(item, 0x15, 0x54),
        configured_speed_mts=_speed(item, 0x20, 0x58),
        manufacturer=item.text(0x17),
        serial_number=item.text(0x18),
        asset_tag=item.text(0x19),
        part_number=item.text(0x1A),
        rank=(item.byte(0x1B) or 0) & 0x0F or None,
        voltage_mv=item.word(0x26) or None,
    )
    if len(item) > 0x28:  # since version 3.2
        facts.update(
            technology=_named(words.MEMORY_TECHNOLOGIES, item.byte(0x28)),
            persistent_bytes=_bytes_told(item, 0x34) or None,
            cache_bytes=_bytes_told(item, 0x44) or None,
        )
    if not facts.get("persistent_bytes") and _is_persistent(item, facts):
        facts["persistent_bytes"] = facts["size_bytes"]
    return facts


def ipmi(item: Structure) -> Facts:
    """Type 38."""
    revision = item.byte(0x05)
    slave = item.byte(0x06)
    return {
        "interface_type": _named(words.IPMI_INTERFACES, item.byte(0x04)),
        "specification_version": None if revision is None else f"{revision >> 4}.{revision & 15}",
        "i2c_slave_address": None if slave is None else f"0x{slave >> 1:02x}",
        "base_address": _ipmi_address(item),
    }


def power_supply(item: Structure) -> Facts:
    """Type 39."""
    watts = item.word(0x0C)
    flags = item.word(0x0E)
    return {
        "location": item.text(0x05),
        "name": item.text(0x06),
        "manufacturer": item.text(0x07),
        "serial_number": item.text(0x08),
        "asset_tag": item.text(0x09),
        "part_number": item.text(0x0A),
        "revision": item.text(0x0B),
        "max_power_watts": None if watts == 0x8000 else watts,
        "status": None if flags is None else _power_supply_status(flags),
        "plugged": None if flags is None else not flags & 0x04,
        "hot_replaceable": None if flags is None else bool(flags & 0x01),
    }


def onboard_device(item: Structure) -> Facts:
    """Type 41."""
    kind = item.byte(0x05)
    return {
        "designation": item.text(0x04),
        "type": None if kind is None else words.ONBOARD_DEVICE_TYPES.get(kind & 0x7F),
        "enabled": None if kind is None else bool(kind & 0x80),
        "bus_address": _bus_address(item, 0x07),
    }


def tpm(item: Structure) -> Facts:
    """Type 43."""
    major, minor = item.byte(0x08), item.byte(0x09)
    return {
        "vendor_id": _tpm_vendor(item.data(0x04, 4) or b""),
        "specification_version": None if minor is None else f"{major}.{minor}",
        "firmware_version": _tpm_firmware(item.dword(0x0A), major),
        "description": item.text(0x12),
    }


def _named(table: dict[int, str], code: int | None) -> str | None:
    return None if code is None else table.get(code)


def _specified(value: int | None) -> int | None:
    """Return a width; 0 and FFFFh both mean that it is not known, which is None."""
    return None if value == 0xFFFF else value or None


def _revision(item: Structure, offset: int) -> str | None:
    major, minor = item.byte(offset), item.byte(offset + 1)
    if major is None or minor is None or 0xFF in (major, minor):
        return None
    return f"{major}.{minor}"


def _rom_size(item: Structure) -> int | None:
    size = item.byte(0x09)
    if size is None:
        return None
    extended = item.word(0x18) if size == 0xFF else None
    if extended is None:
        return (size + 1) * 64 * KIB
    unit = {0: MIB, 1: GIB}.get(extended >> 14)
    return None if unit is None else (extended & 0x3FFF) * unit


def _uuid(raw: bytes | None, version: Version) -> str | None:
    if raw is None or raw in (b"\0" * 16, b"\xff" * 16):  # not settable, not present
        return None
    if version >= (2, 6):  # since then the first three fields are little-endian
        raw = raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _processor_family(item: Structure) -> str | None:
    code = item.byte(0x06)
    if code == 0xFE:  # the code does not fit into one byte
        code = item.word(0x28)
    if code == 0xBE:  # the specification gives this code to Intel and to AMD
        maker = (item.text(0x07) or "").lower()
        if "intel" in maker:
            return "Core 2"
        if "amd" in maker:
            return "K7"
    return _named(words.PROCESSOR_FAMILIES, code)


def _processor_status(status: int) -> str:
    if not status & 0x40:
        return "Unpopulated"
    return f"Populated, {words.PROCESSOR_STATUSES.get(status & 0x07, 'Unknown')}"


def _count(item: Structure, offset: int, extended: int) -> int | None:
    count = item.byte(offset)
    if count == 0xFF and len(item) >= extended + 2:  # the count does not fit into one byte
        count = item.word(extended)
    return count or None


def _bus_address(item: Structure, offset: int) -> str | None:
    raw = item.data(offset, 4)
    if raw is None or raw == b"\xff\xff\xff\xff":
        return None
    return f"{raw[1]:02x}{raw[0]:02x}:{raw[2]:02x}:{raw[3] >> 3:02x}.{raw[3] & 7:x}"


def _type_detail(bits: int | None) -> str | None:
    if bits is None:
        return None
    details = enumerate(words.MEMORY_TYPE_DETAILS, 1)
    return " ".join(word for bit, word in details if bits >> bit & 1) or "None"


def _module_size(item: Structure, size: int | None) -> int | None:
    if size is None or size == 0xFFFF:
        return None
    if size == 0x7FFF:  # the size does not fit; the extended field has it in MiB
        extended = item.dword(0x1C)
        if extended is not None:
            return (extended & 0x7FFFFFFF) * MIB
    return (size & 0x7FFF) * (KIB if size & 0x8000 else MIB)


def _bytes_told(item: Structure, offset: int) -> int | None:
    """Return a size in bytes, of version 3.2; all ones mean that it is not known."""
    size = item.qword(offset)
    return None if size == UNKNOWN_BYTES else size


def _is_persistent(item: Structure, facts: Facts) -> bool:
    """Whether a module keeps all of its content, where its sizes do not tell how much."""
    if any(_bytes_told(item, offset) for offset in (0x3C, 0x44)):  # volatile, cache
        return False
    if facts["type"] in READ_MOSTLY:
        return False
    technology = facts.get("technology")
    if technology in (None, "Unknown", "Other"):
        return "Non-Volatile" in (facts["type_detail"] or "")
    return technology not in VOLATILE


def _speed(item: Structure, offset: int, extended: int) -> int | None:
    speed = item.word(offset)
    if speed == 0xFFFF:  # the speed does not fit into two bytes
        speed = item.dword(extended)
    return speed or None


def _ipmi_address(item: Structure) -> str | None:
    address = item.qword(0x08)
    if address is None:
        return None
    if item.byte(0x04) == 4:  # SSIF: an address on the SMBus
        return f"0x{address >> 1 & 0x7F:02X} (SMBus)"
    # Bit 0 of the address field says which space it is in. The real bit 0 is in byte 10h.
    lowest = (item.byte(0x10) or 0) >> 4 & 1
    space = "I/O" if address & 1 else "Memory-mapped"
    return f"0x{address & ~1 | lowest:016X} ({space})"


def _tpm_vendor(raw: bytes) -> str | None:
    """Return the maker's letters; some firmware writes them as a number, the last letter first."""
    text = raw.decode("ascii", "ignore")
    if text[:1] in ("\0", " ") or text[::-1] in words.TPM_VENDORS:
        text = text[::-1]
    return text.strip("\0 ") or None


def _tpm_firmware(version: int | None, major: int | None) -> str | None:
    if version is None or major not in (1, 2):
        return None
    if major == 1:  # as in the last two bytes of a TPM_VERSION
        return f"{version >> 16 & 0xFF}.{version >> 24}"
    return f"{version >> 16}.{version & 0xFFFF}"


def _power_supply_status(flags: int) -> str:
    if not flags & 0x02:
        return "Not Present"
    return f"Present, {words.POWER_SUPPLY_STATUSES.get(flags >> 7 & 7, 'Unknown')}"
