"""
What a report costs in a large store, beside a small one: a touch, a change, a new machine.

Both stores have a year of history. The large one is that of ``benchmarks.queries``: with ``--keep``
it is used again, and afterwards it has some machines more. The same reports go into both in
turns, each from a machine that has not reported since the last ones, as long as there are any.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from benchmarks import fleet, large
from benchmarks.fleet import multiply
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from benchmarks.processes import seconds_of_children
from salt_ext import store

SMALL_ASSETS, SMALL_COPIES = 10_000, 20
NEW_FROM = 30_000_000
"""The first number of machines that are in no store."""
MACHINES = 2_000
"""So many machines of a store report, at most."""
REPORTS = {("touch", 1): 300, ("touch", 100): 500, ("change", 1): 100, ("change", 100): 500,
           ("new", 1): 50, ("new", 100): 100}  # fmt: skip
"""The reports of one sample, by what they are and the size of a batch."""
ROUNDS = 5
MOST_RATIO = 1.5
STEP = timedelta(milliseconds=50)

# Machines whose numbers and addresses are those in their documents: the first copies.
REPORTING = """
SELECT asset.minion_id, json_object_agg(facts.section, facts.facts)
  FROM (SELECT asset.* FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
         WHERE asset.minion_id ~ '^[a-z-]+[0-9]{{6}}$' AND seen.reports_as IS NULL
           AND CAST(right(asset.minion_id, 6) AS integer) <= {seeds}
         ORDER BY asset.id LIMIT {machines}) AS asset
  JOIN asset_facts AS facts ON facts.asset_id = asset.id
 GROUP BY asset.minion_id
"""


class Store:
    """A store, and the machines of it that report."""

    def __init__(self, running: Server, database: store.Database, copies: int) -> None:
        """Read the machines, and let each report once, so that its volatile values are fresh."""
        self.running, self.database = running, database
        [(self.assets,)] = running.ask("SELECT count(*) FROM asset", large.NAME)
        [(newest,)] = running.ask(
            "SELECT coalesce(max(CAST(substring(minion_id FROM '[0-9]{8,}$') AS bigint)), 0)"
            " FROM asset",
            large.NAME,
        )
        self.new = itertools.count(max(NEW_FROM, newest) + 1)
        self.now = datetime.now(timezone.utc)
        rows = running.ask(
            REPORTING.format(seeds=self.assets // copies, machines=MACHINES), large.NAME
        )
        self.facts: dict[str, tuple[fleet.Facts, fleet.Facts]] = {
            name: (facts, _other(facts))
            for name, facts in rows
            if facts["operating_system"]["hostname"] == name
        }
        first = [self._arrival(facts) for facts, _ in self.facts.values()]
        for start in range(0, len(first), 100):
            self._store(first[start : start + 100])
        self.turn = itertools.cycle(list(self.facts))

    def measure(self, phase: str, batch: int, reports: int) -> dict[str, float]:
        """Store reports in batches; return what one of them costs."""
        arrivals = list(itertools.islice(self._reports(phase), reports))
        batches = [arrivals[start : start + batch] for start in range(0, reports, batch)]
        pid = self.running.pid()
        wal, server = self.running.wal_bytes(), seconds_of_children(pid)
        began, client = time.perf_counter(), time.process_time()
        found = {one.status for each in batches for one in self._store(each)}
        client, wall = time.process_time() - client, time.perf_counter() - began
        server = seconds_of_children(pid) - server
        expected = {"touch": "unchanged", "change": "changed", "new": "new"}[phase]
        if found != {expected}:
            raise AssertionError(f"reports to {phase} are {found}")
        wal = self.running.wal_bytes() - wal
        return {
            "client_us": client / reports * 1e6,
            "server_us": server / reports * 1e6,
            "wall_us": wall / reports * 1e6,
            "wal_bytes": wal / reports,
        }

    def _reports(self, phase: str) -> Iterator[store.Arrival]:
        if phase == "new":
            for number in self.new:
                self.now += STEP
                yield self._arrival(fleet.machine(number))
        for name in self.turn:
            self.now += STEP
            if phase == "change":
                now, other = self.facts[name]
                self.facts[name] = (other, now)
            yield self._arrival(self.facts[name][0])

    def _arrival(self, facts: fleet.Facts) -> store.Arrival:
        number = int(facts["operating_system"]["hostname"][-6:])
        report = fleet.report(number, self.now, facts)
        report["previous_minion_id"] = None
        return store.Arrival(report["minion_id"], report, self.now, self.now)

    def _store(self, arrivals: list[store.Arrival]) -> list[store.Outcome]:
        found = store.ingest(self.database, arrivals)
        for one in found:
            if one.status in ("held", "refused", "waiting"):
                raise AssertionError(f"{one.minion_id} is {one.status}: {one.detail}")
        return found


def _other(facts: fleet.Facts) -> fleet.Facts:
    """Return the facts after a change: another kernel, and of every second machine another disk."""
    other = copy.deepcopy(facts)
    other["operating_system"]["kernel_release"] += "-2"
    if disks := other.get("disks"):
        number = disks[0].get("serial_number")
        if number and int(other["operating_system"]["hostname"][-1]) % 2:
            disks[0]["firmware_version"] = "9.9.9"
    return other


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Measure in both stores, in turns."""
    small_one = argparse.Namespace(keep=None, bindir=asked.bindir)
    with large.server(asked) as much, large.server(small_one) as little:
        database = large.built(much, asked.assets)
        large.say("the small one")
        small = multiply.build(little, large.NAME, SMALL_ASSETS, SMALL_COPIES)
        stores = [
            Store(little, small, SMALL_COPIES),
            Store(much, database, multiply.COPIES),
        ]
        result = large.about(much, database)
        samples: dict[tuple[str, int, int], list[dict[str, float]]] = defaultdict(list)
        for running in (much, little):
            running.ask("CHECKPOINT")
        with much.set(**QUIET), little.set(**QUIET):
            for number in range(ROUNDS):
                large.say(f"round {number + 1} of {ROUNDS}")
                for (phase, batch), reports in REPORTS.items():
                    for which, one in enumerate(stores):
                        sample = one.measure(phase, batch, reports)
                        samples[phase, batch, which].append(sample)
        rows = []
        for phase, batch in REPORTS:
            of_small, of_large = (_medians(samples[phase, batch, which]) for which in (0, 1))
            ratio = _cpu(of_large) / _cpu(of_small)
            rows.append(
                {
                    "reports": phase,
                    "batch": batch,
                    "small": of_small,
                    "large": of_large,
                    "ratio": round(ratio, 2),
                    "wall_ratio": round(of_large["wall_us"] / of_small["wall_us"], 2),
                    "wal_ratio": round(of_large["wal_bytes"] / of_small["wal_bytes"], 2),
                    "ok": ratio <= MOST_RATIO,
                }
            )
        return {**result, "small_assets": stores[0].assets, "rounds": ROUNDS, "reports": rows}


QUIET = {"autovacuum": "off", "full_page_writes": "off"}
"""Nothing else writes meanwhile, and WAL does not depend on when the last checkpoint was."""


def _medians(samples: list[dict[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(one[name] for one in samples)) for name in samples[0]}


def _cpu(one: dict[str, float]) -> float:
    return one["client_us"] + one["server_us"]


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    sizes = (result["small_assets"], result["assets"])
    head = [
        *("reports", "batch"),
        *(f"{what}, {size:,}" for what in ("client µs", "server µs", "WAL") for size in sizes),
        *("CPU, ratio", "time, ratio", "ok"),
    ]
    rows = [
        (
            *(row["reports"], row["batch"]),
            *(
                row[size][name]
                for name in ("client_us", "server_us", "wal_bytes")
                for size in ("small", "large")
            ),
            *(row["ratio"], row["wall_ratio"], "yes" if row["ok"] else "**no**"),
        )
        for row in result["reports"]
    ]
    return f"{large.where(result)}\n\n{table(head, rows)}"


def main() -> None:
    """Run the command line."""
    asked = large.parser("./dev bench growth", __doc__).parse_args()
    result = measure(asked)
    print(json.dumps(result, indent=2) if asked.json else markdown(result))
    if not all(row["ok"] for row in result["reports"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
