"""
Processors: how many, what they are, and how they share caches and memory.

The kernel has ten files for each CPU. They are read for only one CPU of each group
of siblings, because the files of all CPUs in a group say the same.
"""

from __future__ import annotations

from salt_ext.document.placeholders import why_not_text
from salt_ext.facts import cpuinfo, smbios
from salt_ext.facts.caches import caches
from salt_ext.facts.operating_system import architecture
from salt_ext.facts.smbios import fields
from salt_ext.facts.sysfs import bits, numbers, ranges, whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    from salt_ext.facts.root import Root

CPU = "/sys/devices/system/cpu"
NODE = "/sys/devices/system/node"
MEMORY = "/sys/devices/system/memory"
# The names of the files today, and until Linux 5.3.
SOCKET = ("package_cpus_list", "package_cpus", "core_siblings_list", "core_siblings")
CORE = ("core_cpus_list", "core_cpus", "thread_siblings_list", "thread_siblings")
MEMORY_STEP_BYTES = 128 * 1024 * 1024
OFF = ("Unpopulated", "Populated, Disabled")


def processors(root: Root) -> dict[str, Any]:
    """Return the processors, their caches and the memory nodes."""
    text = root.once(cpuinfo.read)
    described = cpuinfo.describe(text)
    found: dict[str, Any] = {"isa": architecture(root), **described}
    present = numbers(root.text(f"{CPU}/present")) or _directories(root)
    online = numbers(root.text(f"{CPU}/online")) or _with_topology(root, present)
    if online and root.exists(f"{CPU}/cpu{online[0]}/topology"):
        sockets, cores = _sockets(root, online), _cores(root, online)
        found["sockets"] = len(sockets) or None
        found["cores"] = len(cores)
        found["threads"] = len(present)
        found["online"] = len(online)
        is_whole = len(online) == len(present)
        found["caches"] = caches(root, sockets or [online], cores, is_whole)
    else:
        cores = [[online[0] if online else 0]]
        found.update(cpuinfo.counts(text) or _sysinfo_counts(root))
        found["online"] = found.get("threads")
    first = f"{CPU}/cpu{cores[0][0]}/cpufreq"
    found["base_mhz"] = _mhz(root, f"{first}/base_frequency") or found["base_mhz"]
    found["max_mhz"] = _max_mhz(root, cores) if root.exists(first) else None
    found["numa_nodes"] = _numa_nodes(root)
    found["vulnerabilities"] = {
        name: root.text(f"{CPU}/vulnerabilities/{name}", 512)
        for name in root.names(f"{CPU}/vulnerabilities")
    }
    found["packages"] = [_package(item) for item in root.once(smbios.tables).of(fields.PROCESSOR)]
    for field, stands_in in (("model", "version"), ("vendor", "manufacturer")):
        if found[field] is None:
            found[field] = _in_a_socket(found["packages"], stands_in)
    return found


def _in_a_socket(packages: list[dict[str, Any]], field: str) -> str | None:
    """Return what the firmware says of the first processor, where the kernel has numbers only."""
    texts = (package[field] for package in packages if package["populated"])
    return next((text for text in texts if text and not why_not_text(text)), None)


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
    if _siblings(root, online[0], list(SOCKET)):
        return _groups(root, online, SOCKET)
    sockets: dict[int, list[int]] = {}
    for cpu in online:
        number = root.number(f"{CPU}/cpu{cpu}/topology/physical_package_id")
        if number is not None:
            sockets.setdefault(number, []).append(cpu)
    return list(sockets.values())


def _cores(root: Root, online: list[int]) -> list[list[int]]:
    """Return the list of CPUs of each core."""
    if _siblings(root, online[0], list(CORE)):
        return _groups(root, online, CORE)
    cores: dict[tuple[int | None, ...], list[int]] = {}
    for cpu in online:
        base = f"{CPU}/cpu{cpu}/topology"
        number = root.number(f"{base}/core_id")  # within its socket
        own = (cpu,) if number is None else (root.number(f"{base}/physical_package_id"), number)
        cores.setdefault(own, []).append(cpu)
    return list(cores.values())


def _groups(root: Root, online: list[int], files: tuple[str, ...]) -> list[list[int]]:
    groups: list[list[int]] = []
    left = dict.fromkeys(online)
    order = list(files)
    while left:
        cpu = next(iter(left))
        members = (_siblings(root, cpu, order) & left.keys()) | {cpu}
        groups.append(sorted(members))
        for member in members:
            del left[member]
    return groups


def _siblings(root: Root, cpu: int, files: list[str]) -> set[int]:
    """Return the CPUs in a topology file; the file that answers is put first for the next CPU."""
    for name in files:
        text = root.text(f"{CPU}/cpu{cpu}/topology/{name}")
        if members := set(numbers(text)) if name.endswith("_list") else bits(text):
            files.remove(name)
            files.insert(0, name)
            return members
    return set()


def _max_mhz(root: Root, cores: list[list[int]]) -> int | None:
    """Return the highest clock of all cores: some are faster than others, by kind or by luck."""
    clocks = (_mhz(root, f"{CPU}/cpu{core[0]}/cpufreq/cpuinfo_max_freq") for core in cores)
    return max((clock for clock in clocks if clock), default=None)


def _sysinfo_counts(root: Root) -> dict[str, int]:
    """Return the number of processors in /proc/sysinfo of s390, of the innermost machine."""
    said = {
        name.strip(): whole(value.strip())
        for name, _, value in (
            line.partition(":") for line in (root.text("/proc/sysinfo") or "").splitlines()
        )
    }
    for machine in ("VM00 CPUs", "LPAR CPUs", "CPUs"):
        threads = said.get(f"{machine} Configured") or said.get(f"{machine} Total")
        if threads:
            return {"threads": threads}
    return {}


def _mhz(root: Root, path: str) -> int | None:
    khz = root.number(path)
    return khz // 1000 if khz else None


def _numa_nodes(root: Root) -> list[dict[str, Any]]:
    block_bytes = root.number(f"{MEMORY}/block_size_bytes", 16)
    counted: set[str] = set()
    found = []
    for node in sorted(
        int(name[4:]) for name in root.names(NODE) if name[:4] == "node" and name[4:].isdigit()
    ):
        base = f"{NODE}/node{node}"
        cpus = set(numbers(root.text(f"{base}/cpulist"))) or bits(root.text(f"{base}/cpumap"))
        found.append(
            {
                "id": node,
                "cpus": ranges(cpus),
                "memory_bytes": _memory_bytes(root, base, block_bytes, counted),
                "distance": [int(part) for part in (root.text(f"{base}/distance") or "").split()],
            }
        )
    return found


def _memory_bytes(root: Root, base: str, block_bytes: int | None, counted: set[str]) -> int | None:
    """
    Return the memory of a NUMA node in bytes.

    MemTotal is without what the kernel keeps for itself, which differs from boot to
    boot. So the memory blocks are counted; where there are none, MemTotal is
    rounded up to MEMORY_STEP_BYTES. A block in which two nodes meet is listed by both
    and counts for the first, which adds it to ``counted``.
    """
    if block_bytes:
        blocks = {name for name in root.names(base) if name[:6] == "memory" and name[6:].isdigit()}
        if blocks:
            own = blocks - counted
            counted |= own
            return len(own) * block_bytes
    _, _, rest = (root.text(f"{base}/meminfo") or "").partition("MemTotal:")
    kib = whole((rest.split(None, 1) or [""])[0])
    if kib is None:
        return None
    return -(-kib * 1024 // MEMORY_STEP_BYTES) * MEMORY_STEP_BYTES
