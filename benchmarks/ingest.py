"""
Reports into PostgreSQL: our store and engine beside Salt's own returners.

All of them write the same documents to one server in turns, one round after another, with a
commit that waits for the disk. Each round gives a ratio of two rates; the table has medians.
WAL is counted without the images of whole pages that follow a checkpoint (full_page_writes is
off for that count alone), so that it does not depend on when the last checkpoint was. Before that
count, all machines report while a backup reads, as in a store in use. Of unchanged reports it is
also told what they write right after the fleet was loaded: the first of each machine, and those
after it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import sys
import time
from collections import defaultdict
from typing import Any, NamedTuple

from benchmarks import engine, fleet, year
from benchmarks.facts import machine
from benchmarks.ingest_table import markdown
from benchmarks.postgres import Server, server
from benchmarks.returners import DATABASES, NAMES, tables
from benchmarks.writers import COPY, COPY_DATABASE, COPY_TABLES, OURS, STORE, Task, Writers, writers
from salt_ext import document

# New machines last: their rows take the room that the touches of others need.
PHASES = ("unchanged", "refreshed", "changed", "new")
BATCHES = (1, 10, 100, 1000)
WRITERS = (1, 2)
MOST_BATCHES = 1000
MOST = {"new": 100, "unchanged": 8000, "refreshed": 300, "changed": 300}
"""Reports in one sample, at most; but a sample has one whole batch at least."""


class Plan(NamedTuple):
    """How much to measure."""

    machines: int
    rounds: int
    seconds: float
    """How long each sample lasts; when one batch takes longer, the sample does too."""
    batches: tuple[int, ...]
    of_two: tuple[int, ...]
    """The batches that are tried with two writers as well."""
    year_of: int | None
    """The assets whose year is told; None: neither a year nor the engine is measured."""


WHOLE = Plan(4000, 7, 0.5, BATCHES, BATCHES, year.ASSETS)
QUICK = Plan(2000, 3, 0.2, BATCHES, BATCHES[2:3], year.QUICK_ASSETS)

HOUR_SECONDS = 3600
BACKUPS = 3
CLEANED_WITHIN = 10
"""Touches of a row, within which PostgreSQL has cleaned its page."""

RETURNER = "pgjsonb.returner"


def measure(plan: Plan) -> dict[str, Any]:
    """Return everything that is measured."""
    machines = plan.machines
    with server() as postgres:
        postgres.new_store(STORE).close()
        postgres.create(COPY_DATABASE, COPY_TABLES)
        for name in NAMES:
            postgres.create(DATABASES[name], tables(name))
        result: dict[str, Any] = {
            "machine": machine(),
            "postgres": postgres.about(),
            "machines": machines,
            "rounds": plan.rounds,
            "document_bytes": _document_bytes(),
        }
        with writers(postgres, machines, max(WRITERS)) as pool:
            _all_report(pool, machines)
            result["unchanged_wal_bytes"] = _after_a_load(postgres, pool, machines)
            result |= _rates(pool, plan)
            _say("WAL and disk")
            _live_in(postgres, pool, machines)
            result["unchanged_wal_bytes"]["after backups"] = _one_by_one(postgres, pool)
            _add_bytes(postgres, pool, plan.batches, result)
        if plan.year_of is not None:
            _say("a year")
            of_a_row = result["returners"][RETURNER]["disk_bytes"]
            result["year"] = year.measure(postgres, plan.year_of, of_a_row)
            _say("the engine")
            result["engine"] = engine.measure(postgres, machines // 8, plan.rounds)
    return result


def _rates(pool: Writers, plan: Plan) -> dict[str, Any]:
    """Return reports per second, and their ratio to Salt's returners in the same round."""
    rates: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    ratios: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    for number in range(plan.rounds):
        _say(f"round {number + 1} of {plan.rounds}")
        for phase in PHASES:
            # "refreshed" moves the time on by days, so that the next report of every machine
            # writes its volatile values: let them do that here, outside of the samples.
            _all_report(pool, plan.machines)
            for batch in plan.batches:
                for count in WRITERS if batch in plan.of_two else WRITERS[:1]:
                    cell = (phase, batch, count)
                    pool.prepare(_task(phase, batch), count)
                    ours, _ = pool.write(OURS, plan.seconds, count)
                    rates[(OURS, *cell)].append(ours)
                    for name in NAMES:
                        theirs, _ = pool.write(f"{name}.returner", plan.seconds, count)
                        rates[f"{name}.returner", count].append(theirs)
                        ratios[(name, *cell)].append(ours / theirs)
        for batch in plan.batches:
            pool.prepare(_task("changed", batch), 1)
            for door in (*(f"{name}.event_return" for name in NAMES), COPY):
                rate, _ = pool.write(door, plan.seconds, 1)
                rates[door, batch].append(rate)
    return {
        **{phase: _phase(phase, rates, ratios, 1) for phase in PHASES},
        "two_writers": {phase: _phase(phase, rates, ratios, 2) for phase in PHASES},
        "returners": {
            f"{name}.returner": {
                "per_second": _median(rates[f"{name}.returner", 1]),
                "two_writers_per_second": _median(rates[f"{name}.returner", 2]),
            }
            for name in NAMES
        }
        | {
            f"{name}.event_return": {
                str(batch): {"per_second": _median(rates[f"{name}.event_return", batch])}
                for batch in plan.batches
            }
            for name in NAMES
        },
        "copy": {str(batch): {"per_second": _median(rates[COPY, batch])} for batch in plan.batches},
    }


def _phase(
    phase: str,
    rates: dict[tuple[Any, ...], list[float]],
    ratios: dict[tuple[Any, ...], list[float]],
    count: int,
) -> dict[str, dict[str, float]]:
    return {
        str(batch): {
            "per_second": _median(rates[OURS, phase, batch, count]),
            **{f"ratio_{name}": _median(ratios[name, phase, batch, count]) for name in NAMES},
        }
        for batch in BATCHES
        if (OURS, phase, batch, count) in rates
    }


def _live_in(postgres: Server, pool: Writers, machines: int) -> None:
    """
    Let every machine report while a backup reads, and once more after it, for some nights.

    VACUUM runs at once here, where autovacuum would take minutes.
    """
    for _ in range(BACKUPS):
        with contextlib.closing(postgres.link(STORE)) as backup, backup.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT count(*) FROM asset")
            _all_report(pool, machines)
        postgres.ask("VACUUM asset_seen", STORE)
        _all_report(pool, machines)


def _all_report(pool: Writers, machines: int) -> None:
    pool.prepare(Task("unchanged", 100, machines // max(WRITERS)), max(WRITERS))
    pool.write(OURS, HOUR_SECONDS, max(WRITERS))


def _after_a_load(postgres: Server, pool: Writers, machines: int) -> dict[str, float]:
    """Return the WAL of unchanged reports one by one after the first ones of a fleet."""
    found = {"the first after a load": _one_by_one(postgres, pool)}
    _all_report(pool, machines)
    # A page is cleaned once for several touches: so the mean of many rounds.
    rounds = [_one_by_one(postgres, pool) for _ in range(CLEANED_WITHIN)]
    return {**found, "those after it": round(statistics.mean(rounds))}


def _one_by_one(postgres: Server, pool: Writers) -> float:
    with postgres.set(full_page_writes="off", autovacuum="off"):
        return _bytes(postgres, pool, "unchanged", 1, OURS, STORE)["wal_bytes"]


def _add_bytes(
    postgres: Server, pool: Writers, batches: tuple[int, ...], result: dict[str, Any]
) -> None:
    """Add WAL and disk bytes for each report."""
    with postgres.set(full_page_writes="off", autovacuum="off"):
        for phase in PHASES:
            for batch in batches:
                result[phase][str(batch)] |= _bytes(postgres, pool, phase, batch, OURS, STORE)
        for name in NAMES:
            door = f"{name}.returner"
            result["returners"][door] |= _bytes(postgres, pool, "changed", 1, door, DATABASES[name])
            if 100 in batches:
                events = result["returners"][f"{name}.event_return"]["100"]
                events |= _bytes(
                    postgres, pool, "changed", 100, f"{name}.event_return", DATABASES[name]
                )
        if 100 in batches:
            result["copy"]["100"] |= _bytes(postgres, pool, "changed", 100, COPY, COPY_DATABASE)


def _bytes(
    postgres: Server,
    pool: Writers,
    phase: str,
    batch: int,
    door: str,
    database: str,
) -> dict[str, float]:
    pool.prepare(_task(phase, batch), 1)
    disk = sum(postgres.table_bytes(database).values())
    wal = postgres.wal_bytes()
    # Write all of them: a page has room for several touches, and only one of these cleans it.
    _, count = pool.write(door, HOUR_SECONDS, 1)
    wal = postgres.wal_bytes() - wal
    disk = sum(postgres.table_bytes(database).values()) - disk
    return {"wal_bytes": round(wal / count), "disk_bytes": round(disk / count)}


def _task(phase: str, batch: int) -> Task:
    return Task(phase, batch, max(batch, min(batch * MOST_BATCHES, MOST[phase])))


def _median(values: list[float]) -> float:
    return float(f"{statistics.median(values):.3g}")


def _document_bytes() -> int:
    sizes = [len(document.encode(fleet.machine(number))) for number in range(1, 101)]
    return round(statistics.mean(sizes))


def _say(what: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench ingest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help=f"{QUICK.rounds} rounds, and a year of {year.QUICK_ASSETS} assets that is scaled up",
    )
    parser.add_argument("--rounds", type=int, metavar="N", help="so many rounds")
    parser.add_argument(
        "--batch",
        type=int,
        choices=BATCHES,
        help="batches of this size only, and neither a year nor the engine",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    plan = QUICK if arguments.quick else WHOLE
    if arguments.rounds is not None:
        plan = plan._replace(rounds=arguments.rounds)
    if arguments.batch is not None:
        only = (arguments.batch,)
        plan = plan._replace(batches=only, of_two=only, year_of=None)
    result = measure(plan)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
