"""
Heavy reads: two at a time in a worker, so that threads are left for everything else.

Two more wait a moment. Whoever comes then is told within that moment to come again, since a
thread that waits answers nobody, ``/healthz`` included.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask, Response, current_app, g, make_response
from werkzeug.exceptions import ServiceUnavailable

from webui.metrics import HEAVY_REFUSED, HEAVY_RUNNING, HEAVY_WAITING
from webui.sent import when_sent

RUNNING = 2
WAITING = 2
WAIT_SECONDS = 0.8

BUSY = "other large questions are being answered, and only a few are at a time"


class Crowded(ServiceUnavailable):
    """More heavy reads at once than this worker does; the same will work soon."""

    def __init__(self) -> None:
        """Count it."""
        super().__init__(BUSY)
        HEAVY_REFUSED.inc()


class Gate:
    """Lets a few in, lets a few wait, and turns away all others."""

    def __init__(self, running: int = RUNNING, waiting: int = WAITING) -> None:
        """Begin with nobody in it."""
        self._rooms = threading.Semaphore(running)
        self._places = threading.Semaphore(running + waiting)

    def enter(self) -> None:
        """Go in, perhaps after a moment. Raises :class:`Crowded`."""
        if not self._places.acquire(blocking=False):
            raise Crowded
        with HEAVY_WAITING.track_inprogress():
            is_in = self._rooms.acquire(timeout=WAIT_SECONDS)
        if not is_in:
            self._places.release()
            raise Crowded
        HEAVY_RUNNING.inc()

    def leave(self) -> None:
        """Make room for the next."""
        HEAVY_RUNNING.dec()
        self._rooms.release()
        self._places.release()


def register(app: Flask) -> None:
    """Give the application its gate."""
    app.extensions["heavy"] = Gate()


@contextlib.contextmanager
def room() -> Iterator[None]:
    """Make a part of a request a heavy read, unless all of it is."""
    if g.get("is_admitted"):
        yield
        return
    gate: Gate = current_app.extensions["heavy"]
    gate.enter()
    try:
        yield
    finally:
        gate.leave()


def admit(view: Callable[..., Any], *args: Any, **kwargs: Any) -> Response:
    """Return the answer of a view as one of the heavy reads, until its last piece was sent."""
    gate: Gate = current_app.extensions["heavy"]
    gate.enter()
    g.is_admitted = True
    try:
        response = make_response(view(*args, **kwargs))
    except BaseException:
        gate.leave()
        raise
    when_sent(response, gate.leave)
    return response
