"""
What people write into a cell or an argument, as a text: and whether it says anything.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Any

NOTHING = frozenset(
    (
        *("", "-", "--", "---", "/", "\\", "?", "n/a", "na", "#n/a", "none", "null", "nil", "tbd"),
        *(
            "#ref!",
            "#value!",
            "#name?",
            "unknown",
            "无",
            "暂无",
            "未知",
            "待定",
            "待补",
            "空",
            "没有",
            "不详",
        ),
    )
)
"""What people write, in lower case, where they know nothing."""

SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"),
        "\u00d7": "x",
        "\u2715": "x",
    }
)
"""The signs that a machine has for those that people have: dashes, and the sign of times."""

QUOTES = "'`\"\u2018\u2019\u201c\u201d"
INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
INTEGER = re.compile(r"(\d{1,40})\.0+")

EXACT_DIGITS = 15
"""A spreadsheet keeps no more of a number."""


def text(value: Any) -> str:
    """
    Return a cell as the text that people see in it.

    12345.0 is a serial number that a spreadsheet took for a number, and midnight is the
    time of a day that was written without one.
    """
    if isinstance(value, float):
        exact = f"{value:.{EXACT_DIGITS}g}"
        value = int(Decimal(exact)) if value.is_integer() else exact
    elif isinstance(value, datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    shown = "" if value is None else str(value)
    return (shown if shown.isascii() else INVISIBLE.sub("", shown)).strip()


def is_blank(value: Any) -> bool:
    """Whether a cell says nothing: it is empty, or has a word for that."""
    return not spelled(value)


def narrow(value: Any) -> str:
    """Return a serial number or name as a machine would write it; blank where nothing is known."""
    shown = text(value)
    if not shown.isascii():
        shown = unicodedata.normalize("NFKC", shown).translate(SIGNS)
    if shown.casefold() in NOTHING:
        return ""
    whole = INTEGER.fullmatch(shown)
    return " ".join((whole[1] if whole else shown.strip(QUOTES)).split())


def spelled(value: Any) -> str:
    """Return a serial number or name without what makes no difference: case, wide letters."""
    return narrow(value).casefold()
