"""
What disks say of their own health (SMART).

Disks are only asked: no self-test is started, no feature is switched on, and a
disk that sleeps is left asleep. Every disk has a thread of its own, so that a disk
that does not answer does not delay the others.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from salt_ext.facts.disks import BLOCK, disks
from salt_ext.facts.root import Root
from salt_ext.facts.smart import ata, behind, nvme, scsi
from salt_ext.facts.smart.waiting import answers

DEADLINE_SECONDS = 20.0  # less than the deadline of a slow collector
NO_ANSWER = "no answer"


def smart(root: Root) -> list[dict[str, Any]] | None:
    """
    Return the health of every ATA, SAS and NVMe disk; None for a captured tree.

    Those behind RAID controllers are among them, where the driver lets us reach them.
    """
    if not root.is_live:
        return None
    shown = disks(root)
    began = time.monotonic()
    hidden = behind.hidden_disks(root)
    known = {str(disk["serial_number"]) for disk in shown if disk.get("serial_number")}

    def ask(root: Root, disk: dict[str, Any]) -> dict[str, Any] | None:
        return behind.ask(root, disk, known) if "raid" in disk else _ask(root, disk)

    left = DEADLINE_SECONDS - (time.monotonic() - began)
    return ask_all(root, [*(disk for disk in shown if _protocol(disk)), *hidden], ask, left)


def ask_all(
    root: Root,
    asked: list[dict[str, Any]],
    ask: Callable[[Root, dict[str, Any]], dict[str, Any] | None],
    deadline_seconds: float,
) -> list[dict[str, Any]]:
    """
    Ask all disks at the same time; return each with its answer, unless that is None.

    For a disk that does not answer, ``root`` remembers a TimeoutError with the stack
    of its thread.
    """
    found = answers(
        root, {disk["name"]: partial(ask, root, disk) for disk in asked}, deadline_seconds
    )
    silent = {"volatile": {"skipped_reason": NO_ANSWER}}
    return [
        {
            "name": disk["name"],
            "serial_number": disk.get("serial_number"),
            "protocol": _protocol(disk),
            **({"raid": disk["raid"]} if "raid" in disk else {}),
            **answer,
        }
        for disk in asked
        if (answer := found.get(disk["name"], silent)) is not None
    ]


def _protocol(disk: dict[str, Any]) -> str | None:
    """Return the protocol by which to ask a disk, or None for a disk that has no SMART."""
    name, transport = _device(disk), disk["transport"]
    if name.startswith("nvme"):
        # A namespace over a network has the health of an array, which is not this machine's.
        return "nvme" if transport == "nvme" else None
    if not name.startswith("sd"):
        return None
    if transport in ("sata", "ata"):
        return "ata"
    # A SAS disk, or the volume of a RAID controller, which answers that it has no health.
    return "scsi" if transport in ("sas", "scsi") else None


def _device(disk: dict[str, Any]) -> str:
    """Return the block device by which to ask a disk: of several paths the first that works."""
    name: str = disk["name"]
    paths = disk.get("paths")
    # The paths to nvme0n1, which the kernel joins itself, are no devices that can be opened.
    if not paths or (name.startswith("nvme") and name[4:5].isdigit()):
        return name
    working = (path for path in paths if path.get("health") != "failed")
    return str(next(working, paths[0])["name"])


def _ask(root: Root, disk: dict[str, Any]) -> dict[str, Any]:
    """Return what a disk answers, or why it was not asked."""
    name = _device(disk)
    if root.text(f"{BLOCK}/{name}/device/power/runtime_status", 64) == "suspended":
        # Opening the device would wake the disk.
        return {"volatile": {"skipped_reason": "standby"}}
    path = f"/dev/{name}"
    try:
        # Without blocking, so that a drive without a medium opens too.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        root.denied.append(path)
        return {"skipped_reason": "permission"}
    except OSError as error:
        reason = f"cannot be opened: {error.strerror}"
        if error.errno in (errno.ENOENT, errno.ENOMEDIUM):  # as in a container; no disk in a drive
            return {"skipped_reason": reason}
        # The kernel lists a disk that has just failed: its health was known, and stays.
        root.failed(OSError(f"{name}: {reason}").with_traceback(error.__traceback__))
        return {"volatile": {"skipped_reason": reason}}
    try:
        return _health(fd, disk)
    except PermissionError:
        root.denied.append(path)
        return {"skipped_reason": "permission"}
    except OSError as error:
        root.failed(OSError(f"{name}: {error}").with_traceback(error.__traceback__))
        return {"volatile": {"skipped_reason": f"{NO_ANSWER}: {error}"}}
    finally:
        os.close(fd)


def _health(fd: int, disk: dict[str, Any]) -> dict[str, Any]:
    protocol = _protocol(disk)
    if protocol == "nvme":
        return nvme.health(fd)
    if protocol == "ata":
        return ata.health(fd, is_solid_state=disk["rotational"] is False)
    return scsi.health(fd)
