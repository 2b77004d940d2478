"""
Tables, counts and times, which all answers print alike.
"""

from __future__ import annotations

import textwrap
from contextvars import ContextVar
from datetime import datetime, timezone, tzinfo
from itertools import zip_longest
from typing import Any

from wcwidth import wcwidth

from salt_ext.words import values
from salt_ext.words.times import TO_COME, ago, of_timestamp

Answer = dict[str, Any]

MANY = 12
"""How many names or values one line shows at most."""

WIDEST = 100
"""Characters in a line of a cell; a longer text goes on in the next line and is not cut off."""


def table(answer: Answer) -> list[str]:
    """Return a table, or a line that says it is empty."""
    shown = len(answer["rows"])
    if not shown:
        return [f"no {answer['of']}"]
    number = count(shown, answer["total"], answer["of"], answer.get("exact", True))
    rows = _called(answer) if "called" in answer else answer["rows"]
    return [*grid(answer["columns"], rows), number + next_page(answer) + _more(answer)]


def _called(answer: Answer) -> list[list[Any]]:
    """Return the rows of a table of assets; those without a minion id with what they are called."""
    at = answer["columns"].index("minion_id")
    return [
        [*row[:at], row[at] or name, *row[at + 1 :]]
        for row, name in zip(answer["rows"], answer["called"], strict=True)
    ]


def next_page(answer: Answer) -> str:
    """Return how to ask for the next page, where there is one."""
    return f"  (next: cursor={answer['next']})" if answer.get("next") else ""


def _more(answer: Answer) -> str:
    """Return how many rows were cut off, and how to see them; blank where there are pages."""
    left = answer["total"] - len(answer["rows"])
    if "next" in answer or (answer.get("exact", True) and left <= 0):
        return ""
    return f"  ({left} more with a larger limit=)" if left > 0 else "  (more with a larger limit=)"


def count(shown: int, total: int, things: str, exact: bool = True) -> str:
    """Return how many there are: ``1 asset``, ``100 of 171 assets``, ``100 of more than 1000``."""
    if not exact:
        return f"{shown} of more than {total} {things}"
    number = f"{shown} of {total}" if shown < total else str(total)
    return f"{number} {_one_of(things) if total == 1 else things}"


def _one_of(things: str) -> str:
    """Return the singular of a name such as ``held reports`` or ``kinds of parts``."""
    first, blank, rest = things.partition(" ")
    return f"{first[:-1]}{blank}{rest}" if first.endswith("s") else things.removesuffix("s")


def grid(columns: list[str], rows: list[list[Any]]) -> list[str]:
    """Return rows under their headings; columns of numbers and sizes stand to the right."""
    number = (int, float, type(None))
    numeric = [all(isinstance(row[i], number) for row in rows) for i in range(len(columns))]
    cells = [[cell(name, row[i]) for i, name in enumerate(columns)] for row in rows]
    lines = _unfolded([[_heading(name) for name in columns], *cells])
    widths = [max(width(line[i]) for line in lines) for i in range(len(columns))]
    return [
        "  ".join(
            _padded(cell, wide, right)
            for cell, wide, right in zip(line, widths, numeric, strict=True)
        )
        for line in lines
    ]


def _unfolded(rows: list[list[str]]) -> list[list[str]]:
    """Return rows of single lines: a cell with several lines goes on in the row below."""
    return [
        list(line)
        for row in rows
        for line in zip_longest(*(_parts(cell) for cell in row), fillvalue="")
    ]


def _parts(cell: str) -> list[str]:
    lines = cell.splitlines() or [""]
    if len(cell) <= WIDEST:
        return lines
    wrapped = (textwrap.wrap(line, WIDEST, break_on_hyphens=False) for line in lines)
    return [part for line in wrapped for part in line]


def _heading(column: str) -> str:
    name = column.removesuffix("_bytes").removesuffix("_at").removeprefix("processor_")
    return name.replace("_", " ").upper()


def cell(column: str, value: Any) -> str:
    """Return a value as a table shows it: sizes with units, moments as how long ago or ahead."""
    if value is None:
        return "-"
    if column.endswith(("_seen", "_at")) and isinstance(value, str):
        then, now = of_timestamp(value), datetime.now(timezone.utc)
        return f"in {ago(now, then)}" if column in TO_COME and then > now else ago(then, now)
    if isinstance(value, bool) or not isinstance(value, str):
        return values.value(value, column)
    return value or "-"


ZONE: ContextVar[tzinfo] = ContextVar("zone", default=timezone.utc)
"""The zone in which people read times; the outputter sets it."""


def time(text: str) -> str:
    """Return a moment to the second; what shows it says the zone once for all: :func:`in_zone`."""
    return f"{_local(text):%Y-%m-%d %H:%M:%S}"


def instant(text: str) -> str:
    """Return a moment that stands alone, with its zone: ``2026-11-21 09:00:00 CET``."""
    return f"{_local(text):%Y-%m-%d %H:%M:%S %Z}"


def span(first: str, last: str) -> str:
    """Return from when to when; the zone once, unless the clocks were changed meanwhile."""
    is_same = _local(first).tzname() == _local(last).tzname()
    return f"{time(first) if is_same else instant(first)} → {instant(last)}"


def in_zone() -> str:
    """Return the words that say in which zone the times of a table are."""
    return f"times in {ZONE.get()}"


def _local(text: str) -> datetime:
    return of_timestamp(text).astimezone(ZONE.get())


def columns(lines: list[list[str]]) -> list[str]:
    """Return lines of cells in columns, each as wide as its widest cell."""
    widths = [max(width(line[i]) for line in lines) for i in range(len(lines[0]) - 1)] + [0]
    return [
        "  ".join(_padded(cell, wide) for cell, wide in zip(line, widths, strict=True))
        for line in lines
    ]


def width(text: str) -> int:
    """Return how many places a text takes on a terminal: a Chinese character takes two."""
    return len(text) if text.isascii() else sum(max(0, wcwidth(one)) for one in text)


def _padded(cell: str, wide: int, right: bool = False) -> str:
    blanks = " " * (wide - width(cell))
    return blanks + cell if right else cell + blanks
