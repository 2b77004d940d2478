"""
What a machine shows of itself: the document that its collectors would return.

Small, so that a fleet can report for months: the sections that identity, parts and
partial reports are about.
"""

from salt_ext.facts import SCHEMA

MAKERS = {"enclosure": ("Supermicro-like Ltd.", "Four Nodes"), "physical": ("Dell Inc.", "R750")}
PLACEHOLDERS = ("To be filled by O.E.M.", "03000200-0400-0500-0006-000700080009", "Default string")
GUESTS = ("vm", "template")


def document(machine):
    """Return the fact document of a machine; its time and its name are not in it."""
    sections = {
        "operating_system": _operating_system(machine),
        "virtual": _virtual(machine),
        "system": _system(machine),
        "baseboards": _baseboards(machine),
        "firmware": {"vendor": "AMI", "version": f"1.{machine.firmware}"},
        "memory": _memory(machine),
        "disks": _disks(machine),
        "network": _network(machine),
    }
    hidden = sorted(name for name in machine.hidden if name in sections)
    for name in machine.hidden:
        section, _, field = name.partition(".")
        for item in _items(sections[section]) if field else ():
            item.pop(field, None)
    for name in machine.partly:
        _halve(sections[name])
    return {
        "schema": SCHEMA,
        "collected_at": "",
        "duration_ms": 5,
        "errors": {name: _failed(name) for name in hidden},
        "partial": sorted({*hidden, *machine.partly}),
        **{name: value for name, value in sections.items() if name not in machine.hidden},
    }


def _items(section):
    return section if isinstance(section, list) else [section]


def _halve(section):
    """Take from a section what its collector could not see."""
    if isinstance(section, list):
        del section[1:]
    elif "devices" in section:
        del section["devices"][1:]
        section.pop("installed_bytes", None)
    else:
        section.pop("serial_number", None)


def _failed(name):
    message = f"[Errno 13] Permission denied: {name}"
    return {"type": "PermissionError", "message": message, "traceback": "", "duration_ms": 1}


def _operating_system(machine):
    return {
        "id": "debian",
        "version_id": "12",
        "kernel_release": f"6.1.0-{machine.kernel}-amd64",
        "hostname": machine.name,
        "machine_id": machine.machine_id,
        "volatile": {"uptime_seconds": 0},
    }


def _virtual(machine):
    if machine.kind == "container":
        return {"role": "guest", "hypervisor": "kvm", "container": "lxc"}
    if machine.kind in GUESTS:
        return {"role": "guest", "hypervisor": "kvm"}
    return {"role": "none"}


def _system(machine):
    if machine.kind in (*GUESTS, "container"):
        return {"manufacturer": "QEMU", "product_name": "Standard PC", "uuid": machine.uuid}
    maker, product = MAKERS.get(machine.kind, ("AMI", "Board"))
    serial, uuid = machine.serial, machine.uuid
    if machine.kind == "placeholder":
        serial, uuid = PLACEHOLDERS[:2]
    return {
        "manufacturer": maker,
        "product_name": product,
        "serial_number": serial,
        "uuid": uuid,
    }


def _baseboards(machine):
    if machine.kind in (*GUESTS, "container"):
        return []
    maker, product = MAKERS.get(machine.kind, ("AMI", "Board"))
    board = PLACEHOLDERS[2] if machine.kind == "placeholder" else machine.board
    return [
        {
            "manufacturer": maker,
            "product_name": product,
            "serial_number": board,
            "type": "Motherboard",
        }
    ]


def _memory(machine):
    gib = 16
    return {
        "installed_bytes": len(machine.modules) * gib << 30,
        "devices": [
            {
                "locator": f"A{number}",
                "present": True,
                "size_bytes": gib << 30,
                "manufacturer": "Samsung",
                "serial_number": serial,
            }
            for number, serial in enumerate(machine.modules, 1)
        ],
    }


def _disks(machine):
    return [
        {"name": f"sd{chr(97 + number)}", "model": "PM9A3", "serial_number": serial}
        for number, serial in enumerate(machine.disks)
    ]


def _network(machine):
    return [
        {
            "name": card.name,
            "kind": "physical",
            "mac": card.mac,
            "permanent_mac": card.mac,
            "bus": "pci",
            "pci_slot": card.slot,
        }
        for card in machine.cards
    ]
