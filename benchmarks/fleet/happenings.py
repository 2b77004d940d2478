"""
What happens to the machines of a made-up fleet from day to day.

Parts fail, move and are replaced. Boards are replaced. Machines are renamed, installed
anew and scrapped, and some new machines take the names of scrapped ones. All of it
comes from a random generator with a seed.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from benchmarks.fleet import models
from benchmarks.fleet.models import Drive, Machine, Module

Event: TypeAlias = "Callable[[Machine], bool]"
"""Something that happens to a machine; it returns false when it could change nothing."""

DAY_SECONDS = 86400
REPLACED_WITHIN_DAYS = 14
NAME_RESTS_DAYS = 30
"""How long nobody has the name of a machine that was scrapped."""
NAMES_REUSED = 0.3
"""Which share of the new machines takes such a name, where there is one."""
SPARES = 1 << 28
"""The number from which spare parts are counted; no machine has one so high."""
BOARDS = 1 << 21
"""
What a new board adds to the number of the board before.

Each board has four MACs, and the numbers of all MACs must be below 1 << 24.
"""
TEMPLATE = 0
"""The installation from which later guests are copied, machine-id and all."""

KERNEL_WAVES, KERNEL_SHARE, KERNEL_DAYS = 5, 0.93, 4
BIOS_WAVES, BIOS_SHARE, BIOS_DAYS = 2, 0.7, 20
DISK_WAVES, DISK_SHARE, DISK_DAYS = 1, 0.8, 10
"""Updates in a year, which share of the machines takes part, within how many days."""

T = TypeVar("T")


def common(one: Machine, chance: random.Random) -> None:
    """
    Let one thing happen to a machine that involves no other machine.

    The frequent ones are chosen more often.
    """
    fleet = Fleet(0, chance)
    events: list[Event] = [
        *([_update_kernel] * 11 + [_update_bios] * 3 + [_update_disks] * 2),
        *(fleet._reorder_disks, fleet._readdress, fleet._plug_stick, fleet._lose_module),
    ]
    while not fleet._pick(events)(one):
        pass


class Fleet:
    """The machines as they are now, and what is going to happen to them."""

    def __init__(self, machines: int, chance: random.Random) -> None:
        """Begin with so many new machines."""
        self.chance = chance
        self.machines = {number: models.new(number) for number in range(1, machines + 1)}
        self.numbers = list(self.machines)
        self.next_number = machines + 1
        self.next_spare = SPARES
        self.day = 0
        self.heard: dict[int, int] = {}
        """The day on which each machine has reported last."""
        self.free_names: list[tuple[int, str]] = []
        """Names that no machine has, each with the day since which that is so."""
        self.upset: set[int] = set()
        """Machines that have changed a part of their identity today."""
        self.agenda: dict[int, list[tuple[int, Event]]] = defaultdict(list)
        self.waves: dict[int, list[tuple[Event, float, int]]] = defaultdict(list)
        # What happens to single machines, and how often in a machine's year.
        self.happenings: tuple[tuple[Event, float], ...] = (
            (self._lose_module, 0.06),
            (self._fail_disk, 0.1),
            (self._give_disk, 0.03),
            (self._give_module, 0.02),
            (self._once_a_day(self._rename), 0.03),
            (self._once_a_day(_reinstall), 0.03),
            (self._once_a_day(_replace_board), 0.01),
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
        """Let a day pass; yield (second of the day, number) of each machine that has changed."""
        self.day = day
        self.upset.clear()
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
                self.heard[number] = day
                yield second, number

    def _once_a_day(self, event: Event) -> Event:
        """
        Return an event that does nothing to a machine that changed its identity today.

        A machine that changed all of its identity at once could not be recognized.
        """

        def happen(one: Machine) -> bool:
            if one.number in self.upset:
                return False
            self.upset.add(one.number)
            return event(one)

        return happen

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
        new = self.machines[number] = models.new(number)
        if models.model_of(number) is None:
            new.installation = TEMPLATE
        rested = bool(self.free_names) and self.free_names[0][0] <= self.day - NAME_RESTS_DAYS
        if rested and self.chance.random() < NAMES_REUSED:
            new.name = self.free_names.pop(0)[1]
        self.numbers.append(number)
        return number

    def _scrap(self) -> None:
        place = int(self.chance.random() * len(self.numbers))
        self.numbers[place], self.numbers[-1] = self.numbers[-1], self.numbers[place]
        gone = self.machines.pop(self.numbers.pop())
        self.free_names.append((self.day, gone.name))
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
        # The reports here prove no rename, so the old name must have been silent for a while.
        if one.name != models.name(one.number) or self.day - self.heard.get(one.number, -1) < 3:
            return False
        one.name = self._pick(models.later_names(one.number))
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
        """Swap the first two disks, as a boot may find them in another order."""
        if len(one.drives) < 2:
            return False
        one.drives[0], one.drives[1] = one.drives[1], one.drives[0]
        return True


def _reinstall(one: Machine) -> bool:
    """Install the machine anew, which gives it another machine-id."""
    one.installation += SPARES
    return True


def _replace_board(one: Machine) -> bool:
    """Replace the board; the new one is given the machine's serial number."""
    if one.board != one.number or not one.drives:
        return False
    one.board += BOARDS
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
