"""
Workbooks, written as they are read: no sheet is ever in memory.

Not by XlsxWriter, which takes 6 to 7 microseconds for a cell: a fleet of 50,000
machines has fifteen million of them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import IO, Any, NamedTuple
from xml.sax.saxutils import escape

from salt_ext.exchange import ExchangeError, Sheet, markup
from salt_ext.exchange.cells import simple
from salt_ext.exchange.lines import Lines
from salt_ext.exchange.markup import Formats, Piece, text_cell

MAX_ROWS = 1_048_576
MAX_SHEET_BYTES = 1 << 30
"""What Excel can open; the bytes are ours, so that an archive needs no 64-bit sizes."""

BLOCK_ROWS = 2000
SAMPLE_ROWS = 200
"""Rows written at once, and the first of them, which say how wide the columns are."""

FORMATS = Formats(heading=1, date=2, text=3)
"""Those in STYLES."""

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'

STYLES = f"""{XML}<styleSheet xmlns="{MAIN}">\
<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>\
<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>\
<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>\
<fills count="3"><fill><patternFill patternType="none"/></fill>\
<fill><patternFill patternType="gray125"/></fill>\
<fill><patternFill patternType="solid"><fgColor rgb="FFE7EBF0"/></patternFill></fill></fills>\
<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>\
<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>\
<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>\
<xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"\
 applyFill="1"/>\
<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>\
<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>\
<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>\
</styleSheet>"""


class _Written(NamedTuple):
    """A sheet that is in the archive: how many rows below its headings, and its last column."""

    title: str
    rows: int
    last: str


def write(file: IO[bytes], sheets: Iterable[Sheet]) -> int:
    """Write a workbook; return how many rows its sheets have, beside the headings."""
    written: list[_Written] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for sheet in sheets:
            pieces = _pieces(sheet.rows)
            part, piece = 0, next(pieces, None)
            while piece or not part:
                part += 1
                title = sheet.title if part == 1 else f"{sheet.title} ({part})"
                name = f"xl/worksheets/sheet{len(written) + 1}.xml"
                with archive.open(name, "w") as entry:
                    rows, piece = _sheet(entry, sheet.columns, piece, pieces, FORMATS, not written)
                written.append(_Written(title, rows, letters(len(sheet.columns))))
        for path, text in _frame(written):
            archive.writestr(path, text)
    return sum(sheet.rows for sheet in written)


def write_sheet(entry: IO[bytes], sheet: Sheet, formats: Formats) -> None:
    """Write what a workbook that is somebody else's has of one sheet; its rows must have room."""
    pieces = _pieces(sheet.rows)
    _, left = _sheet(entry, sheet.columns, next(pieces, None), pieces, formats, is_first=False)
    if left:
        raise ExchangeError(f"{sheet.title} has more rows than a sheet holds: give a filter")


def _pieces(rows: Iterable[Sequence[Any]]) -> Iterator[Piece]:
    if isinstance(rows, Lines):
        yield from filter(None, rows.blocks)
    else:
        left = iter(rows)
        while piece := list(islice(left, min(BLOCK_ROWS, MAX_ROWS - 1))):
            yield piece


def _sheet(
    entry: IO[bytes],
    columns: Sequence[str],
    piece: Piece | None,
    pieces: Iterator[Piece],
    formats: Formats,
    is_first: bool,
) -> tuple[int, Piece | None]:
    """Write pieces until the sheet is full; return how many rows, and what comes next."""
    number = 1
    sample = markup.rows(piece or [])[:SAMPLE_ROWS]
    written = entry.write(_beginning(columns, sample, formats.heading, is_first).encode())
    with ThreadPoolExecutor(1) as compressor:
        writing = compressor.submit(entry.write, b"")
        while piece and written < MAX_SHEET_BYTES and number + markup.count(piece) <= MAX_ROWS:
            number += markup.count(piece)
            text = markup.xml(piece, formats)
            written += writing.result()
            writing = compressor.submit(entry.write, text)
            piece = next(pieces, None)
        writing.result()
    area = f"A1:{letters(len(columns))}{number}"
    entry.write(
        f'</sheetData><autoFilter ref="{area}"/><ignoredErrors><ignoredError sqref="{area}"'
        ' numberStoredAsText="1"/></ignoredErrors></worksheet>'.encode()
    )
    return number - 1, piece


def _beginning(
    columns: Sequence[str], sample: Sequence[Sequence[Any]], heading: int, is_first: bool
) -> str:
    widths = "".join(
        f'<col min="{number}" max="{number}" customWidth="1"'
        f' width="{_width(name, [row[number - 1] for row in sample])}"/>'
        for number, name in enumerate(columns, 1)
    )
    headings = "".join(text_cell(name, heading) for name in columns)
    return (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetViews>'
        f"<sheetView{' tabSelected=' + chr(34) + '1' + chr(34) if is_first else ''}"
        ' workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
        ' state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView>'
        f"</sheetViews><cols>{widths}</cols><sheetData><row>{headings}</row>"
    )


def _width(name: str, values: list[Any]) -> int:
    """Return how wide a column is, in characters; the arrow of the filter needs room too."""
    longest = max((_characters(value) for value in values), default=0)
    return min(60, max(longest, len(name) + 2) + 2)


def _characters(value: Any) -> int:
    if isinstance(value, datetime):
        return len("2026-11-21 08:00:00")
    # A Chinese character is as wide as two others.
    return sum(2 if one > "\u2e7f" else 1 for one in str(simple(value) or "")[:60])


def letters(number: int) -> str:
    """Return the name of a column: 1 is A, 27 is AA."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def _frame(sheets: Sequence[_Written]) -> Iterator[tuple[str, str]]:
    """Yield what a workbook has beside its sheets: paths in the archive and their content."""
    numbers = range(1, len(sheets) + 1)
    types = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml"'
        f' ContentType="{TYPE}.worksheet+xml"/>'
        for number in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{XML}<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{TYPE}.styles+xml"/>{types}</Types>',
    )
    yield (
        "_rels/.rels",
        f'{XML}<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1"'
        f' Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    names = "".join(
        f'<sheet name="{_quoted(sheet.title)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    areas = "".join(
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{number - 1}" hidden="1">'
        f"'{_quoted(sheet.title)}'!$A$1:${sheet.last}${sheet.rows + 1}</definedName>"
        for number, sheet in zip(numbers, sheets, strict=True)
    )
    yield (
        "xl/workbook.xml",
        f'{XML}<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><bookViews><workbookView/>'
        f"</bookViews><sheets>{names}</sheets><definedNames>{areas}</definedNames></workbook>",
    )
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{RELATIONS}/worksheet"'
        f' Target="worksheets/sheet{number}.xml"/>'
        for number in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{XML}<Relationships xmlns="{PACKAGE}/relationships">{links}<Relationship'
        f' Id="rId{len(sheets) + 1}" Type="{RELATIONS}/styles" Target="styles.xml"/>'
        "</Relationships>",
    )
    yield "xl/styles.xml", STYLES


def _quoted(title: str) -> str:
    return escape(title, {'"': "&quot;"})
