"""
Areca controllers by cli64: ``name : value`` lines, tables, and one command for each drive.

Drives of older controllers are at a channel, those of newer ones in a slot of an enclosure.
"""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    joined,
    judged,
    level,
    lines,
    merged,
    size_bytes,
    unread,
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("cli64", "cli32")
CONTROLLER = "areca:0"
MAX_DRIVES = 256
CUT = 13  # characters of the name of a raid set that every version shows
_ROW = re.compile(
    r" *(?P<number>\d{1,3}) +(?P<first>\d{1,3}) +"
    r"(?:(?P<kind>slot|extp) ?#?0*(?P<slot>\d+) +)?"
    r"(?P<model>\S.*?) +(?P<size>[\d.]+[GT]B) +(?P<usage>\S.*)",
    re.IGNORECASE | re.ASCII,
)
# Old versions have one number, and the serial number and firmware in columns.
_OLD_ROW = re.compile(
    r" *(?P<number>\d{1,3})   (?P<model>\S.{15}) (?P<serial>\S.{15}) (?P<firmware>\S+)"
    r" +(?P<size>[\d.]+[GT]B) +(?P<usage>\S.*)",
    re.ASCII,
)
_VOLUME = re.compile(
    r" *(\d{1,3}) (\S.{15}) (.*?) *(Raid\S+|JBOD) +([\d.]+[GT]B) +\d\d/\d\d/\d\d +(\S.*)"
)
_LOCATION = re.compile(r"(?:Enclosure#0*(\d+) )?Slot ?#?0*(\d+)", re.IGNORECASE)
_CHANNEL = ("IDE Channel", "SATA Channel", "SAS Channel", "Channel")
_RESULT = re.compile(r"GuiErrMsg<0x0*([0-9a-fA-F]+)>:(.*)")
# What a drive is used for, where it is no name of a raid set.
_STATE = re.compile(
    r"fail|hot ?spare|free|jbod|pass ?through|missing|offline|rebuild", re.IGNORECASE
)


def read(ask: Ask) -> View:
    """Return all that the tool shows of its first controller."""
    listed = ask("disk", "info")
    rows = [match for line in lines(listed) if (match := _ROW.match(line))]
    numbers = [match["number"] for match in rows if match["model"] != "N.A."]
    drives = [parse(ask("disk", "info", f"drv={number}")) for number in numbers[:MAX_DRIVES]]
    volumes = ask("vsf", "info")
    found = merged([parse(ask("sys", "info")), parse(volumes), *drives, parse(listed)])
    sets = {match[1]: match[3] for line in lines(volumes) if (match := _VOLUME.match(line))}
    for volume in found["volumes"]:
        if disks := _of_raid_set(sets[volume["id"]], rows):
            volume["members"] = disks
    return found


def _of_raid_set(name: str, rows: list[re.Match[str]]) -> list[str]:
    """Return the places of the drives of a raid set; the table of drives may cut its name."""
    return [
        ":".join(place or "" for place in _listed_place(row.groupdict()))
        for row in rows
        if (used := row["usage"].strip()) and not _STATE.match(used)
        if used == name or (len(used) >= CUT and name.startswith(used))
    ]


def parse(text: str) -> View:
    """Return what ``sys info``, ``vsf info``, ``disk info`` or ``disk info drv=N`` shows."""
    pairs = (line.partition(": ") for line in lines(text))
    known = {name.strip(): value.strip() for name, colon, value in pairs if colon}
    found = view()
    place = _place(known)
    if word(known.get("Controller Name")):
        found["controllers"].append(
            joined(
                {
                    "id": CONTROLLER,
                    "vendor": "Areca",
                    "model": word(known["Controller Name"]),
                    "serial_number": word(known.get("Serial Number")),
                    "firmware_version": word(known.get("Firmware Version")),
                }
            )
        )
    elif place[1]:
        kind = known.get("Device Type", "").partition("(")[0].lower()
        found["members"].append(
            joined(
                {
                    "controller": CONTROLLER,
                    "enclosure": place[0],
                    "slot": place[1],
                    "model": word(known.get("Model Name")),
                    "serial_number": word(known.get("Serial Number")),
                    "firmware_version": word(known.get("Firmware Rev.")),
                    "size_bytes": size_bytes(known.get("Disk Capacity"), 1000),
                    "transport": word(kind),
                },
                judged(word(known.get("Device State"))),
                counters(
                    temperature_celsius=known.get("Device Temperature"),
                    media_error_count=known.get("Media Error Count"),
                    timeout_count=known.get("Timeout Count"),
                ),
            )
        )
    found["volumes"] = [
        joined(
            {
                "controller": CONTROLLER,
                "id": match[1],
                "name": word(match[2]),
                "level": level(match[4]),
                "size_bytes": size_bytes(match[5], 1000),
            },
            judged(match[6]),
        )
        for line in lines(text)
        if (match := _VOLUME.match(line))
    ]
    rows = [match for line in lines(text) if (match := _ROW.match(line) or _OLD_ROW.match(line))]
    found["members"] += [_listed(row.groupdict()) for row in rows if row["model"] != "N.A."]
    results = [match for line in lines(text) if (match := _RESULT.match(line))]
    unknown = unread(*(match[0] for match in results if match[1] != "0"))
    return {**found, UNREAD: unknown} if unknown else found


def _place(known: dict[str, str]) -> tuple[str | None, str | None]:
    """Return enclosure and slot; the slot is the channel on controllers without enclosures."""
    if match := _LOCATION.search(known.get("Device Location", "")):
        return match[1], match[2]
    return None, next((text for name in _CHANNEL if (text := word(known.get(name)))), None)


def _listed(row: dict[str, str | None]) -> Item:
    """Return a drive from its row in the table of all drives."""
    usage = (row["usage"] or "").strip()
    enclosure, slot = _listed_place(row)
    return joined(
        {
            "controller": CONTROLLER,
            "enclosure": enclosure,
            "slot": slot,
            "model": word(row["model"]),
            "serial_number": word(row.get("serial")),
            "firmware_version": word(row.get("firmware")),
            "size_bytes": size_bytes(row["size"], 1000),
        },
        judged(usage if _STATE.match(usage) else None),
    )


def _listed_place(row: dict[str, str | None]) -> tuple[str | None, str]:
    """Return enclosure and slot by a row; the slots of its external ports count anew."""
    first = str(int(row.get("first") or row["number"] or 0))
    if not row.get("slot"):
        return None, first
    is_external = (row.get("kind") or "").lower() == "extp"
    return first, f"EXTP {row['slot']}" if is_external else str(row["slot"])
