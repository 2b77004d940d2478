"""
The memory: how much there is, in which slots, and whether it has errors.

The kernel counts less than what is installed, because the firmware and the
kernel itself keep some of it. Where it counts more, the firmware does not list all:
a guest was given memory while it ran, or the size of a module is not known.
"""

from __future__ import annotations

from salt_ext.document.placeholders import why_not_text
from salt_ext.facts import edac, jedec, smbios
from salt_ext.facts.smbios import fields
from salt_ext.facts.sysfs import pci_slot

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root
    from salt_ext.facts.smbios import Structure, Tables

    Facts = dict[str, Any]

CXL = "/sys/bus/cxl/devices"
ARRAY_HANDLE, MAKER_NUMBER = 0x04, 0x2C  # in a memory device
BLOCKS = "/sys/devices/system/memory"
IN_PACKAGE = ("HBM", "HBM2", "HBM3")
PERSISTENT = ("NVDIMM-P", "Intel Optane persistent memory")


def memory(root: Root) -> Facts:
    """Return the memory, its modules and empty slots; without SMBIOS only what the kernel knows."""
    tables = root.once(smbios.tables)
    facts: Facts = {}
    total = {"total_bytes": _total_bytes(root)}
    if tables.structures:
        facts["arrays"] = [fields.memory_array(item) for item in tables.of(fields.MEMORY_ARRAY)]
        items = tables.of(fields.MEMORY_DEVICE)
        facts["devices"] = [_device(item) for item in items]
        if items:
            modules = _modules(tables, items, facts["devices"])
            listed = sum(one.get("size_bytes") or 0 for one in facts["devices"]) + _on_cxl(root)
            is_more = (total["total_bytes"] or 0) > listed
            facts["installed_bytes"] = (is_more and _block_bytes(root)) or (
                _installed_bytes(modules, total["total_bytes"]) or None
            )
            persistent_bytes = sum(one.get("persistent_bytes") or 0 for one in modules)
            facts["persistent_bytes"] = persistent_bytes or None
    if expanders := [name for name in root.names(CXL) if name[:3] == "mem"]:
        facts["cxl"] = [_expander(root, name) for name in expanders]
    facts["edac"] = edac.controllers(root)
    counters = edac.counters(root, facts.get("devices", []))
    volatile: Facts = {"edac": counters} if counters else {}
    # How much a kernel keeps for itself differs from version to version, and that is
    # no change of the machine. So the kernel's total is volatile, except on a machine
    # of which the modules are not known.
    (volatile if facts.get("installed_bytes") else facts).update(total)
    return {**facts, "volatile": volatile} if volatile else facts


def _total_bytes(root: Root) -> int | None:
    for line in (root.text("/proc/meminfo", 256) or "").splitlines():
        name, _, value = line.partition(":")
        if name == "MemTotal":
            number = value.split()[0] if value.split() else ""
            return int(number) * 1024 if number.isdecimal() else None
    return None


def _device(item: Structure) -> Facts:
    """Return a slot with its module, whose maker has a name where firmware wrote JEDEC's number."""
    device = fields.memory_device(item)
    written = device.get("manufacturer")
    maker = jedec.maker(written) if written else None
    if maker is None and (not written or why_not_text(written)) and device["present"]:
        maker = jedec.of_word(item.word(MAKER_NUMBER))
    if maker:
        device["manufacturer"] = maker
        device["raw"] = {"manufacturer": written}
    return device


def _modules(tables: Tables, items: list[Structure], devices: list[Facts]) -> list[Facts]:
    """Return the modules of the main memory, without those for firmware, for video and on CXL."""
    arrays = {item.handle: fields.memory_array(item) for item in tables.of(fields.MEMORY_ARRAY)}
    other = {
        handle
        for handle, array in arrays.items()
        if array["use"] not in ("System Memory", None) or "CXL" in (array["location"] or "")
    }
    return [
        device
        for item, device in zip(items, devices, strict=True)
        if item.word(ARRAY_HANDLE) not in other
    ]


def _installed_bytes(modules: list[Facts], total_bytes: int | None) -> int:
    """
    Return how much memory the modules have that is lost without power.

    Where persistent modules serve as memory (Intel's Memory Mode), the DRAM is a cache of
    theirs that no program can address, whatever firmware writes; the kernel's total shows it.
    So it does where memory in the processor's package (HBM) is a cache of the modules.
    """
    sizes = [(_volatile_bytes(one), bool(one.get("technology") in PERSISTENT)) for one in modules]
    of_persistent = sum(size for size, is_persistent in sizes if is_persistent)
    if of_persistent and (total_bytes is None or total_bytes <= of_persistent):
        return of_persistent
    outside = sum(map(_volatile_bytes, (one for one in modules if one["type"] not in IN_PACKAGE)))
    if total_bytes is not None and total_bytes <= outside:
        return outside
    return sum(size for size, _ in sizes)


def _volatile_bytes(module: Facts) -> int:
    size, persistent, cache = (
        module.get(name) or 0 for name in ("size_bytes", "persistent_bytes", "cache_bytes")
    )
    return max(0, size - persistent - cache)


def _block_bytes(root: Root) -> int | None:
    """Return how much memory the kernel was given, in its blocks; None where it has none."""
    names = root.names(BLOCKS)
    blocks = sum(name[:6] == "memory" and name[6:].isdigit() for name in names)
    return blocks * (root.number(f"{BLOCKS}/block_size_bytes", 16) or 0) or None


def _on_cxl(root: Root) -> int:
    return sum(
        root.number(f"{CXL}/{name}/ram/size", 16) or 0
        for name in root.names(CXL)
        if name[:3] == "mem"
    )


def _expander(root: Root, name: str) -> Facts:
    """Return a memory expander on CXL; the kernel read all of this when it found the card."""
    base = f"{CXL}/{name}"
    return {
        "name": name,
        "serial_number": root.text(f"{base}/serial", 64),
        "firmware_version": root.text(f"{base}/firmware_version", 64),
        "size_bytes": root.number(f"{base}/ram/size", 16) or None,
        "persistent_bytes": root.number(f"{base}/pmem/size", 16) or None,
        "numa_node": root.number(f"{base}/numa_node"),
        "pci_slot": pci_slot(root.link(base) or ""),
    }
