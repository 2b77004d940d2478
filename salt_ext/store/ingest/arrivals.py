"""
A report on its way in, and what became of it.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, NamedTuple


class Arrival(NamedTuple):
    """A report, the minion id that Salt authenticated for it, and when it came."""

    minion_id: str
    report: Any
    received_at: datetime
    """By the clock of the store: see :mod:`salt_ext.store.clock`."""
    position: datetime | None = None
    """When its entry in the master's cache was written, by the clock of that master."""


class Outcome(NamedTuple):
    """
    What became of a report.

    ``status`` is new, changed, unchanged, held, refused or, in the inbox,
    waiting; ``detail`` a sentence.
    """

    minion_id: str
    status: str
    detail: str
    asset_id: uuid.UUID | None = None
    name: str | None = None
    """The name of that asset, where it is not the minion id; blank where it has none."""
    wait_seconds: float = 0
    """For so long no other report of this machine need be tried."""
