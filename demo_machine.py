"""
A server that does not exist: the tree that the demo's second minion looks at.

The files are those of Linux on a machine with two processors, so the
collectors read them as they would read a real one.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TypeAlias

from benchmarks.fleet import models

Fields: TypeAlias = "dict[int, str | bytes]"
"""The fields of an SMBIOS structure by offset; DSP0134, chapter 7, has the offsets."""

SERIAL_NUMBER = "DEMO8K2"
SLOTS = ("A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4")
PROCESSOR = models.ICE_LAKE._replace(
    model="Intel(R) Xeon(R) Gold 6326 CPU @ 2.90GHz", cores=16, base_mhz=2900, max_mhz=3500
)
DIMM = models.Dimm("Samsung", "M393A2K43EB3-CWE", 16, "DDR4", 3200)
DRIVE = models.Disk(
    *("Dell Ent NVMe P5600 MU U.2 3.2TB", 6251233968 * 512, "nvme", "PHAB", ("1.2.0",), "5cd2e4")
)
MODEL = models.MODELS[1]._replace(
    processor=PROCESSOR, dimm=DIMM, slots=len(SLOTS), modules=len(SLOTS), disk=DRIVE, disks=1
)
DISK_SERIAL_NUMBER = "PHAB9450DEMO3P2"
CARD = "devices/pci0000:3a/0000:3a:02.0/0000:3b:00"
DISK = "devices/pci0000:64/0000:64:02.0/0000:65:00.0/nvme/nvme0"


def write(root: Path, bios_version: str, empty: tuple[str, ...] = ()) -> None:
    """Write the machine below ``root``, with no module in the ``empty`` slots."""
    table = smbios(bios_version, empty)
    installed = len(SLOTS) - len(empty)
    files: dict[str, str | bytes] = {
        "sys/firmware/dmi/tables/DMI": table,
        "sys/firmware/dmi/tables/smbios_entry_point": _entry_point(table),
        "sys/class/dmi/id/sys_vendor": MODEL.manufacturer,
        "sys/class/dmi/id/product_name": MODEL.product_name,
        "sys/class/dmi/id/bios_vendor": MODEL.manufacturer,
        "sys/firmware/efi/fw_platform_size": "64",
        "proc/cpuinfo": _cpuinfo(),
        "proc/meminfo": f"MemTotal: {installed * (DIMM.size_gib * 1024 - 500) * 1024} kB",
        "proc/uptime": "12345.67 300000.00",
        "proc/sys/kernel/osrelease": "6.1.0-28-amd64",
        "proc/sys/kernel/hostname": "demo-server",
        "proc/sys/kernel/arch": "x86_64",
        "etc/machine-id": "d3300000000000000000000000005e12",
        "etc/os-release": 'ID=debian\nVERSION_ID="12"\nNAME="Debian GNU/Linux"\n'
        'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"',
        f"sys/{DISK}/model": DRIVE.model,
        f"sys/{DISK}/serial": DISK_SERIAL_NUMBER,
        f"sys/{DISK}/firmware_rev": DRIVE.firmwares[0],
        f"sys/{DISK}/address": "0000:65:00.0",
        f"sys/{DISK}/nvme0n1/size": str(DRIVE.size_bytes // 512),
        f"sys/{DISK}/nvme0n1/removable": "0",
        f"sys/{DISK}/nvme0n1/queue/rotational": "0",
        f"sys/{DISK}/nvme0n1/queue/logical_block_size": "512",
        f"sys/{DISK}/nvme0n1/queue/physical_block_size": "4096",
        "proc/net/if_inet6": "20010db8000000000000000000000010 02 40 00 80 eno1",
    }
    links = {"sys/block/nvme0n1": f"../{DISK}/nvme0n1", f"sys/{DISK}/nvme0n1/device": ".."}
    for port in (0, 1):
        name, card = f"eno{port + 1}", f"{CARD}.{port}"
        interface = f"sys/{card}/net/{name}"
        files |= {
            f"{interface}/address": f"00:00:5e:00:53:{port + 1:02x}",  # RFC 7042: for examples
            f"{interface}/addr_assign_type": "0",
            f"{interface}/mtu": "1500",
            f"{interface}/carrier": "1",
            f"{interface}/speed": "25000",
            f"{interface}/duplex": "full",
        }
        links |= {
            f"sys/class/net/{name}": f"../../{card}/net/{name}",
            f"{interface}/device": "../..",
            f"sys/{card}/driver": f"../../../../bus/pci/drivers/{MODEL.card.driver}",
            f"sys/{card}/subsystem": "../../../../bus/pci",
        }
    for path, content in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    for path, target in links.items():
        link = root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.is_symlink():
            link.symlink_to(target)


def smbios(bios_version: str, empty: tuple[str, ...]) -> bytes:
    """Return the machine's SMBIOS table."""
    cores, memory_mib = PROCESSOR.cores, DIMM.size_gib * 1024
    maker, chassis, array = MODEL.manufacturer, 0x0300, 0x1000
    uuid = bytes.fromhex("444d454f4b381042803844b0c04f4b32")
    firmware: Fields = {4: maker, 5: bios_version, 8: "03/14/2025", 9: b"\xff", 0x18: _word(32)}
    firmware |= {0x14: b"\xff" * 4}  # no revisions
    system: Fields = {4: maker, 5: MODEL.product_name, 7: SERIAL_NUMBER, 8: uuid, 0x18: b"\6"}
    board: Fields = {
        4: maker,
        5: MODEL.board,
        6: "A02",
        7: f".{SERIAL_NUMBER}.CNIVC0018800DM.",
        0xD: b"\x0a",
    }
    case: Fields = {
        4: maker,
        5: b"\x17",
        7: SERIAL_NUMBER,
        0x11: b"\1\2",
    }  # one unit, two power cords
    structures = [
        _structure(0, 0x1A, 0x0000, firmware),
        _structure(1, 0x1B, 0x0100, system),
        _structure(2, 0x0F, 0x0200, board | {0xB: _word(chassis)}),
        _structure(3, 0x16, chassis, case),
    ]
    for number in range(MODEL.sockets):
        processor: Fields = {4: f"CPU{number + 1}", 5: b"\3\xb3", 7: "Intel", 0x10: PROCESSOR.model}
        processor |= {8: bytes.fromhex("a6060600fffbebbf")}
        processor |= {0x14: _word(4000), 0x16: _word(PROCESSOR.base_mhz), 0x18: b"\x41"}
        processor |= {0x23: bytes([cores, cores, 2 * cores])}
        structures.append(_structure(4, 0x30, 0x0400 + number, processor))
    capacity = struct.pack("<I", 1 << 30)  # in KiB
    slots: Fields = {4: b"\3\3\6", 7: capacity, 0xD: _word(len(SLOTS))}
    structures.append(_structure(16, 0x17, array, slots))
    for number, slot in enumerate(SLOTS):
        module: Fields = {4: _word(array), 0xE: b"\x09", 0x10: slot, 0x12: b"\x1a\x80"}
        if slot not in empty:
            module |= {8: _word(72), 0xA: _word(64), 0xC: _word(memory_mib)}
            module |= {0x15: _word(DIMM.speed_mts), 0x20: _word(DIMM.speed_mts)}
            module |= {0x17: DIMM.manufacturer, 0x18: f"35D10{number:03d}", 0x1A: DIMM.part_number}
            module |= {0x1B: b"\2"}
        structures.append(_structure(17, 0x28, 0x1100 + number, module))
    return b"".join([*structures, _structure(127, 4, 0x7F00, {})])


def _structure(kind: int, length: int, handle: int, fields: Fields) -> bytes:
    """Return a structure: a field that is a text has its number, and the text is at the end."""
    data = bytearray(struct.pack("<BBH", kind, length, handle).ljust(length, b"\0"))
    texts: list[str] = []
    for offset, value in fields.items():
        if isinstance(value, str):
            texts.append(value)
            value = bytes([len(texts)])
        data[offset : offset + len(value)] = value
    strings = b"".join(text.encode() + b"\0" for text in texts) or b"\0"
    return bytes(data) + strings + b"\0"


def _entry_point(table: bytes) -> bytes:
    entry = bytearray(b"_SM3_\0\x18\3\3\0\1\0" + struct.pack("<IQ", len(table), 0))
    entry[5] = -sum(entry) & 0xFF
    return bytes(entry)


def _word(value: int) -> bytes:
    return struct.pack("<H", value)


def _cpuinfo() -> str:
    sockets, cores = MODEL.sockets, PROCESSOR.cores
    blocks = [
        f"processor: {number}\nvendor_id: {PROCESSOR.vendor}\ncpu family: {PROCESSOR.family}\n"
        f"model: {PROCESSOR.model_number}\nmodel name: {PROCESSOR.model}\n"
        f"stepping: {PROCESSOR.stepping}\nphysical id: {number % sockets}\n"
        f"core id: {number // sockets % cores}\nflags: {' '.join(PROCESSOR.flags)}\n"
        for number in range(sockets * cores * 2)
    ]
    return "\n".join(blocks)
