"""
3ware controllers by tw_cli: tables of units and ports, and ``/c0 Model = 9650SE`` lines.

The first word of a table's head tells what its rows are. A row of a table that nobody
knows is nothing's.
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

TOOLS = ("tw_cli", "tw-cli", "tw_cli.x86_64", "tw_cli.x86")
MAX_CONTROLLERS = 16
_LISTED = re.compile(r"c(\d{1,3}) +\S")
_PROPERTY = re.compile(r"/c(\d+)(?:/p(\d+))? (\S.*) = (.*)")
_UNIT = re.compile(
    r"u(?P<id>\d+) +(?P<type>\S+) +(?P<state>\S+) +(?P<rebuilt>\S+) +(?P<verified>\S+) +\S+"
    r" +(?P<size>[\d.]+) "
)
# On controllers with virtual ports the model comes last, on older ones the serial number.
_PORT = re.compile(
    r"p(\d+) +(\S+) +(?:u(\d+)|-) +([\d.]+ [KMGT]B) +(?:(S\w+) +\S+ +\S+ +(\S.*)|\d+ +(\S+))"
)


_EMPTY_PORT = re.compile(r"p(\d+) +(\S+) +(?:u\d+|-|\?) +- ")  # its disk is gone, or never was
_BATTERY = re.compile(r"bbu +\S+ +\S+ +(\S+)")
_HEAD = re.compile(r"[A-Z(]\S* ")
_DASHES = re.compile(r"-{10,}$")
TABLES = {"Unit": "units", "Port": "ports", "VPort": "ports", "Name": "batteries"}
OTHER_TABLES = ("Ctl", "Encl", "Enclosure", "Fan", "TempSensor", "PowerSupply", "Slot", "Alarm")
_SUBUNIT = re.compile(r"u\d+[-/]\S")
NEVER_THERE = ("NOT-PRESENT", "NOT-INSTALLED", "EMPTY")


def read(ask: Ask) -> View:
    """Return all that the tool shows; it is run once for each port, for the serial numbers."""
    numbers = [match[1] for line in lines(ask("show")) if (match := _LISTED.match(line))]
    views = []
    for number in numbers[:MAX_CONTROLLERS]:
        shown = parse(ask(f"/c{number}", "show", "all"), number)
        slots = [drive["slot"] for drive in shown["members"]]
        views += [parse(ask(f"/c{number}/p{slot}", "show", "all"), number) for slot in slots]
        views.append(shown)
    return merged(views)


def parse(text: str, number: str = "0") -> View:
    """Return what ``/cN show all`` or ``/cN/pN show all`` shows."""
    found = view()
    properties: dict[str | None, dict[str, str]] = {}
    disks: dict[str | None, list[str]] = {}
    units: list[re.Match[str]] = []
    unknown: list[str] = []
    head, table = "", "?"
    for line in lines(text):
        if _DASHES.match(line.strip()):
            first = head.partition(" ")[0]
            table = TABLES.get(first, "")
            if first and not table and first not in OTHER_TABLES:
                unknown.append(head)
        elif match := _PROPERTY.match(line):
            properties.setdefault(match[2], {})[match[3]] = match[4]
        elif table in ("units", "?") and (match := _UNIT.match(line)):
            units.append(match)
        elif table in ("ports", "?") and (match := _PORT.match(line)):
            disks.setdefault(match[3], []).append(f":{match[1]}")
            found["members"].append(_port(number, match))
        elif table == "ports" and (match := _EMPTY_PORT.match(line)):
            if match[2] not in NEVER_THERE:
                gone = {"controller": f"3ware:{number}", "slot": match[1]}
                found["members"].append(joined(gone, judged(match[2])))
        elif table == "batteries" and (match := _BATTERY.match(line)):
            battery = judged(word(match[1]))
            found["controllers"].append({"id": f"3ware:{number}", "battery": battery})
        elif line.startswith("Error") or (
            table in ("units", "ports") and line.startswith(("u", "p")) and not _SUBUNIT.match(line)
        ):
            unknown.append(line)
        if _HEAD.match(line):
            head = line
    for port, known in properties.items():
        kind, item = ("members", _drive) if port else ("controllers", _controller)
        found[kind].insert(0, item(number, port or "", known))
    found["volumes"] = [
        joined(
            {
                "controller": f"3ware:{number}",
                "id": unit["id"],
                "level": level(unit["type"]),
                "size_bytes": size_bytes(f"{unit['size']} GB"),
                "members": disks.get(unit["id"]),
            },
            judged(unit["state"]),
            _progress(unit),
        )
        for unit in units
        if unit["type"] != "SPARE"
    ]
    return merged([{**found, UNREAD: unread(*unknown)}])


def _progress(unit: re.Match[str]) -> Item:
    """Return how far a unit is rebuilt, else how far it is verified, initialised or migrated."""
    percents = [one for one in (unit["rebuilt"], unit["verified"]) if "%" in one]
    return counters(progress_percent=percents[0] if percents else None)


def _controller(number: str, _: str, known: dict[str, str]) -> Item:
    return joined(
        {
            "id": f"3ware:{number}",
            "model": word(known.get("Model")),
            "serial_number": word(known.get("Serial Number")),
            "firmware_version": word(known.get("Firmware Version")),
        }
    )


def _port(number: str, match: re.Match[str]) -> Item:
    return joined(
        {
            "controller": f"3ware:{number}",
            "slot": match[1],
            "model": word(match[6]),
            "serial_number": word(match[7]),
            "size_bytes": size_bytes(match[4]),
            "transport": (match[5] or "").lower() or None,
        },
        judged(match[2]),
    )


def _drive(number: str, port: str, known: dict[str, str]) -> Item:
    return joined(
        {
            "controller": f"3ware:{number}",
            "slot": port,
            "model": word(known.get("Model")),
            "serial_number": word(known.get("Serial")),
            "firmware_version": word(known.get("Firmware Version")),
            "size_bytes": size_bytes(known.get("Capacity")),
        },
        judged(word(known.get("Status"))),
        counters(
            temperature_celsius=known.get("Temperature"),
            reallocated_sectors=known.get("Reallocated Sectors"),
            power_on_hours=known.get("Power On Hours"),
        ),
    )
