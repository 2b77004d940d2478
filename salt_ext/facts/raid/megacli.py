"""
MegaRAID by MegaCli, the predecessor of storcli: blocks of ``name: value`` lines.

A block begins with the line that names its adapter, its virtual drive or the
enclosure of its disk. Two blank lines end the block of a drive: what follows them, or
names a virtual drive or an adapter in another way, belongs to no block that is known.
One function reads the output of all commands.
"""

from __future__ import annotations

import re
from itertools import permutations
from typing import NamedTuple

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    integer,
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

TOOLS = ("MegaCli64", "MegaCli", "megacli64", "megacli", "CmdTool264", "CmdTool2")  # Intel's name
COMMANDS = (
    ("-AdpAllInfo",),
    ("-AdpGetPciInfo",),
    ("-AdpBbuCmd", "-GetBbuStatus"),
    ("-LdPdInfo",),
    ("-PDList",),
)
_HEADS = (
    ("pci", re.compile(r"PCI information for Controller (\d+)")),
    ("battery", re.compile(r"BBU status for Adapter ?: ?(\d+)")),
    ("controller", re.compile(r"Adapter ?[#:]? ?(\d+)(?! ?:)")),
    ("volume", re.compile(r"Virtual (?:Drive|Disk) ?: ?([^ (]*)")),
    ("cachecade", re.compile(r"CacheCade Virtual (?:Drive|Disk) ?: ?([^ (]*)")),
    ("member", re.compile(r"Enclosure Device ID ?:()")),
)
_PARTS = ("volume", "cachecade", "member")
_OTHER_HEAD = re.compile(r".*\(Target Id: \d+\)|.* (?:for|of|on) (?:Adapter|Controller)[ :#]*\d+")
# Lines between blocks that tell of no part.
_NOISE = re.compile(
    r"Exit Code|[=-]{4}|(?:Span|PD|Physical Disk|DISK GROUPS?|SPAN) ?: ?\d|Number of "
    r"|(?:Physical|Virtual) Disk Information|Adapter \d+ ?: ?No Virtual|Adapter \d+ ?: ?No Physical"
    r"|Hotspare Information|Ongoing Progress|None$|BBU (?:Capacity|Design) Info|BBU Properties"
    r"|Dedicated to Disk Group"
)
_REFUSED = re.compile(r"Adapter \d+ ?: .*\b[Ff]ail")
ATA = f"{'ATA':<8}"  # the vendor of every SATA drive, for SCSI
NO_BATTERY = "Get BBU Status Failed"
ALARMS = (
    "Battery Pack Missing",
    "Battery Replacement required",
    "Pack is about to fail & should be replaced",
)
WORKS = ("Rebuild", "Background Initialization", "Reconstruction", "Check Consistency")
_COMPLETED = re.compile(r"(\d{1,3})%")
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
                    if block.kind in ("volume", "cachecade")
                ],
                "members": [_member(block) for block in found if block.kind == "member"],
                UNREAD: unread(*(block.fields["line"] for block in found if block.kind == UNREAD)),
            }
        ]
    )


def blocks(text: str) -> Iterator[Block]:
    """Yield the blocks of an output in their order; one of the kind UNREAD is a single line."""
    block = Block("", "0", None, {})
    blank_lines = 0
    for line in lines(text):
        stripped = line.strip()
        if not stripped:
            blank_lines += 1
            continue
        is_over, blank_lines = blank_lines > 1 and block.kind in _PARTS, 0
        name, colon, value = line.partition(":")
        if NO_BATTERY in stripped:
            yield block
            block = Block("", block.adapter, None, {})
        elif _REFUSED.match(stripped):
            yield block
            block = Block(UNREAD, block.adapter, None, {"line": stripped})
        elif head := _head(block, stripped):
            yield block
            block = head
            if block.kind not in _PARTS:
                continue
        elif _NOISE.match(stripped):
            continue
        elif is_over or _OTHER_HEAD.match(stripped):
            yield block
            block = Block(UNREAD, block.adapter, None, {"line": stripped})
        if block.kind == UNREAD:
            continue
        if not colon:
            if block.kind in (*_PARTS, "battery", "pci"):
                yield Block(UNREAD, block.adapter, None, {"line": stripped})
        elif block.kind in ("controller", "battery"):
            # The first value counts: names occur again for firmware images not yet flashed,
            # and a battery has a temperature of 27 C, and one that is OK.
            block.fields.setdefault(name.strip(), value.strip())
        else:
            # Blanks at the start can be a part of the value, see _inquiry.
            block.fields[name.strip()] = value.removeprefix(" ").rstrip("\r")
    yield block


def _head(block: Block, line: str) -> Block | None:
    """Return the block that a line begins after a block, or None."""
    for kind, pattern in _HEADS:
        if match := pattern.match(line):
            if kind in ("volume", "cachecade"):
                return Block(kind, block.adapter, match[1], {})
            if kind == "member":
                return Block(kind, block.adapter, block.volume, {})
            return Block(kind, match[1], None, {})
    return None


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
    """Return the address; its numbers are hexadecimal, though nothing says so."""
    found: Item = {"id": f"megaraid:{block.adapter}"}
    try:
        bus, device, function = (
            int(block.fields.get(f"{name} Number", ""), 16)
            for name in ("Bus", "Device", "Function")
        )
    except ValueError:
        return found
    if 0 <= bus < 256 and 0 <= device < 32 and 0 <= function < 8:
        found["pci_slot"] = f"0000:{bus:02x}:{device:02x}.{function}"
    return found


def _battery(block: Block) -> Item:
    known = block.fields
    state = word(known.get("Battery State")) or word(known.get("Battery state"))
    good = word(known.get("isSOHGood"))
    if state is None and good:
        state = "Good" if good == "Yes" else "Bad"
    alarms = {name: word(known[name]) for name in ALARMS if name in known}
    is_missing = alarms.get("Battery Pack Missing") == "Yes"
    state = "Missing" if is_missing else state
    battery = joined(
        {"model": word(known.get("BatteryType"))},
        judged(state, suspect="Yes" in alarms.values() or good == "No"),
        counters(temperature_celsius=known.get("Temperature")),
    )
    if state is None and set(alarms.values()) == {"No"}:
        battery["health"] = "ok"  # a version that leaves the state blank tells the alarms
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
        _progress(known),
    )


def _progress(known: dict[str, str]) -> Item:
    """Return how far a work has come: ``Completed 36%, Taken 42 min.``."""
    texts = (known.get(name, "") for name in WORKS)
    match = next((found for text in texts if (found := _COMPLETED.search(text))), None)
    return counters(progress_percent=match[1] if match else None)


def _level(known: dict[str, str]) -> str | None:
    text = word(known.get("RAID Level"))
    match = _RAID.match(text or "")
    if match is None:
        return level(text) or word(known.get("Virtual Drive Type"))  # CacheCade has no level
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
            "transport": _transport(known),
            "media_type": _media_type(word(known.get("Media Type"))),
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


def _transport(known: dict[str, str]) -> str | None:
    is_ata = (known.get("Inquiry Data") or "").startswith(ATA)
    return (word(known.get("PD Type")) or "").lower() or ("sata" if is_ata else None)


def _media_type(text: str | None) -> str | None:
    return {"Hard Disk Device": "hdd", "Solid State Device": "ssd"}.get(text or "")


def _inquiry(known: dict[str, str]) -> Item:
    """
    Return maker, model, serial number and firmware of a drive, from its answer to INQUIRY.

    The answer has columns. A SAS drive has vendor (8), model (16), firmware (4) and
    serial number. For a SATA drive the controller writes serial number (20), model
    (40) and firmware (8), or what the drive answers as a SAS drive of the vendor ATA.
    """
    text = known.get("Inquiry Data") or ""
    firmware = word(known.get("Device Firmware Level"))
    if known.get("PD Type", "").strip() == "SATA" and not text.startswith(ATA):
        found = _columns(text, firmware or "") or _words(text, firmware or "")
    else:
        at = 24
        if firmware and not text.startswith(firmware, at):  # not where it ought to stand
            at = text.find(firmware, 9) if text.find(firmware, 9) > 0 else at
        found = {
            "vendor": None if text.startswith(ATA) else word(text[:8]),
            "model": word(text[8:at]),
            "firmware_version": word(text[at : at + 4]),
            "serial_number": word(text[at + len(firmware or "1234") :].strip().split(" ")[0]),
        }
    return {**found, "firmware_version": firmware or found.get("firmware_version")}


def _columns(text: str, firmware: str) -> Item:
    """
    Return the columns of a SATA drive, in the order in which they can be what they are.

    Of the firmware, eight characters, the tool may tell only the last four elsewhere.
    """
    text = text.rstrip()
    start = len(text) - len(text.split(" ")[-1])
    # Blanks at the start may be lost; then the firmware does not stand where it ought to.
    padded = text.rjust(len(text) + max(0, _SERIAL + _MODEL - start)) if start > _MODEL else text
    for row, order in ((row, order) for row in (text, padded) for order in permutations(_WIDTHS)):
        found, at = {}, 0
        for name, width in order:
            found[name] = row[at : at + width]
            at += width
        told = found["firmware_version"].strip()
        if (
            len(found["serial_number"].split()) == len(told.split()) == 1
            and found["model"][:1].strip()
            and (told.startswith(firmware) or told.endswith(firmware))
            and len(row) <= at
        ):
            return {name: word(value) for name, value in found.items()}
    return {}


def _words(text: str, firmware: str) -> Item:
    """Return what the words are when the columns are lost, and a blank is between all of them."""
    words = text.split()
    if not firmware or len(words) < 3 or not words[-1].endswith(firmware):
        return {}
    return {"serial_number": words[0], "model": " ".join(words[1:-1])}


_SERIAL, _MODEL = 20, 40
_WIDTHS = (("serial_number", _SERIAL), ("model", _MODEL), ("firmware_version", 8))
