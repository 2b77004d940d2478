"""
MegaRAID and related controllers by storcli, perccli and their second generation, in JSON.

``storcli`` shows the controllers of the drivers megaraid_sas, mpt2sas and mpt3sas,
``storcli2`` those of mpi3mr. Dell calls the tools perccli. Without a controller they
write JSON too, with an exit code that is not 0.
"""

from __future__ import annotations

import json
import re

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    exactly,
    integer,
    joined,
    judged,
    level,
    merged,
    pci_slot,
    size_bytes,
    unread,
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("storcli64", "storcli", "perccli64", "perccli")
TOOLS_2 = ("storcli2", "perccli2")
DETAILS = " - Detailed Information"
ENERGY = ("BBU_Info", "Cachevault_Info", "Energy Pack Info")
NAMED = frozenset(("Product Name", "Model", "Serial Number"))
ALERT = "S.M.A.R.T alert flagged by drive"
# What is said when there is nothing of what was asked for, and of disks of another controller.
_NOTHING = re.compile(
    r"\bno\b|not (?:found|present|supported)|un-?supported|foreign config", re.IGNORECASE
)
_DRIVE = re.compile(r"Drive /c\d+(?:/e(\d+))?/s(\d+)$")  # the name of a list of one drive
DISKS_OF_A_GROUP = ("Onln", "Online", "Rbld", "Rebuild", "Offln", "Offline", "Msng", "Failed")


def read(ask: Ask, family: str = "megaraid") -> View:
    """Return all that the tool shows; the commands with the most precise values come first."""
    # Without "nolog" the tool writes storcli.log where it was started.
    commands = ("/call/eall/sall", "/call/sall", "/call/vall", "/call")
    return merged(parse(ask(command, "show", "all", "J", "nolog"), family) for command in commands)


def read_2(ask: Ask) -> View:
    """Return all that the tool of the second generation shows."""
    return read(ask, "mpi3mr")


def parse(text: str, family: str = "megaraid") -> View:
    """Return what one output shows."""
    # Some versions complain before they answer.
    text = text[max(0, text.find("{")) :] if text.lstrip()[:1] != "[" else text
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return (
            {**view(), UNREAD: unread(text.strip().partition("\n")[0])} if text.strip() else view()
        )
    return merged(_view(one, family) for one in _rows(_mapping(document).get("Controllers")))


def _view(one: Mapping[str, Any], family: str) -> View:
    status = _mapping(one.get("Command Status"))
    number = word(status.get("Controller"))
    data = _mapping(one.get("Response Data"))
    refusals = _refusals(status)
    if number is None or not data:
        return {**view(), UNREAD: unread(*refusals)}
    controller = f"{family}:{number}"
    drives = list(_drives({**data, **_mapping(data.get("Physical Device Information"))}))
    groups: dict[str | None, list[str]] = {}
    for row, _ in drives:
        if _state(row) in DISKS_OF_A_GROUP:
            groups.setdefault(word(row.get("DG")), []).append(word(row["EID:Slt"]) or "")
    return {
        "controllers": [_controller(controller, data)] if _flat(data).keys() & NAMED else [],
        "volumes": [_volume(controller, row, data, groups) for _, row in _found(data, "DG/VD")],
        "members": [_member(controller, row, details) for row, details in drives],
        UNREAD: unread(*refusals),
    }


def _refusals(status: Mapping[str, Any]) -> list[str]:
    """Return why a command failed, but not when there is nothing of what it asked for."""
    if word(status.get("Status")) != "Failure":
        return []
    rows = [status, *_rows(status.get("Detailed Status"))]
    texts = [word(row.get("ErrMsg")) or word(row.get("Description")) for row in rows]
    return [text for text in dict.fromkeys(texts) if text and not _NOTHING.search(text)]


def _controller(name: str, data: Mapping[str, Any]) -> Item:
    known = _flat(data)
    return joined(
        {
            "id": name,
            "model": word(known.get("Product Name")) or word(known.get("Model")),
            "serial_number": word(known.get("Serial Number")),
            "firmware_version": word(known.get("FW Version"))
            or word(known.get("Firmware Version")),
            "firmware_package": word(known.get("FW Package Build"))
            or word(known.get("Firmware Package Build")),
            "pci_slot": pci_slot(word(known.get("PCI Address"))),
            "battery": _battery(data),
        },
        judged(word(known.get("Controller Status"))),
        counters(
            temperature_celsius=known.get("ROC temperature(Degree Celsius)"),
            memory_correctable_errors=known.get("Memory Correctable Errors"),
            memory_uncorrectable_errors=known.get("Memory Uncorrectable Errors"),
        ),
    )


def _battery(data: Mapping[str, Any]) -> Item | None:
    for name in ENERGY:
        for row in _rows(data.get(name)):
            return joined(
                {"model": word(row.get("Model")) or word(row.get("Type"))},
                judged(word(row.get("State")) or word(row.get("Status"))),
                counters(temperature_celsius=row.get("Temp") or row.get("Temperature(C)")),
            )
    return None


def _found(data: Mapping[str, Any], field: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield (name of its list, row) of all rows that have a value in a field."""
    for name, value in data.items():
        for row in _rows(value):
            if word(row.get(field)):
                yield name, row


def _volume(
    controller: str,
    row: Mapping[str, Any],
    data: Mapping[str, Any],
    groups: Mapping[str | None, list[str]],
) -> Item:
    group, _, number = (word(row["DG/VD"]) or "").partition("/")
    more = _mapping(data.get(f"VD{number} Properties"))
    shown = _rows(data.get(f"PDs for VD {number}"))
    # A volume is on all disks of its drive group, but not on the group's spares.
    disks = [address for disk in shown if (address := word(disk.get("EID:Slt")))]
    size = size_bytes(row.get("Size"))
    return joined(
        {
            "controller": controller,
            "id": number,
            "name": word(row.get("Name")),
            "wwn": (word(more.get("SCSI NAA Id")) or "").lower().removeprefix("naa.") or None,
            "level": level(row.get("TYPE")),
            "size_bytes": size and exactly(size, integer(more.get("Number of Blocks"))),
            "members": disks or (groups.get(group) if word(group) else None),
        },
        judged(_state(row)),
    )


def _drives(data: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield (row, details) of the physical drives; the details are {} when not shown."""
    for name, value in data.items():
        path = _DRIVE.match(name)
        for row in _rows(value):
            place = word(row.get("EID:Slt")) or (f"{path[1] or ''}:{path[2]}" if path else "")
            if place.rpartition(":")[2].strip():
                yield {**row, "EID:Slt": place}, _flat(_mapping(data.get(name + DETAILS)))


def _member(controller: str, row: Mapping[str, Any], details: Mapping[str, Any]) -> Item:
    enclosure, _, slot = (word(row["EID:Slt"]) or "").rpartition(":")
    failing = integer(details.get("Predictive Failure Count")) or word(details.get(ALERT)) == "Yes"
    return joined(
        {
            "controller": controller,
            "enclosure": word(enclosure),
            "slot": slot.strip(),
            "device_id": word(row.get("DID")) or word(row.get("PID")),
            "vendor": _vendor(word(details.get("Manufacturer Id"))),
            "model": word(row.get("Model")) or word(details.get("Model Number")),
            "serial_number": word(details.get("SN")),
            "firmware_version": word(details.get("Firmware Revision")),
            "wwn": (word(details.get("WWN")) or "").lower() or None,
            "size_bytes": size_bytes(details.get("Raw size") or row.get("Size")),
            "transport": (word(row.get("Intf")) or "").lower() or None,
            "media_type": (word(row.get("Med")) or "").lower() or None,
        },
        judged(_state(row), suspect=bool(failing)),
        counters(
            temperature_celsius=details.get("Drive Temperature"),
            media_error_count=details.get("Media Error Count"),
            other_error_count=details.get("Other Error Count"),
            predictive_failure_count=details.get("Predictive Failure Count"),
        ),
    )


def _state(row: Mapping[str, Any]) -> str | None:
    """Return the state; the second generation has the one that counts in ``Status``."""
    return word(row.get("Status")) or word(row.get("State"))


def _vendor(name: str | None) -> str | None:
    return None if name == "ATA" else name


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a mapping and of the mappings in it; outer values come first."""
    inner: dict[str, Any] = {}
    for value in data.values():
        inner.update(_mapping(value))
    return {**inner, **{name: value for name, value in data.items() if not isinstance(value, dict)}}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _rows(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
