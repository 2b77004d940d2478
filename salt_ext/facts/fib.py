"""
The IPv4 addresses of a captured tree, or of a machine whose kernel must not be asked.

procfs has the addresses in a routing trie without interfaces, ``/proc/net/fib_trie``,
and the networks of each interface in ``/proc/net/route``. An address is that of the
interface whose network it is in. One that is in no network, as those of /32, is not
found by this.
"""

from __future__ import annotations

from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.root import Root

TRIE = "/proc/net/fib_trie"
LOOPBACK, LINK_LOCAL = "127.", "169.254."
GATEWAY = 0x0002  # RTF_GATEWAY
LARGEST = 0xFFFFFFFF
MAX_NETWORKS, MAX_ADDRESSES = 256, 1024


def ipv4_addresses(root: Root) -> dict[str, list[str]]:
    """Return ``{interface: [address/prefix]}``, without link-local and host addresses."""
    networks = _networks(root.text("/proc/net/route") or "")
    found: dict[str, list[str]] = {}
    for address in _local(root.text(TRIE) or "") if networks else ():
        number = _number(address)
        for length, network, name in networks:
            if number is not None and number >> (32 - length) == network >> (32 - length):
                found.setdefault(name, []).append(f"{address}/{length}")
                break
    return found


def _local(text: str) -> list[str]:
    """Return the machine's own addresses in a routing trie, each once."""
    found: dict[str, None] = {}
    leaf = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[-1]
        elif words == ["/32", "host", "LOCAL"] and not leaf.startswith((LOOPBACK, LINK_LOCAL)):
            found[leaf] = None
    return list(found)[:MAX_ADDRESSES]


def _networks(text: str) -> list[tuple[int, int, str]]:
    """Return (prefix length, network, interface) of networks without a gateway, longest first."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        try:
            network, flags, mask = (int(fields[at], 16) for at in (1, 3, 7))
        except (IndexError, ValueError):
            continue
        if 0 <= network <= LARGEST and 0 < mask <= LARGEST and not flags & GATEWAY:
            # The kernel prints the octets in the order of the machine, which nearly always
            # has the last one first.
            number = int.from_bytes(network.to_bytes(4, "little"), "big")
            found.append((bin(mask).count("1"), number, fields[0]))
    return sorted(found, reverse=True)[:MAX_NETWORKS]


def _number(address: str) -> int | None:
    octets = address.split(".")
    numbers = [whole(one) for one in octets]
    if len(octets) != 4 or any(number is None or number > 255 for number in numbers):
        return None
    return int.from_bytes(bytes(number or 0 for number in numbers), "big")
