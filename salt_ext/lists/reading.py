"""
People's lists: workbooks and comma-separated files of any origin, read with distrust.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from salt_ext.exchange import ExchangeError
from salt_ext.exchange.csv import FORMULA
from salt_ext.lists.headings import meaning
from salt_ext.words.cells import text
from salt_ext.words.nearest import unknown

MAX_BYTES = 256 << 20
"""The largest text, and the largest workbook when unpacked: a small file may be a zip bomb."""

MAX_ROWS = 100_000
MAX_COLUMNS = 1_000
MAX_CELLS = 4_000_000
"""Of all sheets; openpyxl takes 380 bytes for each."""

MAX_MERGED = 1_000_000
"""Cells in merged areas; openpyxl makes an object of each."""

FIRST_LINES = 20
"""Of a text; they tell what stands between its columns."""

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
ROW = re.compile(rb"<(?:\w{1,20}:)?row[\s>/]")
CELL = re.compile(rb"<(?:\w{1,20}:)?c[\s>/]")
MERGED = re.compile(rb"<(?:\w{1,20}:)?mergeCell\s[^<>]{0,80}?ref=[\"']([A-Z]+\d+:[A-Z]+\d+)[\"']")
LONGEST_MARKUP = 256
"""Bytes of the longest of these three."""

ZEROS = re.compile("0{2,40}")
"""The format of a number that is shown with its leading zeros: ``0000000``."""

SEPARATOR = re.compile("sep=(.)", re.IGNORECASE)
"""The first line of a text that Excel was told to split so."""


class Grid(NamedTuple):
    """The cells of a sheet: its title, and the number and cells of each row that has text."""

    title: str
    rows: list[tuple[int, list[Any]]]


class Contents(NamedTuple):
    """
    What a file holds: the sheets that are read, why others are not, and the workbook.

    ``book`` is the workbook as openpyxl has it, with its formulas; None when the file
    is text.
    """

    sheets: list[Grid]
    unread: dict[str, str]
    book: Any = None


def read_file(path: str, sheet: str = "") -> Contents:
    """
    Return what is in a file: of a workbook all sheets that are not hidden, or the one named.

    Raises :class:`ExchangeError`.
    """
    source = existing(path)
    if not is_workbook(source):
        if sheet:
            raise ExchangeError(f"{source} is no workbook and has no sheets: leave sheet= out")
        return Contents([Grid(source.name, _filled(_of_text(source)))], {})
    book = load(source, values=False)
    titles = [one.title for one in book.worksheets]
    if sheet and sheet not in titles:
        raise ExchangeError(f"{source}: {unknown('sheet', sheet, titles)}")
    unread = {
        one.title: "it is hidden: name it with sheet="
        for one in book.worksheets
        if one.sheet_state != "visible"
    }
    wanted = [sheet] if sheet else [title for title in titles if title not in unread]
    if not wanted:
        raise ExchangeError(f"{source} has no sheet that is not hidden; name one with sheet=")
    # openpyxl gives formulas or their values: for the values it must read the file again.
    has_formulas = any(
        cell.data_type == "f" for title in wanted for cell in _cells(book[title]).values()
    )
    values = load(source, values=True) if has_formulas else book
    grids = [Grid(title, _filled(_of_sheet(values[title], source))) for title in wanted]
    return Contents(grids, {} if sheet else unread, book)


def existing(path: str) -> Path:
    """
    Return the absolute path of a file that can be read.

    Raises :class:`ExchangeError`, also for a file that is empty, encrypted or of an
    old Excel.
    """
    source = Path(path).expanduser().absolute()
    try:
        with open(source, "rb") as file:
            start = file.read(8)
            is_locked = start.startswith(OLD_EXCEL) and ENCRYPTED in file.read(MAX_BYTES)
    except OSError as error:
        raise ExchangeError(f"cannot read {source}: {error.strerror or error}") from error
    if not start:
        raise ExchangeError(f"{source} is empty")
    if is_locked:
        raise ExchangeError(f"{source} is encrypted: save it without a password")
    if start.startswith(OLD_EXCEL):
        raise ExchangeError(f"{source} has the format of Excel 2003 or older: save it as .xlsx")
    return source


def is_workbook(source: Path) -> bool:
    """Whether a file is a workbook. Raises :class:`ExchangeError` if damaged or too large."""
    if not zipfile.is_zipfile(source):
        return False
    try:
        with zipfile.ZipFile(source) as archive:
            size = sum(one.file_size for one in archive.infolist())
            if size > MAX_BYTES:
                raise ExchangeError(
                    f"{source} is {size >> 20} MiB when it is unpacked, more than"
                    f" {MAX_BYTES >> 20}: save the list alone in a file of its own"
                )
            if not any(one.startswith("xl/worksheets/") for one in archive.namelist()):
                raise ExchangeError(f"{source} is no workbook: save the list as .xlsx or .csv")
            _check_size(source, archive)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, ExchangeError):
            raise
        raise ExchangeError(f"{source} is a damaged workbook: {error}") from error
    return True


def _check_size(source: Path, archive: zipfile.ZipFile) -> None:
    """Raise :class:`ExchangeError` for sheets that openpyxl would need all memory or time for."""
    rows = cells = merged = 0
    for name in archive.namelist():  # whatever the name: the workbook says which is a sheet
        for block in _blocks(archive, name):
            rows += len(ROW.findall(block))
            cells += len(CELL.findall(block))
            merged += sum(map(_area, MERGED.findall(block)))
            for number, most, what in (
                (rows, MAX_ROWS, "rows"),
                (cells, MAX_CELLS, "cells"),
                (merged, MAX_MERGED, "merged cells"),
            ):
                if number > most:
                    raise ExchangeError(
                        f"{source} has more than {most} {what}: split it, or delete the blank rows"
                        " and columns and the formats below the list"
                    )


def _blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the text of a sheet in blocks that end between two of its elements."""
    rest = b""
    with archive.open(name) as entry:
        while block := entry.read(1 << 20):
            block = rest + block
            # An element that is longer than any we look for is none of them.
            cut = block.rfind(b"<", max(0, len(block) - LONGEST_MARKUP))
            rest = block[cut:] if cut > 0 else b""
            yield block[:cut] if cut > 0 else block
    yield rest


def _area(reference: bytes) -> int:
    """Return how many cells an area such as ``A1:B12`` has."""
    first, last = (_corner(one) for one in reference.split(b":"))
    return (abs(last[0] - first[0]) + 1) * (abs(last[1] - first[1]) + 1)


def _corner(reference: bytes) -> tuple[int, int]:
    letters = reference.rstrip(b"0123456789")[:4]
    column = 0
    for letter in letters:
        column = column * 26 + letter - ord("A") + 1
    return column, int(reference[len(letters) :][:9] or 0)


def load(source: Path, *, values: bool) -> Any:
    """Return a workbook of openpyxl, with its formulas or with their last ``values``."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            # openpyxl warns of what it cannot keep; our documentation says it already.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(source, data_only=values)
    except Exception as error:  # a file of unknown origin can make openpyxl raise anything
        raise ExchangeError(f"{source} is a damaged workbook: {error}") from error


def _cells(sheet: Any) -> Mapping[tuple[int, int], Any]:
    """
    Return the cells that a sheet has, by row and column.

    ``iter_rows`` would make one of every place up to the last row and column: of one lost
    cell in the corner of a sheet 17 thousand million.
    """
    found: Mapping[tuple[int, int], Any] = sheet._cells
    return found


def _of_sheet(sheet: Any, source: Path) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the cells of each row that exists, from the top."""
    rows: dict[int, dict[int, Any]] = {}
    for (row, column), cell in _cells(sheet).items():
        if (value := _value(cell)) is not None:
            if column > MAX_COLUMNS:
                raise ExchangeError(
                    f"{source}: {sheet.title!r} has a text in {cell.coordinate}, and a list ends"
                    f" at column {MAX_COLUMNS}: delete what stands beside it"
                )
            rows.setdefault(row, {})[column] = value
    titles = {area.min_row for area in sheet.merged_cells.ranges if area.max_col > area.min_col}
    for area in sheet.merged_cells.ranges:
        # A merged cell, such as a rack beside its machines, counts for each of its rows.
        value = rows.get(area.min_row, {}).get(area.min_col)
        for row in range(area.min_row + 1, area.max_row + 1) if value is not None else ():
            if row in rows:
                rows[row].setdefault(area.min_col, value)
    for number in sorted(rows):
        found = rows[number]
        if len(found) == 1 and number in titles:
            continue  # one text across several columns heads what is below it
        yield number, [found.get(column) for column in range(1, max(found) + 1)]


def _value(cell: Any) -> Any:
    """Return what a cell shows: of a number in the format ``0000000`` all digits."""
    value = cell.value
    if type(value) is int and value >= 0 and ZEROS.fullmatch(cell.number_format or ""):
        return str(value).zfill(len(cell.number_format))
    return value


def _of_text(source: Path) -> Iterator[tuple[int, list[Any]]]:
    """Yield the number and the cells of each line of a file."""
    raw = source.read_bytes()[: MAX_BYTES + 1]
    if len(raw) > MAX_BYTES:
        raise ExchangeError(f"{source} is larger than {MAX_BYTES >> 20} MiB: split it")
    decoded = _decoded(raw)
    if decoded is None or "\0" in decoded:
        raise ExchangeError(f"{source} is neither a workbook nor text: save it as .xlsx or .csv")
    separator = _separator(decoded)
    try:
        for number, row in enumerate(_split(decoded, separator), 1):
            if number > MAX_ROWS:
                raise ExchangeError(f"{source} has more than {MAX_ROWS} rows: split it")
            if len(row) > MAX_COLUMNS and any(row[MAX_COLUMNS:]):
                raise ExchangeError(
                    f"{source}: line {number} has {len(row)} columns, more than {MAX_COLUMNS}"
                )
            if number > 1 or not SEPARATOR.fullmatch(separator.join(row)):
                yield number, [_without_apostrophe(cell) for cell in row[:MAX_COLUMNS]]
    except csv.Error as error:
        raise ExchangeError(f"{source} cannot be read as a table: {error}") from error


def _split(decoded: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(decoded, newline=""), delimiter=separator)


def _separator(decoded: str) -> str:
    """Return what stands between columns: with it the first lines have the most headings."""
    start = "".join(islice(io.StringIO(decoded), FIRST_LINES))[:100_000]
    if said := SEPARATOR.match(start):
        return said[1]

    def fits(separator: str) -> tuple[int, int]:
        try:
            rows = list(_split(start, separator))
        except csv.Error:
            rows = []
        known = max((sum(map(bool, map(meaning, row))) for row in rows), default=0)
        return known, start.count(separator)

    return max(",;\t|", key=fits)


def _decoded(raw: bytes) -> str | None:
    """Return the text, or None. If it is not Unicode, it is read as Excel saves it in China."""
    is_wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _filled(rows: Iterator[tuple[int, list[Any]]]) -> list[tuple[int, list[Any]]]:
    return [(number, row) for number, row in rows if any(map(text, row))]
