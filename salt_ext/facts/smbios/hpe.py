"""SMBIOS: the structure types that HPE, and HP before it, has defined for itself."""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.smbios import Structure, Tables

    Facts = dict[str, Any]

RACK_LOCATOR = 204
LENGTH = 0x0B
UNKNOWN = 0xFF
MAKERS = ("hp", "hpe", "hewlett-packard", "hewlett packard")


def is_by(manufacturer: str | None) -> bool:
    """Whether a system's maker is HPE; the type numbers mean something else to other makers."""
    name = (manufacturer or "").lower()
    return name in MAKERS or name.startswith(tuple(f"{maker} " for maker in MAKERS))


def enclosure(tables: Tables) -> Facts | None:
    """Return the enclosure and the bay that a blade is in; None for other machines."""
    for item in tables.of(RACK_LOCATOR):
        facts = rack_locator(item)
        # A machine that is in no enclosure may have the structure without any values.
        if len(item) >= LENGTH and (facts["model"] or facts["serial_number"]):
            return facts
    return None


def rack_locator(item: Structure) -> Facts:
    """Return the rack, the enclosure and the bay in a structure of type 204."""
    bays, filled = _count(item.byte(0x08)), _count(item.byte(0x09))
    return {
        "rack_name": item.text(0x04),
        "name": item.text(0x05),
        "model": item.text(0x06),
        "serial_number": item.text(0x0A),
        "bays": bays,
        "server_bay": item.text(0x07),
        # Some firmware has flags in the same octet; a blade cannot take more bays than there are.
        "bays_filled": None if filled and bays and filled > bays else filled,
    }


def _count(value: int | None) -> int | None:
    return None if value == UNKNOWN else value or None
