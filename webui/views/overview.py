"""
The fleet on one page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, NamedTuple

from flask import Blueprint, Response, render_template

from salt_ext import store
from salt_ext.questions.overview import GROUPINGS, Day, overview
from webui.asked import Past
from webui.cached import kept
from webui.heavy import admit
from webui.language import marked
from webui.query import Assets
from webui.reading import database
from webui.runs import runs
from webui.takes import takes
from webui.timemode import as_of

blueprint = Blueprint("overview", __name__)

TITLES = (marked("Sites"), marked("Models"), marked("Operating systems"))
"""Of the groupings, in their order."""
SHOWN_GROUPS = 8


class Asked(Past):
    """The fleet, now or as of a moment."""


class Bar(NamedTuple):
    """A value, how many assets have it, and their query; the bar of all others has no query."""

    text: str
    assets: int
    percent: float
    query: Assets | None


class Group(NamedTuple):
    """The bars of one grouping."""

    title: str
    fields: str
    bars: list[Bar]


@blueprint.get("/")
@takes(Asked, has_past=True)
def page(asked: Asked) -> str | Response:
    """Show how many assets there are, how fresh, of which kinds, and what changed last."""
    return _page(asked) if as_of() is None else admit(_page, asked)


def _page(asked: Asked) -> str:
    then = as_of()
    now = datetime.now(timezone.utc)
    found, age_seconds = kept(("overview", asked.as_of), lambda: overview(database(), now, then))
    return render_template(
        "overview.html",
        fleet=found,
        then=then,
        age_seconds=age_seconds,
        freshness=_freshness(found.totals) if then is None else [],
        groups=[
            Group(title, ",".join(names), _bars(names, rows))
            for title, names, rows in zip(TITLES, GROUPINGS, found.groups, strict=True)
            if rows
        ],
        columns=_columns(found.days),
        runs=runs(found.recent),
    )


def _freshness(totals: Mapping[str, int]) -> list[Bar]:
    return [
        Bar(name, totals[name], _percent(totals[name], totals["assets"]), _is({"freshness": name}))
        for name in store.FRESHNESS
    ]


def _bars(names: tuple[str, ...], rows: Sequence[Mapping[str, Any]]) -> list[Bar]:
    ordered = [(tuple(row[name] for name in names), row["assets"]) for row in rows]
    most = ordered[0][1] if ordered else 0
    bars = [
        Bar(
            " ".join(one for one in values if one),
            number,
            _percent(number, most),
            _is(dict(zip(names, values, strict=True))),
        )
        for values, number in ordered[:SHOWN_GROUPS]
    ]
    rest = sum(number for _, number in ordered[SHOWN_GROUPS:])
    if rest:
        others = len(ordered) - SHOWN_GROUPS
        bars.append(Bar(str(others), rest, _percent(min(rest, most), most), None))
    return bars


class Column(NamedTuple):
    """A day of the chart: how high its column is, and the part of it that tells of losses."""

    day: Day
    percent: float
    lost_percent: float


def _columns(days: Sequence[Day]) -> list[Column]:
    most = max(day.changes for day in days)
    return [Column(day, _percent(day.changes, most), _percent(day.lost, most)) for day in days]


def _is(values: Mapping[str, Any]) -> Assets:
    """Return the query for the assets with these values; None stands for no value."""
    return Assets.model_validate(
        {
            (name if given is not None else f"{name}__isnull"): "true" if given is None else given
            for name, given in values.items()
        }
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0
