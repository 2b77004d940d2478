"""
How counters of wear and errors have grown.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Row, rows
from salt_ext.store.faults import WEARS
from salt_ext.store.growth import LEAST_PERCENT, SOON, SPAN, Grown
from salt_ext.store.schema import asset, asset_facts, asset_seen, counter

TOLD = (counter.c.asset_id == asset_facts.c.asset_id) & (counter.c.section == asset_facts.c.section)


def counters(*where: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    """Return the counters that are told by a section, as a column beside it."""
    columns = (
        *(counter.c.component, counter.c.name),
        *(counter.c.first_value, _seconds(counter.c.first_at)),
        *(counter.c.value, _seconds(counter.c.at)),
        *(counter.c.grown_by, _seconds(counter.c.grown_since)),
    )
    found = sa.func.json_agg(sa.func.json_build_array(*columns))
    return sa.select(found).where(TOLD, *where).correlate_except(counter).scalar_subquery()


def _seconds(moment: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    return sa.func.extract("epoch", moment)


def by_part(found: Iterable[list[Any]] | None) -> dict[str, dict[str, Grown]]:
    """Return the counters of a section by part and name."""
    parts: dict[str, dict[str, Grown]] = {}
    for part, name, first, first_at, value, at, by, since in found or ():
        parts.setdefault(part, {})[name] = Grown(
            *(first, _moment(first_at), value, _moment(at), by, since and _moment(since))
        )
    return parts


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def wears(part: str, grown: dict[str, Grown]) -> Row:
    """Return what a disk is judged by that nothing but its wear may tell of."""
    used = grown["percentage_used"].value if "percentage_used" in grown else 0
    item = {"key": part, "value": {"percentage_used": used}}
    return {"rule": WEARS, "item": item, "counters": {part: grown}}


def wearing(link: sa.Connection, ids: sa.Select[Any] | None) -> list[Row]:
    """
    Return the disks that will have used all of their life soon, at the rate of until now.

    That is :func:`salt_ext.store.growth.runs_out`, reckoned where the rows are. ``ids`` are
    the assets that are asked about; None: all.
    """
    span = _seconds(asset_seen.c.last_seen) - _seconds(counter.c.first_at)
    grown = counter.c.value - counter.c.first_value
    is_soon = span * (100 - counter.c.value) <= SOON.total_seconds() * grown
    statement = (
        sa.select(*(asset.c.id, asset.c.minion_id, asset.c.sn, asset_seen.c.last_seen, counter))
        .join_from(counter, asset, asset.c.id == counter.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == counter.c.asset_id)
        .where(
            counter.c.name == "percentage_used",
            counter.c.value < 100,
            asset_seen.c.detached_at.is_(None),
            asset.c.lifecycle != "retired",
            *(grown >= LEAST_PERCENT, span >= SPAN.total_seconds(), is_soon),
        )
    )
    if ids is not None:
        statement = statement.where(counter.c.asset_id.in_(ids))
    found = []
    for row in rows(link.execute(statement)):
        grown_so = Grown(*(row[name] for name in Grown._fields))
        about = {name: row[name] for name in ("id", "minion_id", "sn", "last_seen")}
        found.append({**about, **wears(row["component"], {"percentage_used": grown_so})})
    return found
