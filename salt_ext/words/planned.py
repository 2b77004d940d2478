"""
What a plan says of the installation of a machine, and whether it can be installed so.

``cmdb.provision`` judges by it before it opens an installation, and the provisioner once
more before a template writes it into a file. No sentence here repeats what was planned.
"""

from __future__ import annotations

import re

LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOSTNAME = re.compile(rf"{LABEL}(\.{LABEL})*")
"""Of RFC 1123."""

LONGEST_HOSTNAME = 253

LAYOUTS = ("lvm", "plain")
DISK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]*(/[A-Za-z0-9][A-Za-z0-9._:+-]*)*")
"""Below ``/dev``: ``sda``, or ``disk/by-id/wwn-0x5000c500a1b2c3d4``."""


def hostname_of(planned: object) -> str:
    """Return a planned host name as the system gets it; blank where it is none."""
    name = str(planned or "").rstrip(".")
    return name.lower() if len(name) <= LONGEST_HOSTNAME and HOSTNAME.fullmatch(name) else ""


def layout_of(planned: object) -> tuple[str, str]:
    """Return the name of a planned disk layout, and the disk that may be wiped."""
    name, _, disk = str(planned or "").partition(":")
    return name, disk


def why_no_layout(planned: object) -> str:
    """Return why no disk can be divided so; blank where one can, or none is planned."""
    name, disk = layout_of(planned)
    if not planned:
        return ""
    if name not in LAYOUTS:
        return f"there is no layout of this name; there are: {', '.join(LAYOUTS)}"
    return "" if DISK.fullmatch(disk) else "it names no disk that may be wiped"
