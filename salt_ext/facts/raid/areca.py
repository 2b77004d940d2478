"""Areca controllers by cli64: ``name : value`` lines, and one command for each drive."""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    counters,
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
    from salt_ext.facts.raid.view import Ask, View

TOOLS = ("cli64", "cli32")
CONTROLLER = "areca:0"
MAX_DRIVES = 256
_ROW = re.compile(r" *(\d{1,3}) +\d{1,3} +\S", re.ASCII)
_VOLUME = re.compile(
    r" *(\d{1,3}) (\S.{15}) .*?(Raid\S+|JBOD) +([\d.]+[GT]B) +\d\d/\d\d/\d\d +(\S.*)"
)
_LOCATION = re.compile(r"(?:Enclosure#0*(\d+) )?Slot ?#?0*(\d+)", re.IGNORECASE)


def read(ask: Ask) -> View:
    """Return all that the tool shows of its first controller."""
    rows = [line for line in lines(ask("disk", "info")) if " N.A. " not in line]
    numbers = [match[1] for line in rows if (match := _ROW.match(line))]
    drives = [parse(ask("disk", "info", f"drv={number}")) for number in numbers[:MAX_DRIVES]]
    return merged([parse(ask("sys", "info")), parse(ask("vsf", "info")), *drives])


def parse(text: str) -> View:
    """Return what ``sys info``, ``vsf info`` or ``disk info drv=N`` shows."""
    pairs = (line.partition(": ") for line in lines(text))
    known = {name.strip(): value.strip() for name, colon, value in pairs if colon}
    found = view()
    place = _LOCATION.search(known.get("Device Location", ""))
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
    elif place:
        kind = known.get("Device Type", "").partition("(")[0].lower()
        found["members"].append(
            joined(
                {
                    "controller": CONTROLLER,
                    "enclosure": place[1],
                    "slot": place[2],
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
                "level": level(match[3]),
                "size_bytes": size_bytes(match[4], 1000),
            },
            judged(match[5]),
        )
        for line in lines(text)
        if (match := _VOLUME.match(line))
    ]
    return found
