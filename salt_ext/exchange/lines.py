"""
Rows that come as text: what PostgreSQL's COPY writes, in blocks of whole lines.

A tab stands between two cells and a newline behind each row; a cell that holds
one of them itself, or a backslash, has it escaped. Nothing is no cell at all, and
a number has NUMBER before it. A fleet has fifteen million cells: a block becomes
a part of a workbook without that anybody looks at one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

NUMBER = b"\x1f"

MAX_NUMBER = 10**15
"""A larger one would be rounded by a spreadsheet, so it becomes text."""

ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
ESCAPED = str.maketrans({value: f"\\{name}" for name, value in ESCAPES.items()})


class Lines:
    """Rows in blocks of lines, that whoever wants rows takes one by one."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """Keep the blocks, which are read once."""
        self.blocks = blocks

    def __iter__(self) -> Iterator[list[Any]]:
        """Yield the rows."""
        for block in self.blocks:
            yield from rows(block)


def rows(block: bytes) -> list[list[Any]]:
    """Return the rows of a block: texts, numbers and None."""
    text, mark = block.decode(), NUMBER.decode()
    is_escaped = "\\" in text
    return [
        [
            _value(cell) if is_escaped or cell[:1] == mark else cell or None
            for cell in line.split("\t")
        ]
        for line in text.split("\n")[:-1]
    ]


@lru_cache(4096)
def _value(cell: str) -> Any:
    return json.loads(cell[1:]) if cell[:1] == NUMBER.decode() else unescaped(cell) or None


def line(cells: Sequence[str | None]) -> bytes:
    """Return texts as a line."""
    return ("\t".join([escaped(cell or "") for cell in cells]) + "\n").encode()


def number(value: float) -> bytes:
    """Return a number as a cell."""
    text = str(value).encode()
    return NUMBER + text if value < MAX_NUMBER else text


def escaped(text: str) -> str:
    """Return a text as a cell."""
    return text.translate(ESCAPED)


def unescaped(cell: str) -> str:
    """Return the text of a cell."""
    return re.sub(r"\\(.)", lambda found: ESCAPES[found[1]], cell) if "\\" in cell else cell
