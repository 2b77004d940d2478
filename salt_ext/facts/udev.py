"""
What udev wrote down of a device when it came.

It asked the device then, so that nobody needs to ask it again: to read some files of
sysfs is to wait for the device.
"""

from __future__ import annotations

from salt_ext.facts.sysfs import assignments

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.root import Root

RECORDS = "/run/udev/data"
LIMIT_BYTES = 16384


def properties(root: Root, base: str, kind: str = "b") -> dict[str, str]:
    """
    Return the properties in udev's record of the device with the directory ``base``.

    ``kind`` is ``b`` for block devices and ``c`` for character devices.
    """
    number = root.text(f"{base}/dev", 16)
    lines = root.text(f"{RECORDS}/{kind}{number}", LIMIT_BYTES) if number else None
    return assignments(f"\n{lines or ''}".replace("\nE:", "\n"))


def decoded(text: str) -> str:
    r"""Return a text of udev's with its escapes decoded: a blank is written ``\x20``."""
    first, *rest = text.split("\\x")
    return (first + "".join(map(_character, rest))).strip()


def _character(part: str) -> str:
    digits = part[:2]
    if len(digits) == 2 and set(digits.lower()) <= set("0123456789abcdef"):
        return chr(int(digits, 16)) + part[2:]
    return part
