"""
People's own workbook given back, with a word about each row.

Their sheets, formats and formulas stay; two columns and a sheet are added.
openpyxl does not keep pictures, and charts only in part.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from salt_ext.exchange import ExchangeError, Sheet, check_target, replacing, sha256
from salt_ext.exchange.cells import simple
from salt_ext.exchange.csv import FORMULA
from salt_ext.exchange.markup import MAX_CHARACTERS, NOT_XML, Formats
from salt_ext.exchange.xlsx import write_sheet
from salt_ext.lists.reading import Table

COLUMNS = ("CMDB status", "CMDB reason")
COLOURS = {
    "ok": "FFC6EFCE",
    "moved": "FFFFEB9C",
    "different": "FFFFEB9C",
    "duplicate": "FFF8CBAD",
    "ghost": "FFFFC7CE",
    "unknown": "FFBDD7EE",
}
"""Status: colour; green is right, yellow to be looked at, red is not there."""

EDITED = (*FORMULA, "0")
"""How a text begins that becomes something else as soon as somebody edits its cell."""


def annotate(
    table: Table, notes: Mapping[int, tuple[str, str]], added: Sheet, out_file: str
) -> dict[str, Any]:
    """
    Write the workbook anew with ``notes``, row number to status and reason.

    A list that was text becomes a workbook. Returns ``path``, ``rows`` and
    ``sha256``. Raises :class:`ExchangeError`.
    """
    if check_target(out_file) != "xlsx":
        raise ExchangeError(f"{out_file!r} must end with .xlsx: only a workbook has colours")
    book = _of_text(table) if table.book is None else table.book
    sheet = book[table.sheet] if table.sheet in book.sheetnames else book.active
    _write_notes(sheet, table, notes)
    if added.title in book.sheetnames:
        del book[added.title]
    place = book.create_sheet(added.title)
    formats = _formats(place)
    target = Path(out_file).expanduser().absolute()
    with replacing(target) as file, tempfile.TemporaryFile() as draft:
        book.save(draft)
        _fill(draft, place.path.lstrip("/"), added, formats, file)
    return {"path": str(target), "rows": len(notes), "sha256": sha256(target)}


def _of_text(table: Table) -> Any:
    import openpyxl

    book = openpyxl.Workbook()
    for number, cells in [(table.heading, table.headings), *table.rows]:
        for column, value in enumerate(cells, 1):
            _put(book.active, number, column, value)
    return book


def _write_notes(sheet: Any, table: Table, notes: Mapping[int, tuple[str, str]]) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    fills = {name: PatternFill("solid", fgColor=colour) for name, colour in COLOURS.items()}
    if COLUMNS[0] in table.headings:  # of the last time
        first = table.headings.index(COLUMNS[0]) + 1
    else:
        rows = (table.headings, *(cells for _, cells in table.rows))
        first = 1 + max(len(_trimmed(cells)) for cells in rows)
    for column, (heading, width) in enumerate(zip(COLUMNS, (13, 70), strict=True), first):
        _put(sheet, table.heading, column, heading).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, (status, reason) in notes.items():
        _put(sheet, number, first, status).fill = fills[status]
        _put(sheet, number, first + 1, reason)


def _trimmed(cells: Sequence[Any]) -> Sequence[Any]:
    last = max((number for number, one in enumerate(cells, 1) if one not in (None, "")), default=0)
    return cells[:last]


def _formats(sheet: Any) -> Formats:
    """Return the numbers of our formats in somebody's workbook, which has them from now on."""
    from openpyxl.styles import Font

    heading, date, text = (sheet.cell(1, column) for column in (1, 2, 3))
    heading.font = Font(bold=True)
    heading.number_format = text.number_format = "@"
    date.number_format = "yyyy-mm-dd hh:mm:ss"
    return Formats(heading.style_id, date.style_id, text.style_id)


def _fill(draft: IO[bytes], path: str, added: Sheet, formats: Formats, file: IO[bytes]) -> None:
    """
    Copy a workbook with one of its sheets filled.

    Not by openpyxl, which takes 14 microseconds for a cell: a list of few machines
    leaves all others of the fleet unknown.
    """
    with (
        zipfile.ZipFile(draft) as source,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name in source.namelist():
            with source.open(name) as before, archive.open(name, "w") as entry:
                if name == path:
                    write_sheet(entry, added, formats)
                else:
                    shutil.copyfileobj(before, entry)


def _put(sheet: Any, row: int, column: int, value: Any) -> Any:
    """Write a cell; a text never becomes a formula."""
    cell = sheet.cell(row, column)
    value = simple(value)
    if hasattr(value, "tzinfo") and value.tzinfo:
        value = value.replace(tzinfo=None)
    if isinstance(value, str):
        cell.value = NOT_XML.sub("�", value)[:MAX_CHARACTERS]
        cell.data_type = "s"
        if value.startswith(EDITED):
            cell.number_format = "@"
    else:
        cell.value = value
    return cell
