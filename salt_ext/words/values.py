"""
Facts as text: units, labels and the order of fields, the same on the terminal and in the browser.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone, tzinfo
from functools import lru_cache
from typing import Any

from salt_ext.document import is_components
from salt_ext.document.keys import is_empty, place
from salt_ext.document.names import PLACES, place_in

NOTHING = "–"  # noqa: RUF001 - the dash of tables
NO_BREAK = "\N{NO-BREAK SPACE}"
MAX_CHARACTERS = 300

LABELS = {
    "minion_id": "Minion",
    "sn": "SN",
    "os": "OS",
    "address": "Address",
    "product_name": "Model",
    "kernel_release": "Kernel",
    "processor_model": "Processor",
    "processor_threads": "Threads",
    "memory_bytes": "Memory",
    "disk_bytes": "Disk",
    "disk_count": "Disks",
    "changed_at": "Last change",
    "virtual": "Virtualization",
    "pci_slot": "PCI slot",
    "permanent_mac": "Permanent MAC",
    "mac": "MAC address",
    "macs": "MAC addresses",
    "opened_at": "Opened",
    "expires_at": "Expires",
    "gets": "Requests",
    "last_get_at": "Last request",
    "done_at": "Installed",
    "compared_at": "Compared",
    "base_mhz": "Base clock",
    "max_mhz": "Maximum clock",
    "carrier": "Link",
    "locator": "Slot",
    "bank_locator": "Bank",
    "socket_designation": "Socket",
    "configured_speed_mts": "Speed",
    "speed_mts": "Rated speed",
    "isa": "Architecture",
    "id": "ID",
    "machine_id": "Machine id",
    "numa_nodes": "NUMA nodes",
    "cpus": "CPUs",
    "gpus": "GPUs",
    "pci": "PCI",
    "tpm": "TPM",
    "usb": "USB",
    "bmc": "BMC",
    "smart": "SMART",
    "raid": "RAID",
    "lldp": "LLDP",
    "uuid": "UUID",
    "wwn": "WWN",
    "mtu": "MTU",
    "md": "Software RAID",
    "lvm": "LVM",
    "vlan_id": "VLAN",
    "sku_number": "SKU number",
    "hctl": "HCTL",
    "cxl": "CXL",
}
"""Labels for the fields and sections whose name does not make a good label by itself."""

UNITS = {
    "_mhz": "MHz",
    "_mts": "MT/s",
    "_mbps": "Mbit/s",
    "_watts": "W",
    "_celsius": "°C",
    "_rpm": "rpm",
    "_bits": "bit",
    "_mv": "mV",
    "_hours": "h",
    "_seconds": "s",
    "_ms": "ms",
}

DECIMAL_SECTIONS = ("disk", "raid", "md", "multipath")
"""How the paths begin below which sizes are shown in powers of ten, as on the parts themselves."""

MAKERS = ("manufacturer", "vendor")
MODELS = ("model", "product_name", "part_number", "version")
ILL = ("degraded", "failed")
SERIALS = ("serial_number", "wwn", "permanent_mac", "mac", "uuid")


COLUMNS = {
    "memory.devices": (
        "bank_locator",
        "locator",
        "size_bytes",
        "persistent_bytes",
        "type",
        "configured_speed_mts",
        "speed_mts",
        "manufacturer",
        "part_number",
        "serial_number",
    ),
    "disks": (
        "name",
        "model",
        "serial_number",
        "size_bytes",
        "transport",
        "rotational",
        "firmware_version",
        "enclosure",
        "slot",
        "hctl",
        "pci_slot",
        "paths",
        "health",
    ),
    "pci": (
        "slot",
        "class_name",
        "vendor_name",
        "device_name",
        "class_id",
        "vendor_id",
        "device_id",
        "driver",
        "numa_node",
    ),
    "network": (
        "name",
        "kind",
        "permanent_mac",
        "addresses",
        "speed_mbps",
        "carrier",
        "master",
        "vlan_id",
        "driver",
        "pci_slot",
    ),
    "processors.packages": (
        "socket_designation",
        "version",
        "core_count",
        "thread_count",
        "max_speed_mhz",
        "current_speed_mhz",
        "status",
    ),
}
"""The columns of some tables, in order; a column in which no row has a value is left out."""

FIRST = (
    "manufacturer",
    "vendor",
    "product_name",
    "model",
    "pretty_name",
    "name",
    "version",
    "release_date",
    "serial_number",
    "uuid",
    "type",
    "size_bytes",
    "sockets",
    "cores",
    "threads",
)
"""The fields that come first in any section; the others follow in alphabetical order."""


@lru_cache(maxsize=4096)
def label(name: str) -> str:
    """Return the label of a field, of a field of people's lists, or of a section for people."""
    name = name.removeprefix("list.")
    if name in LABELS:
        return LABELS[name]
    for suffix in ("_bytes", *UNITS):
        name = name.removesuffix(suffix)
    return name.replace("_", " ").strip().capitalize()


def value(value: Any, name: str = "", path: str = "") -> str:
    """Return a value as text, with the unit that the name of its field ends in."""
    if isinstance(value, str):
        return value or NOTHING
    if value in (None, [], {}):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, int):
        return _number(value, name, path)
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return ", ".join(str(item) for item in value)
    if isinstance(value, dict):
        return describe(value, path)
    if is_components(value):
        return "; ".join(describe(item, path) for item in value)
    if isinstance(value, (str, float, uuid.UUID)):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _number(value: int, name: str, path: str) -> str:
    if name.endswith("_bytes"):
        disks = name.startswith("disk_") or path.startswith(DECIMAL_SECTIONS)
        return decimal(value) if disks else binary(value)
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), "")
    return f"{value}{NO_BREAK}{unit}" if unit else str(value)


def binary(value: int | str | None) -> str:
    """Return a number of bytes in powers of 1024, as memory is sold: ``128 GiB``."""
    return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"))


def decimal(value: int | str | None) -> str:
    """Return a number of bytes in powers of 1000, as disks are sold: ``3.8 TB``."""
    return _scaled(value, 1000, ("B", "kB", "MB", "GB", "TB", "PB", "EB"))


def _scaled(value: int | str | None, step: int, units: tuple[str, ...]) -> str:
    if value is None or isinstance(value, str):
        return value or NOTHING  # a word stands in place of a number that is hidden
    left, at = float(value), 0
    # 999.96 would be printed as 1000.0, so the next unit begins a little earlier.
    while abs(left) >= step - 0.05 and at < len(units) - 1:
        left, at = left / step, at + 1
    return f"{left:.1f}".removesuffix(".0") + f"{NO_BREAK}{units[at]}"


def moment(then: datetime, zone: tzinfo = timezone.utc) -> str:
    """Return a time as text in a time zone, which it names: ``2026-11-21 08:00 UTC``."""
    return f"{then.astimezone(zone):%Y-%m-%d %H:%M %Z}"


def in_order(names: Iterable[str]) -> list[str]:
    """Return field names sorted for people: those of FIRST, then by alphabet."""
    rank = {name: number for number, name in enumerate(FIRST)}
    return sorted(names, key=lambda name: (rank.get(name, len(rank)), name))


def columns_of(path: str, items: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    """Return the columns of a table of components; in each at least one has a value."""
    present = {name for item in items for name in item if item[name] is not None}
    return [name for name in COLUMNS.get(path) or in_order(present) if name in present]


PCI_ADDRESS = re.compile("[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}[.][0-9a-f]")
KERNEL_DISK = re.compile(r"(?:sd|hd|vd|xvd|dasd)[a-z]+")


def by_place(items: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """
    Return components sorted by place, numbers as numbers: slot A2 before A10.

    The places come in the order of their kinds: disks by bay, then by address, then by the
    name that the kernel gave them, of which sdz comes before sdaa.
    """

    def order(item: Mapping[str, Any]) -> tuple[int, list[tuple[int, int, str]]]:
        kind, text = next(
            ((kind, text) for kind, group in enumerate(PLACES) if (text := place_in(group, item))),
            (len(PLACES), ""),
        )
        if PCI_ADDRESS.fullmatch(text):
            return kind, [(0, 0, text)]  # hexadecimal digits, as many in each
        is_kernels = KERNEL_DISK.fullmatch(text) is not None
        return kind, [
            (int(part), 0, "") if part.isdecimal() else (-1, len(part) if is_kernels else 0, part)
            for part in re.findall(r"\d{1,18}|\D+", text)
        ]

    return sorted(items, key=order)


def describe(item: Mapping[str, Any], path: str = "") -> str:
    """
    Return a short text about a part: its size, kind, maker, model and serial number.

    Of a part that is ill its state is told too.
    """
    if is_empty(item):
        return "empty"
    size = item.get("size_bytes")
    words = [
        _number(size, "size_bytes", path) if isinstance(size, int) else None,
        item.get("type") or item.get("kind"),
        _first(item, MAKERS),
        _first(item, MODELS),
    ]
    text = " ".join(str(word) for word in words if word)
    state = item.get("state") if item.get("health") in ILL else None
    parts = [str(part) for part in (text or _where(item), _first(item, SERIALS), state) if part]
    parts = parts or [f"{label(key)}: {value(one, key, path)}" for key, one in item.items()]
    return shorten(" · ".join(parts) or NOTHING)


def _where(item: Mapping[str, Any]) -> str:
    """Return the name of a part of which nothing else is known, and its place."""
    return " ".join(dict.fromkeys(str(one) for one in (item.get("name"), place(item)) if one))


def _first(item: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((item[name] for name in names if item.get(name)), None)


def shorten(text: str) -> str:
    """Return a text cut to MAX_CHARACTERS, so that it fits into a table."""
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"
