"""
The address by which a machine reaches other networks, by its default route.

Of the addresses of a machine it is the one that people mean: not that of a storage
network, of a bridge for containers or of a service that moves between machines.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from salt_ext.facts.root import Root

REJECT = 0x0200  # RTF_REJECT
ANYWHERE_4, ANYWHERE_6 = "00000000", "0" * 32
ONE_HOST = ("/32", "/128")
"""The prefix of an address that belongs to a service, or to a machine without a network."""


def default_interfaces(root: Root) -> list[str]:
    """Return the interface of the best default route of IPv4, then that of IPv6."""
    found = []
    for routes in (_of_version_4(root), _of_version_6(root)):
        if best := min(routes, default=None):
            found.append(best[1])
    return found


def default_address(names: Iterable[str], addresses: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """
    Return ``{interface: address}`` of the first of the interfaces that has one; {} without.

    IPv4 comes before IPv6, the address of a network before that of one host. The
    kernel lists an interface's own IPv4 address before those added to its network.
    """
    for name in names:
        if found := sorted(addresses.get(name, ()), key=_rank):
            return {name: found[0].partition("/")[0]}
    return {}


def _rank(address: str) -> tuple[bool, bool, str]:
    is_version_6 = ":" in address
    return is_version_6, address.endswith(ONE_HOST), address if is_version_6 else ""


def _of_version_4(root: Root) -> list[tuple[int, str]]:
    """Return (metric, interface) of each default route of IPv4."""
    found = []
    for line in (root.text("/proc/net/route") or "").splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[1] != ANYWHERE_4 or fields[7] != ANYWHERE_4:
            continue
        if not _number(fields[3], 16) & REJECT:
            found.append((_number(fields[6], 10), fields[0]))
    return found


def _of_version_6(root: Root) -> list[tuple[int, str]]:
    """Return (metric, interface) of each default route of IPv6."""
    found = []
    for line in (root.text("/proc/net/ipv6_route") or "").splitlines():
        if not line.startswith(f"{ANYWHERE_6} 00 "):
            continue
        fields = line.split()
        if len(fields) == 10 and not _number(fields[8], 16) & REJECT:
            found.append((_number(fields[5], 16), fields[9]))
    return found


def _number(text: str, base: int) -> int:
    """Return a number of the kernel's; REJECT with all bits around it for anything else."""
    try:
        return int(text, base)
    except ValueError:
        return -1
