"""
The size of a value of unknown shape, found in a bounded time before anything is built of it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see facts/root.py
if TYPE_CHECKING:
    from typing import Any

NODE_BYTES = 16
"""What each value and each key counts for, beside its text: about its share of JSON."""


def is_heavier(value: Any, most_bytes: int) -> bool:
    """
    Whether a value made of mappings and lists is larger than ``most_bytes``, about.

    The walk ends where that is clear, so that it takes no longer for a larger value.
    A value that holds itself is larger than anything.
    """
    weight = 0
    rest = [value]
    while rest:
        one = rest.pop()
        weight += NODE_BYTES
        if isinstance(one, dict):
            weight += NODE_BYTES * len(one)
            if weight <= most_bytes:
                rest += one.keys()
                rest += one.values()
        elif isinstance(one, (list, tuple)):
            weight += NODE_BYTES * len(one)
            if weight <= most_bytes:
                rest += one
        elif isinstance(one, (str, bytes)):
            weight += len(one)
        if weight > most_bytes:
            return True
    return False
