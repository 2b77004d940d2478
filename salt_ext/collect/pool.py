"""
Run many pieces of work that may hang: a bounded number at a time, each in its own process.

A thread that hangs in a read cannot be ended; a process can. The calling process
starts and watches all the others, without a thread.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from salt_ext.facts import failure

LOOK_SECONDS = 0.5
PATIENCE_SECONDS = 3.0
"""How long processes that were told to end may take to clean up."""


class Failed(Exception):
    """Work has no result; the message is a sentence that says why."""


class Ended(NamedTuple):
    """
    What became of one piece of work: its result, or None and why there is none.

    ``traceback`` is that of an exception which nobody foresaw; blank for :class:`Failed`.
    """

    name: str
    result: Any
    reason: str = ""
    traceback: str = ""


class _Running(NamedTuple):
    name: str
    process: Any
    until: float


def each(
    work: Callable[[str], Any],
    names: Iterable[str],
    workers: int,
    timeout_seconds: float,
    is_over: Callable[[], bool],
) -> Generator[Ended, None, None]:
    """
    Yield what became of ``work(name)`` for each name, as each ends.

    A process that takes longer than ``timeout_seconds`` is ended. All of them are
    ended when ``is_over()`` is true, and when the generator is closed.
    """
    context = multiprocessing.get_context("fork")
    waiting = deque(names)
    running: dict[Connection, _Running] = {}
    try:
        while (waiting or running) and not is_over():
            while waiting and len(running) < workers:
                name = waiting.popleft()
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_run, args=(work, name, theirs, timeout_seconds))
                process.start()
                # Our copy would keep the pipe open after the process has ended.
                theirs.close()
                running[ours] = _Running(name, process, time.monotonic() + timeout_seconds)
            for link in wait(list(running), LOOK_SECONDS):
                assert isinstance(link, Connection)  # noqa: S101 - nothing else was waited for
                answer = _receive(link)
                one = running.pop(link)
                _end({link: one})
                yield Ended(one.name, *answer)
            now = time.monotonic()
            overdue = {link: one for link, one in running.items() if one.until <= now}
            for link in overdue:
                del running[link]
            _end(overdue)
            for one in overdue.values():
                yield Ended(one.name, None, f"did not answer within {timeout_seconds:g} s")
    finally:
        _end(running)


def _receive(link: Connection) -> tuple[Any, str, str]:
    try:
        result, reason, trace = link.recv()
    except EOFError:
        return None, "its process ended without an answer", ""
    return result, reason, trace


def _end(running: dict[Connection, _Running]) -> None:
    """End processes, first by SIGTERM and then by SIGKILL, and close their pipes."""
    for one in running.values():
        one.process.terminate()
    until = time.monotonic() + PATIENCE_SECONDS
    for link, one in running.items():
        one.process.join(max(0.0, until - time.monotonic()))
        if one.process.is_alive():
            one.process.kill()
            one.process.join()
        one.process.close()
        link.close()


def _run(work: Callable[[str], Any], name: str, link: Connection, timeout_seconds: float) -> None:
    # Ctrl-C reaches all processes of a terminal; the calling process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, lambda number, frame: sys.exit())
    # The calling process ends this one in time. If that is gone, the timer does it.
    signal.setitimer(signal.ITIMER_REAL, timeout_seconds + PATIENCE_SECONDS)
    # Standard output belongs to the answer of the command.
    os.dup2(2, 1)
    try:
        answer = work(name), "", ""
    except Failed as error:
        answer = None, failure.message(error), ""
    except Exception as error:
        answer = None, failure.sentence(error), failure.trace(error)
    link.send(answer)
