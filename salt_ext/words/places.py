"""
Whether two texts name one place.
"""

from __future__ import annotations

import re
from typing import Any

from salt_ext.words.cells import spelled

IN_RACK = re.compile(r"(?:u\d+|\d+u)\w*")
"""What may follow the name of a rack: the unit."""

NOISE = re.compile(r"[\W_]+|机柜|机架|机房|数据中心")
ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


def same_place(said: Any, reported: Any) -> bool:
    """Whether two texts name one place: ``A-01机柜`` is ``A01``, and ``A01-U12`` is in it."""
    one, other = _squashed(said), _squashed(reported)
    is_in_it = one.startswith(other) and IN_RACK.fullmatch(one[len(other) :])
    return one == other or bool(is_in_it)


def _squashed(place: Any) -> str:
    return ZEROS.sub("", NOISE.sub("", spelled(place)))
