"""
The facts of a machine as blocks for a page: pairs of a name and a value, and tables.

Our own sections come first, in a fixed order. The sections of other collectors follow in the
same form. Whatever a machine sends, a page of it has an end: the whole is on the page of the
raw facts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from markupsafe import Markup, escape

from salt_ext.document import is_components
from salt_ext.document.keys import is_empty, numbers
from salt_ext.document.volatile import with_volatile
from salt_ext.words.values import NOTHING, by_place, columns_of, in_order, label, value
from webui.language import marked, translated
from webui.peers import Peers
from webui.said import html, said
from webui.slots import Picture, bays, memory

SECTIONS = {
    marked("CPU and memory"): ("processors", "memory"),
    marked("Storage"): ("disks", "smart", "raid", "md", "multipath", "lvm"),
    marked("Network"): ("network",),
    marked("GPUs and PCI"): ("gpus", "pci", "slots", "onboard_devices", "usb"),
    marked("Power"): ("power_supplies", "batteries"),
    marked("Firmware and boards"): ("system", "firmware", "baseboards", "chassis", "tpm"),
    marked("BMC"): ("bmc",),
    marked("Links"): ("lldp",),
    marked("Operating system"): ("operating_system", "virtual", "cloud"),
}

TITLES = {"memory.devices": "Slots", "processors.packages": "Sockets"}

MOST_ROWS, MOST_COLUMNS, MOST_FIELDS, MOST_BLOCKS, MOST_GROUPS = 64, 16, 100, 24, 40
"""Of a table, of pairs, of a section and of a page; what is beyond is only counted."""

LONGEST = 2000
"""Characters of a value."""


class Fields(NamedTuple):
    """Names, and values as HTML, and how many of them are not shown."""

    title: str
    rows: list[tuple[str, str]]
    more: int

    @property
    def body(self) -> Markup:
        """The pairs as HTML."""
        pairs = [f"<div><dt>{said(name)}</dt><dd>{text}</dd></div>\n" for name, text in self.rows]
        return Markup("".join(pairs))  # noqa: S704 - all are escaped


class Row(NamedTuple):
    """The cells of one part, or of a place without one, as HTML."""

    cells: list[str]
    is_empty: bool
    is_ill: bool

    def html(self) -> str:
        """Return the row; the first cell names it."""
        first, *others = self.cells or [NOTHING]
        state = "ill" if self.is_ill else "empty" if self.is_empty else ""
        if self.is_ill:
            first += f' <span class="unseen">{escape(translated("ill"))}</span>'
        cells = "".join([f"<td>{cell}</td>" for cell in others])
        return f'<tr class="{state}"><th scope="row">{first}</th>{cells}</tr>\n'


class Table(NamedTuple):
    """Parts of one kind; ``path`` is where they are in the facts."""

    path: str
    title: str
    columns: list[str]
    rows: list[Row]
    total: int
    used: int
    picture: Picture | None = None

    @property
    def summary(self) -> str:
        """How many places there are and how many of them are in use."""
        return str(self.used) if self.used == self.total else f"{self.used} of {self.total} in use"

    @property
    def more(self) -> int:
        """How many rows are not shown."""
        return self.total - len(self.rows)

    @property
    def body(self) -> Markup:
        """The rows as HTML."""
        return Markup("".join([row.html() for row in self.rows]))  # noqa: S704 - all are escaped


class Section(NamedTuple):
    """
    One section of the facts.

    ``collected_at`` is None in the past. ``failure`` is that of its collector, if it failed
    since. ``source`` is who told it, where that is not the best source of the asset.
    """

    name: str
    title: str
    anchor: str
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


class Missing(NamedTuple):
    """A section that is not known, and the failure of its collector, if that is why."""

    title: str
    failure: Mapping[str, Any] | None


class Shown(NamedTuple):
    """All sections of an asset: those with something in them, and the others by name."""

    groups: list[Group]
    none_found: list[str]
    not_collected: list[Missing]
    more: int
    """So many sections of a site's own are not shown."""


class Marks(NamedTuple):
    """What is to be told beside the facts."""

    peers: Peers
    ill: Collection[str] = ()
    """Names and numbers of parts that are ill."""
    lost: Collection[str] = ()
    """Places that lost their part."""


def shown(asset: Mapping[str, Any], problems: Iterable[Mapping[str, Any]], marks: Marks) -> Shown:
    """Return the sections of an asset; ``problems`` say why one could not be read."""
    collected = _collected(asset)
    failures = {one["subject"]: one for one in problems if one["kind"] == "collector"}
    facts = asset["facts"]
    known = {name for names in SECTIONS.values() for name in names}
    # Where it stands is in the summary.
    own = sorted(name for name in facts if name not in known and name != "location")
    ours = ((translated(title), names) for title, names in SECTIONS.items())
    headings = [*ours, *((label(name), (name,)) for name in own[:MOST_GROUPS])]
    groups: list[Group] = []
    none_found: list[str] = []
    not_collected: list[Missing] = []
    for title, names in headings:
        sections = []
        for name in names:
            section = _section(asset, name, collected.get(name), failures.get(name), marks)
            if section.blocks:
                sections.append(section)
            elif name in facts and not section.failure:
                none_found.append(section.title)
            else:
                not_collected.append(Missing(section.title, section.failure))
        if sections:
            groups.append(Group(title, f"group-{sections[0].anchor}", sections))
    unread = sorted(failures.keys() - known - facts.keys())[:MOST_GROUPS]
    not_collected += [Missing(label(name), failures[name]) for name in unread]
    return Shown(groups, none_found, not_collected, max(0, len(own) - MOST_GROUPS))


def _section(
    asset: Mapping[str, Any],
    name: str,
    collected_at: datetime | None,
    failure: Mapping[str, Any] | None,
    marks: Marks,
) -> Section:
    if failure and collected_at and failure["last_seen"] < collected_at:
        failure = None  # it was read since
    facts = asset["facts"].get(name)
    latest = asset.get("volatile", {}).get(name)
    blocks = _blocks(name, with_volatile(facts, latest), marks) if facts else iter(())
    source = asset.get("sources", {}).get(name)
    other = source if source != asset.get("mode") else None
    # The prefix keeps a collector of the user's from taking an anchor of ours.
    anchor = name if name in OURS else f"facts-{quote(name)}"
    found = list(islice(blocks, MOST_BLOCKS))
    return Section(name, label(name), anchor, found, collected_at, failure, other)


OURS = frozenset(name for names in SECTIONS.values() for name in names)


def _collected(asset: Mapping[str, Any]) -> dict[str, datetime]:
    """
    Return when each section was last collected; nothing of the past.

    An unchanged report updates the time of the asset, but not these times. It has
    the sections of the report before it, which are those with the newest time: they
    get the time of the asset.
    """
    times = asset.get("collected", {})
    newest = max(times.values(), default=None)
    return {name: asset["collected_at"] if time == newest else time for name, time in times.items()}


def _blocks(path: str, facts: Any, marks: Marks, title: str = "") -> Iterator[Fields | Table]:
    if is_components(facts):
        yield _table(path, facts, marks, title)
        return
    below = {key: item for key, item in facts.items() if _is_block(item)}
    names = [key for key in in_order(facts) if key not in below]
    if names:
        of_fact = marks.peers.of_fact
        rows = [
            (label(key), _cell(facts[key], key, path, of_fact(f"{path}.{key}", facts[key])))
            for key in names[:MOST_FIELDS]
        ]
        yield Fields(title, rows, len(names) - len(rows))
    for key, item in below.items():
        where = f"{path}.{key}"
        yield from _blocks(where, item, marks, TITLES.get(where) or label(key))


def _is_block(item: Any) -> bool:
    return bool(item) and (isinstance(item, dict) or is_components(item))


def _table(path: str, items: list[dict[str, Any]], marks: Marks, title: str) -> Table:
    first = by_place(items)[:MOST_ROWS]
    names = columns_of(path, first)[:MOST_COLUMNS]
    own = {id(item): number for item, number in zip(items, numbers(items), strict=True)}
    linked = marks.peers.of_parts(path, names)
    rows = [_row(path, names, linked, item, own[id(item)], marks) for item in first]
    used = sum(item.get("present") is not False for item in items)
    columns = [label(name) for name in names]
    return Table(path, title, columns, rows, len(items), used, _picture(path, items, marks))


def _row(
    path: str,
    names: Sequence[str],
    linked: Collection[str],
    item: Mapping[str, Any],
    number: str | None,
    marks: Marks,
) -> Row:
    is_gone = item.get("present") is False
    of_part = marks.peers.of_part
    cells = [
        _cell(
            item.get(name), name, path, of_part(path, name, item, number) if name in linked else ""
        )
        for name in names
    ]
    if is_gone and "size_bytes" in names:
        cells[names.index("size_bytes")] = escape(translated("empty"))
    words = {str(one) for one in (number, item.get("name"), item.get("serial_number")) if one}
    is_ill = bool(marks.ill) and not words.isdisjoint(marks.ill)
    return Row(cells, is_gone or is_empty(item), is_ill)


def _picture(path: str, items: list[dict[str, Any]], marks: Marks) -> Picture | None:
    if path == "memory.devices":
        return memory(items, marks.ill, marks.lost)
    if path in ("disks", "raid.members"):
        return bays(items, marks.ill, marks.lost)
    return None


def _cell(given: Any, name: str, path: str, address: str) -> str:
    text = value(given, name, path)
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}…"
    return html(text, address)
