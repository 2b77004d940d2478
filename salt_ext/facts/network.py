"""
Network cards, what is built on them, and the other interfaces that have an address.

A virtual interface is reported when a chain of ``lower_`` links leads from it to a
card, or when it has an address of its own: the port of an Open vSwitch bridge, a
tunnel, a dummy, loopback. So what an administrator configured is reported, and the
interfaces of containers and guests are not: veth, tap, docker0, virbr0. Functions and
representors of a card that guests use are not interfaces of their own but a number at
their card.
"""

from __future__ import annotations

from salt_ext.facts import routes
from salt_ext.facts.sysfs import assignments, pci_slot, whole
from salt_ext.facts.usb import is_of_controller

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Container, Sequence
    from typing import Any

    from salt_ext.facts.root import Root

NET = "/sys/class/net"
KINDS = ("bond", "vlan", "bridge")
ETHERNET, INFINIBAND = 1, 32  # ARPHRD_ETHER, ARPHRD_INFINIBAND
RANDOM = 1  # NET_ADDR_RANDOM
MAC_LENGTH = 17  # written with colons
TAP = 0x0002  # IFF_TAP
NO_HARDWARE = ("xen-backend", "netdevsim", "gadget")
"""Buses on which a kernel keeps the ends of what it offers to guests, tests and USB hosts."""

OF_SERVICES = ("kube-ipvs",)  # Kubernetes gives it an address for each service
TEMPORARY = 0x01  # IFA_F_TEMPORARY, the privacy addresses of RFC 8981
LINK_SCOPE, HOST_SCOPE = 0x20, 0x10  # IPV6_ADDR_LINKLOCAL, IPV6_ADDR_LOOPBACK


def network(root: Root) -> list[dict[str, Any]]:
    """Return the cards in the order of their slots, then the interfaces without a slot by name."""
    addresses = _addresses(root)
    ways_out = routes.default_interfaces(root)
    lowers = _interfaces(root, addresses, ways_out)
    vlan_ids = _vlan_ids(root)
    own = routes.default_address(ways_out, {name: addresses.get(name, []) for name in lowers})
    found = []
    for name, below in lowers.items():
        item = _card(root, name) if below is None else _virtual(root, name, below, lowers)
        if item is not None:
            item["vlan_id"] = vlan_ids.get(name)
            item["addresses"] = sorted(addresses.get(name, ()))
            item["default_address"] = own.get(name)
            found.append(item)
    if root.is_live:
        _add_firmware(root, found)
    found.sort(key=lambda item: (item["pci_slot"] is None, item["pci_slot"] or "", item["name"]))
    return found


def _interfaces(
    root: Root, addresses: Container[str], ways_out: Sequence[str]
) -> dict[str, list[str] | None]:
    """Return ``{name: interfaces that it is built on}`` of what to report; None for a card."""
    cards: dict[str, list[str] | None] = {}
    virtual: dict[str, list[str]] = {}
    for name in root.names(NET):
        where = root.link(f"{NET}/{name}") or ""
        if "/virtual/" in where:
            entries = root.names(f"{NET}/{name}")
            virtual[name] = [entry[6:] for entry in entries if entry[:6] == "lower_"]
        elif (parent := _parent(root, name)) is not None:
            virtual[name] = [parent]
        elif root.link(f"{NET}/{name}/device") and not _is_no_card(root, name, where):
            cards[name] = None
    found = dict(cards)
    for name, below in virtual.items():
        if name in ways_out or (name in addresses and _is_own(root, name, below, bool(cards))):
            found[name] = below
    while grown := {
        name: below
        for name, below in virtual.items()
        if name not in found and any(lower in found for lower in below)
    }:
        found.update(grown)
    return found


def _parent(root: Root, name: str) -> str | None:
    """Return the port of a partition of InfiniBand, such as ib0 for ib0.8001; None for others."""
    return root.text(f"{NET}/{name}/parent", 64) if "." in name else None


def _is_no_card(root: Root, name: str, where: str) -> bool:
    """
    Whether an interface with a device is no card of the machine.

    It may be a part of a card, made for guests: a virtual function, a subfunction (an
    auxiliary device such as ``mlx5_core.sf.4``), or a representor, the end of either in
    the switch of the card; on Xen, the end of a guest's card in its host. In a guest it
    may be a function that another card uses when there is one, on Hyper-V and with
    net_failover: the host takes it away for a while. Or a management controller has
    plugged it in.
    """
    if ".sf." in where or root.link(f"{NET}/{name}/device/physfn"):
        return True
    if "/usb" in where and is_of_controller(root, where):
        return True
    if _bus(root, name) in NO_HARDWARE:
        return True
    master = root.link(f"{NET}/{name}/master")
    if master and "/virtual/" not in master:
        return True
    port = root.text(f"{NET}/{name}/phys_port_name", 64) or ""
    # Old drivers tell nothing but a number. The address of a representor is a random one.
    is_number = port.isdigit() and root.number(f"{NET}/{name}/addr_assign_type") == RANDOM
    return is_number or is_representor(port)


def is_representor(port: str) -> bool:
    """
    Whether a port's name is that of a function, ``pf0vf1`` or ``c1pf0sf88``, and not a plug's.

    A plug is ``p0``, or ``p0s1`` when it is split (devlink-port of the kernel).
    """
    owner, pf, function = port.partition("pf")
    is_owner = owner == "" or (owner[0] in "cp" and owner[1:].isdigit())
    return bool(pf) and is_owner and function[:1].isdigit()


def _is_own(root: Root, name: str, below: list[str], has_cards: bool) -> bool:
    """Whether an interface with an address but no card below it is the machine's own."""
    base = f"{NET}/{name}"
    kind = assignments(root.text(f"{base}/uevent", 1024)).get("DEVTYPE", "")
    if kind in ("bridge", "macvtap") or name.startswith(OF_SERVICES):
        return False
    if (root.number(f"{base}/tun_flags", 0) or 0) & TAP:
        return False
    # One end of a veth pair is here, the other in a container; in a container without a
    # card the end here is its own.
    link = root.number(f"{base}/iflink")
    is_veth = link not in (None, 0, root.number(f"{base}/ifindex")) and not below
    return not (is_veth and has_cards and root.number(f"{base}/type") == ETHERNET)


def _card(root: Root, name: str) -> dict[str, Any]:
    base = f"{NET}/{name}"
    # A captured tree may have a directory where sysfs has a link.
    where = root.link(base) or root.link(f"{base}/device") or ""
    slot = pci_slot(where)
    item = _common(root, name, "physical")
    permanent = root.text(f"{base}/bonding_slave/perm_hwaddr", 64)
    if permanent is None and root.number(f"{base}/addr_assign_type") == 0:
        permanent = item["mac"]
    item["permanent_mac"] = permanent and permanent.lower()
    item["driver"] = (root.link(f"{base}/device/driver") or "").rpartition("/")[2]
    item["pci_slot"] = slot
    item["bus"] = _bus(root, name)
    if slot:
        total = root.number(f"{base}/device/sriov_totalvfs")
        if total:
            item["sriov"] = {"total": total, "num": root.number(f"{base}/device/sriov_numvfs")}
    return item


def _bus(root: Root, name: str) -> str:
    return (root.link(f"{NET}/{name}/device/subsystem") or "").rpartition("/")[2]


def _add_firmware(root: Root, items: list[dict[str, Any]]) -> None:
    """Add the firmware versions that drivers tell; cards that may sleep are not asked."""
    from salt_ext.facts.ethtool import firmware_versions

    cards = {item["name"]: item for item in items if item["kind"] == "physical"}
    versions = firmware_versions(name for name in cards if not may_sleep(root, name))
    for name, version in versions.items():
        cards[name]["firmware_version"] = version


def may_sleep(root: Root, name: str) -> bool:
    """Whether a card is allowed to sleep. Whether it sleeps just now would change all the time."""
    power = f"{NET}/{name}/device/power"
    return (
        root.text(f"{power}/control", 16) == "auto"
        and root.text(f"{power}/runtime_status", 16) != "unsupported"
    )


def _virtual(
    root: Root, name: str, below: list[str], known: dict[str, list[str] | None]
) -> dict[str, Any] | None:
    kind = assignments(root.text(f"{NET}/{name}/uevent", 1024)).get("DEVTYPE", "")
    if kind == "macvtap":  # the interface of a guest
        return None
    item = _common(root, name, kind if kind in KINDS else "virtual")
    if len(mac := item["mac"] or "") != MAC_LENGTH or not mac.strip("0:"):
        item["mac"] = None  # loopback has none, and what a tunnel has is the address of its end
    item["slaves"] = [lower for lower in below if lower in known]
    return item


def _common(root: Root, name: str, kind: str) -> dict[str, Any]:
    base = f"{NET}/{name}"
    mac = root.text(f"{base}/address", 128)
    if mac and root.number(f"{base}/type") == INFINIBAND:
        # Twenty octets: the last eight are the port's GUID, the others are not its own.
        mac = mac[-23:]
    carrier = root.number(f"{base}/carrier")  # EINVAL while the interface is down
    speed = root.number(f"{base}/speed") if carrier else None
    duplex = root.text(f"{base}/duplex", 16) if carrier else None
    return {
        "name": name,
        "kind": kind,
        "mac": mac and mac.lower(),
        "mtu": root.number(f"{base}/mtu"),
        "master": (root.link(f"{base}/master") or "").rpartition("/")[2],
        "pci_slot": None,
        "volatile": {
            "carrier": None if carrier is None else carrier == 1,
            "speed_mbps": speed if speed and speed > 0 else None,
            "duplex": duplex if duplex in ("full", "half") else None,
        },
    }


def _vlan_ids(root: Root) -> dict[str, int]:
    """Return the VLAN id of each VLAN interface."""
    found = {}
    for line in (root.text("/proc/net/vlan/config") or "").splitlines():
        name, _, rest = line.partition("|")
        number = whole(rest.partition("|")[0].strip())
        if number is not None:
            found[name.strip()] = number
    return found


def _addresses(root: Root) -> dict[str, list[str]]:
    """Return the IP addresses of each interface, without link-local and temporary ones."""
    found: dict[str, list[str]] = {}
    for line in (root.text("/proc/net/if_inet6") or "").splitlines():
        fields = line.split()
        if len(fields) != 6 or len(fields[0]) != 32:
            continue
        digits, _, prefix, scope, flags, name = fields
        if int(scope, 16) in (LINK_SCOPE, HOST_SCOPE) or int(flags, 16) & TEMPORARY:
            continue
        found.setdefault(name, []).append(f"{ipv6(digits)}/{int(prefix, 16)}")
    for name, addresses in _ipv4_addresses(root).items():
        found.setdefault(name, []).extend(addresses)
    return found


def _ipv4_addresses(root: Root) -> dict[str, list[str]]:
    if root.is_live:
        from salt_ext.facts import rtnetlink

        try:
            return rtnetlink.ipv4_addresses()
        except OSError as error:  # a sandbox without this sort of socket
            root.failed(error)
    from salt_ext.facts import fib

    return fib.ipv4_addresses(root)


def ipv6(digits: str) -> str:
    """Return 32 hexadecimal digits as RFC 5952 writes them."""
    groups = [digits[at : at + 4].lstrip("0") or "0" for at in range(0, 32, 4)]
    zeros = max(
        (
            (length, -start)
            for start in range(8)
            for length in range(2, 9 - start)
            if groups[start : start + length] == ["0"] * length
        ),
        default=None,
    )
    if zeros is None:
        return ":".join(groups)
    length, start = zeros[0], -zeros[1]
    return ":".join(groups[:start]) + "::" + ":".join(groups[start + length :])
