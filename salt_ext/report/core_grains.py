"""
A partial report made of Salt's own grains, for machines without this extension.

Every minion sends its grains when it starts, so a fleet is known a minute after
the master was installed. A report by the extension says more and takes the place
of the grains.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from salt_ext.facts import timestamp
from salt_ext.facts.clean import clean
from salt_ext.facts.system import iso_date
from salt_ext.facts.virtual import hypervisor_in_dmi, is_metal
from salt_ext.report import device_grains, envelope
from salt_ext.report.sources import CORE_GRAINS

USED = (
    *("manufacturer", "productname", "model_name", "serialnumber", "system_serialnumber", "uuid"),
    *("motherboard", "biosvendor", "biosversion", "boot_rom_version", "biosreleasedate"),
    *("cpu_model", "num_cpus", "mem_total", "kernel", "osfullname", "os", "osrelease", "osfinger"),
    *("kernelrelease", "cpuarch", "host", "machine_id", "virtual"),
    *("hwaddr_interfaces", "ip_interfaces", "disks", "ssds"),
    *device_grains.USED,
)
"""The grains that a report is made of."""

VERSION = 2
"""Of what is made here: in the first edition dates, MACs and disks were as Salt spells them."""

NO_MAC = "00:00:00:00:00:00"
CONTAINERS = ("container", "docker", "lxc", "systemd-nspawn", "podman")
LOCAL_ADDRESSES = ("127.", "::1", "fe80:")
MEBIBYTE = 1 << 20
OCTET = re.compile("[0-9a-f]{1,2}").fullmatch


def used(grains: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of a machine's grains that a report is made of."""
    return {name: grains[name] for name in USED if name in grains}


def report(grains: Mapping[str, Any], minion_id: str, at: float) -> dict[str, Any]:
    """
    Return the report made of core grains that the master got at ``at`` (epoch seconds).

    Grains do not say when the minion evaluated them. ``collected_at`` is set
    CLOCK_TOLERANCE before ``at``, so that a report by the extension counts as
    newer even when the clock of the minion is behind.
    """
    found = {name: one for name, one in clean(_sections(grains)).items() if _says_something(one)}
    document = {
        "collected_at": timestamp(at - envelope.CLOCK_TOLERANCE.total_seconds()),
        "duration_ms": 0,
        "errors": {},
        "partial": sorted(found),
        "versions": dict.fromkeys(found, VERSION),
        **found,
    }
    return envelope.build(document, minion_id, None, CORE_GRAINS)


def _says_something(section: Any) -> bool:
    """Whether grains tell of a section; that they do not is not that there is nothing."""
    values = section.values() if isinstance(section, dict) else section
    return any(one not in (None, "", [], {}) for one in values)


def _sections(grains: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections that some grains tell of, each with None for what they do not tell."""
    if not device_grains.is_proxy(grains):
        return _computer(grains)
    if not device_grains.is_server(grains):
        return device_grains.sections(grains)
    # These are the server's own; the others are those of the machine that the proxy runs on.
    # num_cpus is the number of its processors times the cores of all of them.
    theirs = ("kernel", "kernelrelease", "osfinger", "machine_id", "virtual", "num_cpus")
    return _computer({name: one for name, one in grains.items() if name not in theirs})


def _computer(grains: Mapping[str, Any]) -> dict[str, Any]:
    get = grains.get
    is_windows = get("kernel") == "Windows"
    name, release = get("osfullname") or get("os"), get("osrelease")
    if is_windows and isinstance(release, str):
        release = release.replace("Server", " ").strip()  # 2012ServerR2 is 2012 R2
    return {
        "system": {
            "manufacturer": get("manufacturer"),
            "product_name": get("productname"),
            "family": get("model_name"),
            "serial_number": get("serialnumber") or get("system_serialnumber"),
            "uuid": get("uuid"),
        },
        "baseboards": _boards(get("motherboard")),
        "firmware": {
            "vendor": get("biosvendor"),
            # On Windows it is the name of the BIOS.
            "version": None if is_windows else get("biosversion") or get("boot_rom_version"),
            "release_date": _date(get("biosreleasedate")),
        },
        "processors": {"model": get("cpu_model"), "threads": get("num_cpus")},
        "memory": {"total_bytes": _bytes(get("mem_total"))},
        "operating_system": {
            "name": name,
            "version_id": release,
            "pretty_name": _with(name, release),
            "kernel_release": get("kernelrelease"),
            "architecture": get("cpuarch"),
            "hostname": get("host"),
            "machine_id": get("machine_id"),
        },
        "virtual": _virtual(get("virtual"), get("manufacturer"), get("productname")),
        "network": _network(get("hwaddr_interfaces"), get("ip_interfaces")),
        "disks": [*_disks(get("disks"), get("ssds"), is_windows=is_windows)],
    }


def _with(name: Any, release: Any) -> str:
    """Return an operating system with its release, which some names have in them already."""
    words = [str(one) for one in (name, release) if one]
    return words[0] if len(words) == 2 and f" {words[1]} " in f"{words[0]} " else " ".join(words)


def _date(text: Any) -> str | None:
    return iso_date(text) or text if isinstance(text, str) else None


def _bytes(mebibytes: Any) -> int | None:
    is_number = isinstance(mebibytes, (int, float)) and not isinstance(mebibytes, bool)
    # Without a size it is 0; ESXi tells it in parts of a MiB.
    return int(mebibytes * MEBIBYTE) if is_number and 0 < mebibytes < 1 << 40 else None


def _boards(board: Any) -> list[dict[str, Any]]:
    if not isinstance(board, dict):
        return []
    names = {"product_name": "productname", "serial_number": "serialnumber"}
    found = {ours: board[name] for ours, name in names.items() if board.get(name)}
    return [found] if found else []


def _virtual(name: Any, manufacturer: Any, product_name: Any) -> dict[str, Any]:
    """Return what Salt says; it says physical too when it knows no sign of a hypervisor."""
    dmi = {"sys_vendor": str(manufacturer), "product_name": str(product_name)}
    named = hypervisor_in_dmi(dmi)
    if dmi["product_name"].startswith("VirtualMac"):
        named = "apple", "product_name"
    if named and not is_metal(dmi) and name in (None, "physical"):
        return {"role": "guest", "hypervisor": named[0]}
    if not isinstance(name, str):
        return {}
    if name == "physical":
        return {"role": "none"}
    if name.lower() in CONTAINERS:
        return {"role": "guest", "container": name.lower()}
    return {"role": "guest", "hypervisor": name.lower()}


def _network(macs: Any, addresses: Any) -> list[dict[str, Any]]:
    macs = macs if isinstance(macs, dict) else {}
    addresses = addresses if isinstance(addresses, dict) else {}
    return [
        {
            "name": name,
            "mac": _mac(mac),
            "addresses": [
                one
                for one in addresses.get(name) or []
                if isinstance(one, str) and not one.startswith(LOCAL_ADDRESSES)
            ],
        }
        for name, mac in macs.items()
        if _mac(mac) != NO_MAC
    ]


def _mac(text: Any) -> str | None:
    """
    Return a MAC in small letters, with two digits each; NO_MAC for what is none.

    Solaris leaves out zeros, Windows writes ``:::::`` for its loopback.
    """
    octets = str(text).lower().replace("-", ":").split(":")
    if len(octets) < 6 or not all(OCTET(one) for one in octets):
        return NO_MAC
    return ":".join(one.zfill(2) for one in octets)


def _disks(disks: Any, solid: Any, *, is_windows: bool) -> Iterator[dict[str, Any]]:
    """Yield each disk once; on Windows, ``disks`` has those that do not rotate too."""
    solid = [one for one in solid if isinstance(one, str)] if isinstance(solid, list) else []
    described = disks if isinstance(disks, dict) else {}
    for name in dict.fromkeys([*(disks if isinstance(disks, (list, dict)) else []), *solid]):
        known = described.get(name)
        yield {
            "name": name,
            "rotational": False if name in solid else None if is_windows else True,
            **(_geom(known) if isinstance(known, dict) else {}),
        }


def _geom(disk: Mapping[str, Any]) -> dict[str, Any]:
    """Return what GEOM, the storage layer of FreeBSD, tells of a disk."""
    size = str(disk.get("Mediasize") or "").partition(" ")[0]  # 32017047552 (30G)
    wwn = str(disk.get("WWN") or disk.get("lunid") or "").lower().removeprefix("0x")
    return {
        "model": disk.get("device_model") or disk.get("descr"),
        "serial_number": disk.get("serial_number") or disk.get("ident"),
        "wwn": wwn if wwn.strip("0") else None,
        "size_bytes": int(size) if size.isdecimal() and len(size) < 19 else None,
        "logical_block_size": disk.get("Sectorsize"),
        "physical_block_size": disk.get("Stripesize"),
    }
