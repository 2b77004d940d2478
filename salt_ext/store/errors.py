"""
What can go wrong with the store, each in a sentence and with what to do about it.
"""

from __future__ import annotations


class StoreError(Exception):
    """What went wrong with the store, in a sentence, and what to do about it."""

    def __init__(self, message: str, hint: str) -> None:
        """Keep both for whoever shows them."""
        super().__init__(message)
        self.hint = hint


class StoreUnreachable(StoreError):
    """PostgreSQL does not answer; the same call may work later."""


class Contended(StoreError):
    """Two writers waited for each other, and this one gave way; the same call will work."""


class NotFound(StoreError):
    """No asset, or more than one, is meant by a reference."""


class FilterError(ValueError):
    """A filter that cannot be understood; the text says which and names the nearest."""
