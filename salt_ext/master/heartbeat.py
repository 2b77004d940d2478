"""
The heartbeat of the engine: it tells the store that this master listens, and how it does.

Silence of a machine counts only while there is one: see :mod:`salt_ext.store.listening`.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Mapping

from salt_ext import __version__, store

EVERY_SECONDS = 10.0
"""A heartbeat sooner than this after the last one is left out."""

MOST_CHARACTERS = 1000


class Heartbeat:
    """The heartbeat of one master."""

    def __init__(self, database: store.Database, name: str) -> None:
        """Take the id of the master; nothing is told as yet."""
        self.database = database
        self.name = name
        self._number = 0
        self._last = -math.inf
        self._has_failed = False

    def beat(self, due: Mapping[str, tuple[float, ...]]) -> int:
        """
        Tell that this master listens, unless it did so a moment ago; return its number.

        ``due`` are the minions with reports that wait, and when those were written, as
        in a feed. Raises :class:`store.StoreError`.
        """
        if self._has_failed or time.monotonic() - self._last >= EVERY_SECONDS:
            oldest = min(map(max, due.values()), default=None)
            since = None if oldest is None else store.clock(self.database).moment(oldest)
            self._number = store.beat(self.database, self.name, __version__, len(due), since)
            self._last = time.monotonic()
            self._has_failed = False
        return self._number

    def fail(self, error: Exception) -> None:
        """Tell why nothing can be stored; when the store is away, nobody can be told."""
        self._has_failed = True
        reason = str(error).replace("\0", "")[:MOST_CHARACTERS] or type(error).__name__
        with contextlib.suppress(store.StoreError):
            store.beat(self.database, self.name, __version__, failure=reason)
