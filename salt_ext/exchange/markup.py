"""
Rows as the XML of a worksheet.

Neither a row nor a cell says where it is, for they are in order. Texts are in the
format "Text", so that nothing becomes a formula or loses its zeros, when somebody
edits the cell either.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

from salt_ext.exchange import lines
from salt_ext.exchange.cells import simple
from salt_ext.exchange.lines import MAX_NUMBER, NUMBER

MAX_CHARACTERS = 32_767
"""Of a text that Excel can open."""

FORMATTED_CHARACTERS = 255
"""Excel shows a longer text in the format "Text" as ####."""

NOT_XML = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

# The same of lines, with what is escaped and blanks at an end of a cell.
CONTROL = bytes({*range(32)} - {*b"\t", *NUMBER})
NOT_SIMPLE = (b"\\", b"\t ", b" \t", "\ufffe".encode(), "\uffff".encode())

NO_CELL = b"<c/>"
TEXT_CELL = b'<c s="%d" t="str"><v>'
END_OF_CELL = b"</v></c>"


class Formats(NamedTuple):
    """The numbers that the formats of headings, dates and texts have in a workbook."""

    heading: int
    date: int
    text: int


Piece = bytes | list[Sequence[Any]]
"""What is written at once: lines, or rows."""


def count(piece: Piece) -> int:
    """Return how many rows there are."""
    return piece.count(b"\n") if isinstance(piece, bytes) else len(piece)


def rows(piece: Piece) -> Sequence[Sequence[Any]]:
    """Return rows one by one, which takes long for lines."""
    return lines.rows(piece) if isinstance(piece, bytes) else piece


def xml(piece: Piece, formats: Formats) -> bytes:
    """Return rows as XML."""
    if isinstance(piece, bytes) and _is_simple(piece):
        return _of_lines(piece, formats)
    return _of_rows(rows(piece), formats).encode()


def _is_simple(block: bytes) -> bool:
    """Whether all texts stand in XML as they are, in the format "Text" and no blank at an end."""
    cells = b"\t" + block.replace(b"\n", b"\t")
    return (
        not any(one in cells for one in NOT_SIMPLE)
        and len(cells.translate(None, CONTROL)) == len(cells)
        and any(
            max(map(len, texts)) <= FORMATTED_CHARACTERS
            for texts in (block.split(b"\n"), cells.split(b"\t"))
        )
    )


def _of_lines(block: bytes, formats: Formats) -> bytes:
    """Return lines as XML: what is between two cells is replaced by what XML has there."""
    start = TEXT_CELL % formats.text
    text = block[:-1]
    for sign, name in ((b"&", b"&amp;"), (b"<", b"&lt;"), (b">", b"&gt;")):
        text = text.replace(sign, name)
    text = text.replace(b"\t" + NUMBER, END_OF_CELL + b"<c><v>")
    text = text.replace(b"\t", END_OF_CELL + start)
    text = text.replace(b"\n", END_OF_CELL + b"</row><row>" + start)
    text = b"<row>%b%b%b</row>" % (start, text, END_OF_CELL)
    return text.replace(start + END_OF_CELL, NO_CELL)


def _of_rows(table: Sequence[Sequence[Any]], formats: Formats) -> str:
    """
    Return rows as XML, column by column.

    What all cells of one have in common goes into a template, so that most of
    them cost nothing but their own text.
    """
    columns = [_column(values, formats) for values in zip(*table, strict=True)]
    template = f"<row>{''.join(cell for cell, _ in columns)}</row>"
    filled = [texts for _, texts in columns if texts]
    return "".join(
        [template % texts for texts in zip(*filled, strict=True)] or [template] * len(table)
    )


def _column(values: Sequence[Any], formats: Formats) -> tuple[str, Sequence[Any]]:
    """Return the XML of each cell of a column, and for its ``%s`` the texts."""
    filled = [value for value in values if value is not None]
    types = set(map(type, filled))
    if not filled:
        return NO_CELL.decode(), ()
    if types == {str} and _is_plain(filled):
        cell = f"{(TEXT_CELL % formats.text).decode()}%s{END_OF_CELL.decode()}"
    elif types <= {int, float} and _is_exact(filled):
        cell = "<c><v>%s</v></c>"
    elif types == {datetime}:
        cell = f'<c s="{formats.date}"><v>%.10f</v></c>'
        values = [value and _days(value) for value in values]
    else:
        return "%s", [_cell(value, formats) for value in values]
    if len(filled) == len(values):
        return cell, values
    return "%s", [NO_CELL.decode() if value is None else cell % value for value in values]


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


def _cell(value: Any, formats: Formats) -> str:
    """Return a cell."""
    if value is None:
        return NO_CELL.decode()
    value = simple(value)
    if isinstance(value, bool):
        return f'<c t="b"><v>{value:d}</v></c>'
    if isinstance(value, str):
        return text_cell(value, formats.text)
    if isinstance(value, datetime):
        return f'<c s="{formats.date}"><v>{_days(value):.10f}</v></c>'
    return f"<c><v>{value}</v></c>" if _is_exact([value]) else text_cell(str(value), formats.text)


def _days(value: datetime) -> float:
    """Return the days since the last day but one of 1899, as Excel counts them, in UTC."""
    return value.timestamp() // 1 / 86400 + 25569


def text_cell(value: str, style: int) -> str:
    """Return the cell of any text, in a format."""
    if len(value) > MAX_CHARACTERS:
        value = value[: MAX_CHARACTERS - 1] + "…"
    if not value.isprintable():
        value = NOT_XML.sub("�", value)
    kept = ' xml:space="preserve"' if value != value.strip() or "\n" in value else ""
    mark = f' s="{style}"' if len(value) <= FORMATTED_CHARACTERS else ""
    return f'<c{mark} t="inlineStr"><is><t{kept}>{escape(value)}</t></is></c>'
