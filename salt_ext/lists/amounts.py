"""
Sizes and numbers of parts as people write them: ``16*32G``, ``2x480G + 4x4T``, ``1T(32*32G)``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from salt_ext.words.cells import spelled

MAX_CHARACTERS = 500
"""Of a cell that are read; a longer one is a story."""

NOISE = re.compile(
    r"\d+(?:\.\d+)?\s*(?:英?寸|inch|''|\"|mhz|mt/s|rpm|k?转|gb?/s|gb?ps|k(?![a-z]))"
    r"|ddr\d\w?|raid\s*[\d+]+|[mu]\.2|pc\d\S*|\bgen\d|\d+\s*级"
)
"""Numbers that are no size: ``7.2K``, ``3.5寸``, ``DDR4``, ``3200MHz``, ``12Gb/s``."""

BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")
TOTALS = re.compile(r"=|合计|总计|总共|共|total")
WORDS = re.compile(r"[a-z]+|[^\W\d_a-z]+")
COUNTERS = re.compile(r"(\*\s*)?(\d{1,4})\s*[块条根个片支颗路](\s*\d)?")
"""``2块480G`` is ``2*480G``, and ``480G 2块`` is ``480G*2``."""

ITEM = re.compile(
    r"(?:(\d{1,4})\s*\*\s*)?(\d{1,15}(?:\.\d{1,6})?)\s*(kb|kib|[mgtp]i?b?|bytes)?(?:\s*\*\s*(\d{1,4})(?![\d.]))?"
)
"""Its groups: how many, amount, unit, how many."""


UNIT = re.compile(r"(kb|kib|[mgtp]i?b?|bytes)(?:ssd|hdd|sas|sata|nvme|ddr|ecc|ram|mem)?")


class Item(NamedTuple):
    """So many parts of one size; ``unit`` is its first letter, blank when it was not written."""

    parts: int
    amount: float
    unit: str


def sizes(text: str, unit: str) -> list[float]:
    """
    Return the sizes in bytes that a text may mean, all of its parts together.

    There are two, with units of 1000 and of 1024; none when the text is no size.
    ``unit`` is the unit of a bare number, such as ``g``.
    """
    found = items(text)
    return [
        sum(
            one.parts * one.amount * step ** "bkmgtp".index(one.unit or unit[:1] or "b")
            for one in found
        )
        for step in (1000, 1024)
        if found
    ]


def how_many(text: str) -> int | None:
    """Return how many parts a text tells of, or None: ``8``, ``8块``, ``2*480G + 6*4T``."""
    found = items(text)
    if not found:
        return None
    if any(one.unit for one in found):
        return sum(one.parts for one in found)
    [one, *others] = found
    return int(one.amount) if not others and one.parts == 1 and one.amount.is_integer() else None


def items(text: str) -> list[Item]:
    """Return the parts that a text tells of; of a total and what it is made of, only one."""
    plain = spelled(text[:MAX_CHARACTERS]).replace(",", "")
    outside = BRACKETS.sub(" ", plain)
    for part in (*TOTALS.split(outside), plain):
        if found := list(_items(part)):
            return found
    return []


def _items(text: str) -> Iterator[Item]:
    text = NOISE.sub(" ", text.replace("x", "*"))
    text = WORDS.sub(_unit, COUNTERS.sub(_times, text))
    found = list(ITEM.finditer(text))
    has_units = any(one[3] for one in found)
    if not has_units and re.search(r"[^\s*+;、]", ITEM.sub("", text)):
        return  # an address, a date, or whatever else has numbers
    for one in found:
        if one[3] or not has_units:
            count = int(one[1] or 1) * int(one[4] or 1)
            yield Item(count, float(one[2]), (one[3] or "")[:1])


def _times(found: re.Match[str]) -> str:
    if found[1]:
        return f"*{found[2]} {found[3] or ''}"
    return f"{found[2]}*{found[3]}" if found[3] else f"*{found[2]} "


def _unit(found: re.Match[str]) -> str:
    """Return the unit that a word is or begins with, ``gssd``; nothing for all others."""
    unit = UNIT.fullmatch(found[0])
    return unit[1] if unit else " "
