"""
One JSON object on each line, for programs that read as they go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import IO

from salt_ext.exchange import Sheet
from salt_ext.exchange.cells import text


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet, its times in UTC; return how many rows it has."""
    [sheet] = sheets
    count = 0
    for line in lines(sheet):
        file.write(line + b"\n")
        count += 1
    return count


def lines(sheet: Sheet) -> Iterator[bytes]:
    """Yield each row as an object."""
    encode = json.JSONEncoder(ensure_ascii=False, default=text).encode
    for row in sheet.rows:
        yield encode(dict(zip(sheet.columns, row, strict=True))).encode(errors="replace")
