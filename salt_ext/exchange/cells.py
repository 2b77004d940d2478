"""
What goes into one cell, and how wide it is: lists and mappings in words, everything else as it is.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable
from datetime import date, datetime, timezone, tzinfo
from typing import Any

from wcwidth import wcwidth

from salt_ext.words import plain
from salt_ext.words.visible import sign

MAX_NUMBER = 10**15
"""A larger one would be rounded by a spreadsheet, so it becomes text."""

MAX_CHARACTERS = 32_767
"""Of a text that Excel can open."""

FORMATTED_CHARACTERS = 255
"""Excel shows a longer text in the format "Text" as ####."""

SAMPLE_ROWS = 200
"""The first rows of a sheet, which say how wide its columns are."""

DAY = re.compile(r"\d{4}-\d\d-\d\d")
FIRST_DAY = "1900-03-01"
"""Before it the days of spreadsheets are other days."""

LINE_BREAK = re.compile("\r\n?")


Simple = bool | int | float | str | datetime | None


def simple(value: Any) -> Simple:
    """Return a value as one that a cell can hold."""
    if isinstance(value, str):
        return seen(value)
    if value is None or isinstance(value, (bool, int, float, datetime)):
        return value
    if isinstance(value, (list, tuple)) and not any(isinstance(one, (dict, list)) for one in value):
        return seen(", ".join(str(one) for one in value))
    if isinstance(value, (dict, list, tuple)):
        return seen(json.dumps(value, ensure_ascii=False, sort_keys=True, default=text))
    return text(value)


def seen(text: str) -> str:
    """Return a text in which all characters can be seen; lines and tabs stay what they are."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in "\n\t" else sign(one) for one in LINE_BREAK.sub("\n", text))


def in_workbook(value: Any, zone: tzinfo = timezone.utc) -> Simple:
    """Return a value as one that a cell of a workbook can hold: moments are in a zone, unsaid."""
    cell = simple(value)
    if isinstance(cell, str):
        return cell if len(cell) <= MAX_CHARACTERS else cell[: MAX_CHARACTERS - 1] + "…"
    if isinstance(cell, datetime):
        return cell.astimezone(zone).replace(microsecond=0, tzinfo=None)
    # "Not below" is true of what is no number, too.
    if isinstance(cell, (int, float)) and not abs(cell) < MAX_NUMBER:
        return str(cell)
    return cell


def as_day(value: Any) -> Any:
    """Return a text such as ``2027-03-01`` as that day, and everything else as it is."""
    if isinstance(value, str) and DAY.fullmatch(value) and value >= FIRST_DAY:
        with contextlib.suppress(ValueError):
            return date.fromisoformat(value)
    return value


def text(value: Any) -> str:
    """Return a value that JSON does not know as text: moments in UTC, ids, bytes."""
    return str(plain.simple(value))


def width(heading: str, values: Iterable[Any]) -> int:
    """Return how wide a column is, in characters; the arrow of the filter needs room too."""
    longest = max(map(_characters, values), default=0)
    return min(60, max(longest, len(heading) + 2) + 2)


def _characters(value: Any) -> int:
    if isinstance(value, datetime):
        return len("2026-11-21 08:00:00")
    # A Chinese character is as wide as two others.
    return sum(max(0, wcwidth(one)) for one in str(simple(value) or "")[:60])
