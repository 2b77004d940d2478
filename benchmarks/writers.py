"""
Processes that write reports, each those of its own machines, at the same time.

A writer makes its reports before the clock runs. There are several ways to write:
``ours``, Salt's returners, and a bare COPY. All of them get the same reports.
"""

from __future__ import annotations

import contextlib
import gc
import json
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import fleet, returners
from benchmarks.postgres import Server
from salt_ext import store
from salt_ext.facts import timestamp

OURS, COPY = "ours", "copy"
STORE, COPY_DATABASE = "cmdb", "copied"
COPY_TABLES = "CREATE TABLE document (document jsonb NOT NULL)"
ENOUGH_PER_SECOND = 60_000
"""Reports per second: more than any of the ways can write."""
STEP = timedelta(seconds=1)
REFRESH_STEP = timedelta(hours=25)
"""Longer than the 24 hours after which an unchanged report writes volatile values again."""

Report = dict[str, Any]
Batch = Sequence[Report]


class Task(NamedTuple):
    """What all writers shall do: a phase is new, unchanged, refreshed or changed."""

    phase: str
    batch: int
    reports: int


class Way(NamedTuple):
    """A way to write: what is made of a batch before the clock runs, and the writing."""

    prepare: Callable[[Batch], Any]
    write: Callable[[Any], object]
    knows_batches: bool = True


class Sample(NamedTuple):
    """When a writer began and ended, and how many reports it wrote."""

    began: float
    ended: float
    reports: int


class Writers:
    """Some writers, and how fast they are together."""

    def __init__(self, server: Server, machines: int, count: int) -> None:
        """Start ``count`` processes with ``machines`` in all."""
        context = multiprocessing.get_context("fork")
        self.links: list[Connection] = []
        self.processes = []
        for number in range(count):
            ours, theirs = context.Pipe()
            share = range(number + 1, machines + 1, count)
            process = context.Process(target=_work, args=(theirs, server, share), daemon=True)
            process.start()
            self.links.append(ours)
            self.processes.append(process)
        self._together("made", self.links)

    def prepare(self, task: Task, writers: int) -> None:
        """Let the first writers make the reports of a task."""
        self._together(("prepare", task), self.links[:writers])

    def write(self, way: str, seconds: float, writers: int) -> tuple[float, int]:
        """Let them write for some seconds; return reports per second and how many."""
        samples = [Sample(*one) for one in self._together((way, seconds), self.links[:writers])]
        count = sum(one.reports for one in samples)
        wall = max(one.ended for one in samples) - min(one.began for one in samples)
        return count / wall, count

    def close(self) -> None:
        """End the processes."""
        for link in self.links:
            link.send(None)
        for process in self.processes:
            process.join()

    def _together(self, message: object, links: Sequence[Connection]) -> list[Any]:
        for link in links:
            link.send(message)
        answers = [link.recv() for link in links]
        for answer in answers:
            if isinstance(answer, str):
                raise RuntimeError(f"a writer failed: {answer}")
        return answers


@contextlib.contextmanager
def writers(server: Server, machines: int, count: int) -> Iterator[Writers]:
    """Yield writers that are ended at the end."""
    running = Writers(server, machines, count)
    try:
        yield running
    finally:
        running.close()


def _work(link: Connection, server: Server, share: range) -> None:
    """Run one writer until it receives None."""
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory:
        ways = _ways(server, Path(directory))
        story = _Story(share)
        gc.freeze()  # no daemon has so many documents for the garbage collector to look through
        batches: list[list[Report]] = []
        task = Task("new", 1, 0)
        while (message := link.recv()) is not None:
            try:
                if message == "made":
                    link.send(())
                elif message[0] == "prepare":
                    task = message[1]
                    batches = story.batches(task)
                    link.send(())
                else:
                    way, seconds = message
                    sample = _write(ways[way], batches, seconds)
                    if way == OURS:
                        story.stored(task, sample.reports)
                    link.send(tuple(sample))
            except Exception as error:
                link.send(repr(error))


def _write(way: Way, batches: list[list[Report]], seconds: float) -> Sample:
    """Write batches, of which the last one begins within these seconds."""
    if not way.knows_batches:
        batches = [[report] for batch in batches for report in batch]
    batches = batches[: max(1, round(ENOUGH_PER_SECOND * seconds) // len(batches[0]))]
    prepared = [(len(batch), way.prepare(batch)) for batch in batches]
    began = time.monotonic()
    count = 0
    for size, batch in prepared:
        way.write(batch)
        count += size
        if time.monotonic() - began > seconds:
            break
    return Sample(began, time.monotonic(), count)


def _ways(server: Server, directory: Path) -> Mapping[str, Way]:
    database = server.database(STORE)
    copied = server.link(COPY_DATABASE)
    salt = returners.load(server.directory, directory)
    with database.begin():
        pass  # connects now, as a daemon is connected before a report comes
    ways = {
        OURS: Way(_arrivals, partial(_ingest, database)),
        COPY: Way(_lines, partial(_copy, copied)),
    }
    for name in returners.NAMES:
        ways[f"{name}.returner"] = Way(_return, salt[f"{name}.returner"], knows_batches=False)
        ways[f"{name}.event_return"] = Way(returners.as_events, salt[f"{name}.event_return"])
    return ways


def _arrivals(batch: Batch) -> list[store.Arrival]:
    times = [datetime.strptime(one["collected_at"], "%Y-%m-%dT%H:%M:%S.%f%z") for one in batch]
    return [store.Arrival(one["minion_id"], one, at) for one, at in zip(batch, times, strict=True)]


def _ingest(database: store.Database, arrivals: list[store.Arrival]) -> None:
    """Store a batch. Reports that are not stored would make it fast, so they are an error."""
    for outcome in store.ingest(database, arrivals):
        if outcome.status in ("held", "refused"):
            raise AssertionError(f"{outcome.minion_id} is {outcome.status}: {outcome.detail}")


def _return(batch: Batch) -> Report:
    [report] = batch
    return returners.as_return(report)


def _lines(batch: Batch) -> StringIO:
    return StringIO("".join(json.dumps(one).replace("\\", "\\\\") + "\n" for one in batch))


def _copy(link: Any, lines: StringIO) -> None:
    lines.seek(0)
    with link.cursor() as cursor:
        cursor.copy_expert("COPY document FROM STDIN", lines)


class _Story:
    """The machines of one writer, each with two documents between which it changes."""

    def __init__(self, share: range) -> None:
        self.share = share
        self.now = fleet.START
        self.next_new = 1_000_000 + share.start
        self.base = [fleet.report(number, fleet.START) for number in share]
        self.other = [fleet.report(number, fleet.START, fleet.changed(number)) for number in share]

    def batches(self, task: Task) -> list[list[Report]]:
        """Return the reports of a task in batches, no machine twice in one."""
        reports: list[Report] = []
        documents = self.other if task.phase == "changed" else self.base
        while len(reports) < task.reports:
            self.now += REFRESH_STEP if task.phase == "refreshed" else STEP
            wanted = task.reports - len(reports)
            if task.phase == "new":
                reports += [self._new() for _ in range(wanted)]
            else:
                reports += [self._at(one) for one in documents[:wanted]]
        starts = range(0, len(reports), task.batch)
        return [reports[start : start + task.batch] for start in starts]

    def stored(self, task: Task, count: int) -> None:
        """After a change, swap both documents of the first ``count`` machines, which are stored."""
        if task.phase == "changed":
            self.base[:count], self.other[:count] = self.other[:count], self.base[:count]

    def _new(self) -> Report:
        self.next_new += self.share.step
        return fleet.report(self.next_new, self.now)

    def _at(self, report: Report) -> Report:
        since_start_ms = (self.now - fleet.START) // timedelta(milliseconds=1)
        return {
            **report,
            "collected_at": timestamp(self.now.timestamp()),
            "since_boot_ms": report["since_boot_ms"] + since_start_ms,
        }
