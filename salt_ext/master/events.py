"""
What is new in the store as events for reactors: ``salt/cmdb/<kind>/<asset id>``.

Knows neither Salt nor PostgreSQL. Each event is bounded in size, and what
happens to many machines alike is one event, ``salt/cmdb/many/<kind>``: a new
kernel on ten thousand of them must not hide the one that lost a memory module.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from salt_ext import store
from salt_ext.document import encode
from salt_ext.settings import OPTIONS, SettingsError
from salt_ext.words import changes, values
from salt_ext.words.nearest import unknown
from salt_ext.words.plain import plain

ALIKE = 100
"""More machines than this to which the same has happened are one event."""

NAMED = 100
"""So many machines are named in such an event."""

MOST_BYTES = 65536
"""Of one event, and at most half of ``max_event_size``, beyond which Salt cuts values out."""

Event = tuple[str, dict[str, Any]]


def wanted(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the kinds that the setting asks for. Raises :class:`SettingsError`."""
    kinds = OPTIONS["events"].default
    for name in settings["events"]:
        if name not in kinds:
            raise SettingsError(f"events: {unknown('kind', name, kinds)}")
    return frozenset(settings["events"])


def send(
    database: store.Database,
    fire: Callable[[dict[str, Any], str], object],
    ours: Callable[[], Collection[str]],
    max_event_size: int,
) -> int:
    """
    Fire what is new, and remember it as told; return how much it was.

    ``ours`` are the minions of this master. When ``fire`` raises, all of it is
    new still: an event may come twice, none is lost.
    """
    kinds = wanted(database.settings)
    limit = min(MOST_BYTES, max_event_size // 2)

    def say(news: list[store.News]) -> None:
        for tag, data in events([one for one in news if one.kind in kinds], limit):
            fire(data, tag)

    return store.tell(database, say, ours)


def events(news: Iterable[store.News], limit: int) -> Iterator[Event]:
    """Yield the events for what is new; none is longer than ``limit`` bytes as JSON."""
    groups: dict[Any, list[store.News]] = {}
    for one in news:
        groups.setdefault((one.kind, _likeness(one)), []).append(one)
    for group in groups.values():
        if len(group) > ALIKE:
            yield _many(group, limit)
        else:
            for one in group:
                yield _single(one, limit)


def _likeness(one: store.News) -> Any:
    """Return what is the same of two machines to which the same has happened."""
    if one.kind == "problem":
        return one.detail["problem"], one.detail["subject"]
    return frozenset((row["op"], row["path"], row["field"]) for row in one.changes)


def _single(one: store.News, limit: int) -> Event:
    data = {"kind": one.kind, "asset_id": one.asset, "at": one.at, **one.about, **one.detail}
    return f"salt/cmdb/{one.kind}/{one.asset}", _bounded(plain(data), one, limit)


def _many(group: list[store.News], limit: int) -> Event:
    """Return one event for many machines; its changes are those of the first."""
    first = group[0]
    names = [one.about["minion_id"] or one.asset for one in group]
    data = {"kind": first.kind, "count": len(group), "at": group[-1].at}
    data |= {"minion_ids": names[:NAMED]}
    return f"salt/cmdb/many/{first.kind}", _bounded(plain(data), first, limit)


def _bounded(data: dict[str, Any], one: store.News, limit: int) -> dict[str, Any]:
    """Add the changes that there is room for, and how many more there are."""
    if not one.changes:
        return data
    told = changes.worth_telling(one.changes)
    room = limit - len(encode(data)) - len(b',"changes":[],"more":1000000000')
    kept: list[dict[str, Any]] = []
    for row in told:
        change = _change(row)
        if len(encode(change)) > room:
            # Whole sections may have come; the words tell it all the same.
            change |= {"old": None, "new": None}
        room -= len(encode(change)) + 1
        if room < 0:
            break
        kept.append(change)
    return {**data, "changes": kept, "more": len(told) - len(kept) + one.more}


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    line = changes.line(row)
    fields = ("op", "path", "component", "field", "old", "new")
    text = f"{line.op} {line.what}: {line.old or 'none'} → {line.new or 'none'}"
    return {**{name: row[name] for name in fields}, "words": text.replace(values.NO_BREAK, " ")}
