"""
The memory: how much there is, in which slots, and whether it has errors.

The kernel counts less than what is installed, because the firmware and the
kernel itself keep some of it.
"""

from __future__ import annotations

from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root
    from salt_ext.facts.smbios import Structure, Tables

    Facts = dict[str, Any]

CONTROLLERS = "/sys/devices/system/edac/mc"
ARRAY_HANDLE = 0x04  # in a memory device


def memory(root: Root) -> Facts:
    """Return the memory, its modules and empty slots; without SMBIOS only what the kernel knows."""
    tables = root.once(smbios.tables)
    facts: Facts = {}
    if tables.structures:
        facts["arrays"] = [fields.memory_array(item) for item in tables.of(fields.MEMORY_ARRAY)]
        items = tables.of(fields.MEMORY_DEVICE)
        facts["devices"] = [fields.memory_device(item) for item in items]
        if items:
            facts["installed_bytes"] = _installed_bytes(tables, items, facts["devices"])
    facts["edac"] = [
        _controller(root, name) for name in root.names(CONTROLLERS) if name[2:].isdigit()
    ]
    # How much a kernel keeps for itself differs from version to version, and that is
    # no change of the machine. So the kernel's total is volatile, except on a machine
    # of which the modules are not known.
    total = {"total_bytes": _total_bytes(root)}
    return {**facts, "volatile": total} if facts.get("installed_bytes") else {**facts, **total}


def _total_bytes(root: Root) -> int | None:
    for line in (root.text("/proc/meminfo", 256) or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            number = value.split()[0] if value.split() else ""
            return int(number) * 1024 if number.isdecimal() else None
    return None


def _installed_bytes(tables: Tables, items: list[Structure], devices: list[Facts]) -> int:
    """Return the size of all modules in bytes, without flash for firmware and video memory."""
    other = {
        item.handle
        for item in tables.of(fields.MEMORY_ARRAY)
        if fields.memory_array(item)["use"] not in ("System Memory", None)
    }
    return sum(
        device.get("size_bytes") or 0
        for item, device in zip(items, devices, strict=True)
        if item.word(ARRAY_HANDLE) not in other
    )


def _controller(root: Root, name: str) -> Facts:
    corrected = root.number(f"{CONTROLLERS}/{name}/ce_count")
    uncorrected = root.number(f"{CONTROLLERS}/{name}/ue_count")
    return {
        "name": name,
        "controller": root.text(f"{CONTROLLERS}/{name}/mc_name", 256),
        "health": {"uncorrected_errors": None if uncorrected is None else uncorrected > 0},
        "volatile": {"ce_count": corrected, "ue_count": uncorrected},
    }
