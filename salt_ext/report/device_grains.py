"""
What the grains of a proxy minion tell of the device that it speaks for.

A proxy minion is a process on some server, and Salt's own grains of it are partly that
server's: the network cards, the machine-id, whether it is virtual. None of them is taken.
Each kind of proxy tells of its device in its own words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

PROXY_WORDS = ("kernel", "kernelrelease", "os", "osrelease", "osfinger")
"""The grains of which Salt says ``proxy``, as it cannot know them of a device."""

ESXI = "vmware esxi"

NXOS_VERSION = re.compile(r"version (\S+)")


def is_proxy(grains: Mapping[str, Any]) -> bool:
    """Whether grains are of a proxy minion and not of the machine that it runs on."""
    words = (grains.get(name) for name in PROXY_WORDS)
    return any(one in ("proxy", "proxy-proxy") for one in words) or any(
        isinstance(grains.get(name), dict) for name in MAPPINGS
    )


def is_server(grains: Mapping[str, Any]) -> bool:
    """Whether the device is a server that tells of itself by Salt's own names, as ESXi does."""
    return str(grains.get("os")).lower().startswith(ESXI)


def sections(grains: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fact sections of a network device; of an unknown one only that it is one."""
    for name, read in MAPPINGS.items():
        if isinstance(found := grains.get(name), dict):
            return _sections(**read(found))
    return _sections(**_napalm(grains))


def _sections(
    manufacturer: Any = None,
    product_name: Any = None,
    serial_number: Any = None,
    hostname: Any = None,
    os: Any = None,
    version: Any = None,
    address: Any = None,
    mac: Any = None,
) -> dict[str, Any]:
    address = address if _is_address(address) else None
    management = {"name": "management", "mac": mac, "addresses": [address] if address else []}
    return {
        "system": {
            "kind": "network",
            "manufacturer": manufacturer,
            "product_name": product_name,
            "serial_number": serial_number,
        },
        "operating_system": {
            "name": os,
            "version_id": version,
            "pretty_name": " ".join(str(one) for one in (os, version) if one),
            "hostname": hostname,
        },
        "virtual": {"role": "none"},
        "network": [management] if address or mac else [],
    }


def _napalm(grains: Mapping[str, Any]) -> dict[str, Any]:
    """Read flat grains: ``os`` is the name of the driver, ``host`` the address in the pillar."""
    os = grains.get("os")
    return {
        "manufacturer": grains.get("vendor"),
        "product_name": grains.get("model"),
        "serial_number": grains.get("serial"),
        "hostname": grains.get("hostname"),
        "os": None if os == "proxy" else os,
        "version": grains.get("version"),
        "address": grains.get("host"),
    }


def _junos(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "manufacturer": "Juniper",
        "product_name": facts.get("model"),
        "serial_number": facts.get("serialnumber"),
        "hostname": facts.get("hostname"),
        "os": "junos",
        "version": facts.get("version"),
    }


def _nxos(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Read what NX-OS tells; it stands one level further down, and has no serial number."""
    inner = _mapping(facts.get("nxos")) or facts
    software, hardware = _mapping(inner.get("software")), _mapping(inner.get("hardware"))
    version = NXOS_VERSION.search(str(software.get("NXOS") or software.get("system") or ""))
    return {
        "manufacturer": "Cisco",
        "hostname": hardware.get("Device name"),
        "os": "nxos",
        "version": version and version[1],
    }


def _panos(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "manufacturer": "Palo Alto Networks",
        "product_name": facts.get("model"),
        "serial_number": facts.get("serial"),
        "hostname": facts.get("hostname"),
        "os": "panos",
        "version": facts.get("sw-version"),
        "address": facts.get("ip-address"),
        "mac": facts.get("mac-address"),
    }


def _fx2(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "manufacturer": "Dell Inc.",
        "product_name": facts.get("System Model"),
        "serial_number": facts.get("Service Tag"),
        "hostname": facts.get("Chassis Name"),
    }


MAPPINGS: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "junos_facts": _junos,
    "nxos": _nxos,
    "panos": _panos,
    "Chassis Information": _fx2,
}
"""The grains in which a kind of proxy tells of its device, and what reads them."""

USED = (*MAPPINGS, "vendor", "model", "serial", "hostname", "version")
"""The grains that the facts of a device are made of, beside those of computers."""


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_address(value: Any) -> bool:
    try:
        ipaddress.ip_address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True
