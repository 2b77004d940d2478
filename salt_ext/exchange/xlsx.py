"""
Workbooks, written by XlsxWriter as their rows are read: no sheet is ever in memory.

Texts are in the format "Text", so that nothing becomes a formula or loses its zeros, when
somebody edits the cell either.
"""

from __future__ import annotations

import tempfile
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import date, datetime, tzinfo
from itertools import chain, count, islice
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.utility import xl_range

from salt_ext.exchange import Sheet
from salt_ext.exchange.cells import (
    FORMATTED_CHARACTERS,
    MAX_CHARACTERS,
    SAMPLE_ROWS,
    as_day,
    in_workbook,
    width,
)

MAX_ROWS = 1_048_576
"""What Excel can open."""

PIECE_BYTES = 1 << 16

TEXT = {"num_format": "@"}
HEADING = {**TEXT, "bold": True, "bg_color": "#E7EBF0"}
DATE = {"num_format": "yyyy-mm-dd hh:mm:ss"}
DAY = {"num_format": "yyyy-mm-dd"}


class Formats(NamedTuple):
    """The formats of a workbook."""

    heading: Any
    date: Any
    text: Any
    day: Any


def write(file: IO[bytes], sheets: Iterable[Sheet], zone: tzinfo) -> int:
    """Write a workbook; return how many rows its sheets have, beside the headings."""
    rows = 0
    # Until it is packed a sheet is a file of XlsxWriter, and a large one. It lies beside the
    # workbook, where room was meant to be: /tmp may be memory.
    with tempfile.TemporaryDirectory(prefix=".", dir=Path(file.name).parent) as directory:
        options = {"constant_memory": True, "tmpdir": directory, "use_zip64": True}
        book = Workbook(file, options)
        formats = Formats(*map(book.add_format, (HEADING, DATE, TEXT, DAY)))
        for sheet in sheets:
            for title, sample, part in _parts(sheet):
                worksheet = book.add_worksheet(title)
                days = {n for n, one in enumerate(sheet.columns) if one in sheet.days}
                rows += _fill(worksheet, sheet.headings(zone), sample, part, formats, zone, days)
        try:
            book.close()
        except FileCreateError as error:
            raise error.args[0] from None
    return rows


def pieces(sheet: Sheet, zone: tzinfo) -> Iterator[bytes]:
    """Yield a workbook of one sheet, once it is packed."""
    with tempfile.NamedTemporaryFile() as file:
        write(cast("IO[bytes]", file), [sheet], zone)
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece


def _parts(sheet: Sheet) -> Iterator[tuple[str, list[Sequence[Any]], Iterator[Sequence[Any]]]]:
    """Yield what a worksheet has room for: its title, the first of its rows, and all of them."""
    rows = iter(sheet.rows)
    for number in count(1):
        sample = list(islice(rows, SAMPLE_ROWS))
        if number > 1 and not sample:
            return
        title = sheet.title if number == 1 else f"{sheet.title} ({number})"
        yield title, sample, chain(sample, islice(rows, MAX_ROWS - 1 - len(sample)))


def _fill(
    worksheet: Any,
    columns: Sequence[str],
    sample: Sequence[Sequence[Any]],
    rows: Iterable[Sequence[Any]],
    formats: Formats,
    zone: tzinfo,
    days: Container[int],
) -> int:
    """Write the headings and the rows of a worksheet; return how many rows there are."""
    for column, heading in enumerate(columns):
        worksheet.set_column(column, column, width(heading, [row[column] for row in sample]))
        _put(worksheet, 0, column, heading, formats._replace(text=formats.heading))
    number = 0
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row):
            if value is not None:
                cell = as_day(value) if column in days else value
                if type(cell) is date:
                    worksheet.write_datetime(number, column, cell, formats.day)
                else:
                    _put(worksheet, number, column, in_workbook(cell, zone), formats)
    area = (0, 0, number, len(columns) - 1)
    worksheet.freeze_panes(1, 0)
    worksheet.autofilter(*area)
    worksheet.ignore_errors({"number_stored_as_text": xl_range(*area)})
    return number


def _put(worksheet: Any, row: int, column: int, value: Any, formats: Formats) -> None:
    """Write a cell by its type; XlsxWriter itself would look whether a text is a formula."""
    if isinstance(value, str):
        mark = formats.text if len(value) <= FORMATTED_CHARACTERS else None
        if value.startswith("<r>"):
            # What looks like its own markup is written as it is, unless it is told in pieces.
            parts = (*value[:2], value[2 : MAX_CHARACTERS // 2])
            worksheet.write_rich_string(row, column, *parts, *filter(None, [mark]))
        else:
            worksheet.write_string(row, column, value, mark)
    elif isinstance(value, bool):
        worksheet.write_boolean(row, column, value)
    elif isinstance(value, datetime):
        worksheet.write_datetime(row, column, value, formats.date)
    else:
        worksheet.write_number(row, column, value)
