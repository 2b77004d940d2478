"""
The past as a mode: ``_as_of`` in an address, a moment or the name of a snapshot.

Every link and every file of a page keeps it. A page of something that has no past says that,
and a file or an answer for programs refuses: the present would be taken for the past.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import Flask, g, request, url_for

from salt_ext import store
from salt_ext.words.times import timestamp
from webui.asked import Asked
from webui.language import marked
from webui.reading import database

OPTION = "_as_of"

FIRST_YEAR = 1970
"""Before it no computer had a clock that we could have heard of."""

AGO = (
    *((marked("a week ago"), "7d"), (marked("a month ago"), "30d")),
    *((marked("three months ago"), "90d"), (marked("a year ago"), "365d")),
)
"""Moments that a page of the fleet offers."""


class Bar(NamedTuple):
    """What the bar of a page says: the moment, what was asked, and the neighbouring changes."""

    moment: datetime
    asked: str
    has_past: bool
    previous: str | None
    next: str | None
    now: str


def register(app: Flask) -> None:
    """Let templates make links that keep the moment, and show the bar."""
    app.add_template_global(to)
    app.add_template_global(bar)
    app.add_template_global(earlier)


def as_of() -> datetime | None:
    """
    Return the moment that this request asks for, None for the present.

    Raises :class:`store.FilterError`, and :class:`store.NotFound` for an unknown snapshot.
    """
    if "as_of" not in g:
        text = request.args.get(OPTION, "").strip()
        g.as_of = moment(OPTION, text, store.as_of_moment) if text else None
    found: datetime | None = g.as_of
    return found


def moment(option: str, text: str, read: Callable[..., datetime] = store.moment_of) -> datetime:
    """
    Return the moment that an option means: a time, or the name of a snapshot.

    Raises :class:`store.FilterError`, and :class:`store.NotFound` for an unknown snapshot.
    """
    try:
        found = read(database(), text, datetime.now(timezone.utc))
    except ValueError as error:
        raise store.FilterError(f"{option}: {error}") from None
    if found.year < FIRST_YEAR:
        raise store.FilterError(f"{option}: of {text!r} nothing is known: it is too long ago")
    return found


def to(endpoint: str, question: Asked | None = None, **values: Any) -> str:
    """
    Return the address of a page, with what is asked there; None among the values is left out.

    While the past is looked at, it is the address of the page as of then.
    """
    pairs = question.pairs if question is not None else []
    text = request.args.get(OPTION, "").strip()
    if text and OPTION not in values and OPTION not in dict(pairs):
        values[OPTION] = text
    address = url_for(endpoint, **{name: one for name, one in values.items() if one is not None})
    if not pairs:
        return address
    return f"{address}{'&' if '?' in address else '?'}{urlencode(pairs)}"


def bar() -> Bar | None:
    """Return the bar of this page; None in the present."""
    moment = as_of()
    if moment is None:
        return None
    asset_id = (request.view_args or {}).get("asset_id")
    before, after = store.beside(database(), moment, asset_id)
    return Bar(
        moment.astimezone(database().zone),
        request.args[OPTION],
        getattr(g, "has_past", False),
        _here(timestamp(rounded_up(before))) if before else None,
        _here(timestamp(rounded_up(after))) if after else None,
        _here(None),
    )


def earlier() -> list[tuple[str, str]]:
    """Return some moments in words, and the address of this page as of each; none in the past."""
    return [] if as_of() else [(text, _here(moment)) for text, moment in AGO]


def rounded_up(moment: datetime) -> datetime:
    """Return a moment rounded up to a second, as addresses have it."""
    return moment.replace(microsecond=0) + timedelta(seconds=1 if moment.microsecond else 0)


def _here(text: str | None) -> str:
    """Return this address as of another moment, from its first page on."""
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in (OPTION, "_from")]
    pairs += [(OPTION, text)] if text else []
    return f"{request.script_root}{request.path}?{urlencode(pairs)}"
