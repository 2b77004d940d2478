"""What is built into the boards: expansion slots, on-board devices and the TPM."""

from __future__ import annotations

from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields
from salt_ext.facts.smbios.enums import ONBOARD_DEVICE_TYPES

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root
    from salt_ext.facts.smbios import Structure

    Facts = dict[str, Any]

CLASSES = "/sys/class"
TPM = f"{CLASSES}/tpm/tpm0"
OLD_ONBOARD_DEVICES = 10  # the type that 41 replaced in version 2.6


def slots(root: Root) -> list[Facts] | None:
    """Return the expansion slots, empty ones too; None on a machine without SMBIOS."""
    tables = root.once(smbios.tables)
    if not tables.structures:
        return None
    return [fields.slot(item) for item in tables.of(fields.SLOT)]


def onboard_devices(root: Root) -> list[Facts] | None:
    """Return the devices soldered to a board; None on a machine without SMBIOS."""
    tables = root.once(smbios.tables)
    if not tables.structures:
        return None
    found = [fields.onboard_device(item) for item in tables.of(fields.ONBOARD_DEVICE)]
    if found:  # type 10, if there is one, lists the same devices with fewer fields
        return found
    return [
        device for item in tables.of(OLD_ONBOARD_DEVICES) for device in old_onboard_devices(item)
    ]


def old_onboard_devices(item: Structure) -> list[Facts]:
    """Return the devices in a structure of type 10: two bytes for each, after the header."""
    found = []
    for offset in range(4, len(item) - 1, 2):
        kind = item.byte(offset) or 0
        found.append(
            {
                "designation": item.text(offset + 1),
                "type": ONBOARD_DEVICE_TYPES.get(kind & 0x7F),
                "enabled": bool(kind & 0x80),
            }
        )
    return found


def tpm(root: Root) -> Facts | None:
    """
    Return the TPM as the firmware and the kernel know it; {} when there is none.

    None when neither can tell. The kernel's file ``caps`` is not read, because
    each read of it is a command to the chip.
    """
    facts: Facts = {}
    for item in root.once(smbios.tables).of(fields.TPM)[:1]:
        facts.update(fields.tpm(item))
    if root.exists(TPM):
        description = root.text(f"{TPM}/device/description", 256)
        major = root.number(f"{TPM}/tpm_version_major")  # since Linux 5.6
        facts.update(
            description=facts.get("description") or description,
            version_major=major,
            driver=(root.link(f"{TPM}/device/driver") or "").rpartition("/")[2],
        )
    if not facts and not root.names(CLASSES):
        return None
    return facts
