"""
Fusion-MPT of LSI (SAS1068 and before) by mpt-status: one line per part.

With ``-n`` a line is made of ``name:value``. Without it, as in outputs of old versions,
it is a sentence with the same values.
"""

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
    view,
    word,
)

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("mpt-status",)
MAX_IDS = 16  # of one parallel SCSI bus; a volume has one of its ids
LEVELS = {"IS": "RAID0", "IM": "RAID1", "IME": "RAID1E"}
FAILURE_PREDICTED = "0x5d"  # as additional sense code
_NAME = re.compile(r"(?:^| )([a-z_]+(?:\(GB\))?|ASC/ASCQ|SMART ASC/ASCQ):")
_FOUND = re.compile(r"SCSI id=(\d{1,4})")
_VOLUME = re.compile(
    r"ioc(?P<ioc>\d+) vol_id (?P<vol_id>\d+) type (?P<type>\w+), \d+ phy, (?P<size>\d+) GB, "
    r"state (?P<state>[^,]*), flags (?P<flags>.*)"
)
_DISK = re.compile(
    r"ioc(?P<ioc>\d+) phy (?P<phys_id>\d+) scsi_id \d+ (?P<vendor>.{8}) (?P<product_id>.{16}) "
    r"(?P<revision>.{4}), (?P<size>\d+) GB, state (?P<state>[^,]*), flags (?P<flags>.*)"
)


def read(ask: Ask) -> View:
    """Return all that the tool shows; it is run once for each SCSI id that may be a volume's."""
    first = _FOUND.search(ask("-p"))  # it looks for the first one only
    if first is None:
        return view()
    ids = range(int(first[1]), max(int(first[1]) + 1, MAX_IDS))
    return merged(parse(ask("-n", "-i", str(number))) for number in ids)


def parse(text: str) -> View:
    """Return what one output shows."""
    found = view()
    disks: list[str] = []
    unknown = []
    for line in lines(text):
        known = _fields(line)
        controller = f"mpt:{known.get('ioc')}"
        # The tool writes "GB" and means GiB.
        size = size_bytes(f"{known.get('size')} GB")
        failing = "OUT_OF_SYNC" in known.get("flags", "")
        failing |= known.get("SMART ASC/ASCQ", "").startswith(FAILURE_PREDICTED)
        state = judged(word(known.get("state")), suspect=failing)
        if "vol_id" in known and "ioc" in known:
            found["controllers"].append({"id": controller})
            found["volumes"].append(_volume(controller, known, size, disks) | state)
        elif "phys_id" in known and "ioc" in known:
            disks.append(known["phys_id"])
            vendor = word(known.get("vendor"))
            found["members"].append(
                joined(
                    {
                        "controller": controller,
                        "slot": known["phys_id"],
                        "vendor": None if vendor == "ATA" else vendor,
                        "model": word(known.get("product_id")),
                        "firmware_version": word(known.get("revision")),
                        "size_bytes": size,
                        "transport": "sata" if vendor == "ATA" else None,
                    },
                    state,
                )
            )
        elif line.startswith("ioc"):
            unknown.append(line)
    return merged([{**found, UNREAD: unread(*unknown)}])


def _fields(line: str) -> dict[str, str]:
    if match := _VOLUME.match(line) or _DISK.match(line):
        return match.groupdict()
    parts = _NAME.split(line)
    known = {name: value.strip() for name, value in zip(parts[1::2], parts[2::2], strict=True)}
    return {**known, "size": known.get("size(GB)", "")}


def _volume(controller: str, known: dict[str, str], size: int | None, disks: list[str]) -> Item:
    return joined(
        {
            "controller": controller,
            "id": known["vol_id"],
            "level": level(known.get("raidlevel")) or LEVELS.get(known.get("type", "")),
            "size_bytes": size,
            "members": disks,  # filled later: the lines of the disks follow
        }
    )
