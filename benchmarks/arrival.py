"""
A whole fleet at once: its first hour, an hour without news, a new kernel on every machine.

The machines report to one master or to several, each with its own engine, and one machine of ten to
two of them. Measured from the masters' caches, as salt-master writes them, through the real
engines into one PostgreSQL: seconds until all is stored, processor time, memory, WAL. Between two
phases the engines are held while the caches are filled, so that all reports are there at once; on
a real master they come as fast as it takes them.

Then it is measured what the engines do while there is nothing to store, and how long the report
of a single machine takes until it is stored, of which no event tells.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import processes
from benchmarks.facts import machine
from benchmarks.masters import STATES, Master, moment, prepare, share, wait_until
from benchmarks.postgres import Server, server

MACHINES, QUICK_MACHINES = 10_000, 2_000
ENGINES = (1, 2)
LIMIT_SECONDS = 3600
QUIET_SECONDS = 20
SINGLE = 3


def measure(
    machines: int, engines: tuple[int, ...], kept: Path | None, quiet_seconds: float
) -> dict[str, Any]:
    """Return everything that is measured."""
    rows: list[dict[str, Any]] = []
    alone: list[dict[str, Any]] = []
    with server() as postgres, tempfile.TemporaryDirectory(prefix="cmdb-", dir=kept) as directory:
        reports = (kept or Path(directory)) / f"reports-{machines}"
        _say(f"the reports of {machines} machines")
        prepare(reports, machines)
        for count in engines:
            rows += _of(postgres, Path(directory), reports, machines, count, quiet_seconds, alone)
        return {
            "machine": machine(),
            "postgres": postgres.about(),
            "machines": machines,
            "rows": rows,
            "quiet": alone,
        }


def _of(
    postgres: Server,
    directory: Path,
    reports: Path,
    machines: int,
    count: int,
    quiet_seconds: float,
    quiet: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Measure all phases with so many engines."""
    name = f"arrival{count}"
    postgres.new_store(name).close()
    url = f"postgresql+psycopg2://postgres@/{name}?host={postgres.directory}"
    masters = [
        Master(
            directory / f"m{count}{one}",
            reports,
            share(machines, count, one),
            {"database_url": url},
        )
        for one in range(count)
    ]
    rows = []
    with contextlib.ExitStack() as running:
        for one in masters:
            running.enter_context(one.engine())
        beats = "SELECT count(*) FROM master WHERE beat_at IS NOT NULL"
        wait_until(lambda: postgres.ask(beats, name)[0][0] == count, LIMIT_SECONDS)
        for state in STATES:
            _say(f"{count} engines, {state}")
            for one in masters:
                one.hold()
                one.send(state)
                processes.forget_peak(one.pid)
            rows.append(_phase(postgres, name, masters, machines, state))
        _say(f"{count} engines, quiet")
        quiet.append(_quiet(postgres, name, masters, quiet_seconds))
    sizes = postgres.table_bytes(name)
    quiet[-1]["hot_bytes"] = round((sizes["asset"] + sizes["asset_seen"]) / machines)
    found = postgres.ask("SELECT count(*) FROM asset", name)[0][0]
    deadlocks = postgres.ask(f"SELECT deadlocks FROM pg_stat_database WHERE datname = '{name}'")[0][
        0
    ]
    if (found, deadlocks) != (machines, 0):
        raise AssertionError(f"{found} assets of {machines} machines, {deadlocks} deadlocks")
    return rows


def _phase(
    postgres: Server, name: str, masters: list[Master], machines: int, state: str
) -> dict[str, Any]:
    """Let the engines go on, and measure until the reports of a state are stored."""
    query = f"SELECT count(*) FROM asset_seen WHERE collected_at >= '{moment(state)}'"
    wal = postgres.wal_bytes()
    before = [one.cpu_seconds() for one in masters]
    server_before = processes.cpu_seconds(postgres.pid())
    for one in masters:
        one.go_on()
    seconds = wait_until(
        lambda: postgres.ask(query, name)[0][0] == machines, LIMIT_SECONDS, min(1.0, machines / 1e4)
    )
    cpu = [one.cpu_seconds() - then for one, then in zip(masters, before, strict=True)]
    server_cpu = processes.cpu_seconds(postgres.pid()) - server_before
    reports = sum(len(one.names) for one in masters)
    return {
        "engines": len(masters),
        "state": state,
        "reports": reports,
        "seconds": round(seconds, 1),
        "per_second": round(reports / seconds),
        "engine_ms": round(1000 * sum(cpu) / reports, 2),
        "postgres_ms": round(1000 * server_cpu / reports, 2),
        "engine_busy": round(statistics.mean(cpu) / seconds, 2),
        "postgres_busy": round(server_cpu / seconds, 2),
        "peak_mebibytes": round(max(processes.peak_mebibytes(one.pid) for one in masters)),
        "wal_bytes": round((postgres.wal_bytes() - wal) / reports),
    }


def _quiet(postgres: Server, name: str, masters: list[Master], seconds: float) -> dict[str, Any]:
    """Measure engines that have nothing to store, and how soon one report is found."""
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'salt-cmdb'"
    time.sleep(seconds / 4)  # what follows the last reports is over
    before = [one.cpu_seconds() for one in masters]
    server_before = processes.cpu_seconds(postgres.pid())
    time.sleep(seconds)
    cpu = [one.cpu_seconds() - then for one, then in zip(masters, before, strict=True)]
    server_cpu = processes.cpu_seconds(postgres.pid()) - server_before
    waited = []
    for minion_id in masters[0].names[:SINGLE]:
        seen = (
            "SELECT position FROM asset_seen JOIN asset ON asset.id = asset_seen.asset_id"
            f" WHERE minion_id = '{minion_id}'"
        )
        was = postgres.ask(seen, name)
        masters[0].send("changed", [minion_id])
        waited.append(
            wait_until(lambda seen=seen, was=was: postgres.ask(seen, name) != was, LIMIT_SECONDS)
        )
    return {
        "engines": len(masters),
        "minions_each": len(masters[0].names),
        "engine_percent": round(100 * statistics.mean(cpu) / seconds, 2),
        "postgres_percent": round(100 * server_cpu / seconds, 2),
        "connections": postgres.ask(sessions, name)[0][0],
        "mebibytes": round(max(processes.resident_mebibytes(one.pid) for one in masters)),
        "found_after_seconds": round(statistics.median(waited), 1),
        "found_at_most_seconds": round(max(waited), 1),
    }


def markdown(result: dict[str, Any]) -> str:
    """Return the tables for docs/benchmarks.md."""
    on, postgres = result["machine"], result["postgres"]
    lines = [
        f"Linux {on['kernel']}, {on['cpus']} x {on['processor']}, Python {on['python']},"
        f" PostgreSQL {postgres['version']} with its defaults, {result['machines']:,} machines,"
        f" load {on['load']}.",
        "",
        "| reports | engines | s | per second | engine, CPU ms each | PostgreSQL, CPU ms each"
        " | CPUs: an engine | PostgreSQL | engine MiB | WAL bytes |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['state']} | {row['engines']} | {row['seconds']} | {row['per_second']:,}"
        f" | {row['engine_ms']} | {row['postgres_ms']} | {row['engine_busy']}"
        f" | {row['postgres_busy']} | {row['peak_mebibytes']} | {row['wal_bytes']:,} |"
        for row in result["rows"]
    ]
    lines += [
        "",
        "| nothing to store: engines | minions each | % of a CPU each | PostgreSQL | connections"
        " | MiB | a report is stored after s: median, most |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    lines += [
        f"| {row['engines']} | {row['minions_each']:,} | {row['engine_percent']}"
        f" | {row['postgres_percent']} | {row['connections']} | {row['mebibytes']}"
        f" | {row['found_after_seconds']}, {row['found_at_most_seconds']} |"
        for row in result["quiet"]
    ]
    hot = result["quiet"][-1]["hot_bytes"]
    lines += ["", f"What every report reads or touches takes {hot} bytes a machine."]
    return "\n".join(lines)


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def _number(text: str) -> int:
    """Return a number of the command line."""
    if not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1 on")
    return int(text)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(_number, text.split(",")))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench arrival",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--machines", type=_number, help=f"by default {MACHINES}")
    parser.add_argument(
        "--engines",
        type=_numbers,
        default=ENGINES,
        help="how many engines, in turn, such as 1,2,3; by default 1,2",
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MACHINES} machines")
    parser.add_argument("--keep", type=Path, help="a directory for the reports, for the next time")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    machines = arguments.machines or (QUICK_MACHINES if arguments.quick else MACHINES)
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    result = measure(machines, arguments.engines, arguments.keep, QUIET_SECONDS)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
