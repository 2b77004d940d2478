"""
What a minion that means harm may send: each attack makes its report of a moment.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import fleet

Facts = dict[str, Any]

ATTACKER, VICTIM = 1, 2
"""The numbers of two machines of the made-up fleet."""


class Attack(NamedTuple):
    """What it is called in the table, and what is sent at a step."""

    name: str
    facts: Callable[[int], Facts]
    bank: str = "mine"
    errors: Callable[[int], dict[str, Any]] = lambda step: {}
    partial: tuple[str, ...] = ()


def _text(size: int) -> str:
    """Return a text that no compression makes smaller than three quarters of it."""
    return base64.b64encode(os.urandom(size * 3 // 4)).decode()


def _own(**section: Any) -> Facts:
    return {**fleet.machine(ATTACKER), **section}


def _cards(step: int, number: int) -> Facts:
    facts = fleet.machine(ATTACKER)
    cards = []
    for card in range(number):
        value = (step * number + card) & 0xFFFFFF
        mac = f"00:1b:21:{value >> 16:02x}:{value >> 8 & 255:02x}:{value & 255:02x}"
        cards.append({"name": f"e{card:05d}", "kind": "physical", "permanent_mac": mac})
    return {**facts, "network": cards}


def _held(step: int, number: int) -> Facts:
    """Show what the victim shows, other cards, and another installation."""
    victim = fleet.machine(VICTIM)
    system = {**fleet.machine(ATTACKER)["operating_system"], "machine_id": "0" * 31 + "7"}
    return {**_cards(step, number), "operating_system": system, "system": victim["system"]}


def _disks(step: int) -> Facts:
    disks = [
        {"name": f"d{n:05d}", "model": "m", "firmware_version": f"{step}"} for n in range(9000)
    ]
    return _own(disks=disks)


def _keyless(step: int) -> Facts:
    return {"operating_system": {"name": "x", "machine_id": f"{step + 0xABCDEF1234:032x}"}}


def _chinese(size: int) -> str:
    """Return a text of so many characters, each of three bytes."""
    return "".join(
        chr(0x4E00 + number % 0x5000) for number in memoryview(os.urandom(2 * size)).cast("H")
    )


def _errors(text: Callable[[int], str]) -> Callable[[int], dict[str, Any]]:
    """Return what gives, at each step, a hundred errors of collectors never heard of."""
    return lambda step: {
        f"collector_{step}_{number}": {
            "type": "OSError",
            "message": text(1000),
            "traceback": text(4000),
        }
        for number in range(100)
    }


ATTACKS = (
    Attack("3 MB of text that changes", lambda step: _own(own={"text": _text(3_000_000)})),
    Attack("9,000 disks that change", _disks),
    Attack("40,000 new network cards", lambda step: _cards(step, 40_000)),
    Attack("900 new network cards", lambda step: _cards(step, 900)),
    Attack("100 new errors, facts as before", lambda step: _own(), errors=_errors(_text)),
    Attack("the same, in Chinese", lambda step: _own(), errors=_errors(_chinese)),
    Attack("keys of another machine, 30,000 cards", lambda step: _held(step, 30_000)),
    Attack("keys of another machine, 900 cards", lambda step: _held(step, 900)),
    Attack(
        "a section in part that grows by 300 KB",
        lambda step: _own(own=[{"id": f"{step}", "text": _text(300_000)}]),
        partial=("own",),
    ),
    Attack("no key, another machine-id each time", _keyless),
    Attack("other hardware each time", lambda step: fleet.machine(5000 + step)),
    Attack("10 MB, which are refused", lambda step: _own(own={"text": _text(10_000_000)})),
    Attack("a grain of 3 MB", lambda step: _own(own={"text": _text(3_000_000)}), bank="grains"),
    Attack("a grain of 10 MB", lambda step: _own(own={"text": _text(10_000_000)}), bank="grains"),
    Attack("one fact that changes", lambda step: _own(own={"text": f"{step}"})),
)
