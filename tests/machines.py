"""Fact documents and reports of machines that tests make up."""

import copy
import hashlib
from datetime import datetime, timedelta, timezone

from salt_ext import report as envelope
from salt_ext.facts import timestamp
from salt_ext.store import Arrival

NOW = datetime.now(timezone.utc).replace(microsecond=0)


def dimm(slot, serial, size_gib=64):
    return {
        "locator": slot,
        "present": True,
        "size_bytes": size_gib << 30,
        "type": "DDR4",
        "manufacturer": "Samsung",
        "part_number": "M393A8G40AB2",
        "serial_number": serial,
    }


def server(number=1, **sections):
    """The fact sections of an ordinary physical server, each of them another machine."""
    facts = {
        "operating_system": {
            "hostname": f"web{number:02d}",
            "pretty_name": "Debian GNU/Linux 12 (bookworm)",
            "kernel_release": "6.1.0-28-amd64",
            "machine_id": hashlib.md5(b"%d" % number, usedforsecurity=False).hexdigest(),
        },
        "virtual": {"role": "none"},
        "system": {
            "manufacturer": "Dell Inc.",
            "product_name": "PowerEdge R750",
            "serial_number": f"9XYZ{number:03d}",
            "uuid": f"4c4c4544-0058-5910-805a-b9c04f{number:06x}",
        },
        "baseboards": [
            {
                "manufacturer": "Dell Inc.",
                "product_name": "0X45NX",
                "serial_number": f".9XYZ{number:03d}.CNIVC00{number:05d}.",
            }
        ],
        "chassis": [{"manufacturer": "Dell Inc.", "type": "Rack Mount Chassis"}],
        "firmware": {"vendor": "Dell Inc.", "version": "1.9.2"},
        "processors": {"model": "Intel(R) Xeon(R) Gold 6330", "sockets": 2, "threads": 112},
        "memory": {
            "installed_bytes": 128 << 30,
            "devices": [dimm("A1", f"4F{number:04d}A1"), dimm("A2", f"4F{number:04d}A2")],
        },
        "disks": [
            {
                "name": "sda",
                "model": "PM9A3",
                "serial_number": f"S64F{number:06d}",
                "size_bytes": 3_840_755_982_336,
            }
        ],
        "network": [
            {
                "name": "eno1",
                "kind": "physical",
                "permanent_mac": f"52:54:00:00:{number >> 8 & 255:02x}:{number & 255:02x}",
                "pci_slot": "0000:3b:00.0",
                "addresses": [f"10.0.{number >> 8 & 255}.{number & 255}/16"],
            }
        ],
    }
    return copy.deepcopy({**facts, **sections})


def report(facts, minion_id="web01", at=NOW, previous=None, mode="agent", **fields):
    """The report of these facts, as the minion would make it."""
    document = {
        "schema": 1,
        "collected_at": timestamp(at.timestamp()),
        "duration_ms": 5,
        "errors": {},
        "partial": [],
        **facts,
    }
    return {**envelope.build(document, minion_id, previous, mode), **fields}


def arrival(facts, minion_id="web01", at=NOW, previous=None, **fields):
    """The same, as the engine hands it to the store."""
    return Arrival(minion_id, report(facts, minion_id, at, previous, **fields), at)


def later(**delta):
    return NOW + timedelta(**delta)
