"""
The fact document of a machine of the made-up fleet.

It is made when it is needed and not kept, so that a large fleet fits in memory.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, TypeAlias

from benchmarks.fleet.hardware import RACKS, UNITS, VULNERABILITIES, addresses, mac, physical
from benchmarks.fleet.models import MILAN, MIX, NAMESPACE, VIRTUAL, Machine, Model, model_of, serial
from salt_ext import document
from salt_ext.facts import SCHEMA, timestamp

Facts: TypeAlias = dict[str, Any]

SITES = ("ams1", "fra1", "fra2", "iad1", "lon1", "sin1")

# (id, name, version_id, pretty_name, kernels: the releases that are installed in turn)
SYSTEMS = (
    ("debian", "Debian GNU/Linux", "12", "Debian GNU/Linux 12 (bookworm)", "6.1.0-{}-amd64", 25),
    ("ubuntu", "Ubuntu", "22.04", "Ubuntu 22.04.{} LTS", "5.15.0-{}-generic", 116),
    ("rocky", "Rocky Linux", "9.4", "Rocky Linux 9.{} (Blue Onyx)", "5.14.0-427.{}.1.x86_64", 13),
    ("debian", "Debian GNU/Linux", "11", "Debian GNU/Linux 11 (bullseye)", "5.10.0-{}-amd64", 28),
)  # fmt: skip


def facts(machine: Machine) -> Facts:
    """Return the fact document of a machine, in normal form."""
    return of_model(machine, model_of(machine.number))


def of_model(machine: Machine, model: Model | None) -> Facts:
    """Return the fact document of a machine as if it were of this model; None is a guest."""
    own = _guest(machine) if model is None else physical(machine, model)
    return document.normal({**_installed(machine), **own})


def collected(sections: Facts, at: datetime, duration_ms: int = 5) -> Facts:
    """Return these sections as a run of the collectors gives them, when none has failed."""
    return {
        "schema": SCHEMA,
        "collected_at": timestamp(at.timestamp()),
        "duration_ms": duration_ms,
        "errors": {},
        "partial": [],
        **sections,
    }


def system(kind: tuple[str, str, str, str, str, int], kernel: int) -> Facts:
    """Return an operating system whose kernel was updated ``kernel`` times."""
    identity, title, version, pretty, release, first = kind
    return {
        "id": identity,
        "name": title,
        "version_id": version,
        "pretty_name": pretty.format(4 + kernel // 3),
        "kernel_release": release.format(first + kernel),
        "architecture": "x86_64",
    }


def _installed(machine: Machine) -> Facts:
    number = machine.number
    rack = number // UNITS
    return {
        "operating_system": {
            **system(SYSTEMS[number % 7 % len(SYSTEMS)], machine.kernel),
            "hostname": machine.name,
            "machine_id": uuid.uuid5(NAMESPACE, f"installation {machine.installation}").hex,
        },
        "location": {
            "site": SITES[rack % len(SITES)],
            "rack": f"R{rack // len(SITES) % RACKS + 1:02d}",
            "unit": f"U{number % UNITS + 1:02d}",
        },
        "usb": [
            {
                "location": "0000:00:14.0 port 1",
                "vendor_id": "0781",
                "product_id": "5583",
                "class_id": "00",
                "manufacturer": "SanDisk",
                "model": "Ultra Fit",
                "serial_number": serial(number, 12),
            }
        ]
        * machine.has_stick,
        "md": [],
        "multipath": [],
        "lvm": [],
    }


def _guest(machine: Machine) -> Facts:
    number = machine.number
    maker = VIRTUAL[-1 - MIX[(number - 1) % len(MIX)]]
    identity = str(uuid.uuid5(NAMESPACE, f"machine {number}"))
    is_vmware = maker.startswith("VMware")
    product, oui, driver = (
        ("VMware7,1", "00:50:56", "vmxnet3")
        if is_vmware
        else ("OpenStack Nova" if maker.startswith("Open") else "Standard PC", "52:54:00", "virtio")
    )
    size = (4 << number % 4) << 30
    return {
        "virtual": {
            "role": "guest",
            "hypervisor": "vmware" if is_vmware else "kvm",
            "evidence": ["the processor has the flag hypervisor", f"DMI says {maker}"],
        },
        "system": {"manufacturer": maker, "product_name": product, "uuid": identity},
        "baseboards": [],
        "chassis": [{"manufacturer": maker, "type": "Other"}],
        "firmware": {"vendor": "SeaBIOS", "version": "1.16.3", "mode": "bios"},
        "processors": {
            "sockets": 1,
            "cores": 4,
            "threads": 4,
            "online": 4,
            "isa": "x86_64",
            "model": MILAN.model,
            "vendor": MILAN.vendor,
            "family": MILAN.family,
            "flags": sorted((*MILAN.flags, "hypervisor")),
            "vulnerabilities": VULNERABILITIES,
        },
        "memory": {
            "installed_bytes": size,
            "devices": [
                {
                    "locator": "DIMM 0",
                    "present": True,
                    "size_bytes": size,
                    "type": "RAM",
                    "manufacturer": maker,
                },
            ],
        },
        "disks": [
            {
                "name": disk,
                "size_bytes": gib << 30,
                "transport": "virtio",
                "pci_slot": f"0000:00:{7 + place:02x}.0",
                "rotational": True,
                "removable": False,
            }
            for place, (disk, gib) in enumerate((("vda", 40), ("vdb", 200)))
        ],
        "smart": [],
        "network": [
            {
                "name": "ens3",
                "kind": "physical",
                "mac": mac(oui, number * 4),
                "permanent_mac": mac(oui, number * 4),
                "driver": driver,
                "bus": "pci",
                "pci_slot": "0000:00:03.0",
                "mtu": 1500,
                "addresses": addresses(machine),
            }
        ],
        "pci": [
            {
                "slot": f"0000:00:{device:02x}.0",
                "class_id": class_id,
                "vendor_id": "1af4",
                "device_id": device_id,
                "driver": "virtio-pci",
            }
            for device, class_id, device_id in (
                (3, "020000", "1000"),
                (7, "010000", "1001"),
                (8, "010000", "1001"),
            )
        ],
        "gpus": [],
        "power_supplies": [],
    }
