"""
How far a command has come: one line on the terminal, which is empty again at the end.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from salt_ext.words.visible import visible

T = TypeVar("T")

Show = Callable[[str], None]

ROWS = 1000
"""So many rows are read from one look at their number to the next."""


@contextlib.contextmanager
def progress() -> Iterator[Show]:
    """Yield a function that shows a text in place of the one before; nothing where it is piped."""
    if not sys.stderr.isatty():
        yield lambda text: None
        return
    try:
        yield _show
    finally:
        _show("")


def _show(text: str) -> None:
    sys.stderr.write(f"\r{visible(text)}\x1b[K")
    sys.stderr.flush()


def counted(rows: Iterable[T], show: Show, of: str) -> Iterator[T]:
    """Yield rows, and show how many have come; ``of`` stands behind: ``of 100,000 rows``."""
    for number, row in enumerate(rows, 1):
        if number % ROWS == 0:
            show(f"{number:,} {of}")
        yield row
