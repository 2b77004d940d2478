"""
The caches of processors: how many of each kind there are, and how many CPUs share one.

The kernel has five files for each cache of each CPU. On a machine with few CPUs all are
read, because its cores may be of several kinds. In larger machines all cores are alike:
there those of one CPU of each socket are read and, of a cache that several cores share, one
more file for each of its instances.
"""

from __future__ import annotations

from salt_ext.facts.sysfs import bits, numbers, whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from salt_ext.facts.root import Root

    CPUs = frozenset[int]
    Kind = tuple[int, str, int | None]

CPU = "/sys/devices/system/cpu"
FEW_CPUS = 32
UNITS = {"K": 1024, "M": 1024**2}
WITH_ID = 3  # the level from which on several cores share a cache, so that lists can be wrong


def caches(
    root: Root, sockets: list[list[int]], cores: list[list[int]], is_whole: bool
) -> list[dict[str, Any]]:
    """
    Return each kind of cache once, with its number and that of the CPUs that share one.

    ``sockets`` and ``cores`` have the CPUs that are online. Where these are not all
    (``is_whole``), as many CPUs share a cache as at most share one of its kind.
    """
    is_small = sum(map(len, cores)) <= FEW_CPUS
    found: dict[tuple[Kind, str], set[CPUs]] = {}
    for cache, shared in _of_few(root, cores) if is_small else _of_many(root, sockets, cores):
        found.setdefault(cache, set()).add(shared)
    counted: dict[tuple[Kind, int], int] = {}
    for (kind, name), lists in found.items():
        instances = _by_id(root, name, lists, cores, sockets) if kind[0] >= WITH_ID else lists
        most = max(map(len, instances))
        for shared in instances:
            key = (kind, len(shared) if is_whole else most)
            counted[key] = counted.get(key, 0) + 1
    return [
        {"level": level, "type": word, "size_bytes": size, "shared_by": by, "instances": number}
        for ((level, word, size), by), number in sorted(
            counted.items(), key=lambda item: (item[0][0][:2], item[0][0][2] or 0, item[0][1])
        )
    ]


def _of_few(root: Root, cores: list[list[int]]) -> Iterator[tuple[tuple[Kind, str], CPUs]]:
    """Yield each cache of each CPU: its kind, the kernel's name for it, the CPUs that share it."""
    among = frozenset(cpu for core in cores for cpu in core)
    for core in cores:
        for cpu in core:
            yield from _of_cpu(root, cpu, core, among)


def _of_many(
    root: Root, sockets: list[list[int]], cores: list[list[int]]
) -> Iterator[tuple[tuple[Kind, str], CPUs]]:
    """Yield the same, with what one CPU of each socket has said of all its cores."""
    socket_of = {cpu: number for number, socket in enumerate(sockets) for cpu in socket}
    inside: dict[int | None, list[list[int]]] = {}
    for core in cores:
        inside.setdefault(socket_of.get(core[0]), []).append(core)
    for number, socket in enumerate(sockets):
        own = inside.get(number, [socket])
        # Not one of which a CPU is switched off; but in some captured trees the first alone
        # has caches.
        core = max(own, key=len)
        if not root.names(f"{CPU}/cpu{core[0]}/cache"):
            core = own[0]
        for cache, shared in _of_cpu(root, core[0], core, frozenset(socket)):
            alike = (
                own
                if shared == frozenset(core)
                else [[cpu] for cpu in socket]
                if len(shared) == 1
                else _walked(root, cache[1], shared, own)
            )
            for group in alike:
                yield cache, frozenset(group)


def _of_cpu(
    root: Root, cpu: int, core: list[int], among: CPUs
) -> Iterator[tuple[tuple[Kind, str], CPUs]]:
    for name in root.names(f"{CPU}/cpu{cpu}/cache"):
        base = f"{CPU}/cpu{cpu}/cache/{name}"
        level = root.number(f"{base}/level") if name.startswith("index") else None
        if level is not None:
            word = (root.text(f"{base}/type", 32) or "").lower()
            size = _size(root.text(f"{base}/size", 32))
            # The kernel writes an empty mask where it does not know.
            shared = _sharing(root, cpu, name) or core
            yield ((level, word, size), name), among.intersection(shared) | {cpu}


def _sharing(root: Root, cpu: int, name: str) -> CPUs:
    base = f"{CPU}/cpu{cpu}/cache/{name}"
    listed = numbers(root.text(f"{base}/shared_cpu_list"))
    return frozenset(listed or bits(root.text(f"{base}/shared_cpu_map")))


def _walked(root: Root, name: str, first: CPUs, cores: list[list[int]]) -> list[CPUs]:
    """
    Return the CPUs of all instances of a cache that several cores share, beginning with one.

    Where the kernel does not tell the others, they have as many cores as the first.
    """
    left = [core for core in cores if first.isdisjoint(core)]
    size = len(cores) - len(left)
    found = [first]
    while left:
        shared = _sharing(root, left[0][0], name)
        group = [core for core in left if not shared.isdisjoint(core)] if shared else left[:size]
        found.append(frozenset(cpu for core in group or left[:1] for cpu in core))
        left = [core for core in left if found[-1].isdisjoint(core)]
    return found


def _by_id(
    root: Root, name: str, lists: set[CPUs], cores: list[list[int]], sockets: list[list[int]]
) -> set[CPUs]:
    """
    Return the instances of a cache by their ids, where the kernel's lists of CPUs are wrong.

    Lists are right when no CPU is in two of them, and when ids and lists agree. Ids are
    believed only where some cache has several cores and none has cores of two sockets:
    some hypervisors give each CPU an id of its own.
    """

    def identifier(cpu: int) -> int | None:
        return root.number(f"{CPU}/cpu{cpu}/cache/{name}/id")

    ends = [{identifier(min(shared)), identifier(max(shared))} for shared in lists]
    known = set().union(*ends)
    is_disjoint = sum(map(len, lists)) == len(frozenset().union(*lists))
    if None in known or (is_disjoint and len(known) == len(lists) == sum(map(len, ends))):
        return lists
    groups: dict[int | None, set[int]] = {}
    for core in cores:
        groups.setdefault(identifier(core[0]), set()).update(core)
    instances = {frozenset(group) for group in groups.values()}
    largest = max(map(len, cores))
    is_plausible = None not in groups and all(
        any(shared <= set(socket) for socket in sockets) for shared in instances
    )
    return instances if is_plausible and any(len(one) > largest for one in instances) else lists


def _size(text: str | None) -> int | None:
    number, unit = whole((text or "")[:-1]), (text or "")[-1:]
    return number * UNITS[unit] if number is not None and unit in UNITS else None
