"""
Answers that are kept for some seconds, because many people ask for the same.

What is kept is shown with its age. Who asks while another is asking waits for that answer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

from flask import current_app

from salt_ext.questions.table import Table

MOST = 256
"""So many answers are kept; the one that was not used for longest makes room."""


class Kept(NamedTuple):
    """An answer and how old it is."""

    value: Any
    age_seconds: float


class Cache:
    """The answers of one process."""

    def __init__(self, seconds: float) -> None:
        """Keep each answer for so long; with 0 none is kept."""
        self._seconds = seconds
        self._lock = threading.Lock()
        self._slots: OrderedDict[Hashable, _Slot] = OrderedDict()

    def get(self, key: Hashable, ask: Callable[[], Any]) -> Kept:
        """Return the kept answer; ask if there is none that is young enough."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
            while len(self._slots) > MOST:
                self._slots.popitem(last=False)
        with slot.lock:
            now = time.monotonic()
            if slot.asked_at is None or now - slot.asked_at >= self._seconds:
                slot.value = ask()
                slot.asked_at = now = time.monotonic()
            return Kept(slot.value, now - slot.asked_at)


class _Slot:
    """One answer, and the lock of whoever asks for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_at: float | None = None
        self.value: Any = None


def kept(key: Hashable, ask: Callable[[], Any]) -> Kept:
    """
    Return an answer of this application, at most as old as the setting ``cache_seconds``.

    The key must have all that the answer depends on, such as what its reader may see.
    """
    cache: Cache = current_app.extensions["cache"]
    return cache.get(key, ask)


def kept_table(key: Hashable, ask: Callable[[], Table], limit: int | None) -> Table:
    """Return the first rows of a table that is read and kept as a whole; None for all rows."""

    def whole() -> Table:
        table = ask()
        return table._replace(rows=list(table.rows))

    table, age_seconds = kept(key, whole)
    return table._replace(rows=table.rows[:limit], age_seconds=age_seconds)  # type: ignore[no-any-return]
