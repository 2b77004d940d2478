"""
The errors of the store: each says in a sentence what went wrong.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime


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


class SessionLost(StoreUnreachable):
    """PostgreSQL ended the session in the middle; it may well answer to the next one."""


class StatementFailed(StoreError):
    """PostgreSQL goes on, but one statement took longer, or more memory, than it may."""


class Forbidden(StoreError):
    """PostgreSQL goes on, but the role that we are there may not do what we asked."""


class Unstored(StoreError):
    """
    Reports that could not be stored, while nothing shows that others can be.

    ``minion_ids`` are the machines whose reports failed alone.
    """

    def __init__(self, message: str, hint: str, minion_ids: Iterable[str] = ()) -> None:
        """Keep the sentences and the machines."""
        super().__init__(message, hint)
        self.minion_ids = tuple(minion_ids)


class Contended(StoreError):
    """
    Another writer was faster; the same call will work.

    Two waited for each other and PostgreSQL ended this one, or the other one has stored the
    same machine meanwhile.
    """


class Busy(Contended):
    """Another session keeps rows locked, and PostgreSQL has waited for long enough."""


class NotFound(StoreError):
    """No asset, or more than one, is meant by a reference."""


class NotYet(NotFound):
    """Nothing was known of an asset at a moment; ``first`` is when it reported first."""

    def __init__(self, message: str, hint: str, first: datetime) -> None:
        """Keep the sentences and the moment."""
        super().__init__(message, hint)
        self.first = first


class Merged(NotFound):
    """An asset turned out to be another one, ``into``, which has its history now."""

    def __init__(self, message: str, hint: str, into: uuid.UUID) -> None:
        """Keep the sentences and the id of the other asset."""
        super().__init__(message, hint)
        self.into = into


class FilterError(ValueError):
    """A filter that cannot be understood; the text says why, and names the nearest known word."""


class HiddenField(FilterError):
    """A question about a field that is hidden from whoever asks."""
