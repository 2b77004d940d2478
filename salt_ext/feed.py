"""
From the master's cache to the store: what is due, and until when.

Knows neither Salt nor PostgreSQL: a source tells which reports there are, a
sink stores them. A report stays due until the sink has returned, so whatever
ends the process or the database in between, it is taken again; storing a
report twice changes nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol


class Source(Protocol):
    """Where reports lie, each under the minion id that was authenticated for it."""

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, tuple[float, ...]]:
        """Return for every minion that may be trusted when its reports were last written."""

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """Return the latest report of a minion and which time of its version it has, if any."""


class Feed:
    """What the engine remembers between two looks at the source."""

    def __init__(
        self,
        source: Source,
        sink: Callable[[list[tuple[str, Any, float]]], None],
        batch_size: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Call ``sink`` with lists of (minion id, report, seconds since the epoch)."""
        self.source = source
        self.sink = sink
        self.batch_size = batch_size
        self.clock = clock
        self.due: dict[str, tuple[float, ...]] = {}
        self._stored: dict[str, tuple[float, ...]] = {}

    def look(self, minion_ids: Iterable[str] | None = None) -> None:
        """Find what is new: of some minions, after a hint, or of all."""
        versions = self.source.versions(minion_ids)
        for minion_id, version in versions.items():
            if self._stored.get(minion_id) != version:
                self.due[minion_id] = version
        if minion_ids is None:
            # Whoever is trusted no longer is forgotten, its pending report too.
            for known in (self.due, self._stored):
                for gone in known.keys() - versions.keys():
                    del known[gone]

    def drain(self) -> int:
        """Hand over everything that is due; return how many reports. The sink may raise."""
        count = 0
        while self.due:
            batch = list(self.due.items())[: self.batch_size]
            started = math.floor(self.clock())
            reports = []
            for minion_id, version in batch:
                found = self.source.report(minion_id, version)
                if found is not None:
                    reports.append((minion_id, *found))
            if reports:
                self.sink(reports)
            count += len(reports)
            for minion_id, version in batch:
                del self.due[minion_id]
                # Caches tell whole seconds: within this one there may come another
                # report that looks no newer, so it is looked at once more.
                if max(version) < started:
                    self._stored[minion_id] = version
        return count
