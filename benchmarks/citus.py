"""
Our store on Citus, a coordinator and two workers, beside one server, in turns.

All of them run the same PostgreSQL on this machine, with a commit that waits for the disk, and
share its processors: so it is shown too which server the time was spent on. Each round gives a
ratio; the table has medians. A rate has to be large and the time of a read small.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import importlib
import itertools
import json
import os
import signal
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.facts import machine
from benchmarks.ingest_table import _table as table
from benchmarks.processes import cpu_seconds
from benchmarks.writers import Task, _arrivals, _ingest, _Story
from salt_ext import store

MACHINES, ROUNDS, SECONDS = 600, 5, 0.4
SHARDS = 2
"""Of each table. A worker has one: so many statements is one of ours on a worker."""

PHASES = (("unchanged", 100), ("unchanged", 1), ("changed", 100), ("changed", 1))
MOST = {"unchanged": 8000, "changed": 200}

AT_LEAST = {"unchanged, batch 100": 0.5}
"""What a rate must be of that of one server."""

AT_MOST = 3.0
"""What the time of a read of one asset may be of that of one server."""

NODES = ("client", "coordinator", "worker 1", "worker 2")
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}

Ask = Callable[[], object]


class Side:
    """A store, the processes that it costs time of, and the machines that report to it."""

    def __init__(self, database: store.Database, pids: list[int], story: _Story) -> None:
        """Take a store that is empty; both sides have the same documents."""
        self.database = database
        self.pids = pids
        self.story = copy.copy(story)
        self.story.base, self.story.other = [*story.base], [*story.other]

    def seconds(self) -> list[float]:
        """Return the processor time of this process and of each server until now."""
        return [time.process_time(), *map(cpu_seconds, self.pids)]


class Noted(NamedTuple):
    """By what was written: for each round and side reports a second, and milliseconds for one."""

    rates: dict[str, list[list[float]]]
    costs: dict[str, list[list[list[float]]]]


def measure(programs: Path) -> dict[str, Any]:
    """Return everything that is measured."""
    noted = Noted(defaultdict(list), defaultdict(list))
    with _sides(programs) as sides:
        _say("new machines")
        _arrive(sides, noted)
        for number in range(ROUNDS):
            _say(f"round {number + 1} of {ROUNDS}")
            for phase, batch in PHASES:
                _round(sides, phase, batch, noted)
        _say("reads")
        reads = _read(sides)
    return {
        "machine": machine(),
        "machines": MACHINES,
        "shards": SHARDS,
        "writes": {
            name: {
                "per_second": [_median(column) for column in zip(*pairs, strict=True)],
                "ratio": _median(citus / one for one, citus in pairs),
                "cpu_ms": [
                    [_median(cell) for cell in zip(*costs_of, strict=True)]
                    for costs_of in zip(*noted.costs[name], strict=True)
                ],
            }
            for name, pairs in noted.rates.items()
        },
        "reads": reads,
    }


@contextlib.contextmanager
def _sides(programs: Path) -> Iterator[list[Side]]:
    """Run one server, and Citus beside it, each with an empty store."""
    # What starts them is there for the tests.
    citus: Any = importlib.import_module("tests.citus")
    postgres: Any = importlib.import_module("tests.postgres")
    # SIGTERM ends the benchmark by an exception, so that the servers are ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    os.environ["CMDB_CITUS_PROGRAMS"] = str(programs)
    options = {**DURABLE, "citus.shard_count": SHARDS, "shared_buffers": "256MB"}
    with citus.cluster(**options) as servers:
        alone = postgres.Server(
            servers[0].home.parent / "alone", programs / "bin", str(programs / "lib")
        ).initialise()
        alone.start(**DURABLE, shared_buffers="256MB", autovacuum="off")
        try:
            alone.new_store("cmdb").close()
            url = citus.Databases(servers[0].uri).create("cmdb")
            database = postgres.open_store(url)
            store.migrate(database, distribute=True)
            database.close()
            story = _Story(range(1, MACHINES + 1))
            yield [
                Side(postgres.open_store(alone.url("cmdb")), [_pid(alone)], story),
                Side(postgres.open_store(url), [_pid(one) for one in servers], story),
            ]
        finally:
            alone.stop()


def _pid(server: Any) -> int:
    return int(server.process.pid)


def _arrive(sides: list[Side], noted: Noted) -> None:
    """Let all machines report for the first time."""
    all_of_each = [side.story.batches(Task("unchanged", 100, MACHINES)) for side in sides]
    for batch_of_each in zip(*all_of_each, strict=True):
        _write(sides, [[batch] for batch in batch_of_each], "new, batch 100", noted)


def _round(sides: list[Side], phase: str, batch: int, noted: Noted) -> None:
    """Let each side store for a while."""
    task = Task(phase, batch, MOST[phase])
    counts = _write(
        sides, [side.story.batches(task) for side in sides], f"{phase}, batch {batch}", noted
    )
    for side, count in zip(sides, counts, strict=True):
        side.story.stored(task, count)


def _write(
    sides: list[Side], batches_of_each: list[list[Any]], name: str, noted: Noted
) -> list[int]:
    """Let one side after the other write; note its rate and its milliseconds for a report."""
    counts, rates, costs = [], [], []
    for side, batches in zip(sides, batches_of_each, strict=True):
        prepared = [_arrivals(batch) for batch in batches]
        before, began, count = side.seconds(), time.monotonic(), 0
        for batch in prepared:
            _ingest(side.database, batch)
            count += len(batch)
            if time.monotonic() - began > SECONDS:
                break
        rates.append(count / (time.monotonic() - began))
        after = side.seconds()
        costs.append([(b - a) * 1000 / count for a, b in zip(before, after, strict=True)])
        counts.append(count)
    noted.rates[name].append(rates)
    noted.costs[name].append(costs)
    return counts


def _read(sides: list[Side]) -> dict[str, dict[str, Any]]:
    """Return what each read takes on either side, in milliseconds."""
    result = {}
    asks = [_asks(side.database) for side in sides]
    for name in asks[0]:
        times: list[list[float]] = [[], []]
        for number in range(-5, 60):
            for taken, of_side in zip(times, asks, strict=True):
                began = time.perf_counter()
                next(of_side[name])()
                if number >= 0:
                    taken.append((time.perf_counter() - began) * 1000)
        one, citus = map(_median, times)
        result[name] = {"ms": [one, citus], "ratio": round(citus / one, 2)}
    return result


def _asks(database: store.Database) -> dict[str, Iterator[Ask]]:
    """Return the reads, each of one machine after another; those of one asset are named so."""
    rows = [
        row for row in store.assets(database, columns="sn,minion_id", limit=100).rows if row["sn"]
    ]
    at = datetime.now(timezone.utc)

    def each(ask: Callable[[dict[str, Any]], object]) -> Iterator[Ask]:
        return (partial(ask, row) for row in itertools.cycle(rows))

    return {
        "one asset: by serial number": each(lambda row: store.resolve(database, row["sn"])),
        "one asset: by minion id": each(lambda row: store.resolve(database, row["minion_id"])),
        "one asset: its page": each(lambda row: store.asset_page(database, row["id"], limit=20)),
        "one asset: its changes": each(
            lambda row: store.changes(database, store.Wanted(asset_id=row["id"]), limit=20)
        ),
        "one asset: its document as of now": each(
            lambda row: store.document(database, row["id"], at)
        ),
        "a page of the list": each(lambda _: store.assets(database, limit=100)),
        "a page of the list, one filter": each(
            lambda row: store.assets(database, limit=100, filters={"sn": row["sn"]})
        ),
    }


def failures(result: dict[str, Any]) -> list[str]:
    """Return what does not hold, each in a sentence."""
    found = [
        f"{name}: {result['writes'][name]['ratio']} of one server, at least {least} is asked for"
        for name, least in AT_LEAST.items()
        if result["writes"][name]["ratio"] < least
    ]
    return found + [
        f"{name}: {one['ratio']} times that of one server, at most {AT_MOST} is asked for"
        for name, one in result["reads"].items()
        if name.startswith("one asset") and one["ratio"] > AT_MOST
    ]


def markdown(result: dict[str, Any]) -> str:
    """Return the tables."""
    on = result["machine"]
    where = (
        f"Linux {on['kernel']}, {on['cpus']} x {on['processor']}, {result['machines']} machines,"
        f" {result['shards']} shards, load {on['load']}."
    )
    writes = [
        (name, *one["per_second"], one["ratio"], *one["cpu_ms"][0], *one["cpu_ms"][1])
        for name, one in result["writes"].items()
    ]
    reads = [(name, *one["ms"], one["ratio"]) for name, one in result["reads"].items()]
    head = ("reports", "one server /s", "Citus /s", "ratio", "one: client ms", "one: server ms")
    tables = (
        table((*head, *(f"Citus: {node} ms" for node in NODES)), writes),
        table(("read", "one server ms", "Citus ms", "ratio"), reads),
    )
    return "\n\n".join([where, *tables, *failures(result)])


def _median(values: Any) -> float:
    return float(f"{statistics.median(list(values)):.3g}")


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench citus",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--programs",
        type=Path,
        metavar="DIR",
        help="a PostgreSQL with Citus: in it are bin and lib",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    programs = arguments.programs
    if programs is None or not (programs / "bin" / "postgres").exists():
        parser.exit(2, "say with --programs DIR where a PostgreSQL with Citus is: its bin, lib\n")
    result = measure(programs.resolve())
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))
    sys.exit(bool(failures(result)))


if __name__ == "__main__":
    main()
