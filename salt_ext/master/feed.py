"""
From the master's cache to the store: what is due, and until when.

Knows neither Salt nor PostgreSQL: a source tells which reports there are, a
sink stores them. A report stays due until the sink has returned, so whatever
ends the process or the database in between, it is taken again; storing a
report twice changes nothing. What is remembered between two looks is in the
store already, so a new feed begins where the one before it ended.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

IN_ITS_SECOND = 0.5
"""
Added to the time of a report that was read when its second was over.

Caches tell whole seconds. A position that lies behind its second says that
nothing else can have been written in it; one that lies at its begin says that
another report may have followed.
"""

TRUST_SECONDS = 1.0
"""For how long the answer to who may be trusted is used again."""


class Unreadable(Exception):
    """A report that is there and cannot be read; it is tried again with the next look."""


class Source(Protocol):
    """Where reports lie, each under the minion id that was authenticated for it."""

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, tuple[float, ...]]:
        """Return for every minion that may be trusted when its reports were last written."""

    def trusted(self, minion_ids: Iterable[str]) -> set[str]:
        """Return which of these minions may be trusted still."""

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """
        Return the latest report of a minion and which time of its version it has, if any.

        Raises :class:`Unreadable`.
        """


class Feed:
    """What is remembered between two looks at the source: ids and numbers, no reports."""

    def __init__(
        self,
        source: Source,
        sink: Callable[[list[tuple[str, Any, float]]], object],
        batch_size: int,
        positions: Mapping[str, float] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Call ``sink`` with lists of (minion id, report, seconds since the epoch).

        In place of a report that is unreadable stands the :class:`Unreadable`.
        ``positions`` are the seconds of the last report that the store has of each minion.
        """
        self.source = source
        self.sink = sink
        self.batch_size = batch_size
        self.positions = positions or {}
        self.clock = clock
        self.due: dict[str, tuple[float, ...]] = {}
        self._stored: dict[str, tuple[float, ...]] = {}
        self._looked = -math.inf

    def look(self, minion_ids: Iterable[str] | None = None) -> None:
        """Find what is new: of some minions, after a hint, or of all."""
        began = self.clock()
        versions = self.source.versions(minion_ids)
        for minion_id, version in versions.items():
            if not self._is_stored(minion_id, version):
                self.due[minion_id] = version
        if minion_ids is None:
            self._looked = began
            # Whoever is trusted no longer is forgotten, its pending report too.
            for known in (self.due, self._stored):
                for gone in known.keys() - versions.keys():
                    del known[gone]

    def drain(self) -> int:
        """Hand over everything that is due; return how many reports. The sink may raise."""
        count = 0
        while self.due:
            batch = dict(itertools.islice(self.due.items(), self.batch_size))
            now = self.clock()
            fresh = 0 <= now - self._looked < TRUST_SECONDS
            trusted = batch.keys() if fresh else self.source.trusted(batch)
            reports: list[tuple[str, Any, float]] = []
            read: dict[str, tuple[float, ...]] = {}
            for minion_id, version in batch.items():
                if minion_id not in trusted:
                    continue
                # Within its second there may come another report that looks no newer.
                is_over = max(version) < math.floor(now)
                try:
                    found = self.source.report(minion_id, version)
                except Unreadable as error:
                    reports.append((minion_id, error, now))
                    continue
                if found is not None:
                    report, at = found
                    reports.append((minion_id, report, at + IN_ITS_SECOND * is_over))
                if is_over:
                    read[minion_id] = version
            if reports:
                self.sink(reports)
            count += len(reports)
            self._stored.update(read)
            for minion_id in batch:
                del self.due[minion_id]
        return count

    def _is_stored(self, minion_id: str, version: tuple[float, ...]) -> bool:
        if minion_id in self._stored:
            return self._stored[minion_id] == version
        # A position in the future was written by a clock that has been set back since.
        return max(version) < self.positions.get(minion_id, -math.inf) <= self.clock()
