"""
Columns of people's lists that no machine can fill, as numbers, dates or text.

A column is a number or a date when all its cells are; one that mixes stays text. A cell
with a word for nothing counts for neither, and takes nothing away that another list says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.lists.headings import OWN, plain
from salt_ext.words.match import Said, is_blank, text

NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?")
"""A number as a spreadsheet keeps it; ``0012345`` and 20 digits are no numbers but names."""

DATES = (
    re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?:[ T]0{1,2}:00(?::00(?:\.0+)?)?)?"),
    re.compile(r"(\d{4})()年(\d{1,2})月(\d{1,2})日"),
)
"""``2027-03-01``, ``2027/3/1``, ``2027.3.1``, ``2027年3月1日``; midnight may follow."""

SILENT = {
    "switch": ("switch", "交换机"),
    "router": ("router", "路由器"),
    "firewall": ("firewall", "防火墙"),
    "load balancer": ("load balancer", "负载均衡"),
    "pdu": ("pdu", "power distribution unit", "电源分配单元", "配电单元"),
    "ups": ("ups", "不间断电源"),
    "storage": (
        "storage",
        "storage array",
        "san",
        "nas",
        "disk shelf",
        "存储",
        "存储设备",
        "磁盘阵列",
    ),
    "tape library": ("tape library", "磁带库"),
    "kvm": ("kvm switch", "kvm console", "kvm切换器"),
    "spare": ("spare", "spare part", "spare server", "备件", "备机", "备用"),
}
"""What never reports to Salt: kind, and how people write it."""


class Column(NamedTuple):
    """A column: its type, ``text``, ``number`` or ``date``."""

    type: str

    def written(self, value: Any) -> Any:
        """Return a cell as it is kept: a date as ``2027-03-01``, a number as a number."""
        if is_blank(value):
            return ""
        if self.type == "date":
            return _date(value)
        if self.type == "number":
            return _number(value)
        return store.storable(_date(value) or text(value))


def typed(rows: Iterable[Said]) -> dict[str, Column]:
    """Return the columns of a list that no machine can fill, by field."""
    cells: dict[str, list[Any]] = {}
    for row in rows:
        for field, value in row.values.items():
            if field.startswith(OWN):
                cells.setdefault(field, []).append(value)
    return {field: Column(_type(values)) for field, values in cells.items()}


def _type(values: Iterable[Any]) -> str:
    said = [value for value in values if not is_blank(value)]
    if said and all(_date(value) for value in said):
        return "date"
    if said and all(_number(value) is not None for value in said):
        return "number"
    return "text"


def _date(value: Any) -> str | None:
    """Return a cell as ``2027-03-01``; None for what is no date."""
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == datetime.min.time() else None
    if isinstance(value, date):
        return value.isoformat()
    for form in DATES:
        if found := form.fullmatch(text(value)):
            try:
                return date(int(found[1]), int(found[3]), int(found[4])).isoformat()
            except ValueError:
                return None
    return None


def _number(value: Any) -> float | int | None:
    """Return a cell as a number; None for what is none."""
    if isinstance(value, bool) or not NUMBER.fullmatch(text(value)):
        return None
    return float(text(value)) if "." in text(value) else int(text(value))


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
    return next((kind for kind, words in SILENT.items() if said in map(plain, words)), None)
