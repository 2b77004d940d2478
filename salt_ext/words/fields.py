"""
The fields of the list of assets in groups, and what else people call them and the comparisons.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GROUPS = {
    "Identity": (
        *("minion_id", "hostname", "sn", "address", "kind", "temporary", "lifecycle"),
        *("freshness", "last_seen", "changed_at", "first_seen", "mode"),
    ),
    "Place": ("site", "room", "rack", "unit", "from_list"),
    "Hardware": (
        *("manufacturer", "product_name", "processor_model", "processor_threads"),
        *("memory_bytes", "disk_count", "disk_bytes"),
    ),
    "Software": ("os", "kernel_release"),
}
"""The fields of machines, in the order in which people choose among them."""

PARTS = "Parts"
LISTS = "People's lists"


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Return fields in groups, to choose among; those of parts and of people's lists come last."""
    known = set(names)
    groups = {
        group: [name for name in members if name in known] for group, members in GROUPS.items()
    }
    left = sorted(known.difference(*groups.values()))
    groups[LISTS] = [name for name in left if name.startswith("list.")]
    groups[PARTS] = [name for name in left if "." in name and not name.startswith("list.")]
    groups["Other"] = [name for name in left if "." not in name]
    return {group: members for group, members in groups.items() if members}


FIELDS = {
    "chassis_serial": "sn",
    "cores": "processor_threads",
    "cpu": "processor_model",
    "cpus": "processor_threads",
    "datacenter": "site",
    "dc": "site",
    "disk": "disk_bytes",
    "disks": "disk_count",
    "disk_size": "disk_bytes",
    "fqdn": "hostname",
    "host": "hostname",
    "ip": "address",
    "ipv4": "address",
    "kernel": "kernel_release",
    "last_change": "changed_at",
    "last_report": "last_seen",
    "location": "site",
    "maker": "manufacturer",
    "mem": "memory_bytes",
    "memory": "memory_bytes",
    "memory_size": "memory_bytes",
    "minion": "minion_id",
    "model": "product_name",
    "name": "minion_id",
    "operating_system": "os",
    "processor": "processor_model",
    "processors": "processor_threads",
    "product": "product_name",
    "ram": "memory_bytes",
    "seen": "last_seen",
    "serial": "sn",
    "serial_number": "sn",
    "service_tag": "sn",
    "state": "lifecycle",
    "status": "freshness",
    "storage": "disk_bytes",
    "threads": "processor_threads",
    "type": "kind",
    "vcpus": "processor_threads",
    "vendor": "manufacturer",
}
"""Words that people type, and our fields."""

COMPARISONS = {
    "above": "gt",
    "after": "gt",
    "before": "lt",
    "below": "lt",
    "between": "gte",
    "empty": "isnull",
    "eq": "exact",
    "equals": "exact",
    "ge": "gte",
    "has": "contains",
    "icontains": "contains",
    "iexact": "contains",
    "is": "exact",
    "isempty": "isnull",
    "isnot": "not",
    "le": "lte",
    "like": "glob",
    "match": "glob",
    "max": "lte",
    "min": "gte",
    "ne": "not",
    "neq": "not",
    "nin": "notin",
    "none": "isnull",
    "null": "isnull",
    "over": "gt",
    "re": "glob",
    "regex": "glob",
    "under": "lt",
}
"""The comparisons of other query languages, and ours."""

MEANINGS = {
    "address": "The first address of its first interface.",
    "changed_at": "When something changed on it last.",
    "disk_bytes": "All disks together.",
    "disk_count": "How many disks it has.",
    "first_seen": "When it reported first.",
    "freshness": "How long it has been silent: fresh, stale, missing; detached: its name is of"
    " other hardware; unreported: only a list has it.",
    "from_list": "Which of site, room, rack and unit only a person's list says.",
    "hostname": "What the machine calls itself.",
    "kernel_release": "The running kernel.",
    "kind": "physical, virtual, container, network, or what a list says it is.",
    "last_seen": "When it reported last.",
    "lifecycle": "Where people say it is in its life: planned, staged, active, maintenance,"
    " retired.",
    "manufacturer": "Who made it.",
    "memory_bytes": "Installed memory.",
    "minion_id": "Its name in Salt.",
    "mode": "How it reported last: agent, salt, ssh, or a way of your own.",
    "os": "The operating system with its version.",
    "processor_model": "The model of its processors.",
    "processor_threads": "How many threads its processors run.",
    "product_name": "Its model.",
    "rack": "Its rack.",
    "room": "Its room.",
    "site": "Its site, as its pillar or a person's list says.",
    "sn": "The serial number that people know it by.",
    "temporary": "It has no key of its own but its name.",
    "unit": "Its unit in the rack.",
}
"""What the fields of the list of assets mean."""

PART_MEANINGS = {
    "manufacturer": "Who made the part.",
    "model": "Its model, or part number.",
    "type": "Its type, such as nvme or DDR5.",
    "firmware_version": "The version of its firmware.",
    "size_bytes": "Its size.",
    "count": "How many equal ones an asset has.",
}
"""What the fields of parts mean, behind their section and a dot: ``disks.model``."""
