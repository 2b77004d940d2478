"""
What a management controller (BMC) plugs into its machine by USB.

A controller is a set of USB devices to its machine: keyboard and mouse of the remote
console, drives for the media that an administrator mounts, a network card for Redfish.
They come and go with a session in a browser and are no hardware of the machine.
"""

from __future__ import annotations

CONTROLLERS = {
    # vendor: how the product ids of its virtual devices begin; the vendors make real ones too
    "03f0": ("1027", "1127", "1327", "2027", "7029"),  # HPE iLO
    "0430": ("a4a2",),  # Oracle ILOM
    "046b": ("ff",),  # AMI MegaRAC
    "04b3": ("4010", "4012"),  # IBM IMM, Lenovo XCC
    "04c5": ("2028",),  # Fujitsu iRMC
    "0557": ("2221", "2419", "9241"),  # ATEN, in Supermicro's
    "0624": ("0248", "0249", "025"),  # Avocent, in Dell's iDRAC
    "0b1f": ("03e", "03f"),  # Insyde
    "0ea0": ("1111",),  # the drive of Supermicro's
    "12d1": ("0001", "0003"),  # Huawei iBMC
    "14dd": ("0002", "1010"),  # Raritan
    "17ef": ("b00",),  # Lenovo XCC
    "413c": ("a102",),  # Dell iDRAC
    "ffff": ("0248", "0249", "025"),  # copies of Avocent's
}
HYPERVISORS = ("0e0f", "203a", "80ee")  # VMware, Parallels, VirtualBox: virtual, but no BMC's
WORDS = {"virtual", "openbmc", "idrac", "vkvm-mapped", "cimc-mapped"}


def is_plugged(vendor: str, product: str, *names: str | None) -> bool:
    """Whether the ids of a USB device, or the names of maker and model, are of a BMC's device."""
    known = CONTROLLERS.get(vendor)
    if known and product.startswith(known):
        return True
    words = " ".join(name for name in names if name).lower().replace("_", " ").split()
    return vendor not in HYPERVISORS and not WORDS.isdisjoint(words)
