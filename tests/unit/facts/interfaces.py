"""Trees of /sys/class/net."""

from collections.abc import Iterable
from itertools import count

from salt_ext.facts.network import network
from tests.unit.facts.trees import tree

NET = "sys/class/net"


class Machine:
    """A tree of /sys/class/net in the making."""

    def __init__(self, where):
        self.where = where
        self.numbers = count(1)
        self.files = {}
        self.links = {}

    def add(self, name, path, **files):
        home = f"sys/devices/{path}/net/{name}"
        self.links[f"{NET}/{name}"] = f"../../devices/{path}/net/{name}"
        self.files |= {f"{home}/{file}": text for file, text in {"mtu": "1500\n", **files}.items()}
        return home

    def card(self, name, slot, bus="pci", **files):
        home = self.add(name, f"pci0000:00/{slot}", **files)
        self.links[f"{home}/device"] = f"../../../{slot}"
        self.links[f"sys/devices/pci0000:00/{slot}/subsystem"] = f"../../../../bus/{bus}"
        self.links[f"sys/devices/pci0000:00/{slot}/driver"] = "../../../bus/pci/drivers/ixgbe"
        return home

    def virtual(self, name, kind="", lower: Iterable[str] = (), **files):
        home = self.add(name, "virtual", uevent=f"DEVTYPE={kind}\n" if kind else "", **files)
        for below in lower:
            self.links[f"{home}/lower_{below}"] = f"../{below}"
        return home

    def read(self):
        return network(tree(self.where / f"{next(self.numbers)}", self.files, self.links))
