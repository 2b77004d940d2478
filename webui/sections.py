"""
The facts of a machine as blocks for a page: pairs of a name and a value, and tables.

Our own sections come first, in a fixed order. The sections of other collectors
follow in the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from salt_ext.document import is_components
from salt_ext.document.volatile import with_volatile
from salt_ext.words.values import by_place, columns_of, in_order, label, value

SECTIONS = {
    "Processors": ("processors",),
    "Memory": ("memory",),
    "Disks": ("disks",),
    "Network": ("network",),
    "Firmware and boards": ("system", "baseboards", "chassis", "firmware"),
    "Operating system": ("operating_system",),
    "Virtualization": ("virtual",),
}

TITLES = {"memory.devices": "Slots", "processors.packages": "Sockets"}


class Fields(NamedTuple):
    """Names and values."""

    title: str
    rows: list[tuple[str, str]]


class Row(NamedTuple):
    """The cells of one part, or of a place without one."""

    cells: list[str]
    is_empty: bool


class Table(NamedTuple):
    """Parts of one kind; ``path`` is where they are in the facts."""

    path: str
    title: str
    columns: list[str]
    rows: list[Row]

    @property
    def summary(self) -> str:
        """How many places there are and how many of them are in use."""
        used = sum(not row.is_empty for row in self.rows)
        if used < len(self.rows):
            return f"{used} of {len(self.rows)} in use"
        return str(used)


class Section(NamedTuple):
    """
    One section of the facts.

    ``collected_at`` is None when no report ever had this section. A section with a
    time but without blocks was collected, and nothing was found. ``source`` is who told
    it, where that is not the best source of the asset.
    """

    name: str
    title: str
    blocks: list[Fields | Table]
    collected_at: datetime | None
    failure: Mapping[str, Any] | None
    source: str | None


class Group(NamedTuple):
    """Sections under one heading."""

    title: str
    anchor: str
    sections: list[Section]

    @property
    def collected_at(self) -> datetime | None:
        """When all sections were collected, if that was at one time."""
        times = {one.collected_at for one in self.sections}
        return times.pop() if len(times) == 1 else None


def groups(asset: Mapping[str, Any], problems: Iterable[Mapping[str, Any]]) -> list[Group]:
    """Return the sections of an asset; ``problems`` say why one could not be read."""
    collected = _collected(asset)
    failures = {one["subject"]: one for one in problems if one["kind"] == "collector"}
    known = {name for names in SECTIONS.values() for name in names}
    others = sorted(name for name in asset["facts"] if name not in known)
    headings = [*SECTIONS.items(), *((label(name), (name,)) for name in others)]
    found = []
    for title, names in headings:
        # The prefix keeps a collector of the user's from taking an anchor of ours.
        anchor = quote("-".join(names)) if names[0] in known else "facts-" + quote(names[0])
        sections = [
            _section(asset, name, collected.get(name), failures.get(name)) for name in names
        ]
        found.append(Group(title, anchor, sections))
    return found


def _section(
    asset: Mapping[str, Any],
    name: str,
    collected_at: datetime | None,
    failure: Mapping[str, Any] | None,
) -> Section:
    if failure and collected_at and failure["last_seen"] < collected_at:
        failure = None  # it was read since
    facts = asset["facts"].get(name)
    latest = asset["volatile"].get(name)
    found = list(_blocks(name, with_volatile(facts, latest))) if facts else []
    source = asset.get("sources", {}).get(name)
    other = source if source != asset.get("mode") else None
    return Section(name, label(name), found, collected_at, failure, other)


def _collected(asset: Mapping[str, Any]) -> dict[str, datetime]:
    """
    Return when each section was last collected.

    An unchanged report updates the time of the asset, but not these times. It has
    the sections of the report before it, which are those with the newest time: they
    get the time of the asset.
    """
    times = asset["collected"]
    newest = max(times.values(), default=None)
    return {name: asset["collected_at"] if time == newest else time for name, time in times.items()}


def _blocks(path: str, facts: Any, title: str = "") -> Iterator[Fields | Table]:
    if is_components(facts):
        yield _table(path, facts, title)
        return
    below = {key: item for key, item in facts.items() if _is_block(item)}
    rows = [
        (label(key), value(facts[key], key, path)) for key in in_order(facts) if key not in below
    ]
    if rows:
        yield Fields(title, rows)
    for key, item in below.items():
        where = f"{path}.{key}"
        yield from _blocks(where, item, TITLES.get(where) or label(key))


def _is_block(item: Any) -> bool:
    return bool(item) and (isinstance(item, dict) or is_components(item))


def _table(path: str, items: list[dict[str, Any]], title: str) -> Table:
    names = columns_of(path, items)
    rows = []
    for item in by_place(items):
        is_empty = item.get("present") is False
        cells = [value(item.get(name), name, path) for name in names]
        if is_empty and "size_bytes" in names:
            cells[names.index("size_bytes")] = "empty"
        rows.append(Row(cells, is_empty))
    return Table(path, title, [label(name) for name in names], rows)
