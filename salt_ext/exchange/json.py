"""
One JSON document: a list of objects.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import IO

from salt_ext.exchange import Sheet, write_pieces
from salt_ext.exchange.ndjson import lines


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet; return how many rows it has."""
    return write_pieces(file, sheets, zone, pieces)


def pieces(sheet: Sheet, zone: tzinfo) -> Iterator[bytes]:
    """Yield the sheet row by row, its times in UTC whatever the zone of people is."""
    yield b"["
    for number, line in enumerate(lines(sheet)):
        yield (b",\n" if number else b"\n") + line
    yield b"\n]\n"
