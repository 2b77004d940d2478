"""
One JSON document: a list of objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import IO

from salt_ext.exchange import Sheet
from salt_ext.exchange.ndjson import lines


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet, its times in UTC; return how many rows it has."""
    [sheet] = sheets
    count = 0
    file.write(b"[")
    for line in lines(sheet):
        file.write((b",\n" if count else b"\n") + line)
        count += 1
    file.write(b"\n]\n")
    return count
