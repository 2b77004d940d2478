"""
Workbooks, written as they are read: no sheet is ever in memory.

Not by XlsxWriter, which takes 6 to 7 microseconds for a cell: a fleet of 50,000
machines has fifteen million of them. Texts are inline strings in the format
"Text", so that nothing becomes a formula or loses its zeros, when somebody
edits the cell either.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice, repeat
from math import isfinite
from typing import IO, Any, NamedTuple
from xml.sax.saxutils import escape

from salt_ext.exchange import Sheet
from salt_ext.exchange.cells import simple

MAX_ROWS = 1_048_576
MAX_SHEET_BYTES = 1 << 30
MAX_CHARACTERS = 32_767
"""What Excel can open; the bytes are ours, so that an archive needs no 64-bit sizes."""

MAX_NUMBER = 10**15
"""A larger one would be rounded, so it becomes text."""

FORMATTED_CHARACTERS = 255
"""Excel shows a longer text in the format "Text" as ####."""

BLOCK_ROWS = 2000
SAMPLE_ROWS = 200
"""Rows written at once, and the first of them, which say how wide the columns are."""

HEADING, DATE, TEXT = 1, 2, 3
"""Numbers of the formats in STYLES."""

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

NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class _Written(NamedTuple):
    """A sheet that is in the archive; ``area`` is what its filter covers."""

    title: str
    area: str


def write(file: IO[bytes], sheets: Iterable[Sheet]) -> int:
    """Write a workbook; return how many rows its sheets have, beside the headings."""
    written: list[_Written] = []
    count = 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for sheet in sheets:
            rows = iter(sheet.rows)
            part, is_over = 0, False
            while not is_over:
                part += 1
                title = sheet.title if part == 1 else f"{sheet.title} ({part})"
                name = f"xl/worksheets/sheet{len(written) + 1}.xml"
                with archive.open(name, "w") as entry:
                    rows_written, is_over = _sheet(entry, sheet.columns, rows, not written)
                count += rows_written
                area = f"$A$1:${letters(len(sheet.columns))}${rows_written + 1}"
                written.append(_Written(title, area))
        for path, text in _frame(written):
            archive.writestr(path, text)
    return count


def _sheet(
    entry: IO[bytes], columns: Sequence[str], rows: Iterator[Sequence[Any]], is_first: bool
) -> tuple[int, bool]:
    """Write rows until there are no more or the sheet is full; return how many, and which."""
    names = [letters(number) for number in range(1, len(columns) + 1)]
    number, room = 1, MAX_ROWS - 1
    block = list(islice(rows, min(room, BLOCK_ROWS)))
    written = entry.write(_beginning(columns, block[:SAMPLE_ROWS], is_first).encode())
    with ThreadPoolExecutor(1) as compressor:
        writing = compressor.submit(entry.write, b"")
        while block:
            text = _block(number, names, block)
            number += len(block)
            written += writing.result()
            writing = compressor.submit(entry.write, text.encode())
            room = MAX_ROWS - number if written < MAX_SHEET_BYTES else 0
            block = list(islice(rows, min(room, BLOCK_ROWS)))
        writing.result()
    area = f"A1:{names[-1]}{number}"
    entry.write(
        f'</sheetData><autoFilter ref="{area}"/><ignoredErrors><ignoredError sqref="{area}"'
        ' numberStoredAsText="1"/></ignoredErrors></worksheet>'.encode()
    )
    return number - 1, room > 0


def _block(number: int, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """
    Return rows as XML; ``number`` is that of the row above them.

    It works column by column: what all cells of one have in common goes into a
    template, so that most of them cost nothing but their own text.
    """
    columns = zip(names, zip(*rows, strict=True), strict=True)
    filled = [
        (name, *_kind(values))
        for name, values in columns
        if any(value is not None for value in values)
    ]
    cells = (f'<c r="{name}#"{behind}' for name, behind, _ in filled)
    template = f'<row r="#">{"".join(cells)}</row>'
    texts = zip(*(values for _, _, values in filled), strict=True) if filled else repeat(())
    return "".join(
        [
            template.replace("#", str(at)) % text
            for at, text in zip(range(number + 1, number + 1 + len(rows)), texts, strict=False)
        ]
    )


def _kind(values: Sequence[Any]) -> tuple[str, Sequence[Any]]:
    """Return what stands behind the name of each cell of a column, and for its ``%s`` the texts."""
    types = set(map(type, values))
    if types == {str} and _is_plain(values):
        return f' s="{TEXT}" t="inlineStr"><is><t>%s</t></is></c>', values
    if types <= {int, float} and _is_exact(values):
        return "><v>%s</v></c>", values
    return "%s", [_cell(value) for value in values]


def _is_plain(texts: Sequence[str]) -> bool:
    """Whether all texts stand in XML as they are, in the format "Text" and no blank at an end."""
    text = f"|{'|'.join(texts)}|"
    return (
        text.isprintable()
        and not any(one in text for one in ("<", ">", "&", " |", "| "))
        and max(map(len, texts)) <= FORMATTED_CHARACTERS
    )


def _is_exact(numbers: Sequence[float]) -> bool:
    return max(map(abs, numbers)) < MAX_NUMBER and all(map(isfinite, numbers))


def _cell(value: Any) -> str:
    """Return what stands behind the name of a cell."""
    if value is None:
        return "/>"
    value = simple(value)
    if isinstance(value, bool):
        return f' t="b"><v>{value:d}</v></c>'
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        # The days since the last day but one of 1899, as Excel counts them, in UTC.
        return f' s="{DATE}"><v>{value.timestamp() // 1 / 86400 + 25569:.10f}</v></c>'
    return f"><v>{value}</v></c>" if _is_exact([value]) else _text(str(value))


def _text(value: str, style: int = TEXT) -> str:
    if len(value) > MAX_CHARACTERS:
        value = value[: MAX_CHARACTERS - 1] + "…"
    if not value.isprintable():
        value = NOT_XML.sub("�", value)
    kept = ' xml:space="preserve"' if value != value.strip() or "\n" in value else ""
    mark = f' s="{style}"' if len(value) <= FORMATTED_CHARACTERS else ""
    return f'{mark} t="inlineStr"><is><t{kept}>{escape(value)}</t></is></c>'


def _beginning(columns: Sequence[str], sample: list[Sequence[Any]], is_first: bool) -> str:
    widths = "".join(
        f'<col min="{number}" max="{number}" customWidth="1"'
        f' width="{_width(name, [row[number - 1] for row in sample])}"/>'
        for number, name in enumerate(columns, 1)
    )
    headings = "".join(
        f'<c r="{letters(number)}1"{_text(name, HEADING)}' for number, name in enumerate(columns, 1)
    )
    return (
        f'{XML}<worksheet xmlns="{MAIN}"><sheetViews>'
        f"<sheetView{' tabSelected=' + chr(34) + '1' + chr(34) if is_first else ''}"
        ' workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft"'
        ' state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/></sheetView>'
        f'</sheetViews><cols>{widths}</cols><sheetData><row r="1">{headings}</row>'
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
        f"'{_quoted(sheet.title)}'!{sheet.area}</definedName>"
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
