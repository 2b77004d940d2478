"""Fusion-MPT of LSI (SAS1068 and before) by mpt-status: one line of ``name:value`` per part."""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import joined, judged, level, lines, merged, size_bytes, view, word

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.raid.view import Ask, Item, View

TOOLS = ("mpt-status",)
MAX_VOLUMES = 16
_NAME = re.compile(r"(?:^| )([a-z_]+(?:\(GB\))?|ASC/ASCQ|SMART ASC/ASCQ):")
_FOUND = re.compile(r"SCSI id=(\d{1,4})")


def read(ask: Ask) -> View:
    """Return all that the tool shows; it is run once for the SCSI id of each volume."""
    ids = _FOUND.findall(ask("-p"))[:MAX_VOLUMES]
    return merged(parse(ask("-n", "-i", number)) for number in ids)


def parse(text: str) -> View:
    """Return what one output shows."""
    found = view()
    disks: list[str] = []
    for line in lines(text):
        parts = _NAME.split(line)
        known = {name: value.strip() for name, value in zip(parts[1::2], parts[2::2], strict=True)}
        controller = f"mpt:{known.get('ioc')}"
        # The tool writes "GB" and means GiB.
        size = size_bytes(f"{known.get('size(GB)')} GB")
        state = judged(word(known.get("state")), suspect="OUT_OF_SYNC" in known.get("flags", ""))
        if "ioc" not in known:
            continue
        if "vol_id" in known:
            found["controllers"].append({"id": controller})
            found["volumes"].append(_volume(controller, known, size, disks) | state)
        elif "phys_id" in known:
            disks.append(known["phys_id"])
            found["members"].append(
                joined(
                    {
                        "controller": controller,
                        "slot": known["phys_id"],
                        "vendor": word(known.get("vendor")),
                        "model": word(known.get("product_id")),
                        "firmware_version": word(known.get("revision")),
                        "size_bytes": size,
                    },
                    state,
                )
            )
    return merged([found])


def _volume(controller: str, known: dict[str, str], size: int | None, disks: list[str]) -> Item:
    return joined(
        {
            "controller": controller,
            "id": known["vol_id"],
            "level": level(known.get("raidlevel")),
            "size_bytes": size,
            "members": disks,  # filled later: the lines of the disks follow
        }
    )
