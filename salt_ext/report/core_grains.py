"""
A partial report made of Salt's own grains, for machines without this extension.

Every minion sends its grains when it starts, so a fleet is known a minute after
the master was installed. A report by the extension says more and takes the place
of the grains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext.facts import timestamp
from salt_ext.facts.clean import clean
from salt_ext.report import envelope

SECTIONS = (
    *("disks", "firmware", "memory", "network", "operating_system", "processors", "system"),
    "virtual",
)

USED = (
    *("manufacturer", "productname", "serialnumber", "uuid", "biosversion", "biosreleasedate"),
    *("cpu_model", "num_cpus", "mem_total", "osfullname", "os", "osrelease", "kernelrelease"),
    *("cpuarch", "host", "machine_id", "virtual", "hwaddr_interfaces", "ip_interfaces"),
    *("disks", "ssds"),
)
"""The grains that a report is made of."""

NO_MAC = "00:00:00:00:00:00"
CONTAINERS = ("container", "docker", "lxc", "systemd-nspawn", "podman")
LOCAL_ADDRESSES = ("127.", "::1", "fe80:")
MEBIBYTE = 1 << 20


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
    found = clean({name: section for name, section in _sections(grains).items() if section})
    document = {
        "collected_at": timestamp(at - envelope.CLOCK_TOLERANCE.total_seconds()),
        "duration_ms": 0,
        "errors": {},
        "partial": sorted(found),
        **found,
    }
    return envelope.build(document, minion_id, None, "grains")


def _sections(grains: Mapping[str, Any]) -> dict[str, Any]:
    get = grains.get
    return {
        "system": {
            "manufacturer": get("manufacturer"),
            "product_name": get("productname"),
            "serial_number": get("serialnumber"),
            "uuid": get("uuid"),
        },
        "firmware": {"version": get("biosversion"), "release_date": get("biosreleasedate")},
        "processors": {"model": get("cpu_model"), "threads": get("num_cpus")},
        "memory": {"total_bytes": _bytes(get("mem_total"))},
        "operating_system": {
            "name": get("osfullname") or get("os"),
            "version_id": get("osrelease"),
            "pretty_name": _words(get("osfullname") or get("os"), get("osrelease")),
            "kernel_release": get("kernelrelease"),
            "architecture": get("cpuarch"),
            "hostname": get("host"),
            "machine_id": get("machine_id"),
        },
        "virtual": _virtual(get("virtual")),
        "network": _network(get("hwaddr_interfaces"), get("ip_interfaces")),
        "disks": _disks(get("disks"), get("ssds")),
    }


def is_one(report: Any) -> bool:
    """Whether a report was made by :func:`report`, of core grains only."""
    if not isinstance(report, dict) or report.get("mode") != "grains":
        return False
    facts, partial = report.get("facts"), report.get("partial")
    return (
        isinstance(facts, dict)
        and isinstance(partial, list)
        and facts.keys() <= set(SECTIONS)
        and all(section in partial for section in facts)
    )


def _words(*words: Any) -> str:
    return " ".join(str(word) for word in words if word)


def _bytes(mebibytes: Any) -> int | None:
    return mebibytes * MEBIBYTE if isinstance(mebibytes, int) else None


def _virtual(name: Any) -> dict[str, Any] | None:
    if not isinstance(name, str):
        return None
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
            "mac": mac,
            "addresses": [
                one
                for one in addresses.get(name) or []
                if isinstance(one, str) and not one.startswith(LOCAL_ADDRESSES)
            ],
        }
        for name, mac in macs.items()
        if mac != NO_MAC
    ]


def _disks(rotating: Any, solid: Any) -> list[dict[str, Any]]:
    return [
        {"name": name, "rotational": is_rotational}
        for names, is_rotational in ((rotating, True), (solid, False))
        for name in (names if isinstance(names, list) else [])
    ]
