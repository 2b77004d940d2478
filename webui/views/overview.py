"""
The fleet on one page.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from flask import Blueprint, render_template

from salt_ext import store
from webui.asked import Asked
from webui.query import Assets
from webui.reading import database
from webui.runs import runs
from webui.takes import takes

blueprint = Blueprint("overview", __name__)

GROUPS = {
    "Sites": ("site",),
    "Models": ("manufacturer", "product_name"),
    "Operating systems": ("os",),
}
SHOWN_GROUPS = 8
SHOWN_CHANGES = 10


class Bar(NamedTuple):
    """A value, how many assets have it, and their query; the bar of all others has no query."""

    text: str
    assets: int
    percent: float
    query: Assets | None


@blueprint.get("/")
@takes()
def page(_asked: Asked) -> str:
    """Show how many assets there are, how fresh, of which kinds, and what changed last."""
    now = datetime.now(timezone.utc)
    totals, tables = store.totals(database(), groupings=list(GROUPS.values()))
    changed = store.count_changes(database(), store.Wanted(since=now - timedelta(hours=24)))
    recent = store.changes(database(), limit=SHOWN_CHANGES)
    _, problems = store.problems(database(), limit=1)
    return render_template(
        "overview.html",
        totals=totals,
        machines=totals["assets"] - totals["unreported"],
        freshness=_freshness(totals),
        groups={
            title: _bars(names, rows)
            for (title, names), rows in zip(GROUPS.items(), tables, strict=True)
        },
        runs=runs(recent),
        changed=changed,
        problems=problems,
    )


def _freshness(totals: dict[str, Any]) -> list[Bar]:
    return [
        Bar(name, totals[name], _percent(totals[name], totals["assets"]), _is({"freshness": name}))
        for name in store.FRESHNESS
    ]


def _bars(names: tuple[str, ...], rows: list[dict[str, Any]]) -> list[Bar]:
    ordered = [(tuple(row[name] for name in names), row["assets"]) for row in rows]
    most = ordered[0][1] if ordered else 0
    bars = [
        Bar(
            " ".join(one for one in values if one) or "not known",
            number,
            _percent(number, most),
            _is(dict(zip(names, values, strict=True))),
        )
        for values, number in ordered[:SHOWN_GROUPS]
    ]
    rest = sum(number for _, number in ordered[SHOWN_GROUPS:])
    if rest:
        others = len(ordered) - SHOWN_GROUPS
        bars.append(Bar(f"{others} more", rest, _percent(min(rest, most), most), None))
    return bars


def _is(values: dict[str, Any]) -> Assets:
    """Return the query for the assets with these values; None stands for no value."""
    return Assets.model_validate(
        {
            (name if given is not None else f"{name}__isnull"): "true" if given is None else given
            for name, given in values.items()
        }
    )


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0
