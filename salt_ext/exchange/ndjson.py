"""
One JSON object on each line, for programs that read as they go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import IO

from salt_ext.exchange import Sheet, write_pieces
from salt_ext.exchange.cells import text
from salt_ext.words.visible import is_seen


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet; return how many rows it has."""
    return write_pieces(file, sheets, zone, pieces)


def pieces(sheet: Sheet, zone: tzinfo) -> Iterator[bytes]:
    """Yield the sheet row by row, its times in UTC whatever the zone of people is."""
    for line in lines(sheet):
        yield line + b"\n"


def lines(sheet: Sheet) -> Iterator[bytes]:
    """Yield each row as an object."""
    encode = json.JSONEncoder(ensure_ascii=False, default=text).encode
    for row in sheet.rows:
        line = encode(dict(zip(sheet.columns, row, strict=True)))
        yield (line if line.isascii() else escaped(line)).encode(errors="replace")


def escaped(line: str) -> str:
    """Return JSON in which what nobody sees is written as JSON's escape of it."""
    return "".join(one if is_seen(one) else json.dumps(one)[1:-1] for one in line)
