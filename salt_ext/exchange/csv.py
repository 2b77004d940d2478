"""
Comma-separated values, as a spreadsheet opens them with a double click.

UTF-8 with a byte order mark, without which Excel takes Chinese for another
encoding. A text that would run as a formula gets an apostrophe before it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo
from typing import IO, Any

from salt_ext.exchange import Sheet, write_pieces
from salt_ext.exchange.cells import simple

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones too
"""How a text begins that a spreadsheet reads as a formula."""

PIECE_CHARACTERS = 1 << 14


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet; return how many rows it has."""
    return write_pieces(file, sheets, zone, pieces)


def pieces(sheet: Sheet, zone: tzinfo) -> Iterator[bytes]:
    """Yield the sheet, some rows at a time."""
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(sheet.headings(zone))
    yield codecs.BOM_UTF8
    for row in sheet.rows:
        out.writerow([cell(value, zone) for value in row])
        if text.tell() >= PIECE_CHARACTERS:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    """Return what was written, and make room for what follows."""
    written = text.getvalue()
    text.seek(0)
    text.truncate()
    return written.encode(errors="replace")


def cell(value: Any, zone: tzinfo) -> Any:
    """Return a value as it stands in the file."""
    value = simple(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return str(value).lower() if isinstance(value, bool) else value
