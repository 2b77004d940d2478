"""
Who listens to the machines: the masters that hand over reports.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple


class Listener(NamedTuple):
    """A master that hands over reports: its number in the store, and whose key it has accepted."""

    number: int
    trusted: Callable[[Iterable[str]], Collection[str]]
