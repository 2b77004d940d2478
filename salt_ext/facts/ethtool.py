"""
The firmware versions of network cards, asked of their drivers (<linux/ethtool.h>).

sysfs does not have them. The question takes the kernel's lock on the network
configuration, as the question for addresses does, and it wakes a sleeping card.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterable

SIOCETHTOOL = 0x8946
GET_DRIVER_INFO = 0x03
DRIVER_INFO_BYTES = 196
FIRMWARE_VERSION = slice(68, 100)  # after the command, the driver and its version
UNKNOWN = ("", "n/a", "none", "unknown")


def firmware_versions(names: Iterable[str]) -> dict[str, str]:
    """Return ``{name: firmware version}`` of the cards whose driver tells one."""
    # Imported here, because a captured tree has no kernel to ask.
    import fcntl
    import socket
    from array import array  # it has an address that the kernel can write to, without ctypes

    found = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as kernel:
        for name in names:
            answer = array("B", struct.pack("=I", GET_DRIVER_INFO) + bytes(DRIVER_INFO_BYTES - 4))
            request = struct.pack("16sP16x", name.encode(), answer.buffer_info()[0])
            try:
                fcntl.ioctl(kernel, SIOCETHTOOL, request)
            except OSError:  # the card is gone, or its driver does not answer
                continue
            if version := firmware_version(answer.tobytes()):
                found[name] = version
    return found


def firmware_version(answer: bytes) -> str | None:
    """Return the firmware version in an answer (struct ethtool_drvinfo), or None."""
    text = answer[FIRMWARE_VERSION].partition(b"\0")[0].decode("utf-8", "replace").strip()
    return None if text.lower() in UNKNOWN else text
