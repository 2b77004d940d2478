"""
What disks say of their own health.

Only questions are asked: no self-test is started, no feature switched on, and
a disk that sleeps is left asleep. Every disk has a thread, so that one that
does not answer costs its own line only.
"""

from __future__ import annotations

import os
import time
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from salt_ext.facts import smart_ata, smart_nvme, smart_scsi
from salt_ext.facts.disks import BLOCK, disks
from salt_ext.facts.root import Root

DEADLINE_SECONDS = 20.0  # less than a slow collector has for all its disks
NO_ANSWER = "no answer"


def smart(root: Root) -> list[dict[str, Any]] | None:
    """Return the health of every disk that could know it; None for a captured tree."""
    if not root.is_live:
        return None
    waiting = {disk["name"]: disk for disk in disks(root) if _protocol(disk)}
    answers: SimpleQueue[tuple[str, dict[str, Any]]] = SimpleQueue()
    for disk in waiting.values():
        Thread(target=lambda disk=disk: answers.put(_ask(root, disk)), daemon=True).start()
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(found) < len(waiting):
        try:
            name, answer = answers.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        found[name] = answer
    silent = {"volatile": {"skipped_reason": NO_ANSWER}}
    return [
        {
            "name": name,
            "serial_number": disk.get("serial_number"),
            "protocol": _protocol(disk),
            **found.get(name, silent),
        }
        for name, disk in waiting.items()
    ]


def _protocol(disk: dict[str, Any]) -> str | None:
    """Return the language to ask a disk in, or None for one that has no health of its own."""
    name, transport = disk["name"], disk["transport"]
    if name.startswith("nvme"):
        return "nvme"
    if not name.startswith("sd"):
        return None
    if transport in ("sata", "ata"):
        return "ata"
    # A SAS disk, or the volume of a RAID controller, which says that it knows nothing.
    return "scsi" if transport in ("sas", "scsi") else None


def _ask(root: Root, disk: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return a disk's name and what it answers, or why it was not asked."""
    name = disk["name"]
    if root.text(f"{BLOCK}/{name}/device/power/runtime_status", 64) == "suspended":
        # To open it would already wake it.
        return name, {"volatile": {"skipped_reason": "standby"}}
    path = f"/dev/{name}"
    try:
        # Without blocking, so that a drive without a medium opens too.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        root.denied.append(path)
        return name, {"skipped_reason": "permission"}
    except OSError as error:
        return name, {"skipped_reason": f"cannot be opened: {error.strerror}"}
    try:
        return name, _health(fd, disk)
    except PermissionError:
        root.denied.append(path)
        return name, {"skipped_reason": "permission"}
    except OSError as error:
        return name, {"volatile": {"skipped_reason": f"{NO_ANSWER}: {error}"}}
    finally:
        os.close(fd)


def _health(fd: int, disk: dict[str, Any]) -> dict[str, Any]:
    protocol = _protocol(disk)
    if protocol == "nvme":
        return smart_nvme.health(fd)
    if protocol == "ata":
        return smart_ata.health(fd, is_solid_state=disk["rotational"] is False)
    return smart_scsi.health(fd)
