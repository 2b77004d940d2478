"""
USB devices that are plugged in, without hubs and without those of a BMC.

The strings of a device (``product``, ``manufacturer``, ``serial``) are not read
from sysfs of the running machine: such a read waits for a lock that a hanging
device holds for minutes. udev read the strings when the device was plugged in and
keeps them in a file.
"""

from __future__ import annotations

from salt_ext.facts import udev
from salt_ext.facts.bmc_usb import is_plugged
from salt_ext.facts.sysfs import usb_device

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

BUSES = "/sys/bus"
DEVICES = f"{BUSES}/usb/devices"
HUB = 0x09
STRINGS = {  # the file in sysfs, and udev's name for the same string
    "manufacturer": "ID_VENDOR_ENC",
    "product": "ID_MODEL_ENC",
    "serial": "ID_SERIAL_SHORT",
}


def usb(root: Root) -> list[dict[str, Any]] | None:
    """Return what people plugged in; None in a tree that was captured without /sys/bus."""
    names = root.names(DEVICES)
    if not names and not root.names(BUSES):
        return None
    # "usb1" is a root hub, "1-2:1.0" an interface of the device "1-2".
    found = (_device(root, name) for name in names if name[:3] != "usb" and ":" not in name)
    return [device for device in found if device is not None]


def _device(root: Root, name: str) -> dict[str, Any] | None:
    base = f"{DEVICES}/{name}"
    kind = root.number(f"{base}/bDeviceClass", 16)
    vendor = root.text(f"{base}/idVendor", 16)
    if kind == HUB or vendor is None:
        return None
    product = root.text(f"{base}/idProduct", 16)
    said = strings_of(root, base)
    if is_plugged(vendor, product or "", said["manufacturer"], said["product"]):
        return None
    return {
        "location": _location(root.link(base) or name, name),
        "vendor_id": vendor,
        "product_id": product,
        "class_id": None if kind is None else f"{kind:02x}",
        "revision": root.text(f"{base}/bcdDevice", 16),
        # For a device without a string udev writes the number in its place.
        "manufacturer": None if said["manufacturer"] == vendor else said["manufacturer"],
        "model": None if said["product"] == product else said["product"],
        "serial_number": said["serial"],
        "volatile": {"name": name, "speed_mbps": _megabits(root.text(f"{base}/speed", 16))},
    }


def is_of_controller(root: Root, where: str, *names: str | None) -> bool:
    """
    Whether a disk or a network card, by its link in sysfs, is plugged in by a BMC.

    ``names`` are those by which it calls itself, beside the strings of the USB device.
    """
    if (base := usb_device(where)) is None:
        return False
    vendor, product = (root.text(f"{base}/{one}", 16) or "" for one in ("idVendor", "idProduct"))
    said = strings_of(root, base)
    return is_plugged(vendor, product, said["manufacturer"], said["product"], *names)


def _location(where: str, name: str) -> str:
    """
    Return the place of a device: its controller, and the ports from there to the device.

    The kernel's name for a device is no stable place: it begins with the number of
    the bus, which depends on the controller that was ready first.
    """
    # In ".../0000:00:14.0/usb1/1-2" the controller stands before the root hub, usb1.
    controller = where.partition("/usb")[0].rpartition("/")[2] if "/usb" in where else None
    ports = name.partition("-")[2]
    return f"{controller} port {ports}" if controller else f"port {ports}"


def strings_of(root: Root, base: str) -> dict[str, str | None]:
    """Return the strings of a device, from a place where reading them cannot block."""
    if not root.is_live:
        # In a captured tree no read can hang, and few captured trees have udev's files.
        found = {name: root.text(f"{base}/{name}", 256) for name in STRINGS}
        if any(found.values()):
            return found
    said = udev.properties(root, base, "c")
    return {name: udev.decoded(said.get(key, "")) or None for name, key in STRINGS.items()}


def _megabits(text: str | None) -> int | None:
    whole = (text or "").partition(".")[0]  # low speed is 1.5 Mbit/s, returned as 1
    return int(whole) if whole.isdecimal() else None
