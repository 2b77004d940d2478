"""
What processes cost, from /proc.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

PROC = Path("/proc")


def cpu_seconds(parent: int) -> float:
    """Return the processor time of a process and its children, also of those that have ended."""
    ticks = 0
    for stat in PROC.glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if str(parent) in (stat.parent.name, fields[1]):
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def children(parent: int) -> list[int]:
    """Return the process ids of the children that live."""
    listed = Path(PROC, str(parent), "task", str(parent), "children").read_text()
    return [int(pid) for pid in listed.split()]


def seconds_of_children(parent: int) -> float:
    """Return the processor time of the children that live, to the microsecond."""
    taken = 0
    for pid in children(parent):
        with contextlib.suppress(OSError):
            taken += int(Path(PROC, str(pid), "schedstat").read_text().split()[0])
    return taken / 1e9


def resident_mebibytes(pid: int) -> float:
    """Return how much memory of its own and of files a process has now."""
    return _mebibytes(pid, "VmRSS")


def peak_mebibytes(pid: int) -> float:
    """Return the most that it has had since :func:`forget_peak`."""
    return _mebibytes(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak begin at what the process has now."""
    Path(PROC, str(pid), "clear_refs").write_text("5")


def _mebibytes(pid: int, name: str) -> float:
    status = Path(PROC, str(pid), "status").read_text()
    found = re.search(rf"^{name}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0
