"""
When the engine looks through the whole cache: a page at a time, and not all the time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from salt_ext.master.feed import Feed

SHARE = 10
"""However large the fleet, looking takes no more than about one part in so many of the time."""


class Sweep:
    """Looks through the whole cache in short steps, each time after a pause."""

    def __init__(self, every_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the least time from one look to the next; ``clock`` never goes back."""
        self.every_seconds = every_seconds
        self.clock = clock
        self.next_at = clock()
        """When there is something to do, by the clock."""
        self._pages: Iterator[None] | None = None
        self._began = self._took = 0.0

    @property
    def is_under_way(self) -> bool:
        """Whether a look has begun and has not ended."""
        return self._pages is not None

    def begin(self) -> None:
        """Let the next step be the first one of a look."""
        self._pages = None
        self.next_at = self.clock()

    def pause(self, seconds: float) -> None:
        """Do nothing for so long."""
        self.next_at = self.clock() + seconds

    def go_on(self, feed: Feed) -> bool:
        """Look at one page if it is time; return whether that ended a look."""
        began = self.clock()
        if began < self.next_at:
            return False
        if self._pages is None:
            self._pages, self._began, self._took = feed.looks(), began, 0.0
        is_over = next(self._pages, feed) is feed
        self._took += self.clock() - began
        if is_over:
            self._pages = None
            self.next_at = self._began + max(self.every_seconds, SHARE * self._took)
        return is_over
