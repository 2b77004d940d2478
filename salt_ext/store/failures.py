"""
When a part has failed, and for how long it was in use: the one rule of all that counts failures.

A part has failed when it says so itself, and did not when the store met it; or when it was
replaced, or a later report confirmed its loss, and it is in no machine since. One that only moved
has not, nor has one that was overlooked once. It is in use from the first report that has it to
the one that has it no more, or to the last report of its machine. So a machine that reported
once tells of no time, and of no failure either. What is in retired and detached machines, which
may be sold with all their parts, does not count: neither as failed nor as time.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timezone
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from salt_ext.document.keys import numbers
from salt_ext.document.names import NUMBERS
from salt_ext.store.distribution import is_citus
from salt_ext.store.faults import FAILS
from salt_ext.store.parts import LONGEST, items_of
from salt_ext.store.schema import asset, asset_facts, asset_seen, change, finds, loss, placement

YEAR_SECONDS = 365.25 * 24 * 3600

ALWAYS = datetime.min.replace(tzinfo=timezone.utc)

Numbered = tuple[uuid.UUID, str]
"""The machine that a part is in, and the number that is the part's own."""


def _is_lost(*where: sa.ColumnElement[bool]) -> sa.Exists:
    """Whether a stay ended with a loss that no later report has confirmed, and that is such."""
    return (
        sa.select(loss.c.asset_id)
        .where(
            loss.c.asset_id == placement.c.asset_id,
            loss.c.path == placement.c.path,
            loss.c.lost_at == placement.c.until,
            loss.c.confirmed_at.is_(None),
            *where,
        )
        .exists()
    )


IS_DOUBTFUL = _is_lost(loss.c.ended_at.is_(None))
"""Whether a stay ended with a loss that a later report may confirm yet."""

IS_UNCONFIRMED = _is_lost(loss.c.ending.is_(None) | loss.c.ending.not_in(("replaced", "accepted")))
"""Whether a stay ended with a loss that may be none; that the part is gone others may have said."""


def stays(*columns: Any) -> sa.Select[Any]:
    """Return columns of the stays in machines that are neither retired nor detached."""
    return (
        sa.select(*columns)
        .select_from(
            placement.join(asset, asset.c.id == placement.c.asset_id).join(
                asset_seen, asset_seen.c.asset_id == placement.c.asset_id
            )
        )
        .where(asset.c.lifecycle != "retired", asset_seen.c.detached_at.is_(None))
    )


def lasted(since: datetime = ALWAYS) -> sa.ColumnElement[Any]:
    """Return for how long one of :func:`stays` lasted since a moment."""
    end = sa.func.coalesce(placement.c.until, asset_seen.c.last_seen)
    interval = end - sa.func.greatest(placement.c.since, since)
    return sa.func.greatest(interval, sa.text("interval '0'"))


def years_of(intervals: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the sum of intervals in years."""
    return sa.cast(sa.func.extract("epoch", sa.func.sum(intervals)), sa.Float) / YEAR_SECONDS


def years(since: datetime = ALWAYS) -> sa.ColumnElement[Any]:
    """Return for how many years :func:`stays` lasted together since a moment, to be selected."""
    return years_of(lasted(since))


def gone(
    link: sa.Connection, paths: Collection[str], *columns: Any, since: datetime = ALWAYS
) -> sa.Select[Any]:
    """Return columns of the last stays of the parts that are gone since a moment."""
    # An array, because PostgreSQL looks up only those of its elements that are not null.
    shown = postgresql.array([change.c.old[name].astext for name in NUMBERS])
    is_lost = (
        change.c["class"].in_(("loss", "replaced")),
        change.c.recorded_at >= since,
        change.c.op.in_(("removed", "replaced")),
        change.c.path.in_(paths),
        change.c.component.is_not(None),
        change.c.field.is_(None),
    )
    later: sa.FromClause = placement.alias("later")
    if is_citus(link):
        # The stays of a part are in several shards, so those of the lost parts are read first.
        lost = sa.select(sa.func.unnest(shown).label("serial")).where(*is_lost)
        lost = sa.select(done_first(lost.distinct().cte("lost")))
        stay = sa.select(placement.c.serial, placement.c.until).where(placement.c.serial.in_(lost))
        later = done_first(stay.cte("later"))
    is_placed = (
        sa.select(later.c.serial)
        .where(
            later.c.serial == placement.c.serial,
            later.c.until.is_(None) | (later.c.until > placement.c.until),
        )
        .exists()
    )
    return (
        stays(*columns, placement.c.serial)
        .join(
            change,
            sa.and_(
                placement.c.serial == sa.any_(shown),
                placement.c.asset_id == change.c.asset_id,
                placement.c.path == change.c.path,
                placement.c.until == change.c.recorded_at,
            ),
        )
        .where(*is_lost, ~is_placed, ~IS_UNCONFIRMED)
        .distinct()
    )


def done_first(statement: sa.CTE) -> sa.CTE:
    """Return a statement that is done before the one that reads it."""
    return statement.prefix_with("MATERIALIZED")


def failing(
    link: sa.Connection, paths: Collection[str], *columns: Any, since: datetime = ALWAYS
) -> sa.Select[Any]:
    """Return columns of the stays of the disks that began since a moment to say that they fail."""
    disks = _say_so(link, since)
    ill = (
        sa.func.unnest(
            sa.cast([asset_id for asset_id, _ in disks], sa.ARRAY(sa.UUID)),
            sa.cast([serial for _, serial in disks], sa.ARRAY(sa.Text)),
        )
        .table_valued("asset_id", "serial")
        .render_derived("ill")
    )
    is_ill = (ill.c.asset_id == placement.c.asset_id) & (ill.c.serial == placement.c.serial)
    return (
        stays(*columns, placement.c.serial)
        .join(ill, is_ill)
        .where(placement.c.path.in_(paths), placement.c.until.is_(None))
    )


def _say_so(link: sa.Connection, since: datetime) -> set[Numbered]:
    """Return the disks that say that they fail, and began to do so since a moment."""
    smart, known = asset_facts, asset_facts.alias("known")
    ill = (
        sa.func.jsonb_path_query(smart.c.facts, sa.cast(FAILS.path, postgresql.JSONPATH))
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("ill")
    )
    item = ill.c.item
    has_begun = (
        sa.select(change.c.asset_id)
        .where(
            change.c.asset_id == smart.c.asset_id,
            change.c.path == "smart",
            change.c.component.in_([item[name].astext for name in ("serial_number", "name")]),
            change.c.field.in_(("passed", "health")),
            change.c.recorded_at >= since,
            # Of a disk that came failing there is no change: it failed before anybody watched.
            ~_tells(change.c.field, change.c.old),
            _tells(change.c.field, change.c.new),
        )
        .exists()
    )
    found = link.execute(
        sa.select(smart.c.asset_id, item, known.c.facts)
        .select_from(
            smart.join(ill, sa.true()).outerjoin(
                known, sa.and_(known.c.asset_id == smart.c.asset_id, known.c.section == "disks")
            )
        )
        .where(finds(FAILS), has_begun)
    )
    return {
        (asset_id, number[:LONGEST])
        for asset_id, item, facts in found
        if (number := _number_of(item, items_of({"disks": facts or []}, ("disks",))))
    }


def _tells(field: sa.ColumnElement[Any], value: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether a value of ``passed`` or ``health`` says that a disk fails."""
    return sa.func.coalesce(
        sa.case(
            (field == "passed", sa.cast(value, sa.Text) == "false"),
            else_=sa.cast(value["failing"], sa.Text) != "[]",
        ),
        sa.false(),
    )


def _number_of(item: dict[str, Any], disks: list[dict[str, Any]]) -> str | None:
    """Return the own number of the disk that a part of the section ``smart`` is about."""
    own = numbers(disks)
    serial, name = item.get("serial_number"), item.get("name")
    if serial is not None and serial in own:
        return str(serial)
    named = (one for one, disk in zip(own, disks, strict=True) if disk.get("name") == name)
    # Disks behind a controller are in no list of disks.
    return next(named, serial if isinstance(serial, str) else None)
