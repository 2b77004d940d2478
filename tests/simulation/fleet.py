"""
The machines of a fleet: which kinds there are, and what each has when it is installed.
"""

import random

from tests.simulation.machine import FIRST, HOUR, SECOND, Card, Machine, identifier

KINDS = (
    *["physical"] * 8,
    *["vm"] * 4,
    *["enclosure"] * 3,
    *["placeholder", "mac", "template", "template", "container"],
)
"""Each as often as it is here; an enclosure is two to four machines."""

NODE_SHOWS = (
    {"board", "uuid", "cards"},
    {"board"},
    {"uuid"},
    {"cards"},
    {"board", "cards"},
    set(),
)
"""What a node of an enclosure shows beside the serial number that its neighbours show too."""

FIRST_EDITION_SHARE = 0.25
FAILOVER, TO_ALL = 0.3, 0.15
"""The shares of machines that have a second master, and that report to each of them."""


class Fleet:
    """All machines that ever were, and the numbers that the next ones get."""

    def __init__(self, seed, masters):
        self.seed = seed
        self.masters = masters
        self.machines: list[Machine] = []
        self.chance = random.Random(f"fleet {seed}")
        self.template_machine_id = identifier(self.chance).replace("-", "")
        self.names = 0

    def live(self):
        return [one for one in self.machines if not one.is_gone]

    def fill(self, count, at):
        """Install machines until there are so many."""
        while len(self.machines) < count:
            kind = self.chance.choice(KINDS)
            if kind == "enclosure":
                self.enclosure(at)
            else:
                self.install(kind, at)

    def enclosure(self, at):
        """Install the nodes of an enclosure, which share a serial number."""
        first = len(self.machines) + 1
        alike = self.chance.random() < 0.5
        shows = self.chance.choice(NODE_SHOWS)
        for number in range(self.chance.randint(2, 4)):
            if number and not alike:
                shows = self.chance.choice(NODE_SHOWS)
            node = self.install("enclosure", at)
            node.serial = f"ENC{first:05d}X"
            if "board" not in shows:
                node.board = None
            if "uuid" not in shows:
                node.uuid = None
            if "cards" not in shows:
                node.cards = []
            if self.chance.random() < 0.2:
                node.machine_id = None

    def install(self, kind, at, name=None):
        """Install one machine and boot it."""
        number = len(self.machines) + 1
        chance = random.Random(f"machine {number} of {self.seed}")
        machine = Machine(number, kind, name or self.new_name(), chance)
        machine.edition = FIRST if chance.random() < FIRST_EDITION_SHARE else SECOND
        machine.serial = f"SN{number:05d}Q7"
        machine.board = f"BRD{number:05d}"
        machine.uuid = identifier(chance)
        machine.machine_id = identifier(chance).replace("-", "")
        machine.cards = [new_card(chance, slot) for slot in range(chance.randint(1, 3))]
        machine.modules = [new_serial(chance, "DIMM") for _ in range(2)]
        machine.disks = [new_serial(chance, "DISK") for _ in range(chance.randint(1, 3))]
        machine.period = chance.choice((6, 8, 12)) * HOUR
        self._by_kind(machine)
        self._masters(machine)
        machine.boot(at)
        machine.disturbed_at = at
        self.machines.append(machine)
        return machine

    def new_name(self):
        self.names += 1
        return f"node{self.names:04d}"

    def _by_kind(self, machine):
        kind = machine.kind
        if kind == "mac":
            machine.serial = machine.board = machine.uuid = None
        if kind in ("vm", "template", "container"):
            machine.serial = machine.board = None
            machine.cards = machine.cards[:1]
            machine.disks = []
        if kind == "template":
            machine.machine_id = self.template_machine_id
        if kind == "container":
            hosts = [one.uuid for one in self.machines if one.kind == "physical"]
            machine.uuid = hosts[-1] if hosts else machine.uuid

    def _masters(self, machine):
        mine = list(range(self.masters))
        machine.chance.shuffle(mine)
        share = machine.chance.random()
        machine.to_all = share < TO_ALL
        machine.masters = mine[: 1 if share > TO_ALL + FAILOVER else 2]


def new_card(chance, slot):
    """Return a new network card in a slot."""
    mac = "3c:ec:ef:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3))
    return Card(f"eth{slot}", f"0000:{16 * (slot + 1):02x}:00.0", mac)


def new_serial(chance, kind):
    return f"{kind}{chance.getrandbits(40):010X}"
