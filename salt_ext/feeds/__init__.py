"""
The inventory for other programs: one file for each format, and one way to ask for all of them.

The runner (``cmdb.inventory``) and the API (``/api/v1/inventory``) call :func:`make`. Nothing
here knows Salt or Flask.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from salt_ext import store
from salt_ext.feeds import (
    ansible,
    jumpserver,
    left_out,
    nodegroups,
    prometheus,
    ssh_config,
    targets,
)
from salt_ext.feeds.feed import Answer, Feed, options_of
from salt_ext.feeds.handed import LeftOut, handed
from salt_ext.questions import box
from salt_ext.words.nearest import nearest, unknown

__all__ = ["FEEDS", "Answer", "feed_of", "make"]

FEEDS: dict[str, Feed] = {
    "ansible": ansible.FEED,
    "jumpserver": jumpserver.JSON,
    "jumpserver_csv": jumpserver.CSV,
    "nodegroups": nodegroups.FEED,
    "prometheus": prometheus.FEED,
    "ssh_config": ssh_config.FEED,
    "targets": targets.FEED,
    "left_out": left_out.FEED,
}


EVER_HANDED_OUT = {
    "lifecycle__in": list(store.LIFECYCLES),
    "freshness__not": "unreported",
}
"""Filters for all machines that a feed has or had, also those that are gone."""


def feed_of(name: str) -> Feed:
    """Return what makes the format with this name. Raises :class:`store.FilterError`."""
    if name not in FEEDS:
        raise store.FilterError(unknown("format", name, FEEDS))
    return FEEDS[name]


def make(
    database: store.Database,
    name: str,
    filters: Mapping[str, Any],
    options: Mapping[str, Any],
    text: str = "",
) -> Answer:
    """
    Return the inventory in one format.

    ``filters`` and ``text`` (what the search box takes) choose the machines; without those on
    ``lifecycle`` and ``freshness``, retired, missing and detached ones are left out. Raises
    :class:`store.FilterError` for what cannot be asked and for a text that no asset has, and
    :class:`store.StoreError`.
    """
    feed = feed_of(name)
    _refuse_misnamed(database, feed, filters)
    chosen = options_of(name, feed.options, options)
    columns = [one for one in feed.columns if one not in database.hidden.columns]
    is_oob = chosen.get("oob", False)
    if feed.needs_address and not is_oob:
        database.hidden.check("address")
    for one, option in feed.options.items():
        if option.type is list and chosen[one] != option.default:
            columns += [field for field in chosen[one] if field not in columns]
    filters, words = box.read(database, text, filters, None)
    if chosen.get("retired"):
        filters = {**EVER_HANDED_OUT, **filters}
    rows = _Counted(
        feed.read(
            database,
            filters=filters,
            text=words,
            columns=columns,
            name=chosen.get("name", "minion_id"),
            is_oob=is_oob,
        )
    )
    others: list[LeftOut] = []
    told = handed(rows, others, needs_address=feed.needs_address)
    known = {one: database.settings[one] for one in feed.settings}
    body = bytearray()
    for piece in feed.write(told, others, **chosen, **known):
        body += piece.encode()
    if not rows.count and (why := _slip_of(database, filters, words)):
        # An empty inventory would be believed, and a typo would take everything away.
        raise store.FilterError(why)
    return Answer(bytes(body), feed.media, rows.count - len(others), others)


def _refuse_misnamed(database: store.Database, feed: Feed, filters: Mapping[str, Any]) -> None:
    """Refuse what is no field and is nearer to an option of the format than to any field."""
    fields = {*store.asking(database).kinds, "id"} if filters else set()
    for name in filters:
        if name.partition("__")[0] in fields:
            continue
        if nearest(name, [*feed.options, *sorted(fields)]) in feed.options:
            raise store.FilterError(unknown("field or option", name, feed.options))


def _slip_of(database: store.Database, filters: Mapping[str, Any], text: str) -> str:
    """Return which text of the filters no asset has at all, retired or not; blank if none."""
    kinds = store.asking(database).kinds
    texts = {
        one: value
        for one, value in filters.items()
        if kinds.get(one.partition("__")[0]) == "text" and not one.endswith("__isnull")
    }
    return store.hint(database, texts, text) if texts or text else ""


class _Counted:
    """Rows that are counted as they are read."""

    def __init__(self, rows: Iterator[Mapping[str, Any]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        for row in self._rows:
            self.count += 1
            yield row
