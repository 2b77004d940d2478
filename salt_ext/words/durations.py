"""
Durations as people write them: a number and a unit.
"""

from __future__ import annotations

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(text: str | int) -> int:
    """
    Return a duration such as ``90s``, ``15m``, ``2h``, ``7d`` or ``2w`` in seconds.

    A number is one of seconds already. Raises ValueError.
    """
    if isinstance(text, int):
        return text
    number, unit = text[:-1], text[-1:]
    if unit not in SECONDS or not number.isdigit():
        raise ValueError(f"{text!r} is not a duration such as 90s, 15m, 2h, 7d or 2w")
    return int(number) * SECONDS[unit]
