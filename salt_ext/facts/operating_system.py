"""
The operating system that runs on the machine.

No resolver is asked and no program is started. So the host name is the kernel's,
and there is no domain.
"""

from __future__ import annotations

import os

from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root


def operating_system(root: Root) -> dict[str, Any]:
    """Return the distribution, the kernel, the host name and the machine id."""
    release = os_release(root.text("/etc/os-release") or root.text("/usr/lib/os-release") or "")
    uptime = (root.text("/proc/uptime", 64) or "").partition(".")[0]
    return {
        "id": release.get("ID"),
        "name": release.get("NAME"),
        "version_id": release.get("VERSION_ID"),
        "pretty_name": release.get("PRETTY_NAME") or root.text("/etc/redhat-release", 256),
        "kernel_release": root.text("/proc/sys/kernel/osrelease", 256),
        "architecture": architecture(root),
        "hostname": root.text("/proc/sys/kernel/hostname", 256) or root.text("/etc/hostname", 256),
        "machine_id": _machine_id(root),
        "volatile": {
            "boot_id": root.text("/proc/sys/kernel/random/boot_id", 64),
            "uptime_seconds": whole(uptime),
        },
    }


def architecture(root: Root) -> str | None:
    """Return the machine name of the kernel, as ``uname -m`` prints it."""
    # The file exists since Linux 6.1.
    return os.uname().machine if root.is_live else root.text("/proc/sys/kernel/arch", 64)


def os_release(text: str) -> dict[str, str]:
    """Return the assignments in an os-release file, whose syntax is a subset of shell."""
    found = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or name.startswith("#"):
            continue
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            quote, value = value[0], value[1:-1]
            if quote == '"':
                value = _unescaped(value)
        found[name] = value
    return found


def _unescaped(value: str) -> str:
    """Return the inside of a double-quoted shell string."""
    pieces = value.split("\\\\")
    return "\\".join(
        piece.replace('\\"', '"').replace("\\$", "$").replace("\\`", "`") for piece in pieces
    )


def _machine_id(root: Root) -> str | None:
    for path in ("/etc/machine-id", "/var/lib/dbus/machine-id"):
        text = root.text(path, 64)
        # In an image that has not booted yet the text is "uninitialized".
        if text and len(text) == 32 and text.isalnum():
            return text.lower()
    return None
