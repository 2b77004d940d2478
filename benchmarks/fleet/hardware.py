"""
The hardware sections of a physical server's fact document.
"""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

from benchmarks.fleet.models import EXOS, NAMESPACE, SPREADER, Drive, Machine, Model, Module, serial

Facts = dict[str, Any]

RACKS, UNITS = 40, 36

VULNERABILITIES = {
    "itlb_multihit": "Not affected",
    "l1tf": "Not affected",
    "mds": "Not affected",
    "meltdown": "Not affected",
    "mmio_stale_data": "Mitigation: Clear CPU buffers; SMT vulnerable",
    "retbleed": "Not affected",
    "spec_store_bypass": "Mitigation: Speculative Store Bypass disabled via prctl",
    "spectre_v1": "Mitigation: usercopy/swapgs barriers and __user pointer sanitization",
    "spectre_v2": "Mitigation: Enhanced IBRS, IBPB: conditional, RSB filling",
    "srbds": "Not affected",
}


def physical(machine: Machine, model: Model) -> Facts:
    """Return the sections that a server's own hardware fills."""
    number = machine.number
    tag = serial(number, 7)
    maker = model.manufacturer
    own = {"manufacturer": maker, "product_name": model.product_name}
    board_serial = serial(machine.board, 9)
    if maker == "Dell Inc.":
        board_serial = f".{tag}.CNIVC00{serial(machine.board, 7)}."
    released = date(2023, 3, 14) + timedelta(days=91 * machine.bios)
    installed = [one for one in machine.modules if one is not None]
    return {
        "virtual": {"role": "none"},
        "system": {
            **own,
            "serial_number": tag,
            "uuid": str(uuid.uuid5(NAMESPACE, f"machine {machine.board}")),
            "sku_number": serial(len(model.product_name), 4),
            "family": model.product_name.split()[0],
            "wake_up_type": "Power Switch",
        },
        "baseboards": [
            {
                "manufacturer": maker,
                "product_name": model.board,
                "version": "A02",
                "serial_number": board_serial,
                "type": "Motherboard",
            }
        ],
        "chassis": [
            {
                "manufacturer": maker,
                "type": "Rack Mount Chassis",
                "serial_number": tag,
                "height_u": model.height_u,
                "number_of_power_cords": 2,
            }
        ],
        "firmware": {
            "vendor": maker,
            "version": model.bios_versions[machine.bios % len(model.bios_versions)],
            "release_date": released.isoformat(),
            "revision": f"1.{9 + machine.bios}",
            "rom_size_bytes": 32 << 20,
            "mode": "uefi",
            "secure_boot": number % 3 == 0,
        },
        "processors": _processors(model, machine.kernel),
        "memory": {
            "installed_bytes": sum(one.kind.size_gib << 30 for one in installed),
            "arrays": [
                {
                    "location": "System Board Or Motherboard",
                    "use": "System Memory",
                    "error_correction": "Multi-bit ECC",
                    "maximum_capacity_bytes": model.slots * (256 << 30),
                    "number_of_devices": model.slots,
                }
            ],
            "devices": [
                memory_device(slot_name(slot), one) for slot, one in enumerate(machine.modules)
            ],
        },
        "disks": [_disk(bay, one) for bay, one in enumerate(machine.drives)],
        "smart": [_smart(bay, one) for bay, one in enumerate(machine.drives)],
        "network": _network(machine, model),
        "pci": _pci(machine, model),
        "gpus": [_gpu(number, place) for place in range(model.gpus)],
        "power_supplies": [
            {
                "location": f"PSU {bay + 1}",
                "name": f"PWR SPLY,{model.power_watts}W,RDNT",
                "manufacturer": "DELTA",
                "serial_number": "CNDED00" + serial(number * 2 + bay, 7),
                "part_number": f"0{serial(model.power_watts, 5)}A01",
                "max_power_watts": model.power_watts,
                "status": "OK",
                "hot_replaceable": True,
                "plugged": True,
            }
            for bay in range(2)
        ],
        "tpm": {"vendor_id": "STM", "specification_version": "2.0", "version_major": 2},
        "bmc": {
            "present": True,
            "interface_type": "KCS (Keyboard Control Style)",
            "ipmi_version": "2.0",
            "firmware_version": f"6.{10 + machine.bios * 10}",
            "mac": mac("2c:ea:7f", machine.board),
            "addresses": [f"10.{128 + (number >> 16 & 63)}.{number >> 8 & 255}.{number & 255}/10"],
            "address_source": "static",
        },
    }


def _processors(model: Model, kernel: int) -> Facts:
    one, sockets = model.processor, model.sockets
    threads = sockets * one.cores * 2
    return {
        "sockets": sockets,
        "cores": sockets * one.cores,
        "threads": threads,
        "online": threads,
        "isa": "x86_64",
        "model": one.model,
        "vendor": one.vendor,
        "family": one.family,
        "model_number": one.model_number,
        "stepping": one.stepping,
        "microcode": f"0xd0003{0xA0 + kernel // 2:02x}",
        "flags": list(one.flags),
        "base_mhz": one.base_mhz,
        "max_mhz": one.max_mhz,
        "caches": [
            {
                "level": level,
                "type": kind,
                "size_bytes": size,
                "shared_by": shared,
                "instances": threads // shared,
            }
            for level, kind, size, shared in (
                (1, "data", 48 << 10, 2),
                (1, "instruction", 32 << 10, 2),
                (2, "unified", 1280 << 10, 2),
                (3, "unified", one.l3_mib << 20, one.cores * 2),
            )
        ],
        "numa_nodes": [
            {
                "id": node,
                "cpus": f"{node * one.cores}-{(node + 1) * one.cores - 1}",
                "distance": [10 if node == other else 20 for other in range(sockets)],
            }
            for node in range(sockets)
        ],
        "vulnerabilities": VULNERABILITIES,
        "packages": [
            {
                "socket_designation": f"CPU{socket + 1}",
                "version": one.model,
                "manufacturer": one.vendor,
                "populated": True,
                "core_count": one.cores,
                "core_enabled": one.cores,
                "thread_count": one.cores * 2,
                "max_speed_mhz": 4000,
            }
            for socket in range(sockets)
        ],
    }


def slot_name(slot: int) -> str:
    """Return what is printed beside a memory slot: A1 to A8, then B1 and so on."""
    return f"{'ABCD'[slot // 8]}{slot % 8 + 1}"


def memory_device(locator: str, module: Module | None) -> Facts:
    """Return a memory slot and what is in it."""
    device: Facts = {"locator": locator, "present": module is not None}
    if module is None:
        return device
    kind = module.kind
    return device | {
        "size_bytes": kind.size_gib << 30,
        "form_factor": "DIMM",
        "type": kind.type,
        "type_detail": "Synchronous Registered (Buffered)",
        "speed_mts": kind.speed_mts,
        "configured_speed_mts": kind.speed_mts,
        "manufacturer": kind.manufacturer,
        "serial_number": module.serial_number,
        "part_number": kind.part_number,
        "rank": 2,
        "total_width_bits": 72,
        "data_width_bits": 64,
        "voltage_mv": 1200,
    }


def disk_name(bay: int, transport: str) -> str:
    """Return the kernel's name of a disk."""
    return f"nvme{bay}n1" if transport == "nvme" else f"sd{chr(ord('a') + bay)}"


def _disk(bay: int, one: Drive) -> Facts:
    kind = one.kind
    is_nvme = kind.transport == "nvme"
    return {
        "name": disk_name(bay, kind.transport),
        "model": kind.model,
        "serial_number": one.serial_number,
        "firmware_version": kind.firmwares[one.firmware % len(kind.firmwares)],
        "wwn": kind.oui + uuid.uuid5(NAMESPACE, one.serial_number).hex[: 16 - len(kind.oui)],
        "size_bytes": kind.size_bytes,
        "logical_block_size": 512,
        "physical_block_size": 4096,
        "rotational": kind is EXOS,
        "rotation_rate_rpm": 7200 if kind is EXOS else None,
        "transport": kind.transport,
        "pci_slot": f"0000:{0x65 + bay if is_nvme else 0x18:02x}:00.0",
        "hctl": None if is_nvme else f"0:0:{bay}:0",
        "removable": False,
    }


def _smart(bay: int, one: Drive) -> Facts:
    transport = one.kind.transport
    return {
        "name": disk_name(bay, transport),
        "serial_number": one.serial_number,
        "protocol": {"nvme": "nvme", "sas": "scsi", "sata": "ata"}[transport],
        "passed": not one.is_failing,
        "health": {"failing": ["reliability"] if one.is_failing else []},
    }


def mac(oui: str, number: int) -> str:
    """Return the address of this number from a maker's range."""
    digits = f"{number * SPREADER % (1 << 24):06x}"
    return f"{oui}:{digits[:2]}:{digits[2:4]}:{digits[4:]}"


def addresses(machine: Machine) -> list[str]:
    """Return the IP addresses of a machine in the network where it is now."""
    number = machine.number
    return [
        f"10.{machine.address % 64}.{number >> 8 & 255}.{number & 255}/16",
        f"2001:db8:{machine.address:x}:{number >> 16:x}::{number & 0xFFFF:x}/64",
    ]


def _network(machine: Machine, model: Model) -> list[Facts]:
    """Return the ports of a card; where there are several, the first two are one bond."""
    card = model.card
    first = machine.board * 4
    bonded = 2 if model.ports > 1 else 0
    ports: list[Facts] = [
        {
            "name": f"eno{port + 1}",
            "kind": "physical",
            "mac": mac(card.oui, first if port < bonded else first + port),
            "permanent_mac": mac(card.oui, first + port),
            "driver": card.driver,
            "bus": "pci",
            "pci_slot": f"0000:3b:00.{port}",
            "mtu": 9000 if port < bonded else 1500,
            "master": "bond0" if port < bonded else None,
            "sriov": {"total": 64, "num": 0},
        }
        for port in range(model.ports)
    ]
    if not bonded:
        ports[0]["addresses"] = addresses(machine)
        return ports
    bond = {
        "name": "bond0",
        "kind": "bond",
        "mac": mac(card.oui, first),
        "mtu": 9000,
        "slaves": [one["name"] for one in ports[:bonded]],
        "addresses": addresses(machine),
    }
    return [*ports, bond]


def _pci(machine: Machine, model: Model) -> list[Facts]:
    chipset = [
        (f"0000:{bus:02x}:{device:02x}.0", "060400", "8086", f"34{device:02x}", "pcieport")
        for bus in (0x00, 0x3A, 0x64, 0x97)
        for device in (0x02, 0x04)
    ]
    card = model.card
    network = [
        (f"0000:3b:00.{port}", "020000", card.vendor_id, card.device_id, card.driver)
        for port in range(model.ports)
    ]
    storage = [
        (f"0000:{0x65 + bay:02x}:00.0", "010802", "144d", "a80a", "nvme")
        for bay, one in enumerate(machine.drives)
        if one.kind.transport == "nvme"
    ] or [("0000:18:00.0", "010700", "1000", "00e6", "mpt3sas")]
    gpus = [
        (f"0000:{0xA0 + place:02x}:00.0", "030200", "10de", "2330", "nvidia")
        for place in range(model.gpus)
    ]
    return [
        {
            "slot": slot,
            "class_id": class_id,
            "vendor_id": vendor,
            "device_id": device,
            "subsystem_vendor_id": None if driver == "pcieport" else vendor,
            "subsystem_device_id": None if driver == "pcieport" else "09d0",
            "revision": "01",
            "driver": driver,
            "numa_node": int(slot[5:7], 16) // 0x80,
        }
        for slot, class_id, vendor, device, driver in (*chipset, *network, *storage, *gpus)
    ]


def _gpu(number: int, place: int) -> Facts:
    own = uuid.uuid5(NAMESPACE, f"gpu {number} {place}")
    return {
        "slot": f"0000:{0xA0 + place:02x}:00.0",
        "class_id": "030200",
        "vendor_id": "10de",
        "device_id": "2330",
        "driver": "nvidia",
        "model": "NVIDIA H100 PCIe",
        "uuid": f"GPU-{own}",
        "serial_number": serial(number * 16 + place, 13, "0123456789"),
        "vbios": "96.00.74.00.0d",
        "memory_bytes": 80 << 30,
    }
