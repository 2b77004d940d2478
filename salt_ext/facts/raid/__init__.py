"""
RAID controllers, their volumes and the disks behind them.

sysfs tells which controllers there are. What is behind them only the makers' tools
can tell. The driver of a controller decides which tools are tried, so that no tool
is started on a machine without such a controller. A controller that cannot be asked
is listed with the reason.
"""

from __future__ import annotations

import fcntl
import os
import time

from salt_ext.facts import tools
from salt_ext.facts.raid import (
    adaptec,
    areca,
    ircu,
    mdadm,
    megacli,
    megasasctl,
    mptstatus,
    mvcli,
    ssacli,
    storcli,
    threeware,
)
from salt_ext.facts.raid.view import KEYS, UNREAD, merged, order, unknown_states

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from salt_ext.facts.raid.view import Ask, Item, View
    from salt_ext.facts.root import Root

    Reader = tuple[tuple[str, ...], Callable[[Ask], View]]

PCI = "/sys/bus/pci/devices"
MARVELL = "1b4b"
CLASSES = ("0x0104", "0x0107")  # RAID; SAS, the class that many RAID controllers have
DEADLINE_SECONDS = 25.0
SHOWN_LINES, SHOWN_CHARACTERS = 8, 100  # of what was not understood, in one message
FAMILIES = {
    "megaraid_sas": "megaraid",
    "megaraid_mbox": "megaraid",
    "mpt2sas": "mpt2sas",
    "mpt3sas": "mpt3sas",
    "mpi3mr": "mpi3mr",
    "cciss": "smartarray",
    "hpsa": "smartarray",
    "smartpqi": "smartarray",
    "aacraid": "adaptec",
    "mptsas": "mpt",
    "mptspi": "mpt",
    "mptscsih": "mpt",
    "arcmsr": "areca",
    "mvumi": "marvell",
    "3w-xxxx": "3ware",
    "3w-9xxx": "3ware",
    "3w-sas": "3ware",
}
MEGARAID: tuple[Reader, ...] = (
    (storcli.TOOLS, storcli.read),
    (megacli.TOOLS, megacli.read),
    (megasasctl.TOOLS, megasasctl.read),
)
READERS: dict[str, tuple[Reader, ...]] = {
    "megaraid": MEGARAID,
    # storcli shows the controllers of some of these adapters, but not their volumes.
    "mpt2sas": ((ircu.TOOLS_2, ircu.read_2), *MEGARAID),
    "mpt3sas": ((ircu.TOOLS_3, ircu.read_3), *MEGARAID),
    "mpi3mr": ((storcli.TOOLS_2, storcli.read_2),),
    # HPE and Adaptec sell the same controllers since those with the driver smartpqi.
    "smartarray": (
        (ssacli.TOOLS, ssacli.read),
        (adaptec.TOOLS, adaptec.read),
    ),
    "adaptec": ((adaptec.TOOLS, adaptec.read),),
    "mpt": ((mptstatus.TOOLS, mptstatus.read),),
    "3ware": ((threeware.TOOLS, threeware.read),),
    "areca": ((areca.TOOLS, areca.read),),
    "marvell": ((mvcli.TOOLS, mvcli.read), (mvcli.TOOLS_NVME, mvcli.read)),
}


def raid(root: Root) -> dict[str, Any] | None:
    """
    Return controllers, volumes and members; None on a machine without sysfs.

    When no controller could be asked, ``volumes`` and ``members`` are absent,
    because it is not known whether there are any.
    """
    if not root.names("/sys"):
        return None
    functions = pci_functions(root)
    if _obstacle(root) is None and tools.find(*mvcli.TOOLS, *mvcli.TOOLS_NVME):
        functions += marvell_functions(root)
    arrays = [name for name in root.names("/sys/block") if _is_array(root, name)]
    deadline = time.monotonic() + DEADLINE_SECONDS
    views: list[View] = []
    families: dict[str, list[Item]] = {}
    for item in functions:
        families.setdefault(family_of(item), []).append(item)
    for family, mine in sorted(families.items()):
        others = {item["pci_slot"] for item in functions if item not in mine}
        views.append(_family(root, family, mine, others, deadline))
    path = tools.find(*mdadm.TOOLS)
    if arrays and path and not _obstacle(root):
        views.append(mdadm.read(asking(path, deadline), arrays))
    found = told(root, merged(views))
    is_blind = functions and not found["volumes"] and not found["members"]
    if is_blind and all("skipped_reason" in item for item in found["controllers"]):
        return {"controllers": found["controllers"]}
    return found


def told(root: Root, found: View) -> View:
    """
    Return a view without what was not understood; ``root`` remembers that as a failure.

    So the section is partial: what it lacks may only have been unreadable.
    """
    rows = [item["line"] for item in found.pop(UNREAD, [])] + unknown_states(found)
    if rows:
        shown = "; ".join(repr(row[:SHOWN_CHARACTERS]) for row in rows[:SHOWN_LINES])
        more = f" and {len(rows) - SHOWN_LINES} more" if len(rows) > SHOWN_LINES else ""
        root.failed(ValueError(f"a RAID tool wrote what is not understood: {shown}{more}"))
    return found


def pci_functions(root: Root) -> list[Item]:
    """Return the PCI functions that are or may be RAID controllers, by driver or class."""
    found = []
    for slot in root.names(PCI):
        driver = _driver(root, slot)
        is_raid = (root.text(f"{PCI}/{slot}/class", 16) or "").startswith(CLASSES)
        if driver in FAMILIES or is_raid:
            found.append(_function(root, slot, driver))
    return found


def marvell_functions(root: Root) -> list[Item]:
    """
    Return the Marvell functions whose driver is that of any SATA or NVMe adapter.

    Most of them are no RAID controllers. They are asked where their tool is installed.
    """
    return [
        _function(root, slot, driver)
        for slot in root.names(PCI)
        if (driver := _driver(root, slot)) in ("ahci", "nvme")
        and _pci_id(root, f"{PCI}/{slot}", "vendor") == MARVELL
    ]


def _function(root: Root, slot: str, driver: str | None) -> Item:
    base = f"{PCI}/{slot}"
    return {
        "pci_slot": slot,
        "driver": driver,
        "vendor_id": _pci_id(root, base, "vendor"),
        "device_id": _pci_id(root, base, "device"),
        "subsystem_vendor_id": _pci_id(root, base, "subsystem_vendor"),
        "subsystem_device_id": _pci_id(root, base, "subsystem_device"),
    }


def _driver(root: Root, slot: str) -> str | None:
    return (root.link(f"{PCI}/{slot}/driver") or "").rpartition("/")[2] or None


def family_of(function: Item) -> str:
    """Return the family by whose tools a function is asked; "" when none is known."""
    driver = function["driver"] or ""
    if driver == "mpt3sas" and _is_sas_2(function):
        return "mpt2sas"  # the newer driver has taken over the adapters of the older one
    if driver in ("ahci", "nvme") and function.get("vendor_id") == MARVELL:
        return "marvell"
    return FAMILIES.get(driver, "")


def _is_sas_2(function: Item) -> bool:
    device = function.get("device_id") or ""
    return function.get("vendor_id") == "1000" and "0060" <= device < "0090"


def without(seen: View, slots: set[str]) -> View:
    """Return a view without the controllers at these PCI slots, and without their parts."""
    foreign = {item["id"] for item in seen["controllers"] if item.get("pci_slot") in slots}
    return {
        **seen,
        "controllers": [item for item in seen["controllers"] if item["id"] not in foreign],
        **{
            kind: [item for item in seen[kind] if item.get("controller") not in foreign]
            for kind in ("volumes", "members")
        },
    }


def paired(family: str, functions: list[Item], seen: View, reason: str) -> View:
    """
    Return a view in which each controller has the fields of its PCI function.

    A PCI function that no tool has shown becomes a controller with ``reason`` as
    its ``skipped_reason``.
    """
    controllers = [dict(item) for item in seen["controllers"]]
    free = {item["pci_slot"]: item for item in functions}
    unplaced = [item for item in controllers if item.get("pci_slot") not in free]
    for item in controllers:
        item.update(free.pop(item.get("pci_slot"), {}))
    if len(unplaced) == len(free) == 1:  # one is left of each, so they belong together
        unplaced[0].update(free.popitem()[1])
    for slot, item in free.items():
        controllers.append({"id": f"{family or 'pci'}:{slot}", **item, "skipped_reason": reason})
    return {
        **seen,
        "controllers": sorted(controllers, key=lambda item: order(item, KEYS["controllers"])),
    }


def asking(path: str, deadline: float) -> Ask:
    """Return a function that runs the tool and returns its output, or raises RuntimeError."""

    def ask(*arguments: str) -> str:
        # Two runs of a tool that talk to one controller disturb each other. So there is
        # a lock on the program's file, which ends with the process that holds it.
        with open(path, "rb") as program:
            fcntl.flock(program, fcntl.LOCK_EX)
            output = tools.run([path, *arguments], max(0.1, deadline - time.monotonic()))
        if isinstance(output, str):
            # With a part of the output the missing disks would look like removed ones.
            raise RuntimeError(output)
        return output.text

    return ask


def _family(
    root: Root, family: str, functions: list[Item], others: set[str], deadline: float
) -> View:
    """Return what is known of the functions of one family; ``others`` are the slots of others."""
    seen = merged([])
    reason = _obstacle(root)
    if reason is None:
        reason, seen = asked(family, functions, deadline)
        seen = without(seen, others)  # storcli shows the controllers of several drivers
    if not seen["controllers"] and family == "adaptec":
        seen = adaptec.parse_proc(root.text("/proc/scsi/scsi") or "")
    return paired(family, functions, seen, reason)


def asked(
    family: str, functions: list[Item], deadline: float, places: Iterable[str] = tools.PLACES
) -> tuple[str, View]:
    """
    Return the reason for controllers that are not shown, and the first view that shows any.

    What the tools before it wrote and nobody understands is in that view too.
    """
    readers = [(name, read) for names, read in READERS.get(family, ()) for name in names]
    if not readers:
        drivers = ", ".join(sorted({item["driver"] or "none" for item in functions}))
        return f"no tool is known for the driver {drivers}", merged([])
    reason = f"not installed: {', '.join(name for name, _ in readers)}"
    seen = merged([])
    for name, read in readers:
        if path := tools.find(name, places=places):
            before = {UNREAD: seen.get(UNREAD, [])}
            seen = merged([before, read(asking(path, deadline))])
            reason = f"{name} does not show it"
            if seen["controllers"]:
                break
    return reason, seen


def _obstacle(root: Root) -> str | None:
    """Return why no tool can be run at all, or None."""
    if not root.is_live:
        return "this is a captured tree"
    return "permission: only root may ask the controller" if os.geteuid() != 0 else None


def _is_array(root: Root, name: str) -> bool:
    return name.startswith("md") and root.exists(f"/sys/block/{name}/md")


def _pci_id(root: Root, base: str, name: str) -> str | None:
    """Return four hexadecimal digits as in the section ``pci``, or None."""
    return (root.text(f"{base}/{name}", 16) or "").removeprefix("0x").lower() or None
