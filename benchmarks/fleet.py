"""
A made-up fleet that is the same everywhere: its machines, their reports, a year of changes.

Machines have the numbers from 1 on. Chance is one ``random.Random`` with a seed, and
only its ``random()``, the one method whose sequence Python promises to keep.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias, TypeVar

from benchmarks import documents, models
from benchmarks.models import Drive, Machine, Module
from salt_ext import report as envelope
from salt_ext.facts import timestamp

Facts: TypeAlias = dict[str, Any]
Event: TypeAlias = "Callable[[Machine], bool]"
"""Something that happens to a machine; false when it changed nothing after all."""

START = datetime(2025, 1, 1, tzinfo=timezone.utc)
DAY_SECONDS = 86400
REPLACED_WITHIN_DAYS = 14
SPARES = 1 << 28
"""The number from which spare parts are counted; no machine has one so high."""

KERNEL_WAVES, KERNEL_SHARE, KERNEL_DAYS = 5, 0.93, 4
BIOS_WAVES, BIOS_SHARE, BIOS_DAYS = 2, 0.7, 20
DISK_WAVES, DISK_SHARE, DISK_DAYS = 1, 0.8, 10
"""Updates in a year, which share of the machines takes part, within how many days."""

T = TypeVar("T")


def machine(number: int) -> Facts:
    """Return the fact document of a machine on the day it is installed, in normal form."""
    return documents.facts(models.new(number))


def changed(number: int) -> Facts:
    """Return the facts of a machine after one of the things that happen to it in a year."""
    fleet = _Fleet(0, random.Random(number))
    one = models.new(number)
    # About as often as they happen; those that take another machine are left out.
    common: list[Event] = [
        *([_update_kernel] * 11 + [_update_bios] * 3 + [_update_disks] * 2),
        *(fleet._reorder_disks, fleet._readdress, fleet._plug_stick, fleet._lose_module),
    ]
    while not fleet._pick(common)(one):
        pass
    return documents.facts(one)


def report(
    number: int, at: datetime, facts: Facts | None = None, mode: str = "agent"
) -> dict[str, Any]:
    """Return the report of a machine at a time; its facts are those it was installed with."""
    facts = machine(number) if facts is None else facts
    minion_id = facts["operating_system"]["hostname"]
    seconds = int((at - START).total_seconds()) + number * 7919
    load = seconds // 900 % 12
    own = {
        "operating_system": {"volatile": {"uptime_seconds": seconds % (90 * DAY_SECONDS)}},
        "memory": {"volatile": {"total_bytes": facts["memory"]["installed_bytes"] * 63 // 64}},
    }
    document = {
        **facts,
        **{section: facts[section] | volatile for section, volatile in own.items()},
        "smart": [
            disk
            | {
                "volatile": {
                    "temperature_celsius": 30 + load,
                    "power_on_hours": seconds // 3600,
                    "percentage_used": seconds // (60 * DAY_SECONDS),
                }
            }
            for disk in facts["smart"]
        ],
        "network": [
            card | {"volatile": {"carrier": True, "speed_mbps": 25000, "duplex": "full"}}
            for card in facts["network"]
        ],
        "schema": envelope.SCHEMA,
        "collected_at": timestamp(at.timestamp()),
        "duration_ms": 20 + load,
        "errors": {},
        "partial": [],
    }
    first = models.name(number)
    return envelope.build(document, minion_id, first if first != minion_id else None, mode)


def year(
    machines: int, days: int = 365, start: datetime = START, seed: int = 1
) -> Iterator[tuple[datetime, int, Facts]]:
    """
    Yield time, number and facts of every report of a fleet that differs from the one before.

    The machines from 1 to ``machines`` are there at the start, and are not
    yielded then. One that is installed meanwhile is yielded with its first
    report; of one that is scrapped nothing more is heard. Parts that are taken
    out of one machine come up in another.
    """
    fleet = _Fleet(machines, random.Random(seed))
    fleet.plan_updates(days)
    for day in range(days):
        for second, number in fleet.play(day):
            at = start + timedelta(days=day, seconds=second)
            yield at, number, documents.facts(fleet.machines[number])


class _Fleet:
    """The machines as they are now, and what is going to happen to them."""

    def __init__(self, machines: int, chance: random.Random) -> None:
        self.chance = chance
        self.machines = {number: models.new(number) for number in range(1, machines + 1)}
        self.numbers = list(self.machines)
        self.next_number = machines + 1
        self.next_spare = SPARES
        self.day = 0
        self.agenda: dict[int, list[tuple[int, Event]]] = defaultdict(list)
        self.waves: dict[int, list[tuple[Event, float, int]]] = defaultdict(list)
        # What happens to single machines, and how often in a machine's year.
        self.happenings: tuple[tuple[Event, float], ...] = (
            (self._lose_module, 0.06),
            (self._fail_disk, 0.1),
            (self._give_disk, 0.03),
            (self._give_module, 0.02),
            (self._rename, 0.03),
            (self._readdress, 0.25),
            (self._plug_stick, 0.4),
            (self._reorder_disks, 0.4),
        )

    def plan_updates(self, days: int) -> None:
        """Put the updates of the whole fleet on their days."""
        for update, waves, share, within in (
            (_update_kernel, KERNEL_WAVES, KERNEL_SHARE, KERNEL_DAYS),
            (_update_bios, BIOS_WAVES, BIOS_SHARE, BIOS_DAYS),
            (_update_disks, DISK_WAVES, DISK_SHARE, DISK_DAYS),
        ):
            for number in range(waves * days // 365):
                day = int((number + 0.2 + 0.6 * self.chance.random()) * 365 / waves)
                self.waves[day].append((update, share, within))

    def play(self, day: int) -> Iterator[tuple[int, int]]:
        """Let a day pass; yield second and number of each machine when it has changed."""
        self.day = day
        for update, share, within in self.waves.pop(day, ()):
            for number in self.numbers:
                if self.chance.random() < share:
                    # Most of them in the first days.
                    later = int(within * self.chance.random() ** 2)
                    self.agenda[day + later].append((number, update))
        for event, rate in self.happenings:
            for _ in range(self._times(rate)):
                self.agenda[day].append((self._pick(self.numbers), event))
        # One report for all that happened to a machine on one day.
        events: dict[int, list[Event]] = defaultdict(list)
        for number, event in self.agenda.pop(day, ()):
            events[number].append(event)
        for _ in range(self._times(0.04)):
            self._scrap()
        for _ in range(self._times(0.05)):
            events[self._install()] = []
        seconds = sorted((int(self.chance.random() * DAY_SECONDS), one) for one in events)
        for second, number in seconds:
            found = self.machines.get(number)
            if found is None:
                continue
            happened = [event(found) for event in events[number]]
            if any(happened) or not happened:
                yield second, number

    def _times(self, rate: float) -> int:
        """Return how often a thing with this rate in a machine's year happens in one day."""
        return int(rate * len(self.numbers) / 365 + self.chance.random())

    def _pick(self, choices: list[T]) -> T:
        return choices[int(self.chance.random() * len(choices))]

    def _soon(self, number: int, event: Event) -> None:
        days = 1 + int(self.chance.random() * REPLACED_WITHIN_DAYS)
        self.agenda[self.day + days].append((number, event))

    def _spare(self) -> int:
        self.next_spare += 1
        return self.next_spare

    def _install(self) -> int:
        number = self.next_number
        self.next_number += 1
        self.machines[number] = models.new(number)
        self.numbers.append(number)
        return number

    def _scrap(self) -> None:
        place = int(self.chance.random() * len(self.numbers))
        self.numbers[place], self.numbers[-1] = self.numbers[-1], self.numbers[place]
        gone = self.machines.pop(self.numbers.pop())
        if gone.drives:
            self._hand_on(gone.drives[0])

    def _hand_on(self, part: Drive | Module) -> None:
        """Put a used part into another machine one of these days."""

        def insert(taker: Machine) -> bool:
            if not taker.drives:
                return False
            if isinstance(part, Drive):
                taker.drives.append(part)
            elif None in taker.modules:
                taker.modules[taker.modules.index(None)] = part
            else:
                return False
            return True

        self._soon(self._pick(self.numbers), insert)

    def _lose_module(self, one: Machine) -> bool:
        slot = self._occupied_slot(one)
        if slot is None:
            return False
        lost = one.modules[slot]
        one.modules[slot] = None

        def replace(one: Machine) -> bool:
            if one.modules[slot] is not None or lost is None:
                return False
            one.modules[slot] = models.module(lost.kind, self._spare())
            return True

        self._soon(one.number, replace)
        return True

    def _give_module(self, one: Machine) -> bool:
        slot = self._occupied_slot(one)
        part = None if slot is None else one.modules[slot]
        if slot is None or part is None:
            return False
        one.modules[slot] = None
        self._hand_on(part)
        return True

    def _occupied_slot(self, one: Machine) -> int | None:
        slots = [slot for slot, part in enumerate(one.modules) if part is not None]
        return self._pick(slots) if len(slots) > 1 else None

    def _fail_disk(self, one: Machine) -> bool:
        good = [bay for bay, part in enumerate(one.drives) if not part.is_failing]
        if not good:
            return False
        bay = self._pick(good)
        failing = one.drives[bay] = one.drives[bay]._replace(is_failing=True)

        def replace(one: Machine) -> bool:
            if failing not in one.drives:
                return False
            new = models.drive(failing.kind, self._spare())
            one.drives[one.drives.index(failing)] = new
            return True

        self._soon(one.number, replace)
        return True

    def _give_disk(self, one: Machine) -> bool:
        if len(one.drives) < 2:
            return False
        self._hand_on(one.drives.pop())
        return True

    def _rename(self, one: Machine) -> bool:
        first = models.name(one.number)
        if one.name != first:
            return False
        one.name = f"{self._pick(list(models.ROLES))}-{one.number:06d}"
        return True

    def _readdress(self, one: Machine) -> bool:
        one.address += 1
        return True

    def _plug_stick(self, one: Machine) -> bool:
        def unplug(one: Machine) -> bool:
            one.has_stick = False
            return True

        if one.has_stick:
            return False
        one.has_stick = True
        self._soon(one.number, unplug)
        return True

    def _reorder_disks(self, one: Machine) -> bool:
        """A boot that finds the first two disks in another order."""
        if len(one.drives) < 2:
            return False
        one.drives[0], one.drives[1] = one.drives[1], one.drives[0]
        return True


def _update_kernel(one: Machine) -> bool:
    one.kernel += 1
    return True


def _update_bios(one: Machine) -> bool:
    one.bios += 1
    return bool(one.drives)


def _update_disks(one: Machine) -> bool:
    one.drives = [disk._replace(firmware=disk.firmware + 1) for disk in one.drives]
    return bool(one.drives)
