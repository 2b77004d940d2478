"""
The bays of disk enclosures and backplanes (SES), as the kernel's class ``enclosure`` has them.

The lamp and the state of a bay are not read: the kernel asks the enclosure for them
at each read.
"""

from __future__ import annotations

from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

ENCLOSURES = "/sys/class/enclosure"


def bays(root: Root) -> dict[str, dict[str, Any]]:
    """
    Return the enclosure and the slot of each disk that is in a bay, by its SCSI address.

    The enclosure is named by its logical identifier, which all its expanders share; the
    slot by its number, or by its name where the enclosure does not number its slots.
    """
    found = {}
    for enclosure in root.names(ENCLOSURES):
        base = f"{ENCLOSURES}/{enclosure}"
        number = (root.text(f"{base}/id", 32) or "").lower().removeprefix("0x")
        for bay in root.names(base):
            device = root.link(f"{base}/{bay}/device")
            if device is not None:
                slot = whole(root.text(f"{base}/{bay}/slot", 16))
                found[device.rpartition("/")[2]] = {
                    "enclosure": number if number.strip("0") else enclosure,
                    "slot": bay if slot is None else slot,
                }
    return found
