"""
Smart Array by ssacli, formerly hpssacli and hpacucli: an indented text.

A line that is indented more than the line above belongs to that line. Only the
indentation tells the firmware of a controller from that of an enclosure below it. So
what is below a line that nobody knows is nobody's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    disk_wwn,
    joined,
    judged,
    level,
    lines,
    merged,
    size_bytes,
    unread,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator

    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("ssacli", "hpssacli", "hpacucli")
PCI_ADDRESS = "PCI Address (Domain:Bus:Device.Function)"
_NOISE = re.compile(
    r"FIRMWARE|CACHE|WARNING|NOTE|INFO|[#=>$]"  # advice, and the prompt of a captured session
    r"|MSA\d"  # an array outside of the machine, seen by Fibre Channel
    r"|Error: (?:No controllers|The specified \w+ does not have any)",
    re.IGNORECASE,
)
_GROUPS = re.compile(
    r"array\b|unassigned|hba drives|physical drives|port name|expander|sensor id"
    r"|.*\bSEP\b|.* at port \S+,|.*\b(?:expander|cage|enclosure|backplane)\b",
    re.IGNORECASE,
)
_SLOT = re.compile(r"(\S.*?) in Slot (\w+)(?:.*\(sn: *([^\s)]+))?")
_ARRAY = re.compile(r"array:? (\w+)", re.IGNORECASE)
_VOLUME = re.compile(r"logical ?drive:? (\d+)(?: \((.*)\))?", re.IGNORECASE)
_DRIVE = re.compile(r"physicaldrive (\S+)(?: \(([^)]*)\))?")


class Node(NamedTuple):
    """A line, and the lines below it that belong to it."""

    indent: int
    text: str
    children: list[Node]


def read(ask: Ask) -> View:
    """Return all that the tool shows."""
    return parse(ask("ctrl", "all", "show", "config", "detail"))


def parse(text: str) -> View:
    """Return what the output of any ``show`` command shows."""
    nodes = tree(text)
    controllers = [(node, match) for node in nodes if (match := _SLOT.match(node.text))]
    unknown = [node for node in nodes if not _SLOT.match(node.text) and not _NOISE.match(node.text)]
    unknown = [node for node in unknown if node.children or node.text.startswith("Error")]
    unknown += [one for node, _ in controllers for one in node.children if _is_unknown(one)]
    rows = {UNREAD: unread(*(node.text for node in unknown))}
    return merged([*(_controller(*each) for each in controllers), rows])


def _is_unknown(node: Node) -> bool:
    """Whether a line below a controller has lines below it and is none that we know."""
    return bool(node.children) and ": " not in node.text and not _GROUPS.match(node.text)


def tree(text: str) -> list[Node]:
    """Return the lines of the lowest indentation, each with the lines that belong to it."""
    top = Node(-1, "", [])
    path = [top]
    for line in lines(text):
        if line.strip():
            node = Node(len(line) - len(line.lstrip()), line.strip(), [])
            while node.indent <= path[-1].indent:
                path.pop()
            path[-1].children.append(node)
            path.append(node)
    return top.children


def fields(node: Node) -> dict[str, str]:
    """Return the ``name: value`` lines directly below a line as a dict."""
    pairs = (child.text.partition(": ") for child in node.children)
    return {name.strip(): value.strip() for name, colon, value in pairs if colon}


def _controller(node: Node, match: re.Match[str]) -> View:
    name = f"smartarray:{match[2]}"
    known = fields(node)
    battery = joined(
        judged(word(known.get("Battery/Capacitor Status"))),
        counters(temperature_celsius=known.get("Capacitor Temperature  (C)")),
    )
    controller = joined(
        {
            "id": name,
            "model": match[1],
            "serial_number": word(known.get("Serial Number") or match[3]),
            "firmware_version": word(known.get("Firmware Version")),
            "pci_slot": (word(known.get(PCI_ADDRESS)) or "").lower() or None,
            "cache_state": word(known.get("Cache Status")),
            "battery": battery or None,
        },
        judged(word(known.get("Controller Status"))),
        counters(temperature_celsius=known.get("Controller Temperature (C)")),
    )
    # A drive may be listed below its cage and described below its array. ``merged`` joins them.
    members = [
        _member(name, drive, found)
        for child in node.children
        for drive in _drives(child)
        if (found := _DRIVE.match(drive.text))
    ]
    return {
        "controllers": [controller],
        "volumes": [volume for child in node.children for volume in _volumes(name, child)],
        "members": members,
    }


def _drives(group: Node) -> Iterator[Node]:
    """Yield the lines of the drives directly below an array, a cage or "Unassigned"."""
    yield from (child for child in group.children if child.text.startswith("physicaldrive "))


def _volumes(controller: str, array: Node) -> Iterator[Item]:
    letter = _ARRAY.match(array.text)
    if letter is None:
        return
    drives = [
        match[1]
        for drive in _drives(array)
        if (match := _DRIVE.match(drive.text)) and not _is_spare(drive, match)
    ]
    for node in array.children:
        if match := _VOLUME.match(node.text):
            known = fields(node)
            short = [part.strip() for part in (match[2] or "").split(",")]
            size, tolerance, state = short[:3] if len(short) >= 3 else (None, None, None)
            yield joined(
                {
                    "controller": controller,
                    "id": match[1],
                    "name": word(known.get("Logical Drive Label")),
                    "array": letter[1].upper(),
                    "wwn": (word(known.get("Unique Identifier")) or "").lower() or None,
                    "level": level(known.get("Fault Tolerance") or tolerance),
                    "size_bytes": size_bytes(known.get("Size") or size),
                    "members": drives,
                },
                judged(word(known.get("Status") or state)),
            )


def _is_spare(drive: Node, match: re.Match[str]) -> bool:
    return "Spare" in fields(drive).get("Drive Type", "") or "spare" in (match[2] or "")


def _member(controller: str, drive: Node, match: re.Match[str]) -> Item:
    known = fields(drive)
    # The short form: (port 1I:box 1:bay 1, SATA HDD, 1 TB, OK, spare)
    short = [part.strip() for part in (match[2] or "").split(",")]
    kind, size, state = short[1:4] if len(short) >= 4 else (None, None, None)
    kind = known.get("Interface Type") or kind or ""
    enclosure, _, slot = match[1].rpartition(":")
    vendor, model = _vendor_model(known.get("Model", ""))
    return joined(
        {
            "controller": controller,
            "enclosure": enclosure or None,
            "slot": slot,
            "drive_type": word(known.get("Drive Type")),
            "vendor": vendor,
            "model": model,
            "serial_number": word(known.get("Serial Number")),
            # "HPD6 (FW update is recommended to minimum version: HPD7)"
            "firmware_version": word(known.get("Firmware Revision", "").partition(" (")[0]),
            "wwn": disk_wwn(known.get("WWID")),
            "size_bytes": size_bytes(known.get("Size") or size, 1000),
            "transport": _transport(kind),
            "media_type": _media_type(kind, known),
        },
        judged(word(known.get("Status") or state)),
        counters(
            temperature_celsius=known.get("Current Temperature (C)"),
            power_on_hours=known.get("Power On Hours"),
        ),
    )


def _vendor_model(text: str) -> tuple[str | None, str | None]:
    """Return the vendor in the first eight columns and the model after it."""
    vendor, model = text[:8].strip(), text[8:].strip()
    return (None if vendor == "ATA" else vendor or None), model or None


def _transport(kind: str) -> str | None:
    return next((name for name in ("sata", "sas", "nvme") if name in kind.lower()), None)


def _media_type(kind: str, known: dict[str, str]) -> str | None:
    if "Solid State" in kind or "SSD" in kind or "NVMe" in kind:
        return "ssd"
    return "hdd" if "HDD" in kind or "Rotational Speed" in known else None
