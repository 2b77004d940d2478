"""
What fleets ask for that are larger than can be measured here: a model, and what it is made of.

Each constant says where it was measured, or that it is assumed. The rest is arithmetic: rates from
the interval of the reports, processor time and bytes from the rates. Then of each thing that can
be short it is told with how many machines one master, or one database server, has no more of it.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

DAY_SECONDS = 86_400
YEAR_DAYS = 365


class Constant(NamedTuple):
    """A number, what it is, and where it comes from."""

    value: float
    what: str
    source: str


ARRIVAL = "`./dev bench arrival`"
INGEST = "`./dev bench ingest`"
LABORATORY = "the design's laboratory: a real master, reports of 10.7 KB"
CACHE = "the feed on a cache of 100,000 minions"
ASSUMED = "assumed"

CONSTANTS = {
    "changed_a_year": Constant(8.41, "changed reports of a machine in a year", INGEST),
    "wave_days": Constant(2, "days in which a new kernel reaches every machine", ASSUMED),
    "life_years": Constant(5, "years until a machine is replaced by a new one", ASSUMED),
    "report_bytes": Constant(11_553, "bytes of a report, before Salt encrypts it", ARRIVAL),
    "salt_ms": Constant(2.3, "CPU ms of Salt's master for a report", LABORATORY),
    "engine_unchanged_ms": Constant(0.78, "CPU ms of an engine for an unchanged report", ARRIVAL),
    "engine_refreshed_ms": Constant(
        1.2, "for one that refreshes volatile values, once a day", ASSUMED
    ),
    "engine_changed_ms": Constant(2.0, "for a changed one", ARRIVAL),
    "engine_new_ms": Constant(3.5, "for a new one", ARRIVAL),
    "look_ms": Constant(0.011, "for each minion, in each look through the cache", CACHE),
    "engine_bytes": Constant(100 << 20, "bytes of memory of an engine without minions", ARRIVAL),
    "minion_bytes": Constant(450, "for each minion", CACHE),
    "postgres_unchanged_ms": Constant(0.5, "CPU ms of PostgreSQL for an unchanged report", ARRIVAL),
    "postgres_refreshed_ms": Constant(0.7, "for one that refreshes volatile values", ASSUMED),
    "postgres_changed_ms": Constant(0.9, "for a changed one", ARRIVAL),
    "postgres_new_ms": Constant(3.1, "for a new one", ARRIVAL),
    "postgres_engine_ms": Constant(3, "each second for an engine that has no report", ARRIVAL),
    "wal_unchanged": Constant(104, "bytes of WAL of an unchanged report", INGEST),
    "wal_pages": Constant(
        270, "and of its pages after a checkpoint, at most", "[benchmarks.md](benchmarks.md)"
    ),
    "wal_refreshed": Constant(3_133, "of one that refreshes volatile values", INGEST),
    "wal_changed": Constant(5_647, "of a changed one", INGEST),
    "wal_new": Constant(32_569, "of a new one", INGEST),
    "now_bytes": Constant(28_430, "bytes on disk of what a machine is now", INGEST),
    "year_bytes": Constant(5_662, "of a year of its history", INGEST),
    "hot_bytes": Constant(5_000, "of these, what every report reads or touches", ARRIVAL),
    "connections": Constant(2, "connections of an engine to PostgreSQL", ARRIVAL),
    "citus_factor": Constant(
        3.6, "times the CPU of PostgreSQL for a report on Citus", "`./dev bench citus`"
    ),
}

LIMITS = {
    "minions": Constant(20_000, "minions of one master", ASSUMED),
    "master_cores": Constant(8, "cores of a master, kept half busy", ASSUMED),
    "assets": Constant(
        1_000_000, "assets that a server answers questions about in time", "`./dev bench queries`"
    ),
    "server_cores": Constant(16, "cores of a database server, kept half busy", ASSUMED),
    "server_connections": Constant(100, "connections, PostgreSQL's default", "its manual"),
    "server_wal": Constant(100e6, "bytes of WAL a second that its disk takes", ASSUMED),
    "server_memory": Constant(64e9, "bytes of its memory for hot rows", ASSUMED),
    "server_disk": Constant(2e12, "bytes of its disk: what is restored within hours", ASSUMED),
}

FLEETS = (100_000, 1_000_000, 10_000_000)
INTERVALS = {"15 minutes": 900, "hour": 3600, "day": DAY_SECONDS}
LEAST_LOOK_SECONDS = 5
LOOKS_SHARE = 10
"""An engine looks every five seconds, and for no more than a tenth of the time."""

DOCS = Path(__file__).parents[1] / "docs/scale.md"
BEGIN, END = "<!-- ./dev bench model -->", "<!-- end of the model -->"


def value(name: str) -> float:
    """Return a constant or a limit."""
    return {**CONSTANTS, **LIMITS}[name].value


class Fleet(NamedTuple):
    """So many machines that report so often."""

    machines: float
    interval_seconds: int

    def rates(self) -> dict[str, float]:
        """Return reports a second by kind, the changes of a year spread over it."""
        reports = self.machines / self.interval_seconds
        daily = self.machines / DAY_SECONDS
        changed = daily * value("changed_a_year") / YEAR_DAYS
        new = daily / (value("life_years") * YEAR_DAYS)
        refreshed = min(daily, reports) - changed - new
        unchanged = reports - refreshed - changed - new
        return {"unchanged": unchanged, "refreshed": refreshed, "changed": changed, "new": new}

    def in_a_wave(self) -> dict[str, float]:
        """Return the same while a new kernel reaches every machine, which reports it as changed."""
        rates = self.rates()
        wave = self.machines / (value("wave_days") * DAY_SECONDS)
        taken = min(wave, rates["unchanged"])
        return rates | {"unchanged": rates["unchanged"] - taken, "changed": rates["changed"] + wave}

    def reports(self) -> float:
        """Return reports a second."""
        return self.machines / self.interval_seconds

    def salt_cores(self) -> float:
        """Return the cores that Salt needs on all masters."""
        return self.reports() * value("salt_ms") / 1000

    def report_cores(self, who: str) -> float:
        """Return the cores that ``engine`` or ``postgres`` needs for the reports of a wave."""
        return sum(
            rate * value(f"{who}_{kind}_ms") / 1000 for kind, rate in self.in_a_wave().items()
        )

    def engine_cores(self) -> float:
        """Return the cores of all engines: the reports, and looking for them."""
        masters = self.masters()
        look_seconds = self.machines / masters * value("look_ms") / 1000
        pause = max(LEAST_LOOK_SECONDS, LOOKS_SHARE * look_seconds)
        return self.report_cores("engine") + masters * look_seconds / pause

    def postgres_cores(self) -> float:
        """Return the cores of all database servers: the reports, and what engines ask besides."""
        asked = self.masters() * value("postgres_engine_ms") / 1000
        return (self.report_cores("postgres") + asked) * self.dearer()

    def masters(self) -> int:
        """Return how many masters there are: by their minions, or by their cores."""
        cores = self.salt_cores() + self.report_cores("engine")
        by_cores = cores / (value("master_cores") / 2)
        return math.ceil(max(self.machines / value("minions"), by_cores))

    def servers(self) -> int:
        """Return how many database servers there are; several are workers of Citus."""
        return math.ceil(self.machines / value("assets"))

    def dearer(self) -> float:
        """Return by what Citus makes a report dearer."""
        return 1 if self.servers() == 1 else value("citus_factor")

    def shards(self) -> int:
        """Return in how many shards a table is: two for each worker."""
        return 2 * self.servers()

    def wal(self) -> float:
        """Return bytes of WAL a second, changes spread over the year."""
        rates = self.rates()
        written = sum(rate * value(f"wal_{kind}") for kind, rate in rates.items())
        return written + rates["unchanged"] * value("wal_pages")

    def disk(self) -> float:
        """Return the bytes of the database after a year."""
        return self.machines * (value("now_bytes") + value("year_bytes"))

    def hot(self) -> float:
        """Return the bytes that have to be in memory so that a report reads no disk."""
        return self.machines * value("hot_bytes")

    def new_at_once_seconds(self) -> float:
        """Return for how long PostgreSQL works when all machines are new."""
        cores = self.servers() * value("server_cores") / 2
        return self.machines * value("postgres_new_ms") / 1000 * self.dearer() / cores

    def engine_memory(self) -> float:
        """Return the bytes of one engine."""
        return value("engine_bytes") + self.machines / self.masters() * value("minion_bytes")


class Step(NamedTuple):
    """What is short from so many machines on, and what to do then."""

    machines: float
    what: str
    remedy: str


def steps(interval_seconds: int) -> list[Step]:
    """Return what one master and one database server run out of, in the order of the fleet."""
    one = Fleet(1, interval_seconds)
    engine = one.report_cores("engine")
    half_server, half_master = value("server_cores") / 2, value("master_cores") / 2
    engines = value("server_connections") / value("connections")
    found = [
        Step(
            value("minions"),
            "a master's connections",
            "another master or a syndic, with its engine",
        ),
        Step(0.5 / engine, "the core of one engine", "another master, with its engine"),
        Step(
            half_master / (one.salt_cores() + engine),
            "the cores of a master, most of it Salt's own work",
            "a longer interval, or another master",
        ),
        Step(
            engines * value("minions"),
            "PostgreSQL's connections",
            "`max_connections`: an idle one costs a few MB",
        ),
        Step(
            value("assets"),
            "answers in time to questions about the whole fleet",
            "a replica for more questions; Citus for faster ones",
        ),
        Step(
            half_server / one.report_cores("postgres"),
            "PostgreSQL's cores, for reports",
            "a longer interval, or Citus",
        ),
        Step(value("server_memory") / one.hot(), "memory for hot rows", "more of it, or Citus"),
        Step(
            value("server_disk") / one.disk(),
            "disk that is restored within hours",
            "a standby instead of a restore, or Citus",
        ),
        Step(
            value("server_wal") / one.wal(),
            "the disk's rate, for WAL",
            "a longer interval, or Citus",
        ),
    ]
    return sorted(found)


def markdown() -> str:
    """Return the tables of docs/scale.md."""
    fleets = [
        (Fleet(machines, seconds), word)
        for machines in FLEETS
        for word, seconds in INTERVALS.items()
    ]
    return "\n\n".join((_masters(fleets), _servers(fleets), _steps(), _constants()))


def _masters(fleets: list[tuple[Fleet, str]]) -> str:
    rows = [
        (
            f"{fleet.machines:,}",
            word,
            _round(fleet.reports()),
            _round(fleet.rates()["refreshed"]),
            _round(fleet.rates()["changed"]),
            _round(fleet.in_a_wave()["changed"]),
            _round(fleet.reports() * value("report_bytes") / 1e6),
            fleet.masters(),
            _round(fleet.salt_cores()),
            _round(fleet.engine_cores()),
            _round(fleet.engine_memory() / 1e6),
        )
        for fleet, word in fleets
    ]
    head = (
        *("machines", "a report each", "reports/s", "refreshed/s", "changed/s", "in a wave"),
        *("MB/s", "masters", "cores: Salt", "engines", "an engine, MB"),
    )
    return _table(head, rows)


def _servers(fleets: list[tuple[Fleet, str]]) -> str:
    rows = [
        (
            f"{fleet.machines:,}",
            word,
            "one" if fleet.servers() == 1 else f"{fleet.servers()} workers",
            "-" if fleet.servers() == 1 else fleet.shards(),
            _round(fleet.postgres_cores()),
            _round(fleet.wal() / 1e6),
            _round(fleet.wal() * DAY_SECONDS / 1e9),
            _round(fleet.disk() / 1e9),
            _round(fleet.hot() / 1e9),
            _round(fleet.new_at_once_seconds() / 60),
        )
        for fleet, word in fleets
    ]
    head = (
        *("machines", "a report each", "servers", "shards", "PostgreSQL, cores", "WAL, MB/s"),
        *("WAL, GB a day", "disk after a year, GB", "hot, GB", "all new at once, minutes"),
    )
    return _table(head, rows)


def _steps() -> str:
    rows = [
        (f"{_leading(one.machines):,}", one.what, one.remedy)
        for one in steps(INTERVALS["15 minutes"])
    ]
    return _table(("machines", "what is short, with a report every 15 minutes", "then"), rows)


def _constants() -> str:
    rows = [
        (one.what, f"{one.value:,g}" if one.value < 1e6 else f"{one.value:,.0f}", one.source)
        for one in (*CONSTANTS.values(), *LIMITS.values())
    ]
    return _table(("constant", "value", "measured by"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines: list[Sequence[object]] = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def _round(number: float) -> str:
    """Return a number with two digits that count."""
    return f"{_leading(number):,}" if number >= 10 else f"{float(f'{number:.2g}'):g}"


def _leading(number: float) -> int:
    """Return a number as a whole one with two digits and zeros."""
    return int(float(f"{number:.2g}"))


def documented() -> str:
    """Return the tables that docs/scale.md has."""
    return DOCS.read_text().partition(BEGIN)[2].partition(END)[0].strip()


def write() -> None:
    """Put the tables into docs/scale.md."""
    before, _, rest = DOCS.read_text().partition(BEGIN)
    DOCS.write_text(f"{before}{BEGIN}\n\n{markdown()}\n\n{END}{rest.partition(END)[2]}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench model",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--write", action="store_true", help="put the tables into docs/scale.md")
    if parser.parse_args().write:
        write()
    else:
        print(markdown())


if __name__ == "__main__":
    main()
