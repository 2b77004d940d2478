"""
Ctrl-C that only sets a mark: the mark is looked at between two steps, so no step is cut off.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """
    Yield a function that returns whether Ctrl-C was pressed meanwhile.

    A second Ctrl-C has its usual effect.
    """
    if threading.current_thread() is not threading.main_thread():
        # Python handles signals in the main thread alone, and no person waits for this one.
        yield lambda: False
        return
    pressed = threading.Event()

    def press(number: int, frame: object) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, press)
    try:
        yield pressed.is_set
    finally:
        signal.signal(signal.SIGINT, before)
