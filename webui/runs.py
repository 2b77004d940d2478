"""
Changes grouped by the report that brought them, and reports grouped by day.

Reports of many machines in which the same happened are a wave, which is one entry.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Any, NamedTuple

from salt_ext.words.called import called
from salt_ext.words.changes import Line, kind, line, of_many

SHOWN = 12
"""So many changes of one report are shown among those of others."""

WAVE = 5
"""So many machines make a wave."""

Rows = Sequence[Mapping[str, Any]]


class Run(NamedTuple):
    """What one report changed; ``left`` of its changes are not among the lines."""

    asset_id: uuid.UUID
    name: str
    """What people call the asset."""
    revision: int
    recorded_at: datetime
    lines: list[Line]
    left: int = 0


class Wave(NamedTuple):
    """Reports of several machines that changed the same: what it was, and the reports."""

    lines: list[Line]
    runs: list[Run]


class Day(NamedTuple):
    """What happened on a day, the newest first."""

    date: date
    entries: list[Run | Wave]


def runs(rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Group changes, as the store lists them, by the report that brought them."""
    return [_run(members, len(members)) for members in _reports(rows)]


def days(
    rows: Iterable[Mapping[str, Any]], zone: tzinfo, left: int = 0, shown: int = SHOWN
) -> list[Day]:
    """
    Group changes by day, and the reports of a day by what happened.

    The last report has ``left`` more changes than are here. At most ``shown`` of a report
    become lines.
    """
    reports = _reports(rows)
    hidden = {id(reports[-1]): left} if reports else {}
    by_day = groupby(reports, lambda members: members[0]["recorded_at"].astimezone(zone).date())
    return [Day(day, _entries(list(group), hidden, shown)) for day, group in by_day]


def _entries(reports: list[Rows], hidden: Mapping[int, int], shown: int) -> list[Run | Wave]:
    alike: dict[frozenset[tuple[str, str]], list[Rows]] = {}
    for members in reports:
        alike.setdefault(_what(members), []).append(members)
    found: list[Run | Wave] = []
    # A wave stands where its newest report does: a dict keeps the order.
    for same in alike.values():
        entries = [_run(one, shown, hidden.get(id(one), 0)) for one in same]
        if len({one[0]["asset_id"] for one in same}) < WAVE:
            found += entries
        else:
            found.append(Wave(_common(same), entries))
    return sorted(found, key=_newest, reverse=True)


def _newest(entry: Run | Wave) -> datetime:
    return (entry.runs[0] if isinstance(entry, Wave) else entry).recorded_at


def _what(members: Rows) -> frozenset[tuple[str, str]]:
    return frozenset((row["op"], kind(row)) for row in members)


def _common(reports: list[Rows]) -> list[Line]:
    kinds: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in (row for members in reports for row in members):
        kinds.setdefault((row["op"], kind(row)), []).append(row)
    return [of_many(rows) for rows in kinds.values()]


def _reports(rows: Iterable[Mapping[str, Any]]) -> list[Rows]:
    groups = groupby(rows, key=lambda row: (row["asset_id"], row["revision"]))
    return [list(group) for _, group in groups]


def _run(members: Rows, shown: int, left: int = 0) -> Run:
    first = members[0]
    lines = [line(row) for row in members[:shown]]
    more = left + len(members[shown:])
    return Run(
        first["asset_id"], called(first), first["revision"], first["recorded_at"], lines, more
    )
