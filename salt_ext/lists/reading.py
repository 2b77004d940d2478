"""
People's lists: workbooks and comma-separated files of any origin, read with distrust.
"""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from salt_ext.exchange import ExchangeError
from salt_ext.exchange.csv import FORMULA
from salt_ext.lists.headings import meaning
from salt_ext.words.nearest import unknown

MAX_BYTES = 256 << 20
"""Of a workbook once it is unpacked: a small file may hold a large bomb."""

MAX_ROWS = 100_000
HEADING_WITHIN = 20
"""Rows at the top of a sheet among which the headings stand; above them may be a title."""

OLD_EXCEL = b"\xd0\xcf\x11\xe0"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


class Table(NamedTuple):
    """
    A list as it stands in a file.

    ``heading`` is the number of the row with the headings, counted from 1, and
    ``rows`` are those below it: number and cells. ``book`` is the workbook as
    openpyxl has it, with its formulas; None when the file is text.
    """

    sheet: str
    heading: int
    headings: list[str]
    rows: list[tuple[int, list[Any]]]
    book: Any = None


def read_table(path: str, sheet: str = "", known: Sequence[str] = ()) -> Table:
    """
    Return the list in a file; of a workbook the first sheet that is not hidden.

    ``known`` are headings that mean something whatever they say. Raises
    :class:`ExchangeError`.
    """
    source = existing(path)
    book = load(source, values=False) if is_workbook(source) else None
    if book is None:
        title, cells = source.name, _of_text(source)
    else:
        title, cells = _of_workbook(book, source, sheet)
    filled = [(number, row) for number, row in enumerate(cells, 1) if any(map(_has_text, row))]
    if not filled:
        raise ExchangeError(f"{path}: there is nothing in {title!r}")
    place = _heading(filled, known)
    number, headings = filled[place]
    return Table(title, number, [_text(one) for one in headings], filled[place + 1 :], book)


def existing(path: str) -> Path:
    """Return a file that is there and can be read."""
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
    """Whether a file is a workbook that may be opened; a bomb raises."""
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
            names = [one for one in archive.namelist() if one.startswith("xl/worksheets/")]
            if not names:
                raise ExchangeError(f"{source} is no workbook: save the list as .xlsx or .csv")
            rows = sum(_count_rows(archive, name) for name in names)
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        if isinstance(error, ExchangeError):
            raise
        raise ExchangeError(f"{source} is a damaged workbook: {error}") from error
    if rows > MAX_ROWS:
        raise ExchangeError(
            f"{source} has {rows} rows, more than {MAX_ROWS}: split it, or delete the blank rows"
        )
    return True


def _count_rows(archive: zipfile.ZipFile, name: str) -> int:
    count, rest = 0, b""
    with archive.open(name) as entry:
        while block := entry.read(1 << 20):
            block = rest + block
            count += block.count(b"<row ") + block.count(b"<row>")
            rest = block[-4:]
    return count


def load(source: Path, *, values: bool) -> Any:
    """Return a workbook of openpyxl; with ``values``, what its formulas last came to."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            # It says what it cannot keep; the documentation does too.
            warnings.simplefilter("ignore")
            return openpyxl.load_workbook(source, data_only=values)
    except Exception as error:  # whatever a file made by nobody knows whom makes it raise
        raise ExchangeError(f"{source} is a damaged workbook: {error}") from error


def sheet_of(book: Any, name: str, source: Path) -> Any:
    """Return the sheet of this name, or the first one that people see."""
    titles = [one.title for one in book.worksheets]
    if name and name not in titles:
        raise ExchangeError(f"{source}: {unknown('sheet', name, titles)}")
    visible = [one for one in book.worksheets if one.sheet_state == "visible"]
    if not name and not visible:
        raise ExchangeError(f"{source} has no sheet that is not hidden; name one with sheet=")
    return book[name] if name else visible[0]


def _of_workbook(book: Any, source: Path, name: str) -> tuple[str, list[list[Any]]]:
    sheet = sheet_of(book, name, source)
    if any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row):
        # What formulas last came to takes to read all of it again.
        sheet = sheet_of(load(source, values=True), name, source)
    cells = [list(row) for row in sheet.iter_rows(values_only=True)]
    for area in sheet.merged_cells.ranges:
        # One cell for the machines of a rack means each of them.
        value = cells[area.min_row - 1][area.min_col - 1]
        for row in cells[area.min_row - 1 : area.max_row]:
            width = area.max_col - area.min_col + 1
            row[area.min_col - 1 : area.max_col] = [value] * width
    return sheet.title, cells


def _of_text(source: Path) -> list[list[Any]]:
    raw = source.read_bytes()[: MAX_BYTES + 1]
    if len(raw) > MAX_BYTES:
        raise ExchangeError(f"{source} is larger than {MAX_BYTES >> 20} MiB: split it")
    text = _decoded(raw)
    if text is None or "\0" in text:
        raise ExchangeError(f"{source} is neither a workbook nor text: save it as .xlsx or .csv")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [
            [_without_apostrophe(cell) for cell in row]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise ExchangeError(f"{source} cannot be read as a table: {error}") from error
    if len(rows) > MAX_ROWS:
        raise ExchangeError(f"{source} has {len(rows)} rows, more than {MAX_ROWS}: split it")
    return rows


def _decoded(raw: bytes) -> str | None:
    """Return text; what is not UTF-8 was saved by an Excel in China."""
    is_wide = raw.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if is_wide else ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _without_apostrophe(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _heading(rows: list[tuple[int, list[Any]]], known: Sequence[str]) -> int:
    """Return which of the rows has the headings: the first with two that mean something."""
    for place, (_, row) in enumerate(rows[:HEADING_WITHIN]):
        found = [one for one in row if _has_text(one) and (_text(one) in known or meaning(one))]
        if len(found) >= min(2, sum(map(_has_text, row))):
            return place
    return 0


def _has_text(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


def _text(value: Any) -> str:
    return "" if value is None else str(value).strip()
