"""
A made-up fleet that is the same everywhere: its machines, their reports, a year of changes.

Machines have the numbers from 1 on. All chance comes from one ``random.Random`` with a
seed, and only from its ``random()``: of this method Python promises to keep the sequence.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from benchmarks.fleet import documents, happenings, models
from benchmarks.fleet.documents import Facts as Facts
from benchmarks.fleet.happenings import DAY_SECONDS
from salt_ext.report import envelope

START = datetime(2025, 1, 1, tzinfo=timezone.utc)


def machine(number: int) -> Facts:
    """Return the fact document of a machine on the day it is installed, in normal form."""
    return documents.facts(models.new(number))


def changed(number: int) -> Facts:
    """Return the facts of a machine after one of the things that happen to it in a year."""
    one = models.new(number)
    happenings.common(one, random.Random(number))
    return documents.facts(one)


def report(
    number: int, at: datetime, facts: Facts | None = None, mode: str = "agent"
) -> dict[str, Any]:
    """Return the report of a machine at a time; by default with the facts of its first day."""
    facts = machine(number) if facts is None else facts
    minion_id = facts["operating_system"]["hostname"]
    seconds = int((at - START).total_seconds()) + number * 7919
    load = seconds // 900 % 12
    boot, uptime = divmod(seconds, 90 * DAY_SECONDS)
    own = {
        "operating_system": {"volatile": {"uptime_seconds": uptime}},
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
    }
    previous = models.name(number) if minion_id in models.later_names(number) else None
    collected = documents.collected(document, at, duration_ms=20 + load)
    collected |= {
        "boot_id": f"{number:08x}-0000-4000-8000-{boot % (1 << 48):012x}",
        "since_boot_ms": uptime * 1000,
    }
    return envelope.build(collected, minion_id, previous, mode)


def year(
    machines: int, days: int = 365, start: datetime = START, seed: int = 1
) -> Iterator[tuple[datetime, int, Facts]]:
    """
    Yield time, number and facts of every report of a fleet that differs from the one before.

    The machines from 1 to ``machines`` are there at the start; their first reports
    are not yielded. A machine that is installed later is yielded with its first
    report, too. A scrapped machine reports no more. Parts that are taken out of one
    machine appear in another.
    """
    yield from _play(happenings.Fleet(machines, random.Random(seed)), days, start)


def story(machines: int, days: int, start: datetime) -> Iterator[tuple[datetime, int, Facts]]:
    """
    Yield a first report of every machine, then the same as :func:`year`, then last reports.

    The last reports are at the end of these days, of all machines that are still there.
    """
    for number in range(1, machines + 1):
        yield start - timedelta(hours=1), number, machine(number)
    fleet = happenings.Fleet(machines, random.Random(1))
    yield from _play(fleet, days, start)
    for number, one in fleet.machines.items():
        yield start + timedelta(days=days), number, documents.facts(one)


def _play(
    fleet: happenings.Fleet, days: int, start: datetime
) -> Iterator[tuple[datetime, int, Facts]]:
    fleet.plan_updates(days)
    for day in range(days):
        for second, number in fleet.play(day):
            at = start + timedelta(days=day, seconds=second)
            yield at, number, documents.facts(fleet.machines[number])
