"""
Columns of people's lists that no machine can fill, as numbers, dates or text.

A column is one of days when most of its cells are, and one of numbers when nearly all are: a
cell that is none stays the word that it is, which is shown and never compared as a day or
number. A cell with a word for nothing counts for neither, and takes nothing away that another
list says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.headings import OWN, plain
from salt_ext.words.cells import is_blank, text
from salt_ext.words.match import Said

NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
"""A number as a spreadsheet keeps it; ``0012345`` and 20 digits are no numbers but names."""

MONEY = re.compile(
    r"(-?)(?:[¥$€£]|rmb|cny|usd|eur)?\s*(-?[\d,]+(?:\.\d+)?)\s*(?:元|€|rmb|cny|usd|eur)?"
)
THOUSANDS = re.compile(r"-?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?")
"""``12,000`` and ``¥12,000.00`` are numbers as well."""

LONGEST = 60
"""Characters of a number, and of a word that is told."""

DIGITS = re.compile(r"\d+")

DATES = (
    re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?"),
    re.compile(r"(\d{4})()年(\d{1,2})月(?:(\d{1,2})日)?"),
    re.compile(r"(\d{4})([-/])(\d{1,2})()"),
    re.compile(r"(\d{2})([-/.])(\d{1,2})\2(\d)"),
)
"""
``2027-03-01``, ``2027/3/1``, ``2027.3.1``, ``2027年3月1日``; midnight may follow. A month is its
first day. ``27/3/1`` can only begin with the year; ``01/02/2027`` could be two days and is none.
"""

SILENT = {
    "kvm": ("kvm", "kvm switch", "kvm console", "kvm切换器"),
    "switch": ("switch", "交换机", "交換機"),
    "router": ("router", "路由器"),
    "firewall": ("firewall", "防火墙", "防火牆"),
    "load balancer": ("load balancer", "负载均衡", "負載均衡"),
    "pdu": ("pdu", "power distribution unit", "电源分配单元", "配电单元"),
    "ups": ("ups", "不间断电源", "不間斷電源"),
    "tape library": ("tape library", "磁带库", "磁帶庫"),
    "storage": (
        *("storage", "storage array", "san", "nas", "disk shelf"),
        *("存储", "存储设备", "磁盘阵列", "存儲", "儲存", "磁碟陣列"),
    ),
    "spare": ("spare", "备件", "备机", "备用", "備件", "備機", "備用"),
}
"""
What never reports to Salt: kind, and the words for it, one of which its type contains.

Of several kinds the first counts: a ``KVM switch`` switches no packets, and a ``SAN switch``
stores nothing.
"""

MACHINE = re.compile(
    r"server|服务器|伺服器|主机|主機|节点|虚拟|虚机|虛擬|云|(?<![a-z])(?:hosts?|nodes?|vms?|virtual|guest)(?![a-z])"
)
"""What reports all the same, whatever else its type contains: ``存储服务器``."""


class Column(NamedTuple):
    """A column: its type, ``text``, ``number`` or ``date``."""

    type: str

    def written(self, value: Any) -> Any:
        """Return a cell as it is kept: a date as ``2027-03-01``, a number as a number."""
        if is_blank(value):
            return ""
        number = _number(value) if self.type == "number" else None
        return store.storable(_date(value) or text(value)) if number is None else number

    def fits(self, value: Any) -> bool:
        """Whether a cell is what its column is; one that says nothing is."""
        if self.type == "text" or is_blank(value):
            return True
        return (_date if self.type == "date" else _number)(value) is not None


def typed(rows: Iterable[Said], known: Mapping[str, str] | None = None) -> dict[str, Column]:
    """
    Return the columns of a list that no machine can fill, by field.

    ``known`` are the types that other lists give to fields: they count for a column that
    has none of its own.
    """
    cells: dict[str, list[Any]] = {}
    for row in rows:
        for field, value in row.values.items():
            if field.startswith(OWN):
                cells.setdefault(field, []).append(value)
    types = {field: _type(values) for field, values in cells.items()}
    return {
        field: Column((known or {}).get(field, type_) if type_ == "text" else type_)
        for field, type_ in types.items()
    }


def _type(values: Iterable[Any]) -> str:
    """Return what a column is; the store has the same rule for all lists, see ``DECIDE``."""
    said = [value for value in values if not is_blank(value)]
    numbers = [_number(value) is not None for value in said]
    if said and 2 * sum(_date(value) is not None for value in said) > len(said):
        return "date"
    # Digits that are no number are names: to one with zeros before it all others are, too.
    if any(
        DIGITS.fullmatch(text(one)) for one, is_it in zip(said, numbers, strict=True) if not is_it
    ):
        return "text"
    return "number" if said and 10 * sum(numbers) >= 9 * len(said) else "text"


def misfits(
    rows: Iterable[Said], columns: Mapping[str, Column], decided: Mapping[str, str]
) -> Iterator[tuple[Said, str, str]]:
    """
    Yield the cells that are no day or number as their column should be: row, field and why.

    ``decided`` are the types of all lists together: such cells may have made a text of one.
    """
    for row in rows:
        for field, column in columns.items():
            type_ = decided.get(field, "text")
            wanted = column if type_ == "text" else Column(type_)
            if not wanted.fits(row.values.get(field)):
                what = "day" if wanted.type == "date" else "number"
                end = f"too few are: {field} is a text" if type_ == "text" else "kept as a word"
                yield row, field, f"{text(row.values[field])[:LONGEST]} is no {what}; {end}"


def _date(value: Any) -> str | None:
    """Return a cell as ``2027-03-01``; None for what is no date."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else None
    if isinstance(value, date):
        return value.isoformat()
    for form in DATES:
        if found := form.fullmatch(text(value)):
            try:
                year = int(found[1]) + (2000 if len(found[1]) == 2 else 0)
                return date(year, int(found[3]), int(found[4] or 1)).isoformat()
            except ValueError:
                return None
    return None


def _number(value: Any) -> float | int | None:
    """Return a cell as a number; None for what is none."""
    if isinstance(value, bool):
        return None
    shown = text(value)
    if not NUMBER.fullmatch(shown) and (
        money := MONEY.fullmatch(unicodedata.normalize("NFKC", shown[:LONGEST]).lower())
    ):
        shown = f"{money[1]}{money[2]}"
        shown = shown.replace(",", "") if THOUSANDS.fullmatch(shown) else shown
    if not NUMBER.fullmatch(shown):
        return None
    number = float(shown)
    return int(shown.partition(".")[0]) if number.is_integer() else number


def alone(value: Any) -> Any:
    """Return a value that stands in no column as it is kept."""
    return Column(_type([value])).written(value)


def is_awaited(fields: Mapping[str, Any]) -> bool:
    """Whether a row is of a machine that shall report: no switch, no spare, nothing retired."""
    return silent_kind(fields) is None and fields.get("lifecycle") not in ("planned", "retired")


def kind_of(fields: Mapping[str, Any]) -> str:
    """Return what a row is of while no machine reports it."""
    return silent_kind(fields) or "expected"


def silent_kind(fields: Mapping[str, Any]) -> str | None:
    """Return which kind of thing that never reports a row is of; None for a machine."""
    said = plain(fields.get("kind"))
    kinds = [kind for kind, words in SILENT.items() if any(_has(said, word) for word in words)]
    if "spare" in kinds:
        return "spare"
    return kinds[0] if kinds and not MACHINE.search(said) else None


def _has(said: str, word: str) -> bool:
    """Whether a type contains a word; an English one whole, or as several of it."""
    if not word.isascii():
        return word in said
    return re.search(rf"(?<![a-z0-9]){word}(?:e?s)?(?![a-z0-9])", said) is not None
