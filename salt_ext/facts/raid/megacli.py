"""
MegaRAID by MegaCli, the predecessor of storcli: blocks of ``name: value`` lines.

A block begins with the line that names its adapter, its virtual drive or the
enclosure of its disk. One function reads the output of all commands.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from salt_ext.facts.raid.view import (
    counters,
    integer,
    joined,
    judged,
    level,
    lines,
    merged,
    size_bytes,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator

    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("MegaCli64", "MegaCli", "megacli")
COMMANDS = (
    ("-AdpAllInfo",),
    ("-AdpGetPciInfo",),
    ("-AdpBbuCmd", "-GetBbuStatus"),
    ("-LdPdInfo",),
    ("-PDList",),
)
_ADAPTER = re.compile(
    r"(Adapter #|Adapter |PCI information for Controller |BBU status for Adapter: )(\d+)"
)
_RAID = re.compile(r"Primary-(\d+), Secondary-(\d+)")


class Block(NamedTuple):
    """A part: its kind, the adapter and the volume that it belongs to, and its fields."""

    kind: str
    adapter: str
    volume: str | None
    fields: dict[str, str]


def read(ask: Ask) -> View:
    """Return all that the tool shows."""
    return merged(parse(ask(*command, "-aALL", "-NoLog")) for command in COMMANDS)


def parse(text: str) -> View:
    """Return what the output of any of the commands shows."""
    found = list(blocks(text))
    disks: dict[tuple[str, str | None], list[str]] = {}
    for block in found:
        if block.kind == "member":
            address = f"{_enclosure(block) or ''}:{word(block.fields.get('Slot Number')) or ''}"
            disks.setdefault((block.adapter, block.volume), []).append(address)
    return merged(
        [
            {
                "controllers": [
                    _CONTROLLERS[block.kind](block)
                    for block in found
                    if block.kind in _CONTROLLERS and block.fields
                ],
                "volumes": [
                    _volume(block, disks.get((block.adapter, block.volume), []))
                    for block in found
                    if block.kind == "volume"
                ],
                "members": [_member(block) for block in found if block.kind == "member"],
            }
        ]
    )


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of an output in their order."""
    block = Block("", "0", None, {})
    for line in lines(text):
        if match := _ADAPTER.match(line):
            yield block
            kind = {"P": "pci", "B": "battery"}.get(line[0], "controller")
            block = Block(kind, match[2], None, {})
            continue
        name, colon, value = line.partition(":")
        name = name.strip()
        if not colon:
            continue
        if name in ("Virtual Drive", "Virtual Disk"):
            yield block
            block = Block("volume", block.adapter, value.split("(")[0].strip(), {})
        elif name == "Enclosure Device ID":
            yield block
            block = Block("member", block.adapter, block.volume, {})
        if block.kind == "controller":
            # The first value counts: names occur again for firmware images not yet flashed.
            block.fields.setdefault(name, value.strip())
        else:
            # Blanks at the start can be a part of the value, see _inquiry.
            block.fields[name] = value.removeprefix(" ").rstrip("\r")
    yield block


def _controller(block: Block) -> Item:
    known = block.fields
    return joined(
        {
            "id": f"megaraid:{block.adapter}",
            "model": word(known.get("Product Name")),
            "serial_number": word(known.get("Serial No")),
            "firmware_version": word(known.get("FW Version")),
            "firmware_package": word(known.get("FW Package Build")),
        },
        counters(
            temperature_celsius=known.get("ROC temperature"),
            memory_correctable_errors=known.get("Memory Correctable Errors"),
            memory_uncorrectable_errors=known.get("Memory Uncorrectable Errors"),
        ),
    )


def _pci(block: Block) -> Item:
    numbers = [word(block.fields.get(f"{name} Number")) for name in ("Bus", "Device", "Function")]
    found: Item = {"id": f"megaraid:{block.adapter}"}
    # Some versions write decimal numbers, some hexadecimal. Only numbers of one digit
    # are sure.
    if all(number and len(number) == 1 and number.isalnum() for number in numbers):
        bus, device, function = numbers
        found["pci_slot"] = f"0000:0{bus}:0{device}.{function}".lower()
    return found


def _battery(block: Block) -> Item:
    known = block.fields
    state = word(known.get("Battery State"))
    good = word(known.get("isSOHGood"))
    if state is None and good:
        state = "Good" if good == "Yes" else "Bad"
    replace = word(known.get("Battery Replacement required")) == "Yes"
    battery = joined(
        {"model": word(known.get("BatteryType"))},
        judged(state, suspect=replace or good == "No"),
        counters(temperature_celsius=known.get("Temperature")),
    )
    return joined({"id": f"megaraid:{block.adapter}", "battery": battery or None})


_CONTROLLERS = {"controller": _controller, "pci": _pci, "battery": _battery}


def _volume(block: Block, disks: list[str]) -> Item:
    known = block.fields
    return joined(
        {
            "controller": f"megaraid:{block.adapter}",
            "id": block.volume,
            "name": word(known.get("Name")),
            "level": _level(known),
            "size_bytes": size_bytes(known.get("Size")),
            "members": disks or None,
        },
        judged(word(known.get("State"))),
    )


def _level(known: dict[str, str]) -> str | None:
    text = word(known.get("RAID Level"))
    match = _RAID.match(text or "")
    if match is None:
        return level(text)
    # RAID10, 50 or 60: told as a secondary level, or as more than one span.
    is_spanned = match[2] == "3" or (integer(known.get("Span Depth")) or 1) > 1
    return f"RAID{match[1]}{'0' if is_spanned else ''}"


def _member(block: Block) -> Item:
    known = block.fields
    state, _, spin = (known.get("Firmware state") or "").partition(", ")
    failing = (
        integer(known.get("Predictive Failure Count"))
        or word(known.get("Drive has flagged a S.M.A.R.T alert")) == "Yes"
    )
    return joined(
        {
            "controller": f"megaraid:{block.adapter}",
            "enclosure": _enclosure(block),
            "slot": word(known.get("Slot Number")),
            "device_id": word(known.get("Device Id")),
            "wwn": (word(known.get("WWN")) or "").lower() or None,
            "size_bytes": size_bytes(known.get("Raw Size")),
            "transport": (word(known.get("PD Type")) or "").lower() or None,
            "media_type": _media_type(word(known.get("Media Type"))),
            "firmware_version": word(known.get("Device Firmware Level")),
            **_inquiry(known),
        },
        judged(word(state), suspect=bool(failing)),
        {"volatile": {"power_state": spin.strip()}} if spin.strip() else {},
        counters(
            temperature_celsius=known.get("Drive Temperature"),
            media_error_count=known.get("Media Error Count"),
            other_error_count=known.get("Other Error Count"),
            predictive_failure_count=known.get("Predictive Failure Count"),
        ),
    )


def _enclosure(block: Block) -> str | None:
    return word(block.fields.get("Enclosure Device ID"))


def _media_type(text: str | None) -> str | None:
    return {"Hard Disk Device": "hdd", "Solid State Device": "ssd"}.get(text or "")


def _inquiry(known: dict[str, str]) -> Item:
    """
    Return maker, model and serial number of a drive, from its answer to INQUIRY.

    The answer has columns. A SAS drive has vendor (8), model (16), firmware (4) and
    serial number. For a SATA drive the controller writes serial number (20), model
    (40) and firmware (8).
    """
    text = known.get("Inquiry Data") or ""
    firmware = word(known.get("Device Firmware Level")) or ""
    if known.get("PD Type", "").strip() == "SATA":
        serial, model = text[:20], text[20:60]
        if firmware and not text[60:].startswith(firmware):
            # Blanks are missing, so the columns are lost. The words can still be told apart.
            words = text.removesuffix(" ").split()
            if len(words) < 3 or words[-1] != firmware:
                return {}
            serial, model = words[0], " ".join(words[1:-1])
        return {"serial_number": word(serial), "model": word(model)}
    return {
        "vendor": word(text[:8]),
        "model": word(text[8:24]),
        "serial_number": word(text[28:].split(" ")[0]),
    }
