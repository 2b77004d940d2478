"""
Integrated RAID of LSI's SAS 2 and SAS 3 adapters by sas2ircu and sas3ircu.

Volumes of SAS2008, SAS2308 and SAS3008 adapters are known to these tools alone.
``LIST`` lists the controllers, ``0 DISPLAY`` all of one: sections between lines of
dashes, with ``name : value`` lines in them.
"""

from __future__ import annotations

import re
from functools import partial

from salt_ext.facts.raid.view import (
    UNREAD,
    disk_wwn,
    exactly,
    integer,
    joined,
    judged,
    level,
    lines,
    merged,
    unread,
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS_2 = ("sas2ircu",)
TOOLS_3 = ("sas3ircu",)
MAX_CONTROLLERS = 16
MIB = 1024 * 1024
_LISTED = re.compile(r" *(\d{1,3}) +\S+ +[0-9a-fA-F]+h +[0-9a-fA-F]+h +\S+h")
_DASHES = re.compile(r"-{10,}$")
_VOLUME = re.compile(r"IR volume \d+$", re.IGNORECASE)
_DEVICE = re.compile(r"Device is an? (.+)$", re.IGNORECASE)
_DISK = re.compile(r"Hard disk|Solid|SSD", re.IGNORECASE)
_NO_DISK = re.compile(r"Enclosure|Expander|Tape|CD|DVD|Optical|Virtual", re.IGNORECASE)
_SECTIONS = re.compile(
    r"(controller|ir volume|physical device|enclosure) information$", re.IGNORECASE
)
_NOISE = re.compile(r"Initiator at ID|SAS\dIRCU: .*Completed Successfully", re.IGNORECASE)
_PHY = re.compile(r"PHY\[\d+\] Enclosure#/Slot#$")
_WWID = re.compile(r"[0-9a-fA-F]{16}$")
NAA = "600508e000000000"  # of every such volume
_SIZE = re.compile(r"(\d{1,15})/(\d{1,15})$", re.ASCII)


def read(ask: Ask, family: str) -> View:
    """Return all that the tool shows; it is run once for each controller."""
    numbers = [match[1] for line in lines(ask("LIST")) if (match := _LISTED.match(line))]
    return merged(
        parse(ask(number, "DISPLAY"), number, family) for number in numbers[:MAX_CONTROLLERS]
    )


read_2 = partial(read, family="mpt2sas")
read_3 = partial(read, family="mpt3sas")


def parse(text: str, number: str = "0", family: str = "mpt3sas") -> View:
    """Return what ``DISPLAY`` shows of the controller with that number."""
    name = f"{family}:{number}"
    found = view()
    unknown: list[str] = []
    for kind, known in _blocks(text, unknown):
        if kind == "controller":
            found["controllers"].append(_controller(name, known))
        elif kind == "volume":
            found["volumes"].append(_volume(name, known))
        elif kind == "member":
            found["members"].append(_member(name, known))
    return merged([{**found, UNREAD: unread(*unknown)}])


def _blocks(text: str, unknown: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Return (kind, fields) of each block; lines that are not understood go to ``unknown``."""
    blocks: list[tuple[str, dict[str, str]]] = [("", {})]
    is_heading = False
    for line in map(str.strip, lines(text)):
        if not line or _DASHES.match(line):
            is_heading = is_heading or bool(line)
            continue
        was_heading, is_heading = is_heading, False
        name, colon, value = f"{line} ".partition(" : ")
        if match := _DEVICE.match(line):
            is_disk = _DISK.match(match[1])
            blocks.append(("member" if is_disk else "", {}))
            if not is_disk and not _NO_DISK.match(match[1]):
                unknown.append(line)
        elif _VOLUME.match(line):
            blocks.append(("volume", {}))
        elif match := _SECTIONS.match(line):
            blocks.append(("controller" if match[1].lower() == "controller" else "", {}))
        elif colon or line.endswith(" :"):
            blocks[-1][1].setdefault(name.removesuffix(":").strip(), value.strip())
        elif not _NOISE.match(line) and (was_heading or blocks[-1][0] or "IRCU:" in line):
            unknown.append(line)
            if was_heading:
                blocks.append(("", {}))
    return blocks


def _controller(name: str, known: dict[str, str]) -> Item:
    place = [integer(known.get(one)) for one in ("Segment", "Bus", "Device", "Function")]
    numbers = [one for one in place if one is not None]
    return joined(
        {
            "id": name,
            "model": word(known.get("Controller type")),
            "firmware_version": word(known.get("Firmware version")),
            "pci_slot": "{:04x}:{:02x}:{:02x}.{:x}".format(*numbers) if len(numbers) == 4 else None,
        }
    )


def _volume(name: str, known: dict[str, str]) -> Item:
    size = integer(known.get("Size (in MB)"))
    disks = [value for field, value in known.items() if _PHY.match(field)]
    return joined(
        {
            "controller": name,
            "id": word(known.get("Volume ID")),
            "name": word(known.get("Volume Name")),
            "wwn": _wwn(known.get("Volume wwid", "")),
            "level": level(known.get("RAID level")),
            "size_bytes": size and size * MIB,
            "members": disks or None,
        },
        judged(word(known.get("Status of volume"))),
    )


def _wwn(wwid: str) -> str | None:
    """Return the WWN by which the kernel knows a volume; the tool turns its last bytes round."""
    if not _WWID.match(wwid):
        return None
    return NAA + bytes.fromhex(wwid)[::-1].hex()


def _member(name: str, known: dict[str, str]) -> Item:
    vendor = word(known.get("Manufacturer"))
    transport, _, medium = (word(known.get("Drive Type")) or "").lower().partition("_")
    return joined(
        {
            "controller": name,
            "enclosure": word(known.get("Enclosure #")),
            "slot": word(known.get("Slot #")),
            "vendor": None if vendor == "ATA" else vendor,
            "model": word(known.get("Model Number")),
            # The other serial number has lost its dashes.
            "serial_number": word(known.get("Unit Serial No(VPD)")) or word(known.get("Serial No")),
            "firmware_version": word(known.get("Firmware Revision")),
            "wwn": disk_wwn(known.get("GUID")),
            "size_bytes": _size_bytes(known.get("Size (in MB)/(in sectors)", "")),
            "transport": (word(known.get("Protocol")) or transport).lower() or None,
            "media_type": medium if medium in ("hdd", "ssd") else None,
        },
        judged(word(known.get("State"))),
    )


def _size_bytes(text: str) -> int | None:
    """Return ``152627/312581807`` in bytes: so many MiB, and the number of the last sector."""
    match = _SIZE.match(text)
    return exactly(int(match[1]) * MIB, int(match[2]) + 1) or None if match else None
