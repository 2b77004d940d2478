"""
Answers that are kept for some seconds, because many people ask for the same.

What is kept is shown with its age. Who asks while another is asking waits for that answer.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from flask import current_app, request

from salt_ext.questions.table import Table
from webui import heavy
from webui.access.who import is_auditor
from webui.metrics import KEPT_AGE_SECONDS

MOST = 256
MOST_ROWS = 50_000
"""So much is kept in all; the answer that was not used for longest makes room."""


Room = Callable[[], AbstractContextManager[None]]


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

    def get(
        self,
        key: Hashable,
        ask: Callable[[], Any],
        room: Room = nullcontext,
    ) -> Kept:
        """Return the kept answer; ask, in a room, if there is none that is young enough."""
        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
            self._slots.move_to_end(key)
        found = self._young(slot)
        if found is not None:
            return found
        with room(), slot.lock:
            found = self._young(slot)
            if found is None:
                slot.value = ask()
                slot.rows = _rows(slot.value)
                slot.asked_at = time.monotonic()
                found = Kept(slot.value, 0)
                self._make_room()
            return found

    def _make_room(self) -> None:
        with self._lock:
            rows = sum(slot.rows for slot in self._slots.values())
            while len(self._slots) > MOST or rows > MOST_ROWS:
                rows -= self._slots.popitem(last=False)[1].rows

    def _young(self, slot: _Slot) -> Kept | None:
        asked_at = slot.asked_at
        age_seconds = self._seconds if asked_at is None else time.monotonic() - asked_at
        return Kept(slot.value, age_seconds) if age_seconds < self._seconds else None


class _Slot:
    """One answer, and the lock of whoever asks for it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_at: float | None = None
        self.rows = 0
        self.value: Any = None


def _rows(value: Any) -> int:
    return len(list(value.rows)) if isinstance(value, Table) else 1


def kept(key: Hashable, ask: Callable[[], Any]) -> Kept:
    """
    Return an answer of this application, at most as old as the setting ``cache_seconds``.

    The key must have all that the answer depends on, but for what its reader may see.
    """
    return _kept(key, ask, nullcontext)


def kept_heavy(key: Hashable, ask: Callable[[], Any]) -> Kept:
    """Return the same of a question that looks through the fleet."""
    # To look through the fleet is heavy, and so is to wait for who does.
    return _kept(key, ask, heavy.room)


def kept_table(key: Hashable, ask: Callable[[], Table], limit: int | None) -> Table:
    """Return the first rows of a table that is read and kept as a whole; None for all rows."""

    def whole() -> Table:
        table = ask()
        return table._replace(rows=list(table.rows))

    table, age_seconds = kept_heavy(key, whole)
    return table._replace(rows=table.rows[:limit], age_seconds=age_seconds)  # type: ignore[no-any-return]


def _kept(key: Hashable, ask: Callable[[], Any], room: Room) -> Kept:
    cache: Cache = current_app.extensions["cache"]
    found = cache.get((is_auditor(), key), ask, room)
    KEPT_AGE_SECONDS.labels(request.endpoint).set(found.age_seconds)
    return found
