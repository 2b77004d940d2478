"""
Comma-separated values, as a spreadsheet opens them with a double click.

UTF-8 with a byte order mark, without which Excel takes Chinese for another
encoding. A text that would run as a formula gets an apostrophe before it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import IO, Any

from salt_ext.exchange import Sheet
from salt_ext.exchange.cells import simple

FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")  # noqa: RUF001 - the wide ones too
"""How a text begins that a spreadsheet reads as a formula."""


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write the one sheet; return how many rows it has."""
    [sheet] = sheets
    count = 0
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", errors="replace")
    out = csv.writer(text)
    out.writerow(sheet.headings(zone))
    for row in sheet.rows:
        out.writerow([cell(value, zone) for value in row])
        count += 1
    text.flush()
    text.detach()
    return count


def cell(value: Any, zone: tzinfo) -> Any:
    """Return a value as it stands in the file."""
    value = simple(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M:%S}"
    return str(value).lower() if isinstance(value, bool) else value
