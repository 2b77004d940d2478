"""
The tables in a sheet: where their headings are, and which rows are theirs.

A title may stand above the headings, and a second table below or beside the first one.
Headings may take two rows: ``硬盘`` above ``数量`` and ``型号``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from salt_ext.lists.headings import meaning
from salt_ext.lists.reading import Grid
from salt_ext.words.cells import text

HEADING_WITHIN = 20
"""The headings are among so many rows with text, from the top: a title may be above them."""

HEADING_ROWS = 3
"""So many rows at most make the headings of a table."""

KEYS = ("sn", "minion_id", "hostname")
"""A table of machines has one of these."""

OF_PARTS = ("processor_model", "memory_bytes", "disk_bytes", "disk_count")
"""Fields whose heading above another one tells of which part that is."""

LONGEST_HEADING = 60
DIGIT = re.compile("[0-9]")

Cells = Sequence[Any]


class Table(NamedTuple):
    """
    A table as it stands in a sheet.

    ``heading`` is the number of the last row of its headings, counted from 1, and ``rows``
    are those below it: number and cells. A column of another table has a blank heading.
    """

    sheet: str
    heading: int
    headings: list[str]
    rows: list[tuple[int, list[Any]]]


def tables(grid: Grid, said: Mapping[str, str]) -> list[Table]:
    """
    Return the tables of a sheet; without any known heading its first row has the headings.

    ``said`` are the fields that the operator gives to headings.
    """
    known = _Known(said)
    rows = grid.rows
    place = known.first(rows)
    found: list[Table] = []
    while place < len(rows):
        end = place + 1
        while end < min(len(rows), place + HEADING_ROWS) and known.continues(rows, end):
            end += 1
        number = rows[end - 1][0]
        headings = _joined([cells for _, cells in rows[place:end]])
        nexts = (n for n in range(end, len(rows)) if known.begins(rows[n][1], headings))
        place = next(nexts, len(rows))
        body = rows[end:place]
        found += [
            Table(grid.title, number, one, [row for row in body if _is_in(row[1], one)])
            for one in known.beside(headings)
        ]
    return found


_meaning = lru_cache(maxsize=4096)(meaning)
"""Every row below the headings is looked at, and owners and models repeat."""


def _may_be_heading(cell: Any) -> bool:
    """Whether a cell could be a heading at all; serial numbers, names and addresses are none."""
    return type(cell) is str and len(cell) <= LONGEST_HEADING and not DIGIT.search(cell)


class _Known:
    """The headings that mean something, to us or to the operator."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self.said = said

    def field(self, cell: Any) -> str | None:
        heading = text(cell)
        return self.said.get(heading) or _meaning(heading)

    def fields(self, cells: Cells) -> list[str]:
        return [field for cell in cells if _may_be_heading(cell) and (field := self.field(cell))]

    def first(self, rows: Sequence[tuple[int, Cells]]) -> int:
        """Return the index of the first row of headings, 0 when none looks like one."""
        two: list[int] = []
        keys: list[int] = []
        for place, (_, cells) in enumerate(rows[:HEADING_WITHIN]):
            fields, filled = self.fields(cells), _count(cells)
            if len(set(fields)) >= min(2, filled):
                two.append(place)
            if _has_key(fields) and (filled > 1 or place in two):
                keys.append(place)
        both = [place for place in two if place in keys]
        return next(iter(both or two or keys), 0)

    def begins(self, cells: Cells, above: Cells) -> bool:
        """Whether a row has the headings of another table: half of them known, or one repeated."""
        if sum(map(_may_be_heading, cells)) < 2:
            return False
        fields = self.fields(cells)
        if len(set(fields)) < 2 or not _has_key(fields):
            return False
        return self.is_mostly_known(cells) or any(
            self.field(heading) in KEYS and self.field(cell) == self.field(heading)
            for cell, heading in zip(cells, above, strict=False)
        )

    def is_mostly_known(self, cells: Cells) -> bool:
        return 2 * len(self.fields(cells)) >= _count(cells)

    def continues(self, rows: Sequence[tuple[int, Cells]], place: int) -> bool:
        """Whether a row goes on with the headings of the row right above it."""
        (above, _), (number, cells) = rows[place - 1 : place + 1]
        has_two = len(set(self.fields(cells))) >= 2
        return number == above + 1 and has_two and self.is_mostly_known(cells)

    def beside(self, headings: list[str]) -> list[list[str]]:
        """Return the headings of tables side by side: each column in one, blank in the others."""
        found = [[""] * len(headings)]
        keys: set[str] = set()
        for column, heading in enumerate(headings):
            field = self.field(heading)
            is_apart = column > 0 and not headings[column - 1]
            if field in keys and is_apart:
                found.append([""] * len(headings))
                keys = set()
            if field in KEYS:
                keys.add(field)
            found[-1][column] = heading
        return found


def _has_key(fields: Sequence[str]) -> bool:
    return not set(KEYS).isdisjoint(fields)


def _joined(rows: Sequence[Cells]) -> list[str]:
    """Return the headings of one or more rows, column by column."""
    width = max(map(len, rows))
    found = [""] * width
    for cells in rows:
        above = found
        texts = [text(cell) for cell in cells] + [""] * (width - len(cells))
        found = [
            _below(_spread(above, column), lower) if lower else above[column]
            for column, lower in enumerate(texts)
        ]
    return found


def _spread(above: list[str], column: int) -> str:
    """Return the heading above a column: one over several columns stands in the first of them."""
    return next((above[n] for n in range(column, -1, -1) if above[n]), "")


def _below(above: str, lower: str) -> str:
    """Return the heading of a column that has one above another."""
    if above == lower or meaning(above) not in OF_PARTS:
        return lower
    return f"{above} {lower}" if f"{above}{lower}".isascii() else f"{above}{lower}"


def _is_in(cells: Cells, headings: Sequence[str]) -> bool:
    """Whether a row has text in the columns of a table."""
    return any(text(cell) for cell, heading in zip(cells, headings, strict=False) if heading)


def _count(cells: Cells) -> int:
    return sum(1 for cell in cells if text(cell))
