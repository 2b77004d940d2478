"""Power supplies and batteries."""

from __future__ import annotations

from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root
    from salt_ext.facts.smbios import Structure

    Facts = dict[str, Any]

CLASSES = "/sys/class"
POWER_SUPPLIES = f"{CLASSES}/power_supply"
PORTABLE_BATTERY = 22  # SMBIOS type
CHEMISTRIES = {  # the codes of DSP0134, in the words that the kernel uses
    3: "Lead Acid",
    4: "NiCd",
    5: "NiMH",
    6: "Li-ion",
    7: "Zinc air",
    8: "Li-poly",
}


def power_supplies(root: Root) -> list[Facts] | None:
    """Return the power supplies that the firmware lists; None on a machine without SMBIOS."""
    tables = root.once(smbios.tables)
    if not tables.structures:
        return None
    return [fields.power_supply(item) for item in tables.of(fields.POWER_SUPPLY)]


def batteries(root: Root) -> list[Facts] | None:
    """
    Return the machine's batteries as the kernel lists them, else as the firmware does.

    The firmware wrote its list at the last start, and a battery may have been taken
    out since. So it is used only where the kernel has no driver for batteries. None
    when neither can tell.
    """
    if root.exists(POWER_SUPPLIES):
        found = (_battery(root, name) for name in root.names(POWER_SUPPLIES))
        return [battery for battery in found if battery is not None]
    tables = root.once(smbios.tables)
    if not tables.structures and not root.names(CLASSES):
        return None
    return [portable_battery(item) for item in tables.of(PORTABLE_BATTERY)]


def _battery(root: Root, name: str) -> Facts | None:
    base = f"{POWER_SUPPLIES}/{name}"
    if root.text(f"{base}/type", 32) != "Battery":
        return None
    if root.text(f"{base}/scope", 32) == "Device":  # the battery of a mouse or the like
        return None
    if root.number(f"{base}/present") == 0:
        return {"name": name, "present": False}
    return {
        "name": name,
        "present": True,
        "manufacturer": root.text(f"{base}/manufacturer", 256),
        "model": root.text(f"{base}/model_name", 256),
        "serial_number": root.text(f"{base}/serial_number", 256),
        "technology": _known(root.text(f"{base}/technology", 32)),
        "design_capacity_mwh": _capacity(root, base, "full_design"),
        "volatile": {
            "full_capacity_mwh": _capacity(root, base, "full"),
            "charge_percent": root.number(f"{base}/capacity"),
            "status": _known(root.text(f"{base}/status", 32)),
            "cycle_count": root.number(f"{base}/cycle_count") or None,  # 0 means "not counted"
        },
    }


def _known(word: str | None) -> str | None:
    return None if word == "Unknown" else word


def _capacity(root: Root, base: str, name: str) -> int | None:
    """Return a capacity in mWh; the kernel has it in µWh, or in µAh with a design voltage in µV."""
    energy = root.number(f"{base}/energy_{name}")
    if energy:
        return energy // 1000
    charge = root.number(f"{base}/charge_{name}")
    voltage = root.number(f"{base}/voltage_min_design")
    return charge * voltage // 10**9 if charge and voltage else None


def portable_battery(item: Structure) -> Facts:
    """Return the battery in a structure of type 22; a Smart Battery has some fields as numbers."""
    capacity = item.word(0x0A)
    multiplier = item.byte(0x15)
    serial = item.word(0x10)
    return {
        "location": item.text(0x04),
        "manufacturer": item.text(0x05),
        "model": item.text(0x08),
        "serial_number": item.text(0x07) or (f"{serial:04X}" if serial else None),
        "technology": CHEMISTRIES.get(item.byte(0x09) or 0) or item.text(0x14),
        "manufacture_date": item.text(0x06) or _smart_date(item.word(0x12)),
        "design_capacity_mwh": capacity * (multiplier or 1) if capacity else None,
        "design_voltage_mv": item.word(0x0C) or None,
    }


def _smart_date(packed: int | None) -> str | None:
    """Return the ISO date in 5 bits for the day, 4 for the month and 7 for the year since 1980."""
    day, month, year = (packed or 0) & 31, (packed or 0) >> 5 & 15, (packed or 0) >> 9
    return f"{1980 + year}-{month:02d}-{day:02d}" if day and 1 <= month <= 12 else None
