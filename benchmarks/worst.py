"""
What the worst minion can cost in an hour: rows, bytes, CPU of the engine, its neighbours' time.

One minion sends a report with each look of the engine, every 5 seconds of an hour that is
simulated, through Salt's cache, the feed and ingest. Its neighbours report in turn. Bytes are
those by which the tables and their indexes grow, vacuum left out; the CPU time is that of the
engine's process, from the look to the end of the transaction.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import engine, fleet
from benchmarks.attacks import ATTACKER, ATTACKS, VICTIM, Attack
from benchmarks.postgres import Server, server
from salt_ext import store
from salt_ext.facts import timestamp
from salt_ext.master import intake
from salt_ext.master.cache import Cache
from salt_ext.master.waits import Waits
from salt_ext.report import envelope
from salt_ext.report.envelope import MINE_FUNCTION

HOUR_SECONDS = 3600
SWEEP_SECONDS = 5
NEIGHBOURS = range(VICTIM, VICTIM + 20)

MOST_BYTES = 50 << 20
MOST_CPU_SECONDS = 60


class Hour:
    """A master, a store, and the clocks of a simulated hour that ends now."""

    def __init__(self, postgres: Server, name: str, directory: Path) -> None:
        """Make a store with the reports of all machines in it."""
        self.postgres = postgres
        self.name = name
        self.database = postgres.new_store(name)
        self.now = float(int(time.time())) - HOUR_SECONDS
        self.minions = {one: fleet.report(one, fleet.START)["minion_id"] for one in _numbers()}
        self.cache = Cache(engine._master(directory, list(self.minions.values())))
        self.waits = Waits(lambda: self.now)
        self.feed = intake.feed(self.cache, self.database, waits=self.waits)
        self.feed.clock = lambda: self.now
        for number in self.minions:
            self.send(number, fleet.machine(number))
        self.pass_time()
        self.sweep()

    def send(self, number: int, facts: dict[str, Any], bank: str = "mine", **fields: Any) -> None:
        """Put a report of this moment into the cache."""
        document = {
            "schema": 1,
            "collected_at": timestamp(self.now),
            "duration_ms": 1,
            "errors": {},
            "partial": [],
            **fields,
            **facts,
        }
        name = self.minions[number]
        if bank == "mine":
            report = envelope.build(document, name, None, "agent")
            self.cache.cache.store(*self.cache._place("mine", name), {MINE_FUNCTION: report})
        else:
            self.cache.cache.flush(*self.cache._place("mine", name))
            self.cache.cache.store(*self.cache._place("grains", name), {"cmdb": document})
        for path in Path(self.cache.opts["cachedir"]).rglob(f"{name}*"):
            os.utime(path, (self.now, self.now))

    def pass_time(self, seconds: float = SWEEP_SECONDS) -> None:
        """Let all clocks go on, those of the store too."""
        self.now += seconds
        self.postgres.ask(
            f"UPDATE spent SET since = since - interval '{seconds} seconds'",
            self.name,
        )

    def sweep(self) -> tuple[float, float]:
        """Look and store, as the engine does; return the CPU time and the time that took."""
        cpu, began = time.process_time(), time.monotonic()
        self.feed.look()
        self.feed.drain()
        return time.process_time() - cpu, time.monotonic() - began

    def rows(self) -> int:
        """Return how many rows all tables have."""
        tables = self.postgres.table_bytes(self.name)
        return sum(
            self.postgres.ask(f'SELECT count(*) FROM "{one}"', self.name)[0][0] for one in tables
        )

    def size(self) -> int:
        """Return the size of all tables with their indexes."""
        return sum(self.postgres.table_bytes(self.name).values())


def _numbers() -> Iterator[int]:
    return iter((ATTACKER, *NEIGHBOURS))


def attack(postgres: Server, one: Attack | None, seconds: int) -> dict[str, Any]:
    """Return what an attack, or none, costs in so many simulated seconds."""
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory:
        hour = Hour(postgres, f"worst_{next(NAMES)}", Path(directory))
        rows, size = hour.rows(), hour.size()
        turns = itertools.cycle(NEIGHBOURS)
        cpu_seconds, waited = 0.0, []
        for step in range(seconds // SWEEP_SECONDS):
            if one is not None and hour.minions[ATTACKER] not in hour.waits:
                # What is made up meanwhile would never be read.
                partial, errors = list(one.partial), one.errors(step)
                hour.send(ATTACKER, one.facts(step), one.bank, partial=partial, errors=errors)
            neighbour = next(turns)
            hour.send(neighbour, fleet.machine(neighbour))
            hour.pass_time()
            cpu, took = hour.sweep()
            cpu_seconds += cpu
            waited.append(took)
        result = {
            "attack": one.name if one is not None else "none",
            "rows": hour.rows() - rows,
            "bytes": hour.size() - size,
            "cpu_seconds": round(cpu_seconds, 1),
            "neighbour_median_seconds": round(SWEEP_SECONDS / 2 + statistics.median(waited), 3),
            "neighbour_worst_seconds": round(SWEEP_SECONDS + max(waited), 3),
            "problems": sorted(
                {
                    f"{row['kind']} {row['subject']}"[:40]
                    for row in store.problems(hour.database, limit=1000)[0]
                }
            )[:6],
        }
        hour.database.close()
        return result


NAMES = itertools.count()


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table for docs/operations.md."""
    lines = [
        "| what it sends, every 5 seconds | rows | MB | CPU s | neighbours wait: median, worst |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['attack']} | {row['rows']:,} | {row['bytes'] / 1e6:.1f} | {row['cpu_seconds']:.0f}"
        f" | {row['neighbour_median_seconds']:.1f} s, {row['neighbour_worst_seconds']:.1f} s |"
        for row in rows
    ]
    return "\n".join(lines)


def main() -> None:
    """Run the command line; exit status 1 when an attack costs more than it may."""
    parser = argparse.ArgumentParser(
        prog="./dev bench worst",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="ten minutes of the hour only")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--only", default="", help="attacks with this word in their name")
    arguments = parser.parse_args()
    seconds = HOUR_SECONDS // 6 if arguments.quick else HOUR_SECONDS
    logging.disable()  # each refusal is a line
    rows = []
    with server() as postgres:
        for one in (None, *(one for one in ATTACKS if arguments.only in one.name)):
            rows.append(attack(postgres, one, seconds))
            print(json.dumps(rows[-1]), file=sys.stderr)
    print(json.dumps(rows, indent=2) if arguments.json else markdown(rows))
    usual = rows[0]["cpu_seconds"]
    sys.exit(
        any(
            row["bytes"] > MOST_BYTES or row["cpu_seconds"] - usual > MOST_CPU_SECONDS
            for row in rows
        )
    )


if __name__ == "__main__":
    main()
