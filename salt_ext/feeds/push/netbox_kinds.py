"""
The two kinds of objects that stand for machines in NetBox: devices and virtual machines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.feeds.handed import address_of
from salt_ext.feeds.push.target import Fields, text

MARK = "cmdb_asset_id"
RETIRED = "cmdb_retired"
"""Custom fields: the id of the asset, and whether *we* have switched the object off."""


class Kind(NamedTuple):
    """One kind of object that a machine can be, and what NetBox calls what belongs to it."""

    name: str
    path: str
    interfaces: str
    parent: str
    """How an interface names the object that it belongs to."""
    assigned: str
    """How an address names the kind of interface that it is assigned to."""
    has_types: bool
    """Whether its interfaces have a type."""
    unique_in: Sequence[str]
    """Within what a name is one of its own."""
    written: Mapping[str, str]
    """Our fields, and what NetBox calls them."""

    @property
    def asked(self) -> str:
        """The fields that are read of an object."""
        own = ["id", "name", "custom_fields", *ADDRESSES.values(), *self.written.values()]
        beside = ["face"] if self is DEVICE else []
        return ",".join(dict.fromkeys([*own, *self.unique_in, *beside]))


RELATED = {
    "device type": "device_types",
    "role": "roles",
    "site": "sites",
    "rack": "racks",
    "platform": "platforms",
    "cluster": "clusters",
}
"""Fields that name another object of NetBox, and of which list it is one."""

DEVICE = Kind(
    "device",
    "dcim/devices",
    "dcim/interfaces",
    "device",
    "dcim.interface",
    True,
    ("site",),
    {
        "device type": "device_type",
        "site": "site",
        "rack": "rack",
        "position": "position",
        "platform": "platform",
        "serial": "serial",
    },
)

VIRTUAL = Kind(
    "virtual machine",
    "virtualization/virtual-machines",
    "virtualization/interfaces",
    "virtual_machine",
    "virtualization.vminterface",
    False,
    ("cluster", "site"),
    {
        "site": "site",
        "platform": "platform",
        "serial": "serial",
        "vcpus": "vcpus",
        "memory": "memory",
    },
)

KINDS = (DEVICE, VIRTUAL)
OF_MACHINES = {"physical": DEVICE, "network": DEVICE, "virtual": VIRTUAL, "container": VIRTUAL}

ADDRESSES = {"IPv4": "primary_ip4", "IPv6": "primary_ip6"}

UNIT = re.compile(r"\s*U?\s*0*(\d{1,3})\s*", re.I)


def wanted_of(row: Mapping[str, Any], address: str) -> Fields:
    """Return what an object shall have of a machine, by the names of our fields."""
    kind = OF_MACHINES.get(row["kind"], DEVICE)
    memory = row["memory_bytes"]
    site, rack = text(row["site"], 100), text(row["rack"], 100)
    fields = {
        "kind": kind.name,
        "device type": text(row["product_name"], 100),
        "site": site,
        "rack": rack_of(site, rack) if site and rack else None,
        "position": _unit(row["unit"]) if site and rack else None,
        "platform": text(row["os"], 100),
        "serial": text(row["sn"]),
        "vcpus": row["processor_threads"],
        "memory": memory // 2**20 if memory else None,
        "IPv4": address if address and ":" not in address else None,
        "IPv6": address if ":" in address else None,
    }
    return {one: fields[one] for one in ("kind", *kind.written, *ADDRESSES)}


class Interface(NamedTuple):
    """The interface with the address of a machine."""

    name: str
    type: str
    mac: str | None
    prefix: str | None
    """The length of the prefix of its address."""


TYPES = {"bond": "lag", "bridge": "bridge", "vlan": "virtual", "virtual": "virtual"}
"""Kinds of interfaces in our facts, and what NetBox calls them; else ``other``."""

USUAL_NAME = "primary"
"""What the interface is called of a machine that tells an address alone."""

MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}", re.I)


def interface_of(row: Mapping[str, Any]) -> Interface:
    """Return the interface with the address of a machine, as its facts tell it."""
    told = row["interface"] or {}
    name, mac = text(told.get("name"), 64) or USUAL_NAME, str(told.get("mac") or "")
    start = f"{row['address']}/"
    prefixes = [one[len(start) :] for one in told.get("addresses", ()) if one.startswith(start)]
    prefix = next((one for one in prefixes if one.isdecimal()), None)
    kind = TYPES.get(str(told.get("kind")), "other")
    return Interface(name, kind, mac if MAC.fullmatch(mac) else None, prefix)


def there_of(kind: Kind, found: Mapping[str, Any]) -> Fields:
    """Return an object of NetBox as it is compared."""
    custom = found["custom_fields"]
    fields: Fields = {
        "name": found["name"],
        "asset_id": custom.get(MARK) or None,
        "retired": bool(custom.get(RETIRED)),
        "kind": kind.name,
    }
    for one, name in kind.written.items():
        fields[one] = _value(one, found[name])
    if fields.get("rack"):
        fields["rack"] = rack_of(fields["site"], fields["rack"])
    for one, name in ADDRESSES.items():
        fields[one] = host_of(found[name]["address"]) if found[name] else None
    return fields


def rack_of(site: str, rack: str) -> str:
    """Return a rack as it is compared: in another site a rack of the same name is another one."""
    return f"{site} / {rack}"


def host_of(address: str) -> str:
    """Return an address of NetBox as ours are written: of one IPv6 address there are many texts."""
    return address_of(address) or address.partition("/")[0]


def _value(field: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return value["model" if field == "device type" else "name"]
    if field in ("position", "vcpus") and value is not None:
        return int(value) if value == int(value) else value
    return value or None


def _unit(value: Any) -> int | None:
    """Return the unit of a rack that a machine stands in; None where people write more."""
    found = UNIT.fullmatch(str(value or ""))
    return int(found[1]) or None if found else None
