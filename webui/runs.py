"""
Changes grouped by the report that brought them, and reports grouped by day.

Reports of many machines in which the same happened are a wave, which is one entry.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from itertools import groupby
from typing import Any, NamedTuple

from salt_ext.words.called import called
from salt_ext.words.changes import Line, kind, line, of_many

SHOWN = 12
"""So many changes of one report are shown among those of others."""

WAVE = 5
"""So many machines make a wave."""


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


class _Report(NamedTuple):
    """The changes of one report: the first as it is stored, and all of them in words."""

    first: Mapping[str, Any]
    kinds: list[tuple[str, str]]
    lines: list[Line]

    def run(self, shown: int, left: int = 0) -> Run:
        """Return it with at most ``shown`` lines; ``left`` changes of it were not read."""
        first = self.first
        more = left + len(self.lines[shown:])
        about = (first["asset_id"], called(first), first["revision"], first["recorded_at"])
        return Run(*about, self.lines[:shown], more)


def runs(rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Group changes, as the store lists them, by the report that brought them."""
    return [report.run(len(report.lines)) for report in _reports(rows)]


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
    by_day = groupby(reports, lambda report: report.first["recorded_at"].astimezone(zone).date())
    return [Day(day, _entries(list(group), hidden, shown)) for day, group in by_day]


def _entries(reports: list[_Report], hidden: Mapping[int, int], shown: int) -> list[Run | Wave]:
    alike: dict[frozenset[tuple[str, str]], list[_Report]] = {}
    for report in reports:
        alike.setdefault(frozenset(report.kinds), []).append(report)
    found: list[Run | Wave] = []
    for same in alike.values():
        entries = [report.run(shown, hidden.get(id(report), 0)) for report in same]
        if len({one.asset_id for one in entries}) < WAVE:
            found += entries
        else:
            found.append(Wave(_common(same), entries))
    return sorted(found, key=_newest, reverse=True)


def _newest(entry: Run | Wave) -> datetime:
    return (entry.runs[0] if isinstance(entry, Wave) else entry).recorded_at


def _common(reports: list[_Report]) -> list[Line]:
    lines: dict[tuple[str, str], list[Line]] = {}
    for report in reports:
        for of, one in zip(report.kinds, report.lines, strict=True):
            lines.setdefault(of, []).append(one)
    return [of_many(name, same) for (_, name), same in lines.items()]


def _reports(rows: Iterable[Mapping[str, Any]]) -> list[_Report]:
    groups = groupby(rows, key=lambda row: (row["asset_id"], row["revision"]))
    return [_report(list(group)) for _, group in groups]


def _report(rows: list[Mapping[str, Any]]) -> _Report:
    return _Report(rows[0], [(row["op"], kind(row)) for row in rows], [line(row) for row in rows])
