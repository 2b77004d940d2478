"""
The cells of tables, as HTML: functions and no macros, because a page has a thousand of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo
from functools import partial
from typing import Any, NamedTuple

from flask import Flask
from markupsafe import Markup, escape

from salt_ext.words.times import TO_COME, timestamp
from salt_ext.words.values import moment, value
from webui.format import is_number_column, since, title
from webui.language import translated
from webui.said import harmless, html

SHORT = 24
"""A longer text may be broken into lines."""

SIGNS = {"fresh": "●", "stale": "◐", "missing": "○"}
OTHER_SIGN = "⊘"


class Head(NamedTuple):
    """What the cells of a column have in common."""

    column: str
    title: str
    is_number: bool
    begin: str
    """The beginning of the tag of a cell; small screens show the title beside the value."""


def register(app: Flask, zone: tzinfo) -> None:
    """Register the filters for the templates, which show times in a zone."""
    app.add_template_filter(heads)
    app.add_template_filter(freshness)
    for filter_ in (ago, cell, td):
        app.add_template_filter(partial(filter_, zone=zone), filter_.__name__)


def heads(columns: Iterable[str]) -> list[Head]:
    """Return the heads of columns."""
    return [_head(column, title(column)) for column in columns]


def _head(column: str, text: str) -> Head:
    begin = f'<td data-label="{escape(harmless(text))}"'
    return Head(column, text, is_number_column(column), begin)


def td(given: Any, head: Head, zone: tzinfo) -> Markup:
    """Return the cell of a value."""
    kind = ""
    if head.is_number:
        kind = ' class="number"'
    elif isinstance(given, str) and len(given) > SHORT:
        kind = ' class="text"'
    inside = _inside(given, head.column, zone)
    return Markup(f"{head.begin}{kind}>{inside}</td>")  # noqa: S704 - escaped


def cell(given: Any, column: str, zone: tzinfo) -> Markup:
    """Return what is inside of a cell."""
    return Markup(_inside(given, column, zone))  # noqa: S704 - escaped


def _inside(given: Any, column: str, zone: tzinfo) -> str:
    if isinstance(given, datetime):
        return ago(given, zone, may_come=column in TO_COME)
    if column == "freshness" and given:
        return freshness(given)
    if column == "severity" and given:
        return f'<span class="severity {escape(given)}">{escape(translated(given))}</span>'
    if column == "state" and isinstance(given, str):
        return html(value(translated(given), column))
    if given is None or isinstance(given, (int, float)):
        return escape(value(given, column))
    return html(value(given, column))


def ago(then: datetime, zone: tzinfo, *, may_come: bool = False) -> Markup:
    """Return how long ago a moment was, or in how long it is; the moment itself is its title."""
    told = since(then, may_come=may_come)
    return Markup(  # noqa: S704 - nothing of it is a text from elsewhere
        f'<time datetime="{timestamp(then)}" title="{moment(then, zone)}">{told}</time>'
    )


def freshness(name: str) -> Markup:
    """Return whether an asset reports, as a sign and a word."""
    return Markup(  # noqa: S704 - escaped
        f'<span class="state {escape(name)}"><span aria-hidden="true">'
        f"{SIGNS.get(name, OTHER_SIGN)}</span> {escape(translated(name))}</span>"
    )
