"""
A machine: what it is, what it shows of that, its clock, and the file with its last name.
"""

import hashlib
import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone

from salt_ext.facts import timestamp
from salt_ext.report import envelope
from tests.simulation import shown

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0

DEAD_CLOCK = 946_684_800.0
"""2000-01-01: what a clock says whose battery is empty, in seconds since the epoch."""

FIRST, SECOND = 1, 2
"""The editions of the agent. The first has no secret and writes its name at once."""


@dataclass
class NameFile:
    """What a machine keeps of the name that it had."""

    name: str
    before: str | None = None
    """The name before that one: the first edition says it with every report."""
    secret: str | None = None
    moment: str | None = None
    """``collected_at`` of the last report that a master took under ``name``."""


@dataclass
class Card:
    """A network card in a slot."""

    name: str
    slot: str
    mac: str


@dataclass(eq=False)
class Machine:
    """One machine. Its number is what it really is; all else may change."""

    number: int
    kind: str
    name: str
    chance: random.Random
    edition: int = SECOND
    serial: str | None = None
    board: str | None = None
    uuid: str | None = None
    machine_id: str | None = None
    cards: list[Card] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    disks: list[str] = field(default_factory=list)
    kernel: int = 0
    firmware: int = 0
    hidden: frozenset[str] = frozenset()
    """Sections whose collector fails, and fields (``system.uuid``) that cannot be read."""
    partly: frozenset[str] = frozenset()
    """Sections of which the collector sees only a part."""
    masters: list[int] = field(default_factory=list)
    """The masters that it reports to: the first that is up, or all of them."""
    to_all: bool = False
    period: float = 8 * HOUR
    is_on: bool = True
    is_gone: bool = False
    """It will never report again."""
    is_evil: bool = False
    booted_at: float = 0.0
    boot_id: str = ""
    clock: float = 0.0
    """How far its clock is ahead, in seconds."""
    file: NameFile | None = None
    answer: tuple[str, str] | None = None
    """The name that its last judged report had, and that of the asset where it was stored."""
    causes: list[str] = field(default_factory=list)
    """What happened to it that may leave it to a person."""
    story: list[str] = field(default_factory=list)
    disturbed_at: float = 0.0
    image: "Machine | None" = None
    """A copy of a guest as it was, from which it may be cloned."""
    _body: dict | None = None

    @property
    def is_live(self):
        return self.is_on and not self.is_gone

    def changed(self):
        """Let the next report be made anew."""
        self._body = None

    def tell(self, at, what):
        """Add a line to its story."""
        self.story.append(f"{moment(at)}  {what}")
        self.disturbed_at = max(self.disturbed_at, at)

    def boot(self, at):
        """Begin a boot with an id of its own."""
        self.booted_at = at
        self.boot_id = identifier(self.chance)

    def body(self):
        """Return the report without its header, made once after each change."""
        if self._body is None:
            self._body = envelope.build(shown.document(self), self.name, None, "agent")
        return self._body

    def collected_at(self, at):
        return timestamp(at + self.clock)

    def report(self, at):
        """Return the report that the machine makes at a time in seconds since the epoch."""
        body = self.body()
        since_boot = at - self.booted_at
        report = {
            **body,
            "minion_id": self.name,
            "previous_minion_id": self._previous(),
            "collected_at": self.collected_at(at),
        }
        if "operating_system" not in self.hidden:
            own = {"boot_id": self.boot_id, "uptime_seconds": int(since_boot)}
            report["volatile"] = {**body["volatile"], "operating_system": own}
        if self.edition == SECOND:
            self._own_file()
            report |= {
                "boot_id": self.boot_id,
                "since_boot_ms": int(since_boot * 1000),
                "secret_hash": hashed(self.file.secret),
            }
            if self.file.name != self.name and self.file.moment:
                report["proof"] = {"secret": self.file.secret, "collected_at": self.file.moment}
        return report

    def sent(self, report):
        """Note that a master took a report."""
        if self.edition == FIRST:
            if self.file is None or self.file.name != self.name:
                self.file = NameFile(self.name, self.file and self.file.name)
            self.file.moment = report["collected_at"]
        elif self.file.name == self.name:
            self.file.moment = report["collected_at"]

    def read_answer(self):
        """Write the present name into the file once the store has answered that it is taken."""
        if self.edition == SECOND and self.answer == (self.name, self.name):
            self._own_file()
            if self.file.name != self.name:
                self.file = NameFile(self.name, None, self.file.secret)

    def _own_file(self):
        if self.file is None:
            self.file = NameFile(self.name)
        if self.file.secret is None:
            self.file.secret = f"{self.chance.getrandbits(256):064x}"

    def _previous(self):
        if self.file is None:
            return None
        if self.file.name != self.name:
            return self.file.name
        return self.file.before if self.edition == FIRST else None

    def says(self):
        """Return what it is and shows, for a story."""
        cards = " ".join(card.mac for card in self.cards)
        hidden = f" hidden: {', '.join(sorted(self.hidden | self.partly))}" * bool(
            self.hidden | self.partly
        )
        return (
            f"machine {self.number} ({self.kind}, edition {self.edition}) {self.name}:"
            f" serial {self.serial}, board {self.board}, uuid {self.uuid},"
            f" machine-id {self.machine_id}, {cards or 'no card'}{hidden}"
        )


def moment(at):
    """Return a time in a form that is short and sorts: month, day, hour, minute."""
    return datetime.fromtimestamp(at, timezone.utc).strftime("%m-%d %H:%M:%S")


def identifier(chance):
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def hashed(secret):
    return hashlib.sha256(secret.encode()).hexdigest()
