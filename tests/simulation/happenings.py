"""
What happens to machines.

Each function gets the world, a machine and the time, and does one thing. ``EVENTS`` says
how often, and to which kinds of machine. What may leave a machine to a person, by the
rules of ``docs/identity.md``, is noted among its ``causes``.
"""

import copy
from typing import NamedTuple

from tests.simulation.fleet import new_card, new_serial
from tests.simulation.machine import (
    DAY,
    DEAD_CLOCK,
    FIRST,
    HOUR,
    MINUTE,
    SECOND,
    NameFile,
    identifier,
)

METAL = ("physical", "enclosure", "placeholder", "mac")
GUESTS = ("vm", "template")
ALL = (*METAL, *GUESTS, "container")


def update_kernel(world, machine, at):
    machine.kernel += 1
    world.reboot(machine, at, "a new kernel")


def update_firmware(world, machine, at):
    machine.firmware += 1
    world.reboot(machine, at, "new firmware")


def reboot(world, machine, at):
    world.reboot(machine, at, "a reboot")


def replace_module(world, machine, at):
    machine.modules[machine.chance.randrange(len(machine.modules))] = new_serial(
        machine.chance, "DIMM"
    )
    world.reboot(machine, at, "another memory module")


def replace_disk(world, machine, at):
    if not machine.disks:
        return
    machine.disks[machine.chance.randrange(len(machine.disks))] = new_serial(machine.chance, "DISK")
    machine.changed()
    machine.tell(at, "another disk")


def swap_disks(world, machine, at):
    """Two machines swap a disk."""
    other = world.another(machine, METAL)
    if other and machine.disks and other.disks:
        machine.disks[-1], other.disks[-1] = other.disks[-1], machine.disks[-1]
        for one, two in ((machine, other), (other, machine)):
            one.changed()
            one.tell(at, f"swaps a disk with {two.name}")


def replace_card(world, machine, at):
    if machine.cards:
        place = machine.chance.randrange(len(machine.cards))
        machine.cards[place] = new_card(machine.chance, place)
        if machine.kind in ("placeholder", "mac", "enclosure"):
            machine.causes.append("another card")
        world.reboot(machine, at, "another network card")


def travelling_card(world, machine, at):
    """A card goes from one machine to another, which has more cards; its slot may sort first."""
    other = world.another(machine, METAL)
    if other is None or len(machine.cards) < 2 or not other.cards:
        return
    place = machine.chance.randrange(len(machine.cards))
    card = machine.cards.pop(place)
    slot = machine.chance.choice((0, 9))
    other.cards.append(new_card(machine.chance, slot))
    other.cards[-1].name, other.cards[-1].mac = f"ens{len(other.cards)}", card.mac
    for one in (machine, other):
        if one.kind in ("mac", "placeholder", "enclosure"):
            one.causes.append("a card that travelled")
    world.reboot(machine, at, f"its card {card.mac} goes to {other.name}")
    world.reboot(other, at, f"gets the card {card.mac} of {machine.name}")


def replace_board(world, machine, at):
    """A new board, into which the technician writes the old serial number, or forgets to."""
    keeps = machine.chance.random() < 0.7
    machine.board = machine.board and new_serial(machine.chance, "BRD")
    machine.uuid = machine.uuid and identifier(machine.chance)
    if not keeps:
        machine.serial = machine.serial and new_serial(machine.chance, "SN")
    if machine.chance.random() < 0.5:
        machine.cards = [new_card(machine.chance, slot) for slot in range(len(machine.cards))]
    machine.causes.append("another board" if keeps else "another board and serial number")
    world.reboot(machine, at, machine.causes[-1])


def reinstall(world, machine, at):
    """A new system: another machine-id, no file with the last name, another minion key."""
    machine.machine_id = identifier(machine.chance).replace("-", "")
    machine.file = None
    machine.edition = SECOND
    machine.answer = None
    if machine.kind not in ("physical", "vm"):
        machine.causes.append("reinstalled")
    world.reboot(machine, at, "is reinstalled")


def reinstall_under_another_name(world, machine, at):
    """Nobody knows what it was but its hardware; it needs the old name to be gone or silent."""
    reinstall(world, machine, at)
    machine.causes.append("reinstalled under another name")
    world.rename(machine, at, with_key=machine.chance.random() < 0.5)


def rename(world, machine, at):
    """Another minion id, while the old key stays or is deleted."""
    proves = machine.edition == SECOND and machine.file is not None and machine.file.secret
    if not proves or machine.kind in ("template", "container", "enclosure"):
        machine.causes.append("renamed")
    world.rename(machine, at, with_key=machine.chance.random() < 0.3)


def upgrade(world, machine, at):
    """The agent of the second edition takes the place of the first."""
    if machine.edition == FIRST:
        machine.edition = SECOND
        machine.tell(at, "gets the second edition of the agent")


def power_off(world, machine, at):
    """Switched off for hours or days."""
    hours = machine.chance.choice((1, 3, 8, 20, 40, 90, 200))
    world.switch_off(machine, at, hours * HOUR)


def retire(world, machine, at):
    """Scrapped; its key is deleted, or forgotten."""
    machine.is_gone = True
    forgotten = machine.chance.random() < 0.5
    machine.tell(at, f"is retired, its key is {'forgotten' if forgotten else 'deleted'}")
    if not forgotten:
        world.delete_key(machine.name)
    if machine.chance.random() < 0.5:
        name = machine.name
        world.after(at + machine.chance.random() * 3 * DAY, lambda then: world.reuse(name, then))


def install(world, machine, at):
    """A new machine of the same kind; a name is given anew that another machine had."""
    world.install(machine.kind if machine.kind != "enclosure" else "physical", at)


def clone(world, machine, at):
    """A guest is copied: now or from an older image, with or without the file with the name."""
    source = machine.image if machine.image and machine.chance.random() < 0.5 else machine
    other = world.install(machine.kind, at, announce=False)
    keeps_uuid = machine.chance.random() < 0.3
    other.uuid = source.uuid if keeps_uuid else other.uuid
    other.machine_id = source.machine_id
    other.edition = source.edition
    with_file = machine.chance.random() < 0.6
    other.file = copy.copy(source.file) if with_file else None
    if machine.chance.random() < 0.3:
        other.boot_id, other.booted_at = source.boot_id, source.booted_at
    other.causes.append(f"a clone of {machine.name}" + ", of its UUID too" * keeps_uuid)
    machine.causes.append(f"was cloned as {other.name}")
    file = " with its file" * bool(other.file) + " from an old image" * (source is not machine)
    machine.tell(at, f"is cloned as {other.name}{file}")
    other.tell(at, f"is a clone of {machine.name}{file}; {other.says()}")


def take_image(world, machine, at):
    """Keep a copy of a guest, from which it may be cloned later."""
    machine.image = copy.copy(machine)
    machine.image.file = copy.copy(machine.file)
    machine.tell(at, "an image of it is kept")


def return_to_snapshot(world, machine, at):
    """The memory of a guest is set back: the same boot, but earlier, and an older file."""
    back = machine.chance.choice((1, 10, 30)) * HOUR
    machine.booted_at = min(at, machine.booted_at + back)
    machine.tell(at, f"its memory is set back by {back / HOUR:.0f} h")


def made_again(world, machine, at):
    """A guest or container is made again under its name: it is another machine."""
    machine.is_gone = True
    machine.tell(at, "is destroyed and made again under its name")
    other = world.install(machine.kind, at, name=machine.name)
    if other.cards and machine.cards and machine.chance.random() < 0.5:
        other.cards[0].mac = machine.cards[0].mac
    other.causes.append("made again under the name of another")


def transplant(world, machine, at):
    """The system disk goes into another machine, and with it name, key and file."""
    machine.is_gone = True
    machine.tell(at, "its system goes into other hardware")
    other = world.install("physical", at, name=machine.name)
    other.machine_id, other.file = machine.machine_id, machine.file
    other.edition, other.disks = machine.edition, machine.disks
    other.causes.append("the system of another machine")


def hide(world, machine, at):
    """Collectors fail for a while, or fields cannot be read."""
    machine.hidden = frozenset(machine.chance.choice(HIDDEN))
    machine.partly = frozenset(machine.chance.choice(((), ("memory",), ("disks",), ("system",))))
    machine.partly -= machine.hidden
    machine.changed()
    machine.tell(at, f"cannot read {', '.join(sorted(machine.hidden | machine.partly))}")
    world.after(at + machine.chance.random() * 2 * DAY, lambda then: _unhide(machine, then))


HIDDEN = (
    ("system",),
    ("system", "baseboards"),
    ("network",),
    ("operating_system",),
    ("disks",),
    ("system.serial_number",),
    ("system.uuid",),
    ("operating_system.machine_id",),
    ("system", "baseboards", "network"),
    ("system", "baseboards", "network", "operating_system"),
)


def _unhide(machine, at):
    machine.hidden = machine.partly = frozenset()
    machine.changed()
    machine.tell(at, "can read everything again")


def wrong_clock(world, machine, at):
    """Its clock is wrong, minutes to days, until somebody sets it right."""
    ahead = machine.chance.choice((2, 5, 9, 40, -15, -60, -1440)) * MINUTE
    machine.clock = ahead
    machine.tell(at, f"its clock goes {ahead / MINUTE:+.0f} min wrong")
    world.after(at + machine.chance.random() * 2 * DAY, lambda then: _set_clock(machine, then))


def empty_battery(world, machine, at):
    """It boots in the year 2000, reports, and has the right time an hour later."""
    machine.clock = DEAD_CLOCK - at
    world.reboot(machine, at, "an empty battery: it is 2000", report_in=10 * MINUTE)
    world.after(at + HOUR, lambda then: _set_clock(machine, then))


def _set_clock(machine, at):
    machine.clock = 0.0
    machine.tell(at, "its clock is right again")


def move(world, machine, at):
    """It reports to other masters from now on."""
    masters = list(range(len(world.masters)))
    machine.chance.shuffle(masters)
    machine.masters = masters[: len(machine.masters)]
    machine.tell(at, f"reports to {', '.join(world.masters[one].name for one in machine.masters)}")


class Event(NamedTuple):
    """How often something happens to a machine in a week, and to which kinds."""

    weekly: float
    kinds: tuple[str, ...]


EVENTS = {
    update_kernel: Event(0.15, ALL),
    reboot: Event(0.1, ALL),
    update_firmware: Event(0.03, METAL),
    replace_module: Event(0.04, METAL),
    replace_disk: Event(0.04, METAL),
    swap_disks: Event(0.02, METAL),
    replace_card: Event(0.02, METAL),
    travelling_card: Event(0.03, METAL),
    replace_board: Event(0.02, METAL),
    reinstall: Event(0.03, ALL),
    reinstall_under_another_name: Event(0.015, ALL),
    rename: Event(0.06, ALL),
    upgrade: Event(0.05, ALL),
    power_off: Event(0.08, ALL),
    retire: Event(0.015, ALL),
    install: Event(0.01, ALL),
    clone: Event(0.06, GUESTS),
    take_image: Event(0.06, GUESTS),
    return_to_snapshot: Event(0.03, GUESTS),
    made_again: Event(0.04, (*GUESTS, "container")),
    transplant: Event(0.01, ("physical",)),
    hide: Event(0.08, ALL),
    wrong_clock: Event(0.06, ALL),
    empty_battery: Event(0.02, METAL),
    move: Event(0.03, ALL),
}
"""Events of this kind, by function; their names are those of ``--without``."""
