"""
From the master's cache to the store: which reports are due, and until when.

This module knows neither Salt nor PostgreSQL: a source lists and reads reports,
a sink stores them. A report stays due until the sink has returned. When the
process or the database ends before that, the report is stored later; to store a
report twice changes nothing. What a feed remembers is in the store too, so a new
feed begins where the last one ended.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeAlias

from salt_ext.master.waits import ALLOWED_SECONDS, Waits
from salt_ext.report.limits import PACE

Version: TypeAlias = tuple[float, ...]
"""When each of the entries of a minion was last written, in seconds since the epoch."""

IN_ITS_SECOND = 0.5
"""
Seconds that are added to the time of a report if it was read after that second had ended.

Caches give whole seconds. So the time in the store, the "position", tells the two
cases apart: with this half second, no later report can have the same time;
without it, another report of the same second may have followed.
"""

PAGE = 1000
"""Minions that are looked at in one piece: a few milliseconds where the cache is files."""


class Unreadable(Exception):
    """A report that exists but cannot be read. The next look tries it again."""


class Told(Protocol):
    """What a sink tells of a report: what became of it, and how long its machine shall wait."""

    @property
    def minion_id(self) -> str:
        """Whose report it is."""

    @property
    def status(self) -> str:
        """What became of it: when it is ``waiting``, it stays due."""

    @property
    def wait_seconds(self) -> float:
        """For so long no other report of the machine is read."""


class Source(Protocol):
    """Where reports are, each under an authenticated minion id."""

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, Version]:
        """
        Return by minion id when its reports were last written, in seconds since the epoch.

        Only trusted minions are returned: all of them, or those of ``minion_ids``.
        """

    def pages(self, size: int) -> Iterator[dict[str, Version]]:
        """Yield the same of all minions, of at most ``size`` minions at a time."""

    def trusted(self, minion_ids: Iterable[str]) -> set[str]:
        """Return those of these minions that are still trusted."""

    def report(self, minion_id: str, version: Version) -> tuple[Any, float] | None:
        """
        Return the latest report of a minion and its time, which is one of ``version``.

        None when there is no report. Raises :class:`Unreadable`.
        """


class Feed:
    """
    The due reports of a source. Between two looks it remembers ids and times, no reports.

    Each machine has less than a minute of each hour: after a report that took a second
    to read and to store, the next one of that machine is read in 80.
    """

    def __init__(
        self,
        source: Source,
        sink: Callable[[list[tuple[str, Any, float]]], Iterable[Told] | None],
        batch_size: int,
        positions: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.time,
        waits: Waits | None = None,
    ) -> None:
        """
        Take a ``sink``, which gets lists of (minion id, report, seconds since the epoch).

        In place of a report that cannot be read, the list has the :class:`Unreadable`.
        ``positions`` are the times of the last report of each minion in the store, in
        seconds since the epoch; ``waits`` are the machines of which nothing is read now.
        """
        self.source = source
        self.sink = sink
        self.batch_size = batch_size
        self.positions = positions or {}
        self.clock = clock
        self.waits = Waits() if waits is None else waits
        self.due: dict[str, Version] = {}
        self._stored: dict[str, Version] = {}
        self._hinted: dict[str, None] = {}
        """Of those that are due: the ones that come first, because of a hint."""
        self._seen: set[str] = set()
        """The minions that were found since a look at all of them began."""

    def look(self, minion_ids: Iterable[str] | None = None) -> None:
        """Find the reports that are due: of all minions, or after a hint of some."""
        if minion_ids is None:
            for _ in self.looks():
                pass
            return
        asked = [one for one in minion_ids if one not in self.waits]
        for minion_id in self._note(self.source.versions(asked)):
            self._hinted[minion_id] = None

    def looks(self) -> Iterator[None]:
        """Look at all minions, a page with each step: in between, others need not wait."""
        self._seen = set()
        for versions in self.source.pages(PAGE):
            self._note(versions)
            yield
        # Forget the minions that are no longer trusted, and their due reports.
        for known in (self.due, self._stored):
            for gone in known.keys() - self._seen:
                del known[gone]
        self._seen = set()
        self.positions = {}  # what they told of these minions is known now

    def _note(self, versions: Mapping[str, Version]) -> list[str]:
        """Note what was found; return the minions with a report that is due."""
        self._seen.update(versions)
        due = []
        for minion_id, version in versions.items():
            if not self._is_stored(minion_id, version):
                self.due[minion_id] = version
                due.append(minion_id)
        return due

    def drain(self, most: float = math.inf) -> int:
        """
        Hand due reports to the sink, in batches; return how many there were.

        All of them, or batches until there were ``most``. What the sink raises is passed
        on; its batch stays due. So does the report of a machine that has to wait.
        """
        count = 0
        while count < most and (batch := self._next()):
            now = self.clock()
            trusted = self.source.trusted(batch)
            reports: list[tuple[str, Any, float]] = []
            read: dict[str, Version] = {}
            for minion_id, version in batch.items():
                if minion_id not in trusted:
                    continue
                # Until its second has ended, another report with the same time may come.
                is_over = max(version) < math.floor(now)
                try:
                    found = self._read(minion_id, version)
                except Unreadable as error:
                    reports.append((minion_id, error, now))
                    continue
                if found is not None:
                    report, at = found
                    reports.append((minion_id, report, at + IN_ITS_SECOND * is_over))
                if is_over:
                    read[minion_id] = version
            waiting = self._hand_over(reports)
            count += len(reports)
            for minion_id in batch:
                self._hinted.pop(minion_id, None)
                if minion_id in waiting:
                    continue
                if minion_id in read:
                    self._stored[minion_id] = read[minion_id]
                del self.due[minion_id]
        return count

    def _next(self) -> dict[str, Version]:
        """Return the next batch of what is due, without the machines that have to wait."""
        first = (one for one in self._hinted if one in self.due)
        others = (one for one in self.due if one not in self._hinted)
        ready = (one for one in itertools.chain(first, others) if one not in self.waits)
        return {one: self.due[one] for one in itertools.islice(ready, self.batch_size)}

    def _read(self, minion_id: str, version: Version) -> tuple[Any, float] | None:
        """Read a report; the time that this takes counts."""
        began = time.thread_time()
        try:
            return self.source.report(minion_id, version)
        finally:
            self.waits.owe(minion_id, PACE * (time.thread_time() - began))

    def _hand_over(self, reports: list[tuple[str, Any, float]]) -> set[str]:
        """Give reports to the sink; return the machines whose reports stay due."""
        waiting = set()
        for one in (self.sink(reports) if reports else None) or ():
            if one.status == "waiting":
                waiting.add(one.minion_id)
            let_wait(self.waits, one)
        return waiting

    def _is_stored(self, minion_id: str, version: Version) -> bool:
        if minion_id not in self._stored:
            # A position in the future was written by a clock that has been set back since.
            if not max(version) < self.positions.get(minion_id, -math.inf) <= self.clock():
                return False
            self._stored[minion_id] = version
        return self._stored[minion_id] == version


def let_wait(waits: Waits, told: Told) -> None:
    """Let the machine of a report wait as the sink told."""
    if told.status == "waiting":
        waits.wait(told.minion_id, max(1.0, told.wait_seconds))
    elif told.status == "refused" and told.wait_seconds > ALLOWED_SECONDS:
        waits.wait(told.minion_id, told.wait_seconds)
    elif told.wait_seconds:
        waits.owe(told.minion_id, told.wait_seconds)
