"""
What changed, of one asset or in the fleet: the newest first.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.document.classes import CLASSES
from salt_ext.questions.span import span_of
from salt_ext.questions.table import Table
from salt_ext.words.nearest import unknown

COLUMNS = (
    *("recorded_at", "minion_id", "sn", "class", "op", "path", "component", "field", "old", "new"),
    *("moved_from", "moved_to"),
)

USUAL = tuple(name for name in CLASSES if name != "device_name")
"""The classes that are news: a name that a kernel gives anew after a boot is none."""

COUNTED = 2000
"""So many of the newest of each class are counted for a page; a year has millions."""

COUNTED_ROWS = 1000
"""The same where the index is not enough and each change is read."""

REST = 12
"""So many changes of a report are added to a page, so that it need not be cut."""

PAGE = 1000
"""How many changes are read at once for a file."""

EVERY = "all"


def classes_of(words: str | Iterable[str]) -> tuple[str, ...]:
    """Return the classes that are asked for: names with commas between them, or ``all``."""
    texts = [words] if isinstance(words, str) else list(words)
    names = [one.strip() for text in texts for one in str(text).split(",") if one.strip()]
    for name in names:
        if name not in (*CLASSES, EVERY):
            raise store.FilterError(unknown("class of changes", name, [*CLASSES, EVERY]))
    return tuple(CLASSES) if EVERY in names else tuple(one for one in CLASSES if one in names)


def wanted(
    database: store.Database,
    now: datetime,
    *,
    since: Any = "",
    until: Any = "",
    section: str = "",
    component: str = "",
    classes: str | Iterable[str] = (),
    op: str = "",
    filters: Mapping[str, Any] | None = None,
    asset_id: uuid.UUID | None = None,
    revision: int | None = None,
) -> store.Wanted:
    """Return which changes are asked for, from moments and names as people write them."""
    if section:
        store.check_section(database, section)
    if op and op not in store.OPS:
        raise store.FilterError(unknown("op", op, store.OPS))
    first, last = span_of(database, since, until, now)
    return store.Wanted(
        asset_id=asset_id,
        since=first,
        until=last,
        section=section,
        component=component,
        filters=filters or {},
        classes=classes_of(classes),
        op=op,
        revision=revision,
    )


def changes(
    database: store.Database,
    asked: store.Wanted,
    limit: int | None,
    cursor: str = "",
    *,
    is_quick: bool = False,
) -> Table:
    """
    Return a page of changes; ``limit`` None returns all, read page by page.

    ``counts`` of the table has the classes that are not asked for too. Quickly, of many changes
    only the newest of each class are counted: see :data:`COUNTED`.
    """
    if limit is None:
        return Table("changes", COLUMNS, _all_of(database, asked, cursor), 0, exact=False)
    rows, following = store.changes_page(database, asked, limit, cursor)
    every = asked._replace(classes=())
    counts = store.count_classes(database, every, _most(every) if is_quick else None)
    mine = [one for name, one in counts.items() if name in (asked.classes or CLASSES)]
    return Table(
        "changes",
        COLUMNS,
        rows,
        sum(one.number for one in mine),
        exact=all(one.is_exact for one in mine),
        next=following,
        hint="" if rows else store.hint_of_changes(database, asked),
        counts=counts,
    )


def _most(asked: store.Wanted) -> int:
    is_of_time = asked == store.Wanted(since=asked.since, until=asked.until)
    return COUNTED if is_of_time else COUNTED_ROWS


def _all_of(
    database: store.Database, asked: store.Wanted, cursor: str | None
) -> Iterator[Mapping[str, Any]]:
    while cursor is not None:
        rows, cursor = store.changes_page(database, asked, PAGE, cursor)
        yield from rows


def whole_reports(
    database: store.Database, asked: store.Wanted, table: Table
) -> tuple[list[Mapping[str, Any]], int, str | None]:
    """
    Return the rows of a page with the rest of its last report, and where the next page begins.

    Of a long rest its number is returned in place of its rows: the next page begins behind it.
    """
    rows = list(table.rows)
    if table.next is None:
        return rows, 0, None
    last = rows[-1]
    report = asked._replace(asset_id=last["asset_id"], revision=last["revision"], filters={})
    here = store.Position(*(last[name] for name in store.Position._fields))
    rest = store.changes(database, report, REST + 1, here)
    if not rest:
        return rows, 0, table.next
    left = 0
    if len(rest) > REST:
        shown = [one for one in rows if _report(one) == _report(last)]
        rest, left = [], store.count_changes(database, report) - len(shown)
    following = store.after_report(last)
    is_last = not store.changes_page(database, asked, 1, following)[0]
    return [*rows, *rest], left, None if is_last else following


def _report(row: Mapping[str, Any]) -> tuple[Any, Any]:
    return row["asset_id"], row["revision"]
