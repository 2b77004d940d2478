"""
Adaptec controllers by arcconf, or by what their driver shows in /proc/scsi/scsi.

arcconf writes sections between lines of dashes, with ``name : value`` lines in them.
The driver aacraid shows the volumes on channel 0 of its SCSI host, and the disks of
the volumes on the channels after that.
"""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    counters,
    integer,
    joined,
    judged,
    level,
    lines,
    merged,
    size_bytes,
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("arcconf",)
MAX_CONTROLLERS = 16
VENDORS = ("Adaptec", "ServeRA")
CONTROLLER = re.compile(r"Controller information", re.IGNORECASE)
_COUNT = re.compile(r"Controllers found: (\d{1,3})")
_VOLUME = re.compile(r" *Logical device number (\d+)", re.IGNORECASE)
_DEVICE = re.compile(r" *Device #(\d+)")
_HOST = re.compile(r"Host: scsi(\d+) Channel: (\d+) Id: (\d+) Lun: (\d+)")
_MODEL = re.compile(r" *Vendor: (.{8}) Model: (.{16}) Rev: (\S*)")
_TYPE = re.compile(r" *Type: +(\S+)")


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
    known: dict[str, str] = {}
    blocks: list[tuple[str, str, dict[str, str]]] = []
    for line in lines(text):
        if match := _VOLUME.match(line):
            known = {}
            blocks.append(("volume", match[1], known))
        elif match := _DEVICE.match(line):
            known = {}
            blocks.append(("member", match[1], known))
        elif CONTROLLER.match(line.strip()):
            known = {}
            blocks.append(("controller", "", known))
        else:
            field, colon, value = line.partition(" : ")
            # The first value of a name counts: later ones belong to parts of the controller.
            known.setdefault(" ".join(field.split()).lower(), value.strip() if colon else "")
    for kind, block, known in blocks:
        if kind == "member" and not any("enclosure services" in field for field in known):
            found["members"].append(_member(name, block, known))
    places = {
        drive["serial_number"]: _address(drive)
        for drive in found["members"]
        if drive.get("serial_number")
    }
    for kind, block, known in blocks:
        if kind == "controller":
            found["controllers"].append(_controller(name, known))
        elif kind == "volume":
            found["volumes"].append(_volume(name, block, known, places))
    return merged([found])


def _address(drive: Item) -> str:
    return f"{drive.get('enclosure') or ''}:{drive.get('slot') or ''}"


def _controller(name: str, known: dict[str, str]) -> Item:
    battery = word(known.get("overall backup unit status"))
    if battery is None and "controller battery information" in known:
        battery = word(known.get("status"))
    return joined(
        {
            "id": name,
            "model": word(known.get("controller model")),
            "serial_number": word(known.get("controller serial number")),
            "firmware_version": word(known.get("firmware")),
            "battery": judged(battery) or None,
        },
        judged(word(known.get("controller status"))),
        counters(temperature_celsius=known.get("temperature")),
    )


def _volume(name: str, number: str, known: dict[str, str], places: dict[str, str]) -> Item:
    # In "Present (457862MB, SATA, ...) 7CS009RP" the last word is the serial number.
    segments = (value for field, value in known.items() if "segment " in field)
    serials = [value.rpartition(")")[2].strip() for value in segments if ")" in value]
    return joined(
        {
            "controller": name,
            "id": number,
            "name": word(known.get("logical device name")),
            "level": level(known.get("raid level")),
            "size_bytes": size_bytes(known.get("size")),
            "members": [places.get(serial, serial) for serial in serials if serial] or None,
        },
        judged(word(known.get("status of logical device"))),
    )


def _member(name: str, number: str, known: dict[str, str]) -> Item:
    enclosure, _, slot = known.get("reported location", "").partition(", ")
    vendor = word(known.get("vendor"))
    failing = integer(known.get("s.m.a.r.t. warnings")) or word(known.get("s.m.a.r.t.")) == "Yes"
    solid = word(known.get("ssd"))
    return joined(
        {
            "controller": name,
            "enclosure": word(enclosure),
            "slot": _last_number(slot) or number,
            "device_id": number,
            "vendor": None if vendor == "ATA" else vendor,
            "model": word(known.get("model")),
            "serial_number": word(known.get("serial number")),
            "firmware_version": word(known.get("firmware")),
            "wwn": (word(known.get("world-wide name")) or "").lower() or None,
            "size_bytes": size_bytes(known.get("total size") or known.get("size")),
            "transport": known.get("transfer speed", "").partition(" ")[0].lower() or None,
            "media_type": {"Yes": "ssd", "No": "hdd"}.get(solid or ""),
        },
        judged(word(known.get("state")), suspect=bool(failing)),
        counters(
            temperature_celsius=known.get("temperature"),
            media_error_count=known.get("medium error count"),
            smart_warning_count=known.get("s.m.a.r.t. warnings"),
        ),
    )


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
