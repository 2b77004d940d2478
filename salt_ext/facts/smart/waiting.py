"""Questions that may hang, asked at the same time, each in a thread of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType
from typing import TypeVar

from salt_ext.facts.root import Root

T = TypeVar("T")


def answers(
    root: Root, questions: Mapping[str, Callable[[], T]], deadline_seconds: float
) -> dict[str, T]:
    """
    Return ``{name: answer}`` of the questions that were answered in time.

    For one that was not, ``root`` remembers a TimeoutError with the stack of its thread,
    and for one that failed its exception.
    """
    done: SimpleQueue[tuple[str, Callable[[], T]]] = SimpleQueue()
    threads = {
        name: Thread(target=_ask, args=(name, ask, done), daemon=True)
        for name, ask in questions.items()
    }
    for thread in threads.values():
        thread.start()
    found: dict[str, T] = {}
    waiting = {*threads}
    deadline = time.monotonic() + deadline_seconds
    while waiting:
        try:
            name, answer = done.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            break
        waiting.remove(name)
        try:
            found[name] = answer()
        except Exception as error:
            root.failed(error)
    for name in sorted(waiting):
        reason = TimeoutError(f"{name} has not answered in {deadline_seconds:g} s")
        root.failed(reason.with_traceback(_where(threads[name])))
    return found


def _ask(
    name: str, question: Callable[[], T], done: SimpleQueue[tuple[str, Callable[[], T]]]
) -> None:
    """Put what returns the answer of a question, or raises what the question raised."""
    try:
        answer = question()
    except Exception as error:
        failure = error

        def fail() -> T:
            raise failure

        done.put((name, fail))
    else:
        done.put((name, lambda: answer))


def _where(thread: Thread) -> TracebackType | None:
    """Return the stack of a thread as the traceback of an exception raised there."""
    frame = sys._current_frames().get(thread.ident or 0)
    traceback = None
    while frame is not None:
        traceback = TracebackType(traceback, frame, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return traceback
