"""MegaRAID by megasasctl, an alternative to MegaCli: one line per part."""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    UNREAD,
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
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("megasasctl",)
_CONTROLLER = re.compile(r"a(\d+) +(\S.*?) +bios:\S* +fw:(\S+)(?:.* batt:([^/\s]+))?")
_VOLUME = re.compile(r"a(\d+)d(\d+) +(\S+) +RAID +(\S+) +\S+ +(\S.*)")
_MEMBER = re.compile(
    r"a(\d+)e(\w+|\*)s(\d+) +(\S+) +(\S.*?) +(\d\S*[KMGTP]i?B) +(?:a\d+d(\d+) +)?(\S.*)"
)
_PART = re.compile(r"a\d+(?:[de]\w*)? ")
_ADDRESS = re.compile(r"a\d+e(\w+|\*)s(\d+)")


def read(ask: Ask) -> View:
    """Return all that the tool shows."""
    return parse(ask("-v"))


def parse(text: str) -> View:
    """Return what one output shows."""
    controllers: list[Item] = []
    volumes: list[Item] = []
    members: list[Item] = []
    unknown: list[str] = []
    for line in lines(text):
        if match := _CONTROLLER.match(line):
            controllers.append(
                {
                    "id": f"megaraid:{match[1]}",
                    "model": match[2],
                    "firmware_version": match[3],
                    "battery": judged(word(match[4])) or None,
                }
            )
        elif match := _VOLUME.match(line):
            volumes.append(
                joined(
                    {
                        "controller": f"megaraid:{match[1]}",
                        "id": match[2],
                        "level": level(match[4]),
                        "size_bytes": size_bytes(match[3]),
                        "members": [],
                    },
                    judged(match[5]),
                )
            )
        elif match := _MEMBER.match(line):
            members.append(
                joined(
                    {
                        "controller": f"megaraid:{match[1]}",
                        "enclosure": word(match[2].strip("*")),
                        "slot": match[3],
                        "vendor": word(match[4]) if match[4] != "ATA" else None,
                        "model": match[5],
                        "size_bytes": size_bytes(match[6]),
                    },
                    judged(match[8]),
                )
            )
        elif volumes and line.strip().startswith("row"):
            volumes[-1]["members"] += [
                f"{enclosure.strip('*')}:{slot}" for enclosure, slot in _ADDRESS.findall(line)
            ]
        elif _PART.match(line):
            unknown.append(line)
    found = {"controllers": controllers, "volumes": volumes, "members": members}
    return merged([{**found, UNREAD: unread(*unknown)}])
