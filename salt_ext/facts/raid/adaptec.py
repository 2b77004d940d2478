"""
Adaptec controllers by arcconf, or by what their driver shows in /proc/scsi/scsi.

arcconf writes sections between lines of dashes, with ``name : value`` lines in them, and
in the sections blocks that begin with a number: ``Logical device number 0``, ``Device #3``.
Versions differ in the words: a volume is a logical device or, on IBM's ServeRAID, a logical
drive; its disks are segments or, on SmartRAID, devices.
The driver aacraid shows the volumes on channel 0 of its SCSI host, and the disks of
the volumes on the channels after that.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import NamedTuple

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    disk_wwn,
    integer,
    joined,
    judged,
    level,
    lines,
    merged,
    pci_slot,
    size_bytes,
    unread,
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator

    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("arcconf",)
MAX_CONTROLLERS = 16
VENDORS = ("Adaptec", "ServeRA")
_COUNT = re.compile(r"Controllers found: (\d{1,3})", re.IGNORECASE)
_DASHES = re.compile(r" *-{10,}$")
_HEADS = (
    ("controller", re.compile(r"controller information$")),
    ("volume", re.compile(r"logical (?:device|drive) number (\d+)")),
    ("member", re.compile(r"device #(\d+)$")),
    # What is of no interest, and ends the block before it.
    ("", re.compile(r"logical (?:device|drive) information|physical (?:device|drive) information")),
    ("", re.compile(r"(?:array|connector|max ?cache(?: \d\S*)?) information$")),
    ("", re.compile(r"(?:array|max ?cache device) number \d+|(?:channel|connector) #\d+:?$")),
)
NUMBERED = ("volume", "member")
_PART_OF_A_PART = re.compile(r"(?:phy|lane) #\d+$")
_GROUPS = re.compile(
    r"(?:controller (?:version|battery|zmm|cache backup unit|bios setting) information"
    r"|controller vital product data|green backup information|power settings"
    r"|(?:cache|raid|max ?cache) properties|physical drive write cache policy information"
    r"|temperature sensors information|out of band interface settings"
    r"|(?:pbsi|mctp|i2c)(?: settings)?"
    r"|logical (?:device|drive) segment information|array (?:physical|logical) device information"
    r"|device (?:phy information|error counters)|runtime error counters|supercap information"
    r"|lane (?:sas phy )?information)$"
)
_NOISE = re.compile(
    r"status of enclosure|life-time temperature|initiator at scsi id|command completed"
    r"|no (?:logical|physical|max ?cache|arrays?)\b|global physical device write cache policy"
)
KIND = "device is a"
_KIND = re.compile(r"device is an? (.*)")
BATTERY = (
    "overall backup unit status",
    "backup power status",
    "controller battery information: status",
    "controller zmm information: status",
    "supercap status",
)
_SEGMENT = re.compile(r"(?:group \d+, )?(?:segment|device) \d+$")
STRIPES = "stripe order (channel,device)"  # on ServeRAID 8k, over several lines
_CHANNELS = re.compile(r"(?:\d+,\d+ ?)+$")
_PRESENT = re.compile(r"[^(]*\(([^)]*)\) *(\S*)$")
_SLOT = re.compile(r"(Enclosure|Connector):(\d+), ?(?:Slot|Device):(\d+)")
_DISK = re.compile(r"hard|solid|ssd|nvme|disk", re.IGNORECASE)
_NO_DISK = re.compile(r"enclosure|tape|optical|cd|dvd|processor|expander|ses", re.IGNORECASE)
TRANSPORTS = {"sata": "sata", "sas": "sas", "nvme": "nvme", "pcie": "nvme", "ultra": "scsi"}
_HOST = re.compile(r"Host: scsi(\d+) Channel: (\d+) Id: (\d+) Lun: (\d+)")
_MODEL = re.compile(r" *Vendor: (.{8}) Model: (.{16}) Rev: (\S*)")
_TYPE = re.compile(r" *Type: +(\S+)")


class Block(NamedTuple):
    """A part: its kind, "" for what is of no interest; its number and its fields."""

    kind: str
    number: str
    fields: dict[str, str]


def read(ask: Ask) -> View:
    """Return all that the tool shows; it is run once for each controller."""
    first = _config(ask, 1)
    count = _COUNT.search(first)
    numbers = range(2, min(int(count[1]) if count else 1, MAX_CONTROLLERS) + 1)
    return merged([parse(first, 1), *(parse(_config(ask, number), number) for number in numbers)])


def _config(ask: Ask, number: int) -> str:
    # "nologs" keeps it from writing a log where it was started; old versions refuse the word.
    text = ask("getconfig", str(number), "al", "nologs")
    return text if _COUNT.search(text) else ask("getconfig", str(number), "al")


def parse(text: str, number: int = 1) -> View:
    """Return what ``getconfig`` shows of the controller with that number."""
    name = f"adaptec:{number}"
    found = view()
    unknown: list[str] = []
    blocks = list(_blocks(text, unknown))
    drives: list[tuple[Item, dict[str, str]]] = []
    for kind, block, known in blocks:
        if kind == "controller":
            found["controllers"].append(_controller(name, known))
        elif kind == "member" and _is_disk(known, unknown):
            drives.append((_member(name, block, known), known))
    found["members"] = [drive for drive, _ in drives]
    places = _places(drives)
    found["volumes"] = [
        _volume(name, block, known, places) for kind, block, known in blocks if kind == "volume"
    ]
    if len(blocks) == 1 and text.strip() and not _COUNT.search(text):
        unknown.append(text.split("\n", 1)[0])  # nothing in it is what arcconf writes
    return merged([{**found, UNREAD: unread(*unknown)}])


def _blocks(text: str, unknown: list[str]) -> Iterator[Block]:
    """Yield the blocks; lines that are not understood go to ``unknown``."""
    block = Block("", "", {})
    group = ""
    is_skipped = is_heading = False
    for line in lines(text):
        row = " ".join(line.split()).lower()
        if not row or _COUNT.match(row) or _DASHES.match(line):
            is_heading = is_heading or bool(_DASHES.match(line))
            continue
        was_heading, is_heading = is_heading, False
        name, colon, value = f"{line} ".partition(" : ")
        name = " ".join(name.split()).lower()
        if head := _head(row):
            yield block
            block, group, is_skipped = head, "", False
        elif colon:
            if not is_skipped:
                # The first value of a name counts: later ones belong to parts of the block.
                block.fields.setdefault(name, value.strip())
                block.fields.setdefault(f"{group}: {name}", value.strip())
        elif _GROUPS.match(row) or _PART_OF_A_PART.match(row):
            group, is_skipped = row, not _GROUPS.match(row)
        elif _CHANNELS.match(row) and STRIPES in block.fields:
            block.fields[STRIPES] += f" {row}"
        elif match := _KIND.match(row):
            block.fields.setdefault(KIND, match[1])
        elif not _NOISE.match(row) and (was_heading or block.kind):
            unknown.append(line)
            is_skipped = True
            if was_heading and not line.startswith(" "):
                yield block
                block = Block("", "", {})
    yield block


def _head(row: str) -> Block | None:
    """Return the block that a line begins, or None."""
    for kind, pattern in _HEADS:
        if match := pattern.match(row):
            return Block(kind, match[1] if kind in NUMBERED else "", {})
    return None


def _is_disk(known: dict[str, str], unknown: list[str]) -> bool:
    """Whether a device is a disk; enclosures are listed as devices too."""
    kind = known.get(KIND, "hard drive")
    if _NO_DISK.match(kind):
        return False
    if not _DISK.match(kind):
        unknown.append(f"{KIND} {kind}")
        return False
    return True


def _places(drives: list[tuple[Item, dict[str, str]]]) -> dict[str, str]:
    """
    Return ``{what a volume calls a disk: its address}``.

    That is the serial number, when no other disk has it (some versions mask them), or
    channel and device, or connector or enclosure and slot.
    """
    found: dict[str, str] = {}
    count = Counter(drive.get("serial_number") for drive, _ in drives)
    for drive, known in drives:
        serial = drive.get("serial_number")
        if serial and count[serial] == 1:
            found[serial] = _address(drive)
        found.setdefault(f"{drive.get('enclosure')}:{drive['slot']}", _address(drive))
        if channel := _channel(known):
            found.setdefault(channel, _address(drive))
    return found


def _channel(known: dict[str, str]) -> str:
    """Return ``0,1`` for ``0,1(1:0)``."""
    for field in ("reported channel,device(t:l)", "reported channel,device"):
        if field in known:
            return known[field].partition("(")[0].strip()
    return ""


def _address(drive: Item) -> str:
    return f"{drive.get('enclosure') or ''}:{drive.get('slot') or ''}"


def _controller(name: str, known: dict[str, str]) -> Item:
    battery = next((text for field in BATTERY if (text := word(known.get(field)))), None)
    return joined(
        {
            "id": name,
            "model": word(known.get("controller model")),
            "serial_number": word(known.get("controller serial number")),
            "firmware_version": word(known.get("firmware")),
            "pci_slot": pci_slot(word(known.get("pci address (domain:bus:device:function)"))),
            "battery": judged(battery) or None,
        },
        judged(word(known.get("controller status"))),
        counters(temperature_celsius=known.get("temperature")),
    )


def _volume(name: str, number: str, known: dict[str, str], places: dict[str, str]) -> Item:
    segments = [value for field, value in known.items() if _SEGMENT.match(field)]
    segments = segments or [f"({channel})" for channel in known.get(STRIPES, "").split()]
    disks = [address for value in segments if (address := _of_segment(value, places))]
    status = known.get("status of logical device") or known.get("status of logical drive")
    return joined(
        {
            "controller": name,
            "id": number,
            "name": word(known.get("logical device name") or known.get("logical drive name")),
            "wwn": (word(known.get("volume unique identifier")) or "").lower() or None,
            "level": level(known.get("raid level")),
            "size_bytes": size_bytes(known.get("size")),
            "members": disks or None,
        },
        judged(word(status)),
    )


def _of_segment(value: str, places: dict[str, str]) -> str | None:
    """Return the address of the disk in ``Present (0,1) 7CS009RP``; None when it is missing."""
    match = _PRESENT.match(value)
    if match is None:
        return None
    where, serial = match[1], match[2]
    slot = _SLOT.search(where)
    named = (serial, f"{slot[1]} {slot[2]}:{slot[3]}" if slot else "", where.replace(" ", ""))
    return next((places[each] for each in named if each in places), serial or None)


def _member(name: str, number: str, known: dict[str, str]) -> Item:
    enclosure, _, slot = known.get("reported location", "").partition(", ")
    channel = _channel(known).partition(",")[0]
    if not enclosure and channel not in ("", "0"):
        enclosure = f"Channel {channel}"  # there device 0 is another disk than on channel 0
    vendor, model = _vendor_model(known)
    failing = integer(known.get("s.m.a.r.t. warnings")) or word(known.get("s.m.a.r.t.")) == "Yes"
    solid = word(known.get("ssd"))
    speed = re.match("[a-z]*", known.get("transfer speed", "").lower())
    return joined(
        {
            "controller": name,
            "enclosure": word(enclosure),
            "slot": _last_number(slot) or number,
            "device_id": number,
            "vendor": vendor,
            "model": model,
            "serial_number": word(known.get("serial number")),
            "firmware_version": word(known.get("firmware")),
            "wwn": disk_wwn(known.get("world-wide name")),
            "size_bytes": size_bytes(known.get("total size") or known.get("size")),
            "transport": TRANSPORTS.get(speed[0] if speed else ""),
            "media_type": {"Yes": "ssd", "No": "hdd"}.get(solid or ""),
        },
        judged(word(known.get("state")), suspect=bool(failing)),
        counters(
            temperature_celsius=known.get("temperature") or known.get("current temperature"),
            media_error_count=known.get("medium error count"),
            smart_warning_count=known.get("s.m.a.r.t. warnings"),
        ),
    )


def _vendor_model(known: dict[str, str]) -> tuple[str | None, str | None]:
    """
    Return vendor and model.

    Old versions cut the model of a SATA drive after its first eight characters, as if
    those were a vendor: ``ST310003`` and ``40NS``.
    """
    vendor, model = word(known.get("vendor")), word(known.get("model"))
    if vendor in ("ATA", "*MISSING*"):
        return None, model
    if vendor and model and len(vendor) == 8 and any(one.isdecimal() for one in vendor):
        return None, vendor + model
    return vendor, model


def _last_number(slot: str) -> str | None:
    """Return 3 for ``Slot 3(Connector 0)`` and for ``Device 3``."""
    words = slot.partition("(")[0].split()
    return words[-1] if words and words[-1].isdecimal() else None


def parse_proc(text: str) -> View:
    """Return the volumes and disks of Adaptec hosts in /proc/scsi/scsi."""
    devices: list[tuple[re.Match[str], re.Match[str], str]] = []
    host = model = None
    for line in lines(text):
        if match := _HOST.match(line):
            host, model = match, None
        elif match := _MODEL.match(line):
            model = match
        elif host and model and (match := _TYPE.match(line)):
            devices.append((host, model, match[1]))
            host = None
    hosts = {
        place[1]
        for place, model, kind in devices
        if kind == "Direct-Access" and int(place[2]) == 0 and model[1].strip() in VENDORS
    }
    found = view()
    for place, model, kind in devices:
        if place[1] not in hosts or kind != "Direct-Access":
            continue
        name = f"adaptec:scsi{place[1]}"
        if int(place[2]) == 0:
            found["volumes"].append(
                {"controller": name, "id": str(int(place[3])), "name": word(model[2])}
            )
        else:
            found["members"].append(
                joined(
                    {
                        "controller": name,
                        "enclosure": str(int(place[2])),
                        "slot": str(int(place[3])),
                        "vendor": word(model[1]),
                        "model": word(model[2]),
                        "firmware_version": word(model[3]),
                    }
                )
            )
    found["controllers"] = [{"id": f"adaptec:scsi{number}"} for number in sorted(hosts)]
    return merged([found])
