"""
The pages of vital product data that a SCSI disk has told the kernel (SPC-4, SBC-3, SAT-4).
"""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

IDENTIFY = 60  # where the ATA IDENTIFY DEVICE data begin in page 89h (SAT-4)
NAA, EUI = 3, 2  # the types of names that are unique in the world
MAX_DESIGNATORS = 64


def unit_serial(page: bytes) -> str | None:
    """Return the serial number in a VPD page 80h."""
    if len(page) < 4 or page[1] != 0x80:
        return None
    size = int.from_bytes(page[2:4], "big")
    return page[4 : 4 + size].decode("ascii", "replace").strip("\0 ") or None


def unit_names(page: bytes) -> dict[str, str]:
    """
    Return the worldwide names of the logical unit in a VPD page 83h, as ``wwn`` and ``eui64``.

    The page also names the port and the target that the unit was reached by; they differ
    from path to path and are left out.
    """
    found: dict[str, str] = {}
    at = 4
    for _ in range(MAX_DESIGNATORS):
        if page[1:2] != b"\x83" or at + 4 > len(page):
            break
        association, kind, size = page[at + 1] >> 4 & 3, page[at + 1] & 15, page[at + 3]
        name = page[at + 4 : at + 4 + size]
        field = {NAA: "wwn", EUI: "eui64"}.get(kind)
        if field and association == 0 and len(name) == size and size in (8, 12, 16):
            # Of several names the longer one is more exact.
            found[field] = max(found.get(field, ""), name.hex(), key=len)
        at += 4 + size
    return found


def identify_device(page: bytes) -> dict[str, Any]:
    """
    Return the fields of an ATA disk's IDENTIFY DEVICE data, in a VPD page 89h.

    INQUIRY cuts the model at 16 characters and the firmware version at 4. These
    are complete.
    """
    if len(page) < IDENTIFY + 512 or page[1] != 0x89:
        return {}
    found: dict[str, Any] = {
        "serial_number": _ata_text(page, 10, 20),
        "firmware_version": _ata_text(page, 23, 27),
        "model": _ata_text(page, 27, 47),
        **_rate(_ata_word(page, 217)),
    }
    return {key: value for key, value in found.items() if value}


def rotation_rate(page: bytes) -> dict[str, int]:
    """Return the rotation rate in a VPD page B1h (block device characteristics)."""
    return _rate(int.from_bytes(page[4:6], "big")) if page[1:2] == b"\xb1" else {}


def _rate(value: int) -> dict[str, int]:
    # 0 means "not reported", 1 "does not rotate"; other values below 0401h are reserved.
    return {"rotation_rate_rpm": value} if 0x0401 <= value < 0xFFFF else {}


def _ata_text(page: bytes, first: int, last: int) -> str | None:
    raw = page[IDENTIFY + 2 * first : IDENTIFY + 2 * last]
    swapped = b"".join(raw[at + 1 : at + 2] + raw[at : at + 1] for at in range(0, len(raw), 2))
    return swapped.decode("ascii", "replace").strip("\0 ") or None


def _ata_word(page: bytes, number: int) -> int:
    return int.from_bytes(page[IDENTIFY + 2 * number : IDENTIFY + 2 * number + 2], "little")
