"""
How often the rule that ranks disks is right, by disks of which it is known when they failed.

At one random moment of each disk's life its counters are read. How often each model fails is
learnt from one half of the disks; the other half is ranked and judged. That is done again with
other moments and halves, because the worst percent has a few hundred disks only: each figure is
a mean, with the least and the most. A disk that was watched for less than 30 (or 90) days more,
and did not fail, is not judged: nobody knows.

FILE is a table such as that of Backblaze's disks in the R package dynamichazard, plain or with
xz: a row for each time in which the counters of a disk stayed the same, in hours of running.
"""

from __future__ import annotations

import argparse
import csv
import json
import lzma
import random
import statistics
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.ingest_table import _table as table
from salt_ext.store.prediction import COUNTERS, ENOUGH, evidence, yearly_rate

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "hds.csv.xz"
SEEDS = 20
WORST = 0.01
SOON, LATER = 30, 90
DAY_HOURS, YEAR_DAYS = 24, 365.25
TIMEOUTS = "command_timeouts"
NAMES = {f"smart_{number}": name for name, number in COUNTERS.items()} | {"smart_188": TIMEOUTS}
"""By column of the file, how we call the counter."""

Counts = tuple[int, ...]
"""The counters in the order of NAMES; one that a disk does not have is 0."""

PRECISION, RECALL = 0.23, 0.20
"""Of the worst percent at 30 days: at least that, in the mean of all seeds."""


class Disk(NamedTuple):
    """A disk: when its counters became what, in hours, until when it was seen, and its end."""

    model: str
    starts: list[float]
    counts: list[Counts]
    end: float
    has_failed: bool


class Seen(NamedTuple):
    """A disk at one moment, and what became of it."""

    model: str
    counts: Counts
    days_before: float
    days_left: float
    has_failed: bool
    lot: float
    """Decides between disks that a rule does not tell apart."""

    def is_known(self, days: int) -> bool:
        """Whether somebody knows how it was after so many days."""
        return self.has_failed or self.days_left >= days

    def fails(self, days: int) -> bool:
        """Whether it failed within so many days."""
        return self.has_failed and self.days_left <= days


Kinds = dict[tuple[Counts, str], list[Seen]]
"""Disks by their counters and their model, by which alone they are ranked: nearly all count 0."""


class Rule(NamedTuple):
    """A rule: what it makes of a disk and the rate of its model; how much of that it flags."""

    name: str
    judge: Callable[[Mapping[str, int], float], Any]
    is_order: bool
    """It ranks the disks, and the worst percent is flagged; else all for which it is true."""


def former(counts: Mapping[str, int]) -> int:
    """Return what ``cmdb.health`` made of counters before: 2 a warning, 1 a notice, 0 nothing."""
    if any(counts[name] for name in COUNTERS if name != "reallocated"):
        return 2
    return int(counts["reallocated"] > 0)


def _number(counts: Mapping[str, int]) -> int:
    return sum(counts[name] > 0 for name in COUNTERS)


def _size(counts: Mapping[str, int]) -> int:
    return sum(counts[name].bit_length() for name in COUNTERS)


RULES = (
    Rule("worst 1 %: the order of `cmdb.health`", evidence, True),
    Rule("worst 1 %: the former order", lambda counts, _: former(counts), True),
    Rule("worst 1 %: no counter counts as two", lambda c, rate: (_number(c), rate), True),
    Rule("worst 1 %: the size of all counters", lambda c, rate: (_size(c), rate), True),
    Rule(
        "`warning`: two of four, or one large", lambda c, _: evidence(c).counters >= ENOUGH, False
    ),
    Rule("`notice`: one of four, not large", lambda c, _: evidence(c).counters == 1, False),
    Rule("one of four, large", lambda c, _: _number(c) == 1 != evidence(c).counters, False),
    Rule("two of four or more", lambda counts, _: _number(counts) >= 2, False),
    Rule("three of four or more", lambda counts, _: _number(counts) >= 3, False),
    Rule("any of four", lambda counts, _: _number(counts) > 0, False),
    Rule("188 alone", lambda c, _: c[TIMEOUTS] > 0 and not _number(c), False),
    Rule("the former `warning`", lambda counts, _: former(counts) == 2, False),
    Rule("the former `notice`", lambda counts, _: former(counts) == 1, False),
    Rule("every disk: the base rate", lambda *_: True, False),
)
OURS, FORMER = RULES[0].name, RULES[1].name

FIGURES = {
    "flagged": "flagged",
    "precision_30": "precision, 30 days",
    "precision_90": "90 days",
    "recall_30": "recall, 30 days",
}


def read(path: Path) -> list[Disk]:
    """Read the disks of a file."""
    rows: dict[tuple[str, str], list[Mapping[str, str]]] = defaultdict(list)
    with (lzma.open if path.suffix == ".xz" else open)(path, "rt") as file:
        for row in csv.DictReader(file):
            rows[row["model"], row["serial_number"]].append(row)
    return [
        Disk(
            model,
            [float(row["tstart"]) for row in spans],
            [tuple(int(row[column] or 0) for column in NAMES) for row in spans],
            float(spans[-1]["tstop"]),
            spans[-1]["fails"] == "1",
        )
        for (model, _), spans in rows.items()
    ]


def measure(disks: Sequence[Disk], seeds: Iterable[int]) -> dict[str, Any]:
    """Return what is measured; a row for each rule, with a figure of each seed."""
    rounds = [judged(disks, random.Random(seed)) for seed in seeds]
    return {
        "disks": len(disks),
        "failures": sum(disk.has_failed for disk in disks),
        "failures_without_a_sign": sum(
            disk.has_failed and not _number(named(disk.counts[-1])) for disk in disks
        ),
        "seeds": list(seeds),
        "rules": [
            {
                "rule": rule.name,
                **{figure: [one[rule.name][figure] for one in rounds] for figure in FIGURES},
            }
            for rule in RULES
        ],
    }


def judged(disks: Sequence[Disk], chance: random.Random) -> dict[str, dict[str, float]]:
    """Return the figures of each rule for one moment of each disk."""
    seen = [(at_random(disk, chance), chance.random() < 0.5) for disk in disks]
    rates = learnt([one for one, is_learnt_from in seen if is_learnt_from])
    kinds: Kinds = defaultdict(list)
    for one, is_learnt_from in seen:
        if not is_learnt_from and one.is_known(SOON):
            kinds[one.counts, one.model].append(one)
    return {rule.name: _figures(rule, kinds, rates) for rule in RULES}


def at_random(disk: Disk, chance: random.Random) -> Seen:
    """Return a disk at a random moment of the time in which it was watched."""
    start, end = disk.starts[0], disk.end
    at = chance.uniform(start, end)
    counts = disk.counts[max(0, bisect_left(disk.starts, at) - 1)]
    before, left = (hours / DAY_HOURS for hours in (at - start, end - at))
    return Seen(disk.model, counts, before, left, disk.has_failed, chance.random())


def learnt(seen: Iterable[Seen]) -> dict[str, float]:
    """Return by model which share of its disks fails in a year, as the store learns it."""
    failed: dict[str, int] = defaultdict(int)
    years: dict[str, float] = defaultdict(float)
    for one in seen:
        failed[one.model] += one.has_failed
        years[one.model] += (one.days_before + one.days_left) / YEAR_DAYS
    of_fleet = sum(failed.values()) / sum(years.values())
    rates = {model: yearly_rate(failed[model], years[model], of_fleet) for model in years}
    return defaultdict(lambda: of_fleet, rates)


def named(counts: Counts) -> dict[str, int]:
    """Return counters by their names."""
    return dict(zip(NAMES.values(), counts, strict=True))


def _figures(rule: Rule, kinds: Kinds, rates: Mapping[str, float]) -> dict[str, float]:
    seen = [*chain.from_iterable(kinds.values())]
    verdicts = {kind: rule.judge(named(kind[0]), rates[kind[1]]) for kind in kinds}
    if rule.is_order:
        flagged = _worst(kinds, verdicts, round(WORST * len(seen)))
    else:
        flagged = [one for kind, of_kind in kinds.items() if verdicts[kind] for one in of_kind]
    later = [one for one in flagged if one.is_known(LATER)]
    hits = sum(one.fails(SOON) for one in flagged)
    return {
        "flagged": len(flagged) / len(seen),
        "precision_30": hits / max(1, len(flagged)),
        "precision_90": sum(one.fails(LATER) for one in later) / max(1, len(later)),
        "recall_30": hits / max(1, sum(one.fails(SOON) for one in seen)),
    }


def _worst(kinds: Kinds, verdicts: Mapping[Any, Any], number: int) -> list[Seen]:
    """Return so many disks that are ranked highest."""
    found: list[Seen] = []
    ranked = sorted(kinds, key=verdicts.__getitem__, reverse=True)
    for _, tied in groupby(ranked, verdicts.__getitem__):
        if len(found) == number:
            break
        by_lot = sorted(chain.from_iterable(kinds[kind] for kind in tied), key=lambda one: one.lot)
        found += by_lot[: number - len(found)]
    return found


def mean(result: Mapping[str, Any], rule: str, figure: str) -> float:
    """Return the mean of a figure over all seeds."""
    [figures] = [row[figure] for row in result["rules"] if row["rule"] == rule]
    return float(statistics.mean(figures))


def is_good(result: Mapping[str, Any]) -> bool:
    """Whether the order of the product is as good as it is promised to be."""
    precision, recall = (mean(result, OURS, one) for one in ("precision_30", "recall_30"))
    return (
        precision >= PRECISION
        and recall >= RECALL
        and precision >= mean(result, FORMER, "precision_30")
        and recall >= mean(result, FORMER, "recall_30")
    )


def markdown(result: Mapping[str, Any]) -> str:
    """Return the result as a table."""
    rows = [
        (row["rule"], *(_spread(row[figure], figure) for figure in FIGURES))
        for row in result["rules"]
    ]
    seeds, silent = result["seeds"], result["failures_without_a_sign"]
    said = f"Seeds {seeds[0]} to {seeds[-1]}; in brackets the least and the most of one seed."
    return (
        f"{result['disks']:,} disks, {result['failures']:,} failures, of which {silent:,}"
        f" ({100 * silent / result['failures']:.0f} %) show nothing in the four counters."
        f" {said if len(seeds) > 1 else f'Seed {seeds[0]}.'}\n\n"
        f"{table(('rule', *FIGURES.values()), rows)}"
    )


def _spread(figures: Sequence[float], figure: str) -> str:
    least, middle, most = (f"{100 * of(figures):.3g}" for of in (min, statistics.mean, max))
    is_plain = figure == "flagged" or least == most
    return f"{middle} %" + ("" if is_plain else f" ({least} to {most})")


def main() -> None:
    """Run the command line; the exit status is 1 when the order is worse than it is promised."""
    parser = argparse.ArgumentParser(
        prog="./dev bench prediction",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", nargs="?", type=Path, default=FILE, metavar="FILE")
    parser.add_argument("--seed", type=int, help="one seed only, and no promise")
    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"how many, {SEEDS} if not said")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    if not arguments.file.is_file():
        parser.error(f"there is no file {arguments.file}: name one")
    if arguments.seeds < 1:
        parser.error("--seeds is at least 1")
    seeds = range(arguments.seeds) if arguments.seed is None else [arguments.seed]
    result = measure(read(arguments.file), seeds)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))
    sys.exit(arguments.seed is None and not is_good(result))


if __name__ == "__main__":
    main()
