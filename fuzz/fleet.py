"""
Play fleets of several hundred machines, one after another, until something is wrong.

``./dev fuzz fleet [MACHINE-WEEKS]``, 10,000 by default; every seed is played in two
orders of arrival now and then. What is wrong is told as a story, with the line that
plays it again.
"""

from __future__ import annotations

import itertools
import time

from tests.simulation import run

MACHINE_WEEKS = 10_000
MACHINES, WEEKS = 250, 8
SIZES = ((MACHINES, WEEKS), (60, 5), (25, 4))
"""Large fleets have more that meets by chance, small ones a story that is sooner understood."""

IN_ANOTHER_ORDER = 3
"""Every so many seeds are played once more, with another order of arrival."""


def main(machine_weeks: int = MACHINE_WEEKS, seed: int | None = None) -> int:
    """Play until so many machine-weeks are played; return 1 when something was found."""
    first = int(time.time()) % 1_000_000 if seed is None else seed
    played_weeks = held = findings = 0
    with run.server() as new:
        for number in itertools.count():
            if played_weeks >= machine_weeks:
                break
            machines, weeks = SIZES[number % len(SIZES)]
            options = run.Options(first + number, machines, weeks)
            played = run.play(new(), options)
            played_weeks += played.machine_weeks
            held += len(played.judge.held_at_end)
            findings += len(played.findings)
            print(f"\n{options.line()}", *played.figures(), sep="\n", flush=True)
            for one in played.firsts():
                print(f"\n{played.story(one)}", flush=True)
            if number % IN_ANOTHER_ORDER == 1:
                other = run.play(new(), options._replace(order=1))
                played_weeks += played.machine_weeks
                differs = run.dump(other) != run.dump(played)
                findings += differs
                print("another order of arrival ends", "OTHERWISE" if differs else "alike")
    rate = 1000 * held / max(1, played_weeks)
    print(
        f"\n{played_weeks} machine-weeks, {findings} findings,"
        f" {rate:.1f} held at the end per 1,000 machine-weeks"
    )
    return 1 if findings else 0
