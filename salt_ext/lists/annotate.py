"""
People's own workbook given back, with a word about each row.

Their sheets, formats and formulas stay; two columns and a sheet are added.
openpyxl does not keep pictures, and charts only in part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timezone, tzinfo
from pathlib import Path
from typing import Any

from salt_ext.exchange import ExchangeError, Sheet, check_target, replacing, sha256
from salt_ext.exchange.cells import FORMATTED_CHARACTERS, SAMPLE_ROWS, in_workbook, width
from salt_ext.lists.rows import Listed, Part
from salt_ext.lists.tables import Table

COLUMNS = ("CMDB status", "CMDB reason")
COLOURS = {
    "ok": "FFC6EFCE",
    "moved": "FFFFEB9C",
    "different": "FFFFEB9C",
    "duplicate": "FFF8CBAD",
    "ghost": "FFFFC7CE",
    "held": "FFFFC7CE",
    "expected": "FFD9D9D9",
    "outside": "FFD9D9D9",
    "unknown": "FFBDD7EE",
}
"""Status: colour; green is right, yellow to be looked at, red is not there, grey is not judged."""


def annotate(
    listed: Listed,
    notes: Sequence[tuple[str, str]],
    added: Sheet,
    out_file: str,
    zone: tzinfo = timezone.utc,
) -> dict[str, Any]:
    """
    Write the workbook anew with ``notes``: status and reason of each of its rows.

    A list that was text becomes a workbook. Times in the added sheet are in
    ``zone``. Returns ``path``, ``rows`` and ``sha256``. Raises :class:`ExchangeError`.
    """
    if check_target(out_file) != "xlsx":
        raise ExchangeError(f"{out_file!r} must end with .xlsx: only a workbook has colours")
    book = _of_text(listed.parts) if listed.book is None else listed.book
    rest = iter(notes)
    beside: Counter[tuple[str, int]] = Counter()
    for part in listed.parts:
        table = part.table
        sheet = book[table.sheet] if table.sheet in book.sheetnames else book.active
        width = max(_width(one.table) for one in listed.parts if one.table.sheet == table.sheet)
        # Tables side by side have their headings in one row, and a pair of columns each.
        first = _first_column(sheet, table, width, beside[table.sheet, table.heading])
        beside[table.sheet, table.heading] += 1
        of_part = {row.number: next(rest) for row in part.rows}
        _write_notes(sheet, table.heading, first, of_part)
    if added.title in book.sheetnames:
        del book[added.title]
    _write_added(book.create_sheet(added.title), added, zone)
    target = Path(out_file).expanduser().absolute()
    with replacing(target) as file:
        book.save(file)
    return {"path": str(target), "rows": len(notes), "sha256": sha256(target)}


def _of_text(parts: Sequence[Part]) -> Any:
    import openpyxl

    book = openpyxl.Workbook()
    for table, _, _ in parts:
        for number, cells in [(table.heading, table.headings), *table.rows]:
            for column, value in enumerate(cells, 1):
                if value not in (None, ""):
                    _put(book.active, number, column, value)
    return book


def _first_column(sheet: Any, table: Table, width: int, place: int) -> int:
    """Return where the notes of a table stand: where they stood the last time, or behind all."""
    last = [
        cell.column
        for column in range(1, sheet.max_column + 1)
        if (cell := sheet.cell(table.heading, column)).value == COLUMNS[0]
    ]
    return last[place] if place < len(last) else width + 1 + len(COLUMNS) * (place - len(last))


def _write_notes(
    sheet: Any, heading: int, first: int, notes: Mapping[int, tuple[str, str]]
) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    fills = {name: PatternFill("solid", fgColor=colour) for name, colour in COLOURS.items()}
    for column, (title, wide) in enumerate(zip(COLUMNS, (13, 70), strict=True), first):
        _put(sheet, heading, column, title).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = wide
    for number, (status, reason) in notes.items():
        _put(sheet, number, first, status).fill = fills[status]
        _put(sheet, number, first + 1, reason)


def _width(table: Table) -> int:
    return max(len(_trimmed(cells)) for cells in (table.headings, *(row for _, row in table.rows)))


def _trimmed(cells: Sequence[Any]) -> Sequence[Any]:
    last = max((number for number, one in enumerate(cells, 1) if one not in (None, "")), default=0)
    return cells[:last]


def _write_added(sheet: Any, added: Sheet, zone: tzinfo) -> None:
    """Write a sheet that looks like those of ``cmdb.export``."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    rows = list(added.rows)
    for column, heading in enumerate(added.headings(zone), 1):
        _put(sheet, 1, column, heading).font = Font(bold=True)
        values = [row[column - 1] for row in rows[:SAMPLE_ROWS]]
        sheet.column_dimensions[get_column_letter(column)].width = width(heading, values)
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            if value is not None:
                _put(sheet, number, column, in_workbook(value, zone))
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _put(sheet: Any, row: int, column: int, value: Any) -> Any:
    """Write a cell; a text never becomes a formula, when somebody edits it either."""
    value = in_workbook(value)
    cell = sheet.cell(row, column, value)
    if isinstance(value, str):
        cell.data_type = "s"
        if len(value) <= FORMATTED_CHARACTERS:
            cell.number_format = "@"
    return cell
