"""
Filters by which templates show a value. All of them return text, which templates escape.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone, tzinfo
from functools import partial
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from salt_ext.words.called import called
from salt_ext.words.times import ago, timestamp
from salt_ext.words.values import binary, decimal, label, moment, value
from salt_ext.words.visible import visible
from webui.language import marked, translated
from webui.said import folded, harmless, linked, said


def register(app: Flask, zone: tzinfo) -> None:
    """Register the filters for the templates, which show times in a zone."""
    values = (value, binary, decimal, count, pretty, lines, in_sections)
    for filter_ in (*values, called, since, said, folded, linked):
        app.add_template_filter(filter_)
    app.add_template_filter(title, "label")
    app.add_template_filter(partial(moment, zone=zone), "moment")
    app.add_template_filter(timestamp, "stamp")
    app.add_template_filter(partial(clock, zone=zone), "clock")
    app.add_template_filter(weekday)
    app.jinja_env.globals["zone"] = str(zone)
    app.jinja_env.globals["shown_at"] = lambda: datetime.now(timezone.utc)
    app.jinja_env.tests["number_column"] = is_number_column
    app.jinja_env.finalize = harmless


def title(name: str) -> str:
    """Return what people call a field or a section, in their language."""
    return translated(label(name))


def lines(text: str) -> Markup:
    """Return a text of several lines, such as a traceback, for an element that keeps them."""
    return Markup("\n").join(escape(visible(line)) for line in text.split("\n"))


def in_sections(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Return rows by their section; the sections are in the order of their first rows."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["section"], []).append(row)
    return found


def is_number_column(name: str) -> bool:
    """Whether the values of a column are numbers, to be set to the right."""
    return name in NUMBERS or name.endswith(("_bytes", "_count", "_percent", "_threads"))


NUMBERS = (
    "count",
    "assets",
    "of",
    "failing",
    "gone",
    "in_use",
    "years",
    "times",
    "times_low",
    "times_high",
    "warned",
    "came_true",
    "percent",
    "low",
    "high",
    "changes",
    "total",
)


def count(number: int | str) -> str:
    """Return a number with commas between its thousands; a word in place of one as it is."""
    return number if isinstance(number, str) else f"{number:,}"


def since(then: datetime, *, may_come: bool = False) -> str:
    """Return how long ago a moment was; or where it may be to come, in how long it is."""
    now = datetime.now(timezone.utc)
    if may_come and then > now:
        return translated("in %(age)s", age=ago(now, then))
    return translated("%(age)s ago", age=ago(then, now))


WEEKDAYS = (
    *(marked("Monday"), marked("Tuesday"), marked("Wednesday"), marked("Thursday")),
    *(marked("Friday"), marked("Saturday"), marked("Sunday")),
)


def weekday(day: date) -> str:
    """Return which day of the week it is."""
    return WEEKDAYS[day.weekday()]


def clock(then: datetime, zone: tzinfo) -> str:
    """Return the time of day of a moment."""
    return f"{then.astimezone(zone):%H:%M}"


def pretty(value: Any) -> Markup:
    """Return a value as JSON that people can read."""
    return lines(json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True))
