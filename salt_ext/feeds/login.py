"""
Which machines a program can log in to by their names: ssh, Ansible and whatever deploys code.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from salt_ext.feeds.handed import Handed, LeftOut

MEANT_OTHERWISE = re.compile(
    r"all|ungrouped|(.*\.)?localhost[0-9]*(\..*)?|ip6-.*|_.*", re.IGNORECASE
)
"""
Names that mean the machine of whoever logs in, or to Ansible all machines.

Those with ``_`` before them are systemd-resolved's, such as ``_outbound``.
"""

WHY = "whoever logs in by its name means another machine (ansible, ssh_config, targets)"

ADDRESS = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)\.?", re.IGNORECASE)
"""What the system takes for an IPv4 address: ``127.1`` and ``2130706433`` too."""


def for_login(machines: Iterable[Handed], left_out: list[LeftOut]) -> Iterator[Handed]:
    """Yield the machines whose name means no other machine; list the others."""
    for machine in machines:
        if means_another(machine.name, machine.address):
            left_out.append(LeftOut(machine.name, str(machine.row["id"]), WHY))
        else:
            yield machine


def means_another(name: str, address: str) -> bool:
    """Whether who logs in by this name means something else than the machine at an address."""
    if MEANT_OTHERWISE.fullmatch(name):
        return True
    return bool(ADDRESS.fullmatch(name)) and name != address
