"""
What is planned of a machine, checked before a template may write it into a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface
from typing import Any, NamedTuple

from provisioner.plain import plain
from provisioner.profiles import Profile
from provisioner.refusals import AGAIN, Denied
from salt_ext.words.nearest import unknown
from salt_ext.words.planned import hostname_of, layout_of, why_no_layout


class Layout(NamedTuple):
    """How to divide which disk; everything on that disk is lost."""

    name: str
    disk: str


class Network(NamedTuple):
    """An address of its own, without DHCP."""

    interface: IPv4Interface | IPv6Interface
    gateway: str
    nameservers: list[str]

    @property
    def address(self) -> str:
        """The address alone."""
        return str(self.interface.ip)

    @property
    def netmask(self) -> str:
        """The netmask, as kickstart wants it of the fourth version."""
        return str(self.interface.netmask)


class Machine(NamedTuple):
    """What templates know of a machine; ``plan`` has all that people said of it, unchecked."""

    hostname: str
    uuid: str
    mac: str
    sn: str
    planned_layout: Layout | None
    network: Network | None
    plan: Mapping[str, Any]

    @property
    def layout(self) -> Layout:
        """The planned disk layout. Raises Denied where none is planned."""
        if self.planned_layout is None:
            raise Denied(
                409,
                "the plan has no disk layout, and nothing wipes a disk that nobody has named",
                "salt-run cmdb.expected set ... disk_layout=lvm:sda",
            )
        return self.planned_layout


def machine(installation: Mapping[str, Any], uuid: str, mac: str, profile: Profile) -> Machine:
    """Return the machine of an installation. Raises Denied where the plan cannot be right."""
    plan = installation["plan"]
    return Machine(
        hostname=_hostname(plan.get("hostname")),
        uuid=uuid,
        mac=mac,
        sn=plain(plan.get("sn", "")),
        planned_layout=_layout(plan.get("disk_layout"), profile),
        network=_network(installation["address"], profile),
        plan=plan,
    )


def profile_of(installation: Mapping[str, Any], known: Mapping[str, Profile]) -> Profile:
    """Return the profile by which a machine is installed. Raises Denied for an unknown one."""
    name = str(installation["plan"].get("profile", ""))
    if name not in known:
        told = unknown("profile", plain(name), known)
        raise Denied(409, told, f"add it to provision_profiles, or correct the plan; {AGAIN}")
    return known[name]


def _hostname(said: object) -> str:
    if name := hostname_of(said):
        return name
    raise Denied(
        409,
        f"the plan has no host name that is one: {plain(said or 'none')}",
        f"salt-run cmdb.expected set ... hostname=web01, of letters, digits, - and .; {AGAIN}",
    )


def _layout(said: object, profile: Profile) -> Layout | None:
    if why := why_no_layout(said):
        raise _no_layout(f"the disk layout {plain(said)} is none: {why}")
    if not said:
        return None
    layout = Layout(*layout_of(said))
    if profile.installer == "autoinstall" and "/" in layout.disk:
        # Subiquity compares the path of the kernel's own name, and never a link to it.
        raise _no_layout(
            f"the installer autoinstall finds no disk by {plain(layout.disk)}, only by the name"
            " that the kernel gives it"
        )
    return layout


def _no_layout(why: str) -> Denied:
    return Denied(409, why, f"salt-run cmdb.expected set ... disk_layout=lvm:sda; {AGAIN}")


def _network(address: str | None, profile: Profile) -> Network | None:
    """Return the network of a machine; None when DHCP gives it."""
    if not address or profile.gateway is None:
        return None
    gateway = ip_interface(profile.gateway)
    if ip_address(address) not in gateway.network:
        raise Denied(
            409,
            f"the planned address {plain(address)} is not in {gateway.network} of the profile",
            f"correct the gateway of the profile, or the plan; {AGAIN}",
        )
    interface = ip_interface(f"{address}/{gateway.network.prefixlen}")
    return Network(interface, str(gateway.ip), list(profile.nameservers))
