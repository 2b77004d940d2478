"""
Machines of which no report is read for a while, because of what their last ones cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_SECONDS = 3600

ALLOWED_SECONDS = 10
"""What a machine may owe before it waits: two reports after one another are nothing unusual."""


class Waits:
    """How long each machine has to wait. In memory only: a new process begins with nobody."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Take a clock that never goes back."""
        self._clock = clock
        self._until: dict[str, float] = {}

    def __contains__(self, minion_id: str) -> bool:
        """Whether a machine waits now."""
        until = self._until.get(minion_id)
        if until is None:
            return False
        now = self._clock()
        if until <= now:
            del self._until[minion_id]
        return until > now + ALLOWED_SECONDS

    def owe(self, minion_id: str, seconds: float) -> None:
        """Add to what a machine has to wait; a little of that is allowed."""
        now = self._clock()
        until = max(now, self._until.get(minion_id, now)) + seconds
        self._until[minion_id] = min(until, now + LONGEST_SECONDS + ALLOWED_SECONDS)

    def wait(self, minion_id: str, seconds: float) -> None:
        """Let a machine wait for so long at least."""
        now = self._clock()
        until = now + min(seconds, LONGEST_SECONDS) + ALLOWED_SECONDS
        self._until[minion_id] = max(until, self._until.get(minion_id, until))

    def names(self) -> list[str]:
        """Return the machines that wait now."""
        return [one for one in [*self._until] if one in self]
