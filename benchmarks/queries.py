"""
How long the store's reads take with 100,000 assets and a year of history.

Every read goes through the function that the runner and the web use, each time for something
else. "rows" is the mean number of rows. Where several reads are of one kind, the figures are of
all of them together, and "slowest" names the one with the largest median.
"""

from __future__ import annotations

import itertools
import json
import math
import statistics
import time
from typing import Any

from benchmarks import large
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from benchmarks.reads import Ask, Read, reads

RUNS, FEWEST = 100, 3
"""How often a read is made; and if it has several kinds, how often each of them at least."""

WARMING = 1
SECONDS = 10
"""The time for all runs of one read; a slow read has fewer runs, but at least FEWEST."""


def measure(running: Server, assets: int) -> dict[str, Any]:
    """Return everything that is measured; build the store if it is not there."""
    database = large.built(running, assets)
    rows = []
    for read in reads(database):
        rows.append(_row(read))
        large.say(f"{rows[-1]['read']}: p95 {rows[-1]['p95_ms']} ms")
    about = large.about(running, database)
    database.close()
    return {**about, "reads": rows}


def _row(read: Read) -> dict[str, Any]:
    runs = max(FEWEST, math.ceil(RUNS / len(read.kinds)))
    times: dict[str, list[float]] = {}
    counts: list[int] = []
    for kind, asks in read.kinds.items():
        turns = itertools.cycle(asks)
        for ask in itertools.islice(turns, WARMING):
            ask()
        times[kind] = []
        began = time.monotonic()
        while len(times[kind]) < runs:
            milliseconds, found = _time(next(turns))
            times[kind].append(milliseconds)
            counts.append(found)
            if len(times[kind]) >= FEWEST and time.monotonic() - began > SECONDS:
                break
    every = sorted(itertools.chain.from_iterable(times.values()))
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    slowest = max(medians, key=lambda kind: medians[kind])
    p95 = every[math.ceil(0.95 * len(every)) - 1]
    return {
        "read": read.name,
        "kinds": len(read.kinds),
        "runs": len(every),
        "rows": round(statistics.mean(counts), 1),
        "p50_ms": round(statistics.median(every), 2),
        "p95_ms": round(p95, 2),
        "slowest": slowest,
        "slowest_p50_ms": round(medians[slowest], 2),
        "budget_ms": read.budget_ms,
        "ok": read.budget_ms is None or p95 <= read.budget_ms,
    }


def _time(ask: Ask) -> tuple[float, int]:
    began = time.perf_counter()
    found = ask()
    return (time.perf_counter() - began) * 1000, found


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    rows = [
        (
            row["read"],
            row["rows"],
            row["p50_ms"],
            row["p95_ms"],
            row["budget_ms"],
            None if row["budget_ms"] is None else "yes" if row["ok"] else "**no**",
            f"{row['slowest']}, {row['slowest_p50_ms']}" if row["kinds"] > 1 else None,
        )
        for row in result["reads"]
    ]
    head = ("read", "rows", "p50 ms", "p95 ms", "budget ms", "ok", "slowest of them")
    return f"{large.where(result)}\n\n{table(head, rows)}"


def main() -> None:
    """Run the command line."""
    arguments = large.parser("./dev bench queries", __doc__).parse_args()
    with large.server(arguments) as running:
        result = measure(running, arguments.assets)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
