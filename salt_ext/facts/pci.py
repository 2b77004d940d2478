"""
PCI functions, and which of them are graphics and compute cards.

Only what the kernel has in memory is read. To read the files ``config``, ``vpd``,
``*_link_speed``, ``*_link_width`` or ``secondary_bus_number`` asks the device
itself: that wakes a device that sleeps and waits for one that hangs.
"""

from __future__ import annotations

from salt_ext.facts import pci_ids

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

    Facts = dict[str, Any]

BUSES = "/sys/bus"
DEVICES = f"{BUSES}/pci/devices"
NVIDIA = "/proc/driver/nvidia/gpus"
DISPLAY_CONTROLLER = "03"
PROCESSING_ACCELERATOR = "1200"  # the class of GPUs without a display, for computing
# Memory controllers, bridges, system peripherals, performance counters and
# instrumentation: two thirds of a server's functions, whose names nobody asks for.
UNNAMED = ("05", "06", "08", "11", "13")
# Where the numbers stand in "pci:v00008086d00001572sv00008086sd00000007bc02sc00i00".
MODALIAS_CHARACTERS = 53
MODALIAS = {
    "vendor_id": (9, 13),
    "device_id": (18, 22),
    "subsystem_vendor_id": (28, 32),
    "subsystem_device_id": (38, 42),
}
FILES = {
    "vendor_id": "vendor",
    "device_id": "device",
    "subsystem_vendor_id": "subsystem_vendor",
    "subsystem_device_id": "subsystem_device",
    "class_id": "class",
}


def pci(root: Root) -> list[Facts] | None:
    """Return the functions by slot, without virtual ones; None in a tree without /sys/bus."""
    return root.once(_functions)


def gpus(root: Root) -> list[Facts] | None:
    """Return the graphics and compute cards with their drivers' facts; None where pci is None."""
    functions = root.once(_functions)
    if functions is None:
        return None
    return [{**item, **_driver_facts(root, item)} for item in functions if _is_gpu(item)]


def _functions(root: Root) -> list[Facts] | None:
    slots = root.names(DEVICES)
    if not slots:
        # A kernel without PCI has no functions. A tree without /sys/bus was captured in part.
        return [] if root.names(BUSES) else None
    found = [item for slot in slots if (item := _function(root, slot)) is not None]
    named = [
        item
        for item in found
        if item["vendor_id"] and item["class_id"] and item["class_id"][:2] not in UNNAMED
    ]
    wanted: dict[str, set[str]] = {}
    for item in named:
        for heading, number in _headings(item):
            wanted.setdefault(heading, set()).add(number)
    names = pci_ids.names(root, wanted) if wanted else {}
    for item in named if names else ():
        item["volatile"] = _names(item, names)
    return found


def _function(root: Root, slot: str) -> Facts | None:
    base = _directory(root, slot)
    if root.link(f"{base}/physfn"):
        return None  # a virtual function, which is counted at its card: see network.py
    item: Facts = {"slot": slot, **_numbers(root, base)}
    if item["subsystem_vendor_id"] == "0000":  # bridges may have none
        item["subsystem_vendor_id"] = item["subsystem_device_id"] = None
    node = root.number(f"{base}/numa_node")
    item["revision"] = _plain(root.text(f"{base}/revision", 16))
    item["driver"] = (root.link(f"{base}/driver") or "").rpartition("/")[2]
    item["numa_node"] = None if node == -1 else node
    return item


def _directory(root: Root, slot: str) -> str:
    """Return the real directory of a function, so that its link is followed only once."""
    up, _, where = (root.link(f"{DEVICES}/{slot}") or "").partition("../../../")
    return f"{DEVICES}/{slot}" if up or not where else f"/sys/{where}"


def _numbers(root: Root, base: str) -> Facts:
    """Return the five numbers of a function from modalias, which has all, else from a file each."""
    line = root.text(f"{base}/modalias", 128) or ""
    if len(line) != MODALIAS_CHARACTERS or not line.startswith("pci:v"):
        return {field: _plain(root.text(f"{base}/{name}", 16)) for field, name in FILES.items()}
    line = line.lower()
    numbers: Facts = {field: line[first:last] for field, (first, last) in MODALIAS.items()}
    numbers["class_id"] = line[44:46] + line[48:50] + line[51:53]
    return numbers


def _plain(text: str | None) -> str | None:
    return text and text.removeprefix("0x").lower()


def _headings(item: Facts) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return (heading, number) in pci.ids, for the device of a function and for its class."""
    kind = item["class_id"]
    return (item["vendor_id"], item["device_id"]), (f"C {kind[:2]}", kind[2:4])


def _names(item: Facts, names: dict[str, str]) -> Facts:
    (vendor, device), (heading, kind) = _headings(item)
    return {
        "vendor_name": names.get(vendor),
        "device_name": names.get(f"{vendor} {device}"),
        "class_name": names.get(f"{heading} {kind}") or names.get(heading),
    }


def _is_gpu(item: Facts) -> bool:
    kind = item["class_id"] or ""
    return kind[:2] == DISPLAY_CONTROLLER or kind[:4] == PROCESSING_ACCELERATOR


def _driver_facts(root: Root, item: Facts) -> Facts:
    if item["driver"] == "nvidia":
        return nvidia(root.text(f"{NVIDIA}/{item['slot']}/information", 4096) or "")
    if item["driver"] == "amdgpu":
        base = f"{DEVICES}/{item['slot']}"
        return {
            "model": root.text(f"{base}/product_name", 256),
            "serial_number": root.text(f"{base}/serial_number", 256),
            "uuid": root.text(f"{base}/unique_id", 64),
            "vbios": root.text(f"{base}/vbios_version", 256),
            "memory_bytes": root.number(f"{base}/mem_info_vram_total"),
        }
    return {}


def nvidia(text: str) -> Facts:
    """Return what NVIDIA's driver says of a card; "?" in a value means "not read yet"."""
    lines = (line.partition(":") for line in text.splitlines())
    said = {name.strip(): value.strip() for name, _, value in lines if "?" not in value}
    return {
        "model": said.get("Model"),
        "uuid": said.get("GPU UUID"),
        "vbios": said.get("Video BIOS"),
    }
