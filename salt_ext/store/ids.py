"""
The ids of new assets: UUIDs that grow with time.
"""

from __future__ import annotations

import os
import time
import uuid


def new_id() -> uuid.UUID:
    """
    Return a UUID of version 7: the milliseconds since 1970, and 74 random bits.

    Most indexes have the id of an asset in them. With ids that grow, what a new machine adds
    to them goes to few pages, which are in memory already, however large the fleet is.
    """
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    return uuid.UUID(int=value & ~(3 << 62) | 2 << 62)
