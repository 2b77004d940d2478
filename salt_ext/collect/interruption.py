"""
Ctrl-C as a question that is asked between two steps, so that what was begun is finished.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interruption() -> Iterator[Callable[[], bool]]:
    """
    Yield a function that tells whether somebody has pressed Ctrl-C meanwhile.

    The second time it means again what it meant before.
    """
    if threading.current_thread() is not threading.main_thread():
        # Nobody sits before this one, and Python has signals in the main thread alone.
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
