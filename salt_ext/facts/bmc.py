"""
The management controller (BMC): what it is, and its network settings.

What SMBIOS and the kernel's driver tell is read from a captured tree too. The LAN
settings are asked of the controller, on the running machine only.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from typing import Any

from salt_ext.facts import ipmi, smbios, tools
from salt_ext.facts.root import Root
from salt_ext.facts.smbios import fields as smbios_fields
from salt_ext.facts.sysfs import whole

PLATFORM = "/sys/devices/platform"
DEVICE = "/dev/ipmi0"
REDFISH_OVER_IP, IPV4 = 0x04, 0x01
DISABLED = (
    *("disabled", "none", "not set"),
    *("0.0.0.0", "255.255.255.255", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"),  # noqa: S104
)
BEGINNING = "Set in Progress"  # of what ipmitool prints of each channel
LARGEST_VLAN = 4094


def bmc(root: Root) -> dict[str, Any] | None:
    """Return the controller; {} when there is none, None when neither SMBIOS nor a driver tells."""
    tables = root.once(smbios.tables)
    found = {**_from_smbios(tables), **_from_sysfs(root)}
    if root.is_live and os.path.exists(DEVICE):
        # When the device node can be opened, there is a controller.
        found = {**found, **_from_device(root, found)}
    if not found:
        return {} if tables.structures else None
    return {"present": True, **found}


def lan_print(text: str) -> dict[str, Any]:
    """
    Return the LAN settings in the output of ``ipmitool lan print``.

    Of the outputs for several channels, those of the first that has an address; the others
    are in ``other_channels``, as in :func:`ipmi.lan`.
    """
    before, *channels = text.split(BEGINNING)
    found = [one for part in channels or [before] if (one := _printed(part))]
    return ipmi.main_channel(found)


def _printed(text: str) -> dict[str, Any]:
    """Return the settings of one channel."""
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip():
            values.setdefault(name.strip(), value.strip())
    given = {name: value for name, value in values.items() if value.lower() not in DISABLED}
    address = given.get("IP Address")
    vlan = given.get("802.1q VLAN ID", "")
    source = given.get("IP Address Source", "").lower()
    found = {
        "mac": given.get("MAC Address", "").lower(),
        "addresses": [ipmi.with_prefix(address, given.get("Subnet Mask", ""))] if address else [],
        "address_source": next(
            (word for word in ("static", "dhcp", "bios", "other") if word in source), None
        ),
        "gateway": given.get("Default Gateway IP"),
        "vlan_id": number if (number := whole(vlan) or 0) <= LARGEST_VLAN else None,
    }
    return {name: value for name, value in found.items() if value}


def redfish(interface: smbios.Structure) -> dict[str, Any]:
    """Return the address of the Redfish service in a host interface (SMBIOS type 42, DSP0270)."""
    at = 6 + (interface.byte(5) or 0)
    for _ in range(interface.byte(at) or 0):
        length = interface.byte(at + 2) or 0
        record = interface.data(at + 3, length) or b""
        if interface.byte(at + 1) == REDFISH_OVER_IP and len(record) >= 91:
            vlan = int.from_bytes(record[86:90], "little")
            found = {
                "addresses": [_address(record[51], record[52:68])] if any(record[52:68]) else [],
                "port": int.from_bytes(record[84:86], "little"),
                "vlan_id": vlan if 0 < vlan < 4095 else None,
                "hostname": record[91 : 91 + record[90]].decode("utf-8", "replace").strip("\0 "),
            }
            return {name: value for name, value in found.items() if value}
        at += 2 + length
    return {}


def _from_smbios(tables: smbios.Tables) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in tables.of(smbios_fields.IPMI)[:1]:
        fields = smbios_fields.ipmi(item)
        found["interface_type"] = fields["interface_type"]
        found["ipmi_version"] = fields["specification_version"]
    for item in tables.of(smbios_fields.HOST_INTERFACE):
        service = redfish(item)
        if service:
            found["redfish"] = service
            break
    return found


def _from_sysfs(root: Root) -> dict[str, Any]:
    for name in root.names(PLATFORM):
        if not name.startswith("ipmi_bmc."):
            continue
        where = f"{PLATFORM}/{name}"
        guid = (root.text(f"{where}/guid", 64) or "").lower()
        found = {
            "ipmi_version": root.text(f"{where}/ipmi_version", 64),
            "manufacturer_id": root.number(f"{where}/manufacturer_id", 16),
            "product_id": root.number(f"{where}/product_id", 16),
            "device_id": root.number(f"{where}/device_id"),
            "firmware_version": _firmware(root.text(f"{where}/firmware_revision", 64)),
            "guid": guid if guid.strip("0-") and set(guid) <= set("0123456789abcdef-") else None,
        }
        return {name: value for name, value in found.items() if value is not None}
    return {}


def _from_device(root: Root, known: dict[str, Any]) -> dict[str, Any]:
    """Return what the controller itself tells beyond what is known."""
    try:
        fd = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        root.denied.append(DEVICE)
        return {}
    except OSError:  # a driver without a controller
        return {}
    try:
        return {"present": True, **answers(root, ipmi.conversation(fd), known)}
    finally:
        os.close(fd)


def answers(root: Root, ask: ipmi.Ask, known: dict[str, Any]) -> dict[str, Any]:
    """
    Return what a controller answers; ``root`` remembers why something is missing.

    When the controller does not tell its LAN settings, the section is partial, so
    that the store keeps those of an earlier report.
    """
    found: dict[str, Any] = {}
    try:
        if "firmware_version" not in known:
            found.update(ipmi.identity(ask))
        found.update(ipmi.lan(ask))
        for channel in (found, *found.get("other_channels", ())):
            if "channel" in channel and (more := ipmi.ipv6_addresses(ask, channel["channel"])):
                channel["addresses"] = [*channel.get("addresses", ()), *more]
        if name := ipmi.hostname(ask):
            found["hostname"] = name
    except ipmi.RefusedError as refusal:
        output = tools.run(("ipmitool", "lan", "print"))
        settings = {} if isinstance(output, str) else lan_print(output.text)
        if not settings:
            root.failed(refusal)
        found.update(settings)
    except OSError as error:  # TimeoutError too: then ipmitool would get no answer either
        root.failed(error)
    return found


def _firmware(revision: str | None) -> str | None:
    """Return a revision with two minor digits: the number is BCD, the kernel drops a leading 0."""
    if revision is None:
        return None
    major, dot, minor = revision.partition(".")
    return f"{major}.{minor:0>2}" if dot else major


def _address(family: int, data: bytes) -> str:
    return str(ip_address(data[:4] if family == IPV4 else data))
