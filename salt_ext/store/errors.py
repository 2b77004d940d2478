"""
The errors of the store: each says in a sentence what went wrong.
"""

from __future__ import annotations


class StoreError(Exception):
    """
    What went wrong with the store, in a sentence; ``hint`` says what to do about it.

    ``public`` is the sentence for whoever may not know where the store is and who
    uses it: without host, role and the words of PostgreSQL.
    """

    def __init__(self, message: str, hint: str, public: str = "") -> None:
        """Keep the sentences, for the caller to show."""
        super().__init__(message)
        self.hint = hint
        self.public = public or message


class StoreUnreachable(StoreError):
    """PostgreSQL does not answer; the same call may work later."""


class Contended(StoreError):
    """Two writers waited for each other, and PostgreSQL ended this one; the same call will work."""


class NotFound(StoreError):
    """No asset, or more than one, is meant by a reference."""


class FilterError(ValueError):
    """A filter that cannot be understood; the text says why, and names the nearest known word."""
