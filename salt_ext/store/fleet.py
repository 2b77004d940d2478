"""
What became of the fleet between two moments.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from salt_ext.store.as_of import document_at, revision_at
from salt_ext.store.assets import matching_ids
from salt_ext.store.database import Database, Row, StoreError, rows
from salt_ext.store.diff import Change, diff
from salt_ext.store.schema import asset, change, revision


def fleet_diff(
    database: Database,
    start: datetime,
    end: datetime,
    *,
    filters: Mapping[str, Any] | None = None,
    after: str = "",
    limit: int = 20,
) -> Row:
    """
    Return what became of the fleet between two moments.

    ``rows`` are those of :func:`differing`. ``waves`` are the same changes of
    many of these assets, ``sections`` how many of them changed in each.
    """
    net = _net(database, start, end, filters)
    with database.begin() as link:
        # A wave is all that a fleet changes in a week: that it need not be sorted on disk.
        link.execute(sa.text("SET LOCAL work_mem = '64MB'"))
        totals = _waves(link, net)
    page = differing(database, start, end, filters=filters, after=after, limit=limit)
    return {**totals, "rows": page}


def differing(
    database: Database,
    start: datetime,
    end: datetime,
    *,
    filters: Mapping[str, Any] | None = None,
    after: str = "",
    limit: int = 20,
) -> list[Row]:
    """
    Return the assets that differ in the end, by their names, each with what is different.

    A change that was taken back is none. Pass the last ``name``, which is the id
    of a detached asset, as ``after`` for the next page.
    """
    net = _net(database, start, end, filters)
    name = sa.func.coalesce(asset.c.minion_id, sa.cast(asset.c.id, sa.Text)).label("name")
    with database.begin() as link:
        page = link.execute(
            sa.select(net, name, asset.c.minion_id, asset.c.sn)
            .join(asset, asset.c.id == net.c.asset_id)
            .where(name > after)
            .order_by(name)
            .limit(limit)
        ).all()
        found = []
        for row in page:
            facts = document_at(link, row.asset_id, revision_at(link, row.asset_id, end))
            changes = []
            if not row.is_new:
                old = revision_at(link, row.asset_id, start)
                before = document_at(link, row.asset_id, old)
                changes = [*_renamed(link, row), *diff(before, facts)]
            found.append({**row._mapping, "changes": [one._asdict() for one in changes]})
    return found


WAVES = 20


def _waves(link: sa.Connection, net: sa.CTE) -> Row:
    """Return how many differ, the changes that most of them share, and how many in each section."""
    section: sa.ColumnElement[str] = sa.func.split_part(change.c.path, ".", 1)
    # Once for each asset.
    each = (
        sa.select(
            change.c.asset_id,
            section.label("section"),
            change.c.path,
            change.c.field,
            change.c.op,
            sa.case((change.c.component.is_(None), sa.cast(change.c.old, JSONB))).label("old"),
            sa.case((change.c.component.is_(None), sa.cast(change.c.new, JSONB))).label("new"),
        )
        .distinct()
        .join(
            net,
            sa.and_(
                change.c.asset_id == net.c.asset_id,
                change.c.revision.between(net.c["first"], net.c["last"]),
            ),
        )
        .cte("each")
    )
    same = [each.c[name] for name in ("section", "path", "field", "op", "old", "new")]
    waves = sa.select(*same, sa.func.count().label("assets")).group_by(*same)
    of_section = sa.select(each.c.asset_id, each.c.section).distinct().subquery()
    nothing = [sa.null().label(one.name) for one in same[1:]]
    sections = sa.select(of_section.c.section, *nothing, sa.func.count()).group_by(
        of_section.c.section
    )
    whole = sa.select(
        *(sa.null() for _ in same[:-1]),
        sa.func.to_jsonb(sa.func.count().filter(net.c.is_new)),
        sa.func.count(),
    ).select_from(net)
    every = rows(link.execute(sa.union_all(waves, sections, whole)))
    every.sort(key=lambda row: (-row["assets"], row["path"] or "", row["section"] or ""))
    [total] = [row for row in every if row["section"] is None]
    names = ("path", "field", "op", "old", "new", "assets")
    return {
        "assets": total["assets"],
        "new": total["new"],
        "sections": [
            {name: row[name] for name in ("section", "assets")}
            for row in every
            if row["path"] is None and row is not total
        ],
        "waves": [{name: row[name] for name in names} for row in every if row["path"]][:WAVES],
    }


def _net(
    database: Database, start: datetime, end: datetime, filters: Mapping[str, Any] | None
) -> sa.CTE:
    """Return the assets whose digest after the last revision is not the one before the first."""
    if start > end:
        raise StoreError("the first moment is after the second", "exchange from and to")
    touched = sa.select(
        revision.c.asset_id,
        sa.func.min(revision.c.number).label("first"),
        sa.func.max(revision.c.number).label("last"),
        sa.func.bool_or(revision.c.reason.is_not(None)).label("is_special"),
    ).where(revision.c.recorded_at > start, revision.c.recorded_at <= end)
    if filters:
        touched = touched.where(revision.c.asset_id.in_(matching_ids(database, filters)))
    ranges = touched.group_by(revision.c.asset_id).cte("touched")
    differs = _digest(ranges, ranges.c.first - 1).is_distinct_from(_digest(ranges, ranges.c.last))
    return (
        sa.select(
            ranges.c.asset_id,
            ranges.c["first"],
            ranges.c["last"],
            (ranges.c.first == 1).label("is_new"),
        )
        .where(
            # A single revision that came as usual is there because the facts differ.
            sa.case(
                ((ranges.c.first == ranges.c.last) & ~ranges.c.is_special, sa.true()),
                else_=differs | _is_renamed(ranges),
            ),
            # What was merged is told of as the asset that it turned out to be.
            ranges.c.asset_id.not_in(sa.select(asset.c.id).where(asset.c.merged_into.is_not(None))),
        )
        .cte("net")
    )


def _digest(ranges: sa.CTE, number: sa.ColumnElement[int]) -> sa.ScalarSelect[Any]:
    of_asset = (revision.c.asset_id == ranges.c.asset_id, revision.c.number == number)
    return sa.select(revision.c.digest).where(*of_asset).scalar_subquery()


def _is_renamed(ranges: sa.CTE) -> sa.ColumnElement[bool]:
    """Whether the names at the two ends of a range of revisions differ: no digest has them."""
    within = (
        change.c.asset_id == ranges.c.asset_id,
        change.c.revision.between(ranges.c.first, ranges.c.last),
        change.c.op == "renamed",
    )
    old, new = sa.cast(change.c.old, sa.Text), sa.cast(change.c.new, sa.Text)
    first = sa.select(old).where(*within).order_by(change.c.revision).limit(1)
    last = sa.select(new).where(*within).order_by(change.c.revision.desc()).limit(1)
    return first.scalar_subquery().is_distinct_from(last.scalar_subquery())


def _renamed(link: sa.Connection, row: sa.Row[Any]) -> list[Change]:
    """Return the change of name between the ends of a range of revisions, if there is one."""
    names = link.execute(
        sa.select(change.c.old, change.c.new)
        .where(
            change.c.asset_id == row.asset_id,
            change.c.revision.between(row.first, row.last),
            change.c.op == "renamed",
        )
        .order_by(change.c.revision)
    ).all()
    if not names or names[0].old == names[-1].new:
        return []
    return [Change("renamed", "minion_id", None, None, names[0].old, names[-1].new)]
