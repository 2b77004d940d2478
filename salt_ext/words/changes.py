"""
Changes as text for people: which part, what happened to it, the value before and after.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from itertools import groupby
from typing import Any, NamedTuple

from salt_ext.document import encode, is_components
from salt_ext.document.classes import classes, is_bare_slot
from salt_ext.document.diff import Change, names_of
from salt_ext.document.keys import place
from salt_ext.words.values import describe, label, shorten, value

SYMBOLS = {
    "added": "+",
    "removed": "−",  # noqa: RUF001 - a minus as wide as the plus
    "changed": "~",
    "moved": "⇄",
    "replaced": "↻",
    "renamed": "✎",
}

PARTS = {
    "memory.devices": "Memory module",
    "processors.packages": "Processor",
    "processors.caches": "Processor cache",
    "disks": "Disk",
    "network": "Network interface",
    "baseboards": "Board",
    "chassis": "Chassis",
    "power_supplies": "Power supply",
    "gpus": "GPU",
    "pci": "PCI device",
    "slots": "Slot",
    "usb": "USB device",
}


NAMED = 4
"""So many parts of a list are described, the others counted."""


class Line(NamedTuple):
    """One change as text; ``old`` and ``new`` are None where there is nothing to show."""

    op: str
    symbol: str
    what: str
    old: str | None
    new: str | None


def worth_telling(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return changes without those of no class: they tell people nothing."""
    rows = list(rows)
    return [row for row, name in zip(rows, _classes(rows), strict=True) if name]


def _classes(rows: Sequence[Mapping[str, Any]]) -> list[str | None]:
    """Return the class of each change; those of one report follow each other."""
    reports = groupby(rows, lambda row: (row.get("asset_id"), row.get("revision")))
    return [name for _, group in reports for name in classes([change(row) for row in group])]


def change(row: Mapping[str, Any]) -> Change:
    """Return the change that a row is of."""
    return Change(*(row[name] for name in Change._fields))


def line(row: Mapping[str, Any]) -> Line:
    """Return one change as text for people."""
    path, component, field = row["path"], row["component"], row["field"]
    names = names_of(path)
    old, new = row["old"], row["new"]
    if component is None:
        what = _value(row["op"], names)
        before, after = _values(old, new, names[-1], path)
    elif field is not None:
        what = f"{_part(path, names)} {component}: {label(field)}"
        before, after = _values(old, new, field, path)
    else:
        item = new if old is None else old
        if is_bare_slot(change(row)):
            what = f"Empty slot {place(item) or component}"
            return Line(row["op"], SYMBOLS[row["op"]], what, None, None)
        what = f"{_part(path, names)} {place(item) or component}"
        before = None if old is None else describe(old, path)
        after = None if new is None else describe(new, path)
    return Line(row["op"], SYMBOLS.get(row["op"], "•"), what, before, after)


def kind(row: Mapping[str, Any]) -> str:
    """Return what changed, whichever part of its list it is: ``Disk: Firmware version``."""
    names = names_of(row["path"])
    if row["component"] is None:
        return _value(row["op"], names)
    part = _part(row["path"], names)
    return part if row["field"] is None else f"{part}: {label(row['field'])}"


def of_many(name: str, lines: Sequence[Line]) -> Line:
    """Return one line for lines of a kind, with the values that are the same in all of them."""
    first, *others = lines
    old = first.old if all(one.old == first.old for one in others) else None
    new = first.new if all(one.new == first.new for one in others) else None
    return Line(first.op, first.symbol, name, old, new)


def _value(op: str, names: list[str]) -> str:
    return "Name" if op == "renamed" else " › ".join(map(label, names))  # noqa: RUF001


def _part(path: str, names: list[str]) -> str:
    return PARTS.get(path) or label(names[-1])


def _values(old: Any, new: Any, name: str, path: str) -> tuple[str | None, str | None]:
    if isinstance(old, list) and isinstance(new, list):
        before, after = set(map(encode, old)), set(map(encode, new))
        gone = [item for item in old if encode(item) not in after]
        come = [item for item in new if encode(item) not in before]
        # Only the items that differ are shown: there may be a hundred processor flags.
        if gone or come:
            left, old, new = len(new) - len(come), gone, come
            if left and not come:
                return _text(old, name, path), f"{left} left"
            if not gone:
                return None, f"also {_text(new, name, path)}"
    return _text(old, name, path), _text(new, name, path)


def _count(items: Sized, word: str) -> str:
    return f"{len(items)} {word}" if len(items) == 1 else f"{len(items)} {word}s"


def _text(item: Any, name: str, path: str) -> str | None:
    if item is None or item == []:
        return None
    if isinstance(item, dict):
        return _count(item, "value")
    if is_components(item):
        more = [_count(item[NAMED:], "more part")] if len(item) > NAMED else []
        return shorten("; ".join([*(describe(one, path) for one in item[:NAMED]), *more]))
    return shorten(value(item, name, path))
