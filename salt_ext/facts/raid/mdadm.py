"""
Linux software RAID by mdadm: what the kernel does not tell of an array.

What the kernel tells is in the section ``md``. The name of an array, its UUID and
the time when it was made are in its superblock, which mdadm reads.
"""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    health,
    integer,
    joined,
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

TOOLS = ("mdadm",)
MAX_ARRAYS = 64
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HOMEHOST = re.compile(r" *\(local to host .*\)$")
# Number Major Minor RaidDevice State /dev/name; with superblock 0.90 a line has a number first.
_DEVICE = re.compile(
    r" *(?:(?:this|\d+) +)?(\d+|-) +(\d+) +(\d+) +(\d+|-) +([a-zA-Z][a-zA-Z -]*?)? *(/dev/\S+)?$"
)
_TABLE = re.compile(r" *Number +Major +Minor +RaidDevice")
_TIME = re.compile(r"\w{3} (\w{3}) +(\d{1,2}) (\d\d:\d\d:\d\d) (\d{4})$", re.ASCII)


def read(ask: Ask, arrays: list[str]) -> View:
    """Return all that the tool shows of the arrays with these names, such as ``md0``."""
    return merged(parse(ask("--detail", f"/dev/{name}")) for name in arrays[:MAX_ARRAYS])


def fields(text: str) -> dict[str, str]:
    """Return the ``name : value`` lines; when a name occurs twice, its first value counts."""
    known: dict[str, str] = {}
    for line in lines(text):
        name, colon, value = line.partition(" : ")
        if colon:
            known.setdefault(name.strip(), value.strip())
    return known


def parse(text: str) -> View:
    """Return what ``--detail`` shows of an array, or ``--examine`` of one of its devices."""
    rows = lines(text)
    head = rows[0].strip() if rows else ""
    if not (head.startswith("/dev/") and head.endswith(":")):
        return view()
    known = fields(text)
    name = head.removesuffix(":").removeprefix("/dev/")
    # --examine of a device describes its array, but not the name under which the array runs.
    is_array = "Magic" not in known
    array = name if is_array else None
    states = [state.strip() for state in known.get("State", "").split(",")]
    matches = [match for line in rows if (match := _DEVICE.match(line.rstrip()))]
    devices = {match[6]: match for match in matches if match[6]}
    volume = joined(
        {
            "id": array,
            "name": word(HOMEHOST.sub("", known.get("Name", ""))),
            "uuid": _uuid(known),
            "level": level(known.get("Raid Level")),
            "metadata_version": word(known.get("Version")),
            "created_at": _iso_time(known.get("Creation Time", "")),
            "size_bytes": _kib(known.get("Array Size")),
            "member_size_bytes": _kib(known.get("Used Dev Size")),
            "chunk_size_bytes": _kib(known.get("Chunk Size")),
            "layout": word(known.get("Layout")),
            "consistency_policy": word(known.get("Consistency Policy")),
            "container": _container(known.get("Container")),
            "raid_devices": integer(known.get("Raid Devices")),
            "spare_devices": integer(known.get("Spare Devices")),
            "failed_devices": integer(known.get("Failed Devices")),
            # Not "recovering": an array that copies a good disk to its replacement lacks nothing.
            "health": health(" ".join(set(states) - {"recovering"})),
            "members": sorted(device.removeprefix("/dev/") for device in devices) or None,
        },
        # Volatile, because it changes between "clean" and "active" with every write.
        {"volatile": {"state": ", ".join(states)}} if states != [""] else {},
        counters(
            rebuild_percent=known.get("Rebuild Status"),
            resync_percent=known.get("Resync Status"),
            check_percent=known.get("Check Status"),
            events=known.get("Events"),
        ),
    )
    members = [_member(array, device, row) for device, row in devices.items()]
    found = {"controllers": [], "volumes": [volume], "members": members}
    unknown = unread(*(row for row in _table(rows) if not _DEVICE.match(row)))
    return {**found, UNREAD: unknown} if unknown else found


def _table(rows: list[str]) -> list[str]:
    """Return the lines of the table of devices, which is the last thing in the output."""
    heads = [number for number, row in enumerate(rows) if _TABLE.match(row)]
    return [row.rstrip() for row in rows[heads[-1] + 1 :] if row.strip()] if heads else []


def _member(array: str | None, device: str, row: re.Match[str]) -> Item:
    state = word(row[5])
    return joined(
        {
            "volume": array,
            "name": device.removeprefix("/dev/"),
            "raid_device": integer(row[4]),
            "state": state,
            "health": health(state),
        }
    )


def _uuid(known: dict[str, str]) -> str | None:
    """Return the UUID in the usual form of the kernel; mdadm writes it in four parts."""
    text = known.get("Array UUID") or known.get("UUID") or known.get("Container GUID") or ""
    digits = text.partition(" ")[0].replace(":", "").lower()
    if len(digits) != 32:  # the containers of firmware RAID have longer ids
        return digits or None
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return "-".join(parts)


def _kib(text: str | None) -> int | None:
    """Return ``101376 (99.00 MiB 103.81 MB)``, ``101376 KiB (...)`` or ``512K`` in bytes."""
    number = integer(text)
    return None if number is None else number * 1024


def _container(text: str | None) -> str | None:
    """Return ``md0`` for ``/dev/md0, member 0``."""
    return (text or "").partition(",")[0].removeprefix("/dev/") or None


def _iso_time(text: str) -> str | None:
    """Return ``Sun Aug  7 21:15:49 2022`` as ISO 8601, in the machine's local time."""
    match = _TIME.match(text)
    if match is None or match[1] not in MONTHS:
        return None
    return f"{match[4]}-{MONTHS.index(match[1]) + 1:02d}-{int(match[2]):02d}T{match[3]}"
