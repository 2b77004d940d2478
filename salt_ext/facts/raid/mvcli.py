"""
Marvell 88SE91xx and 88SE92xx (Dell BOSS-S1, Lenovo M.2) by mvcli: ``name: value`` lines.

``mnv_cli`` for the NVMe ones (88NR2241, BOSS-N1) writes the same in other words. The
tool shows its default adapter; no way is known to ask for all of several.
"""

from __future__ import annotations

import re

from salt_ext.facts.raid.view import (
    UNREAD,
    counters,
    disk_wwn,
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

TOOLS = ("mvcli",)
TOOLS_NVME = ("mnv_cli", "mnvcli")
# The line with which a part begins; "block" is a part of a disk that a volume uses.
BEGINNINGS = {
    "adapter id": "controller",
    "controller id": "controller",
    "id": "volume",
    "vd id": "volume",
    "pd id": "member",
    "adapter": "",
    "block id": "block",
}
INSIDE_A_BLOCK = ("pd id", "vd id")
_NOISE = re.compile(
    r"-{4,}|[#>$] |SG driver version|CLI Version|Welcome to|Total (?:# of|number)"
    r"|(?:Adapter|HBA|Virtual Disk|Physical Disk|Block|Disk Array) Information",
    re.IGNORECASE,
)
_CRITICAL = re.compile(r"^(SMART Critical) +(?=\w)")  # the one field without a colon
_PERCENT = re.compile(r"(\d{1,3})(?:\.\d+)? ?%")


def read(ask: Ask) -> View:
    """Return all that the tool shows."""
    return merged(parse(ask("info", "-o", kind)) for kind in ("hba", "vd", "pd"))


def parse(text: str) -> View:
    """Return what ``info`` shows of any kind of part."""
    found = view()
    unknown: list[str] = []
    blocks: list[tuple[str, dict[str, str]]] = [("", {})]
    adapter = "0"
    for line in map(str.strip, lines(text)):
        if not line or _NOISE.match(line):
            continue
        name, colon, value = (_CRITICAL.sub(r"\1:", line)).partition(":")
        name, value = " ".join(name.lower().split()), value.strip()
        kind = BEGINNINGS.get(name)
        if kind is not None and not (blocks[-1][0] == "block" and name in INSIDE_A_BLOCK):
            adapter = value if name.startswith(("adapter", "controller")) else adapter
            blocks.append((kind, {"controller": f"marvell:{adapter}"}))
        if colon:
            blocks[-1][1].setdefault(name, value)
        elif blocks[-1][0] or line.lower().endswith("information"):
            unknown.append(line)
            blocks.append(("", {}))
    for kind, known in blocks:
        if kind == "controller":
            found["controllers"].append(_controller(known))
        elif kind == "volume":
            found["volumes"].append(_volume(known))
        elif kind == "member":
            found["members"].append(_member(known))
    return merged([{**found, UNREAD: unread(*unknown)}])


def _controller(known: dict[str, str]) -> Item:
    return joined(
        {
            "id": known["controller"],
            "vendor": "Marvell",
            "model": word(known.get("modelnumber")) or word(known.get("product")),
            "serial_number": word(known.get("serialno")),
            "firmware_version": word(known.get("firmware version")),
        },
        judged(word(known.get("image health"))),
    )


def _volume(known: dict[str, str]) -> Item:
    states = [state for name in ("status", "vd status") if (state := word(known.get(name)))]
    disks = (known.get("pd raid setup") or known.get("pds") or "").split()
    progress = _PERCENT.search(known.get("bga progress", ""))
    return joined(
        {
            "controller": known["controller"],
            "id": word(known.get("vd id") or known.get("id")),
            "name": word(known.get("name")),
            "level": level(known.get("raid mode")),
            "size_bytes": size_bytes(known.get("size")),
            "members": [f":{disk}" for disk in disks] or None,
        },
        judged(", ".join(dict.fromkeys(states))),
        counters(progress_percent=progress[1] if progress else None),
    )


def _member(known: dict[str, str]) -> Item:
    kind = (known.get("type") or "").lower()
    medium = (known.get("ssd type") or "").lower()
    critical = word(known.get("smart critical")) == "Yes"
    return joined(
        {
            "controller": known["controller"],
            "slot": word(known.get("pd id")),
            "model": word(known.get("model")),
            "serial_number": word(known.get("serial")),
            "firmware_version": word(known.get("firmware version")),
            "wwn": disk_wwn(known.get("wwn")),
            "size_bytes": size_bytes(known.get("size")),
            "transport": next((one for one in ("sata", "sas", "nvme") if one in kind), None),
            "media_type": medium if medium in ("hdd", "ssd") else None,
        },
        judged(word(known.get("pd status") or known.get("status")), suspect=critical),
    )
