"""
The sheets of the workbook that replaces people's own: an asset, a part, a change in each row.

Numbers stay numbers, in the unit that stands in their heading: memory in GiB and
disks in GB, as they are sold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib import metadata
from typing import Any, NamedTuple

from salt_ext import __version__
from salt_ext.exchange import Sheet
from salt_ext.exchange.cells import simple
from salt_ext.lists.headings import OWN
from salt_ext.store import HEAD, Extract
from salt_ext.words.changes import line

Size = int
"""How many bytes are one of a heading's unit."""

GIB, GB = 1 << 30, 10**9

ASSETS = {
    "Minion": "minion_id",
    "Hostname": "hostname",
    "SN": "sn",
    "Freshness": "freshness",
    "Lifecycle": "lifecycle",
    "Kind": "kind",
    "Site": "site",
    "Room": "room",
    "Rack": "rack",
    "Unit": "unit",
    "Manufacturer": "manufacturer",
    "Model": "product_name",
    "OS": "os",
    "Kernel": "kernel_release",
    "Processor": "processor_model",
    "Threads": "processor_threads",
    "Memory GiB": "memory_bytes",
    "Disks": "disk_count",
    "Disk GB": "disk_bytes",
    "Address": "address",
    "First seen": "first_seen",
    "Last seen": "last_seen",
    "Last change": "changed_at",
}
"""Heading: field of the asset list."""

UNITS = {"memory_bytes": GIB, "disk_bytes": GB}


class Parts(NamedTuple):
    """A sheet of parts: which section, heading to field, and the unit of ``size_bytes``."""

    section: str
    columns: Mapping[str, str]
    unit: Size = GB


PARTS = {
    "Disks": Parts(
        "disks",
        {
            "Name": "name",
            "Manufacturer": "vendor",
            "Model": "model",
            "Serial number": "serial_number",
            "Size GB": "size_bytes",
            "Transport": "transport",
            "Firmware": "firmware_version",
            "PCI slot": "pci_slot",
            "WWN": "wwn",
        },
    ),
    "Memory": Parts(
        "memory",
        {
            "Bank": "bank_locator",
            "Slot": "locator",
            "Size GiB": "size_bytes",
            "Type": "type",
            "Speed MT/s": "configured_speed_mts",
            "Manufacturer": "manufacturer",
            "Part number": "part_number",
            "Serial number": "serial_number",
        },
        GIB,
    ),
    "Processors": Parts(
        "processors",
        {
            "Socket": "socket_designation",
            "Manufacturer": "manufacturer",
            "Model": "version",
            "Cores": "core_count",
            "Threads": "thread_count",
            "Maximum MHz": "max_speed_mhz",
            "Serial number": "serial_number",
        },
    ),
    "Network": Parts(
        "network",
        {
            "Name": "name",
            "Kind": "kind",
            "MAC": "mac",
            "Permanent MAC": "permanent_mac",
            "Addresses": "addresses",
            "Part of": "master",
            "Product": "product",
            "Driver": "driver",
            "PCI slot": "pci_slot",
        },
    ),
    "Power supplies": Parts(
        "power_supplies",
        {
            "Location": "location",
            "Manufacturer": "manufacturer",
            "Name": "name",
            "Part number": "part_number",
            "Serial number": "serial_number",
            "Maximum W": "max_power_watts",
            "Status": "status",
        },
    ),
    "GPUs": Parts(
        "gpus",
        {
            "PCI slot": "slot",
            "Manufacturer": "vendor",
            "Model": "model",
            "Product": "product",
            "Serial number": "serial_number",
            "Memory GiB": "memory_bytes",
            "Driver": "driver",
        },
        GIB,
    ),
}

CHANGES = ("When", "Minion", "SN", "What happened", "To what", "Before", "After")
PROBLEMS = {
    "Last seen": "last_seen",
    "First seen": "first_seen",
    "Times": "count",
    "Minion": "minion_id",
    "Kind": "kind",
    "Subject": "subject",
    "Message": "message",
}


def _headings(kind: Parts) -> tuple[str, ...]:
    return ("Minion", "SN", *kind.columns)


TITLES = ("Assets", *PARTS, "Changes", "Problems")
READ_ME = ("What", "Value")

UNKNOWN = {
    heading: field
    for heading, field in ASSETS.items()
    if field not in ("kernel_release", "first_seen", "changed_at")
}
"""The columns of the sheet of unknown machines, which goes into people's own workbook."""

UNKNOWN_TITLE = "Unknown machines"

NO_LISTS = {
    **dict.fromkeys(
        (*map(_headings, PARTS.values()), CHANGES, tuple(PROBLEMS), READ_ME),
        "cmdb.export wrote it, and not about machines",
    ),
    tuple(UNKNOWN): "cmdb.reconcile wrote it: machines that the list did not have",
}
"""The headings of sheets of ours that are no lists of machines, and why they are not read."""

MOMENTS = ("First seen", "Last seen", "Last change", "When")
"""The headings of times; the zone stands behind them."""


def why_no_list(headings: Iterable[str]) -> str | None:
    """Return why a sheet with these headings is not read, if we wrote it; else None."""
    bare = (one.partition(" (")[0] if one.startswith(MOMENTS) else one for one in headings)
    return NO_LISTS.get(tuple(bare))


def sheets(source: Extract, titles: Sequence[str], since: datetime) -> Iterator[Sheet]:
    """
    Yield these sheets, each to be read before the next one.

    ``since`` bounds the changes. What is known of the present only, such as the
    open problems, is left out of an extract of the past.
    """
    for title in titles:
        if title == "Assets":
            columns = {key: name for key, name in ASSETS.items() if name in source.fields}
            # What only people know follows, under the names that a list may have again.
            own = [name for name in sorted(source.fields) if name.startswith(OWN)]
            columns |= dict(zip(own, own, strict=True))
            names = list(columns.values())
            yield Sheet(title, list(columns), assets(source.assets(names), names), MOMENTS, own)
        elif title == "Changes":
            yield Sheet(title, CHANGES, changes(source.changes(since)), MOMENTS)
        elif title in PARTS:
            kind = PARTS[title]
            yield Sheet(title, _headings(kind), parts(kind, source.parts(kind.section)))
        elif source.at is None:
            rows = (list(row.values()) for row in source.problems(list(PROBLEMS.values())))
            yield Sheet(title, list(PROBLEMS), rows, MOMENTS)


def with_read_me(found: Iterable[Sheet], about: Mapping[str, Any]) -> Iterator[Sheet]:
    """Yield sheets, and after them one that says what they are and how long each is."""
    counts: dict[str, int] = {}
    for sheet in found:
        yield counted(sheet, counts)
    rows = [*about.items(), *((f"Rows in {title}", number) for title, number in counts.items())]
    yield Sheet("Read me", READ_ME, rows)


def counted(sheet: Sheet, counts: dict[str, int]) -> Sheet:
    """Return a sheet that writes down how many rows it has, while they are read."""
    counts[sheet.title] = 0

    def rows() -> Iterator[Sequence[Any]]:
        for row in sheet.rows:
            counts[sheet.title] += 1
            yield row

    return sheet._replace(rows=rows())


def unknown_machines(found: Iterable[Mapping[str, Any]]) -> Sheet:
    """Return the sheet of the machines that no row of people's list means."""
    rows = assets(found, tuple(UNKNOWN.values()))
    return Sheet(UNKNOWN_TITLE, tuple(UNKNOWN), rows, MOMENTS)


def assets(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> Iterator[list[Any]]:
    """Yield the rows of a sheet of assets, with the columns of these fields."""
    for row in rows:
        yield [
            size(row[name], UNITS[name]) if name in UNITS and row[name] else row[name]
            for name in names
        ]


def parts(
    kind: Parts, found: Iterable[tuple[str | None, str | None, Mapping[str, Any]]]
) -> Iterator[list[Any]]:
    """Yield the rows of a sheet of parts."""
    columns = [(name, name.endswith("_bytes")) for name in kind.columns.values()]
    for minion_id, sn, item in found:
        row: list[Any] = [minion_id, sn]
        for name, is_size in columns:
            value = item.get(name)
            if is_size and isinstance(value, int):
                value = size(value, kind.unit)
            elif isinstance(value, (list, dict)):
                value = simple(value)
            row.append(value)
        yield row


def changes(rows: Iterable[dict[str, Any]]) -> Iterator[list[Any]]:
    """Yield the rows of the sheet of changes."""
    for row in rows:
        one = line(row)
        about = (row["recorded_at"], row["minion_id"], row["sn"])
        yield [*about, one.op, one.what, one.old, one.new]


def size(value: int, unit: Size) -> int | float:
    """Return bytes as a number of larger units, which is whole or has three digits or more."""
    whole, rest = divmod(value, unit)
    if not rest:
        return whole
    return round(value / unit, 1) if whole >= 10 else float(f"{value / unit:.3g}")


def versions() -> str:
    """Return which programs wrote a file."""
    return f"salt-cmdb {__version__}, salt {metadata.version('salt')}, schema {HEAD}"
