"""
How long the store's reads take with many assets and a year of history.

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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import large
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from benchmarks.reads import Ask, Read, reads
from salt_ext import store

RUNS, FEWEST = 100, 3
"""How often a read is made; and if it has several kinds, how often each of them at least."""

WARMING = 1
SECONDS = 6
"""The time for all runs of one read; what is slow has fewer runs, but each kind at least FEWEST."""
LONGEST_SECONDS = 40
"""After this time each further kind of a read has one run and no other before it."""


def measure(running: Server, assets: int) -> dict[str, Any]:
    """Return everything that is measured; build the store if it is not there."""
    database = large.built(running, assets)
    rows = []
    for read in reads(database):
        rows.append(_row(read))
        large.say(f"{rows[-1]['read']}: p95 {rows[-1]['p95_ms']} ms {rows[-1]['failure'] or ''}")
    about = large.about(running, database)
    database.close()
    return {**about, "reads": rows}


def _row(read: Read) -> dict[str, Any]:
    runs = max(FEWEST, math.ceil(RUNS / len(read.kinds)))
    times: dict[str, list[float]] = {}
    counts: list[int] = []
    failures: list[str] = []
    first = time.monotonic()
    for kind, asks in read.kinds.items():
        turns = itertools.cycle(asks)
        times[kind] = []
        began = time.monotonic()
        is_late = began - first > LONGEST_SECONDS
        for number in range(0 if is_late else -WARMING, 1 if is_late else runs):
            milliseconds, found = _time(next(turns), failures)
            if number >= 0:
                times[kind].append(milliseconds)
                counts.append(found)
            is_enough = time.monotonic() - began > SECONDS / len(read.kinds)
            if failures or (number >= FEWEST - 1 and is_enough):
                break
        if failures:
            times[kind].append(milliseconds)
            break
    every = sorted(itertools.chain.from_iterable(times.values()))
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    slowest = max(medians, key=lambda kind: medians[kind])
    p95 = every[math.ceil(0.95 * len(every)) - 1]
    return {
        "read": read.name,
        "kinds": len(read.kinds),
        "runs": len(every),
        "rows": round(statistics.mean(counts), 1) if counts else None,
        "p50_ms": round(statistics.median(every), 2),
        "p95_ms": round(p95, 2),
        "slowest": slowest,
        "slowest_p50_ms": round(medians[slowest], 2),
        "budget_ms": read.budget_ms,
        "ok": not failures and (read.budget_ms is None or p95 <= read.budget_ms),
        "failure": failures[0] if failures else None,
    }


def _time(ask: Ask, failures: list[str]) -> tuple[float, int]:
    """Ask once; return the milliseconds and the rows. What is not answered is a failure."""
    began, found = time.perf_counter(), 0
    try:
        found = ask()
    except store.StoreError as error:
        failures.append(str(error))
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
            _verdict(row),
            f"{row['slowest']}, {row['slowest_p50_ms']}" if row["kinds"] > 1 else None,
        )
        for row in result["reads"]
    ]
    head = ("read", "rows", "p50 ms", "p95 ms", "budget ms", "ok", "slowest of them")
    return f"{large.where(result)}\n\n{table(head, rows)}"


def beside(results: Sequence[dict[str, Any]]) -> str:
    """Return the 95th percentiles of several stores, each with its budget, as one table."""
    by_read: dict[str, list[str | None]] = {}
    for number, result in enumerate(results):
        for row in result["reads"]:
            cells = by_read.setdefault(row["read"], [None] * len(results))
            budget = "" if row["budget_ms"] is None else f" of {row['budget_ms']:g}"
            told = "not answered" if row["failure"] else f"{row['p95_ms']:g}{budget}"
            cells[number] = told if row["ok"] else f"**{told}**"
    head = ("read, p95 ms", *(f"{result['assets']:,}" for result in results))
    wheres = "\n\n".join(large.where(result) for result in results)
    return f"{wheres}\n\n{table(head, [(read, *cells) for read, cells in by_read.items()])}"


def _verdict(row: dict[str, Any]) -> str | None:
    if row["failure"]:
        return "not answered"
    return None if row["budget_ms"] is None else "yes" if row["ok"] else "**no**"


def main() -> None:
    """Run the command line."""
    parser = large.parser("./dev bench queries", __doc__)
    parser.add_argument(
        "--beside",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="measure nothing: make one table of what --json printed for several stores",
    )
    arguments = parser.parse_args()
    if arguments.beside:
        print(beside([json.loads(path.read_text()) for path in arguments.beside]))
        return
    with large.server(arguments) as running:
        result = measure(running, arguments.assets)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
