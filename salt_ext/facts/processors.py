"""
Processors: how many, what they are, and how they share caches and memory.

The kernel has ten files for each CPU. They are read for only one CPU of each group
of siblings, because the files of all CPUs in a group say the same.
"""

from __future__ import annotations

from salt_ext.facts import cpuinfo, smbios
from salt_ext.facts.operating_system import architecture
from salt_ext.facts.smbios import fields
from salt_ext.facts.sysfs import numbers, ranges, whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

CPU = "/sys/devices/system/cpu"
NODE = "/sys/devices/system/node"
MEMORY = "/sys/devices/system/memory"
SOCKET = ("package_cpus", "core_siblings")  # the name of the file today, and until Linux 5.3
CORE = ("core_cpus", "thread_siblings")
FEW_CPUS = 32
"""
With so few CPUs, the caches of every CPU are read: its cores may be of several kinds.

In larger machines all cores are alike, and one CPU of each socket is read.
"""
MEMORY_STEP_BYTES = 128 * 1024 * 1024
UNITS = {"K": 1024, "M": 1024**2}
OFF = ("Unpopulated", "Populated, Disabled")


def processors(root: Root) -> dict[str, Any]:
    """Return the processors, their caches and the memory nodes."""
    text = root.once(cpuinfo.read)
    described = cpuinfo.describe(text)
    found: dict[str, Any] = {"isa": architecture(root), **described}
    present = numbers(root.text(f"{CPU}/present")) or _directories(root)
    online = numbers(root.text(f"{CPU}/online")) or _with_topology(root, present)
    if online and root.exists(f"{CPU}/cpu{online[0]}/topology"):
        sockets = _sockets(root, online)
        found["sockets"] = len(sockets) or None
        found["cores"] = len(_groups(root, online, CORE))
        found["threads"] = len(present)
        found["online"] = len(online)
        found["caches"] = _caches(root, online, sockets or [online])
    else:
        found.update(cpuinfo.counts(text))
        found["online"] = found.get("threads")
    frequency = f"{CPU}/cpu{online[0] if online else 0}/cpufreq"
    found["base_mhz"] = _mhz(root, f"{frequency}/base_frequency") or found["base_mhz"]
    found["max_mhz"] = _mhz(root, f"{frequency}/cpuinfo_max_freq")
    found["numa_nodes"] = _numa_nodes(root)
    found["vulnerabilities"] = {
        name: root.text(f"{CPU}/vulnerabilities/{name}", 512)
        for name in root.names(f"{CPU}/vulnerabilities")
    }
    found["packages"] = [_package(item) for item in root.once(smbios.tables).of(fields.PROCESSOR)]
    return found


def _package(item: smbios.Structure) -> dict[str, Any]:
    """Return a processor socket and the processor in it (SMBIOS type 4)."""
    package = fields.processor(item)
    current_speed_mhz = package.pop("current_speed_mhz")
    # An empty or disabled socket has no clock, and a virtual machine may have a hundred of them.
    if not (package["status"] or "").startswith(OFF):
        package["volatile"] = {"current_speed_mhz": current_speed_mhz}
    return package


def _directories(root: Root) -> list[int]:
    return sorted(
        int(name[3:]) for name in root.names(CPU) if name[:3] == "cpu" and name[3:].isdigit()
    )


def _with_topology(root: Root, present: list[int]) -> list[int]:
    """Return the CPUs that have topology files: the online ones, for kernels without a list."""
    return [cpu for cpu in present if root.exists(f"{CPU}/cpu{cpu}/topology")]


def _sockets(root: Root, online: list[int]) -> list[list[int]]:
    """Return the list of CPUs of each socket; [] when the kernel does not know the sockets."""
    if _siblings(root, online[0], SOCKET):
        return _groups(root, online, SOCKET)
    sockets: dict[int, list[int]] = {}
    for cpu in online:
        number = root.number(f"{CPU}/cpu{cpu}/topology/physical_package_id")
        if number is not None:
            sockets.setdefault(number, []).append(cpu)
    return list(sockets.values())


def _groups(root: Root, online: list[int], files: tuple[str, str]) -> list[list[int]]:
    groups: list[list[int]] = []
    left = dict.fromkeys(online)
    while left:
        cpu = next(iter(left))
        members = (_siblings(root, cpu, files) & left.keys()) | {cpu}
        groups.append(sorted(members))
        for member in members:
            del left[member]
    return groups


def _siblings(root: Root, cpu: int, files: tuple[str, str]) -> set[int]:
    for name in files:
        topology = f"{CPU}/cpu{cpu}/topology/{name}"
        if members := numbers(root.text(f"{topology}_list")):
            return set(members)
        if mask := root.text(topology):
            return _mask(mask)
    return set()


def _mask(text: str | None) -> set[int]:
    """Return the numbers of the bits that are set in a kernel mask, ``00000000,0000000f``."""
    try:
        bits = int((text or "0").replace(",", ""), 16)
    except ValueError:
        return set()
    return {number for number in range(bits.bit_length()) if bits >> number & 1}


def _caches(root: Root, online: list[int], sockets: list[list[int]]) -> list[dict[str, Any]]:
    """Return each kind of cache once, with the number of instances and of CPUs that share one."""
    kinds: dict[tuple[int, str, int | None, int], int] = {}
    if len(online) <= FEW_CPUS:
        instances = {
            (*cache, tuple(sorted(shared)))
            for cpu in online
            for cache, shared in _caches_of(root, cpu, set(online))
        }
        for level, kind, size, sharing in instances:
            key = (level, kind, size, len(sharing))
            kinds[key] = kinds.get(key, 0) + 1
    else:
        for socket in sockets:
            for (level, kind, size), shared in _caches_of(root, socket[0], set(socket)):
                key = (level, kind, size, len(shared))
                kinds[key] = kinds.get(key, 0) + max(1, len(socket) // len(shared))
    names = ("level", "type", "size_bytes", "shared_by")
    ordered = sorted(kinds.items(), key=lambda item: (item[0][:2], item[0][2] or 0, item[0][3]))
    return [{**dict(zip(names, key, strict=True)), "instances": n} for key, n in ordered]


def _caches_of(
    root: Root, cpu: int, among: set[int]
) -> list[tuple[tuple[int, str, int | None], set[int]]]:
    """Return (level, type, size) and the sharing CPUs of each cache of a CPU."""
    found = []
    base = f"{CPU}/cpu{cpu}/cache"
    for name in root.names(base):
        level = root.number(f"{base}/{name}/level") if name.startswith("index") else None
        if level is None:
            continue
        kind = (root.text(f"{base}/{name}/type", 32) or "").lower()
        shared = set(numbers(root.text(f"{base}/{name}/shared_cpu_list"))) or _mask(
            root.text(f"{base}/{name}/shared_cpu_map")
        )
        if not shared:  # the kernel does not know, and writes an empty mask
            shared = _siblings(root, cpu, CORE)
        size = _size(root.text(f"{base}/{name}/size", 32))
        found.append(((level, kind, size), (shared & among) | {cpu}))
    return found


def _size(text: str | None) -> int | None:
    number, unit = whole((text or "")[:-1]), (text or "")[-1:]
    return number * UNITS[unit] if number is not None and unit in UNITS else None


def _mhz(root: Root, path: str) -> int | None:
    khz = root.number(path)
    return khz // 1000 if khz else None


def _numa_nodes(root: Root) -> list[dict[str, Any]]:
    block_bytes = root.number(f"{MEMORY}/block_size_bytes", 16)
    found = []
    for node in sorted(
        int(name[4:]) for name in root.names(NODE) if name[:4] == "node" and name[4:].isdigit()
    ):
        base = f"{NODE}/node{node}"
        cpus = set(numbers(root.text(f"{base}/cpulist"))) or _mask(root.text(f"{base}/cpumap"))
        found.append(
            {
                "id": node,
                "cpus": ranges(cpus),
                "memory_bytes": _memory_bytes(root, base, block_bytes),
                "distance": [int(part) for part in (root.text(f"{base}/distance") or "").split()],
            }
        )
    return found


def _memory_bytes(root: Root, base: str, block_bytes: int | None) -> int | None:
    """
    Return the memory of a NUMA node in bytes.

    MemTotal is without what the kernel keeps for itself, which differs from boot to
    boot. So the memory blocks are counted; where there are none, MemTotal is
    rounded up to MEMORY_STEP_BYTES.
    """
    if block_bytes:
        blocks = sum(name[:6] == "memory" and name[6:].isdigit() for name in root.names(base))
        if blocks:
            return blocks * block_bytes
    _, _, rest = (root.text(f"{base}/meminfo") or "").partition("MemTotal:")
    kib = whole((rest.split(None, 1) or [""])[0])
    if kib is None:
        return None
    return -(-kib * 1024 // MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES
