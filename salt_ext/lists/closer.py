"""
A closer look at the machines that a list means by a key alone, or seems to contradict.

The asset list has one address of a machine, no number of processors, and of disks what the
operating system sees. People list any address, that of the BMC too, and the disks behind a
RAID controller.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from salt_ext import store
from salt_ext.lists.compare import contradicts
from salt_ext.lists.models import processors_said
from salt_ext.words.keys import good_macs, good_uuid
from salt_ext.words.match import NAMES, Machine, Said, match

SECTIONS = {
    "address": ("network", "bmc"),
    "processor_model": ("processors",),
    "disk_bytes": ("raid",),
    "disk_count": ("raid",),
}
"""Field: the sections that know more of it."""


def with_closer_look(
    database: store.Database, rows: Sequence[Said], assets: Sequence[Machine]
) -> list[Machine]:
    """
    Return the assets; those that rows seem to contradict have ``also`` and ``sockets``.

    Those that show a UUID or MAC of a row, or have the name of a row with one, have ``uuids`` and
    ``macs``: all that they show.
    ``also`` has by field other values that are right as well, see :mod:`.compare`.
    """
    assets = _with_keys(database, rows, assets)
    asked = [row for row in rows if not SECTIONS.keys().isdisjoint(row.values)]
    wanted: dict[uuid.UUID, set[str]] = {}
    for row, found in zip(asked, match(asked, assets), strict=True):
        if found.machine is not None:
            sections = _sections(row.values, found.machine)
            if sections:
                wanted[found.machine["id"]] = sections
    if not wanted:
        return list(assets)
    known: dict[uuid.UUID, dict[str, Any]] = {asset_id: {} for asset_id in wanted}
    for asset_id, section, facts in store.sections(database, wanted, set().union(*wanted.values())):
        known[asset_id][section] = facts
    return [
        {**one, **_more(one, known[one["id"]])} if one["id"] in known else one for one in assets
    ]


def _with_keys(
    database: store.Database, rows: Sequence[Said], assets: Sequence[Machine]
) -> list[Machine]:
    uuids = {good_uuid(row.values.get("uuid")) for row in rows} - {""}
    macs = {mac for row in rows for mac in good_macs(row.values.get("mac"))}
    planned = [row for row in rows if good_uuid(row.values.get("uuid")) or row.values.get("mac")]
    called = {
        one.machine["id"]
        for one in match(planned, assets)
        if one.machine is not None and one.by in NAMES
    }
    shown = store.assets_with_keys(database, uuids, macs, called)
    return [{**one, **shown[one["id"]]} if one["id"] in shown else one for one in assets]


def _sections(values: Mapping[str, Any], machine: Machine) -> set[str]:
    """Return the sections that may tell whether a row contradicts its machine."""
    return {
        section
        for field, sections in SECTIONS.items()
        if field in values
        and (
            contradicts(field, values[field], machine)
            or (field == "processor_model" and processors_said(values[field]))
        )
        for section in sections
    }


def _more(machine: Machine, facts: Mapping[str, Any]) -> dict[str, Any]:
    also: dict[str, list[Any]] = {"address": list(addresses(facts))}
    members, volumes = _raid(facts, "members"), _raid(facts, "volumes")
    if members:
        for field, total in (("disk_count", len), ("disk_bytes", _bytes)):
            beside = (machine.get(field) or 0) - total(volumes)
            also[field] = [total(members) + max(0, beside), total(members)]
    processors = facts.get("processors")
    sockets = processors.get("sockets") if isinstance(processors, dict) else None
    return {"also": also, "sockets": sockets}


def addresses(facts: Mapping[str, Any]) -> Iterable[str]:
    """Yield all addresses of a machine and its BMC, without prefix lengths."""
    bmc = facts.get("bmc")
    places = [*_items(facts.get("network"))]
    if isinstance(bmc, dict):
        places += [bmc, *_items(bmc.get("other_channels"))]
    for one in places:
        addresses = one.get("addresses")
        for address in addresses if isinstance(addresses, list) else ():
            yield str(address).partition("/")[0]


def _raid(facts: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """Return members or volumes of controllers; those of software arrays are disks themselves."""
    raid = facts.get("raid")
    found = _items(raid.get(name)) if isinstance(raid, dict) else ()
    return [one for one in found if "metadata_version" not in one and "raid_device" not in one]


def _bytes(parts: Iterable[Mapping[str, Any]]) -> int:
    sizes = (one.get("size_bytes") for one in parts)
    return sum(size for size in sizes if isinstance(size, int))


def _items(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
