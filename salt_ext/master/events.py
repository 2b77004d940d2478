"""
News of the store as events for Salt's reactors: ``salt/cmdb/<kind>/<asset id>``.

This module imports neither Salt nor a database driver. Each event is bounded in
size. When the same happens to many machines, they share one event,
``salt/cmdb/many/<kind>``: a new kernel on ten thousand machines must not hide
the one machine that lost a memory module.
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
from salt_ext.words.visible import visible

ALIKE = 100
"""When the same has happened to more machines than this, they share one event."""

NAMED = 100
"""At most so many machines are named in the event that they share."""

MOST_BYTES = 65536
"""
The largest size of the data of one event.

It is half of the master's ``max_event_size`` where that is less: Salt cuts
values out of events that are larger than that option.
"""

Event = tuple[str, dict[str, Any]]


def wanted(settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the kinds of the setting ``events``. Raises :class:`SettingsError`."""
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
    subscribers: Iterable[store.Subscriber] = (),
    master: str = "",
) -> int:
    """
    Fire the news of the store, and mark them as told; return how many there were.

    ``fire`` takes the data and the tag of an event. ``ours`` returns the minions of
    this master. When ``fire`` raises, no news is marked as told and all are fired
    again later: an event may come twice, but none is lost. What ``subscribers`` are to
    have is put into the outbox of the store by the same transaction.
    """
    kinds = wanted(database.settings)
    limit = min(MOST_BYTES, max_event_size // 2)

    def say(news: list[store.News]) -> None:
        for tag, data in events([one for one in news if one.kind in kinds], limit):
            fire(data, tag)

    store.settle_losses(database)
    store.settle_brake(database)
    return store.tell(database, say, ours, subscribers, master)


def events(news: Iterable[store.News], limit: int) -> Iterator[Event]:
    """Yield the tag and the data of each event; data is at most ``limit`` bytes as JSON."""
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
    """Return a key that is equal for machines to which the same has happened."""
    if one.kind == "problem":
        return one.detail["problem"], one.detail["subject"]
    if one.kind == "lifecycle":
        return one.detail["old"], one.detail["new"]
    if one.kind == "installed":
        return frozenset(row["field"] for row in one.detail["differences"])
    return frozenset((row["op"], row["path"], row["field"]) for row in one.changes)


def _single(one: store.News, limit: int) -> Event:
    data = {"kind": one.kind, "asset_id": one.asset, "at": one.at, **one.about, **one.detail}
    # The name of a machine without an asset may be anything; two newlines would end the tag.
    return f"salt/cmdb/{one.kind}/{visible(one.asset)}", _bounded(plain(data), one, limit)


def _many(group: list[store.News], limit: int) -> Event:
    """Return one event for many machines, with the changes of the first as an example."""
    first = group[0]
    names = [one.about["minion_id"] or one.asset for one in group]
    data = {"kind": first.kind, "count": len(group), "at": group[-1].at}
    data |= {"minion_ids": names[:NAMED]}
    if first.kind == "lifecycle":
        data |= {"old": first.detail["old"], "new": first.detail["new"]}
    return f"salt/cmdb/many/{first.kind}", _bounded(plain(data), first, limit)


def _bounded(data: dict[str, Any], one: store.News, limit: int) -> dict[str, Any]:
    """Add as many changes as fit into ``limit`` bytes, and the number of the others."""
    if not one.changes:
        return data
    told = changes.worth_telling(one.changes)
    room = limit - len(encode(data)) - len(b',"changes":[],"more":1000000000')
    kept: list[dict[str, Any]] = []
    for row in told:
        change = _change(row)
        if len(encode(change)) > room:
            # The values may be whole sections; the field "words" still names the change.
            change |= {"old": None, "new": None}
        room -= len(encode(change)) + 1
        if room < 0:
            break
        kept.append(change)
    return {**data, "changes": kept, "more": len(told) - len(kept) + one.more}


def _change(row: Mapping[str, Any]) -> dict[str, Any]:
    line = changes.line(row)
    fields = ("op", "path", "component", "field", "old", "new", "class")
    text = f"{line.op} {line.what}: {line.old or 'none'} → {line.new or 'none'}"
    return {**{name: row[name] for name in fields}, "words": text.replace(values.NO_BREAK, " ")}
