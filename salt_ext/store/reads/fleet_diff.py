"""
What became of the fleet between two moments.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from salt_ext.document.diff import Change
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import StoreError
from salt_ext.store.hidden import Hidden
from salt_ext.store.reads import seen
from salt_ext.store.reads.between import changes_between
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import OF_HANDOVER, asset, change, handover, revision

WAVES = 20

ALIKE = ("number", "low", "high", "sum", "alone")
"""By these the assets are put together that have the same changes, so that one is read for all."""

FEW = 500
"""So many assets are looked up and sorted by name; of more, the first names are read in order."""


@masked
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

    ``assets`` is how many differ, ``new`` how many of these are new. ``rows`` are
    those of :func:`differing`. ``waves`` are the changes that most of these assets
    have in common; ``sections`` is how many of them changed in each section.
    """
    recorded = _recorded(database, start, end, filters)
    touched = _touched(recorded, database.hidden)
    whole = sa.select(
        sa.func.count().label("assets"),
        sa.func.count().filter(touched.c.is_new).label("new"),
    ).where(touched.c.differs)
    each = _each(_kinds(touched), start, end, database.hidden)
    parts = {
        "whole": whole,
        "sections": _sections(each),
        "waves": _waves(each),
        "page": _page(touched, after, limit),
    }
    statement = sa.select(*(_as_json(select, name) for name, select in parts.items()))
    with database.autocommit() as link:
        found = link.execute(statement).one()
        page = [{**row, "asset_id": uuid.UUID(row["asset_id"])} for row in found.page]
        differing = _with_changes(link, page)
    return {
        **found.whole[0],
        "sections": found.sections,
        "waves": found.waves,
        "rows": differing,
    }


@masked
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
    Return the assets that differ between two moments, by name, each with its ``changes``.

    A change that was undone by the second moment does not count. For the next page
    pass the last ``name`` as ``after``; the name of a detached asset is its id.
    """
    touched = _touched(_recorded(database, start, end, filters), database.hidden)
    with database.autocommit() as link:
        return _with_changes(link, rows(link.execute(_page(touched, after, limit))))


def _recorded(
    database: Database, start: datetime, end: datetime, filters: Mapping[str, Any] | None
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions of the revisions between two moments."""
    if start > end:
        raise StoreError("the first moment is after the second", "exchange from and to")
    recorded = [revision.c.recorded_at > start, revision.c.recorded_at <= end]
    if filters:
        recorded.append(revision.c.asset_id.in_(matching_ids(database, filters)))
    return recorded


def _touched(recorded: list[sa.ColumnElement[bool]], hidden: Hidden) -> sa.CTE:
    """
    Return the assets with revisions, the first and last of these, and whether they differ.

    Assets that are equal in the columns :data:`ALIKE` have the same changes.
    """
    of_all, of_known = sa.func.count(), sa.func.count(revision.c.alike)
    ranges = (
        sa.select(
            revision.c.asset_id,
            sa.func.min(revision.c.number).label("first"),
            sa.func.max(revision.c.number).label("last"),
            sa.func.bool_or(revision.c.reason.is_not(None)).label("is_special"),
            sa.func.min(revision.c.alike).label("low"),
            sa.func.max(revision.c.alike).label("high"),
            sa.func.sum(revision.c.alike).label("sum"),
            of_all.label("number"),
            # Of up to three revisions these tell all.
            sa.and_(of_all <= 3, of_all == of_known).label("is_told"),
        )
        .where(*recorded)
        .group_by(revision.c.asset_id)
        .subquery("ranges")
    )
    differs = _digest(ranges, ranges.c.first - 1).is_distinct_from(_digest(ranges, ranges.c.last))
    merged = sa.select(asset.c.id).where(asset.c.merged_into.is_not(None))
    # These two are read once, and not for each asset.
    handed = (
        sa.select(handover.c.asset_id)
        .join(revision, OF_HANDOVER)
        .where(*recorded)
        .cte("handed")
        .prefix_with("MATERIALIZED")
    )
    is_handed = ranges.c.asset_id.in_(sa.select(handed))
    return (
        sa.select(
            ranges.c.asset_id,
            ranges.c["first"],
            ranges.c["last"],
            *(ranges.c[name] for name in ALIKE[:-1]),
            sa.case((~ranges.c.is_told, ranges.c.asset_id)).label("alone"),
            (ranges.c.first == 1).label("is_new"),
            sa.case(
                # A merged asset is left out: the asset that it turned out to be stands for it.
                (ranges.c.asset_id.in_(merged), sa.false()),
                (ranges.c.first == 1, sa.true()),
                *([(~_is_seen(ranges, hidden), sa.false())] if hidden.pattern else []),
                # Where another source took over, not all that differs has changed.
                (is_handed, _differs_between(ranges) | _is_renamed(ranges)),
                # A single revision without a reason exists because the facts differ.
                ((ranges.c.first == ranges.c.last) & ~ranges.c.is_special, sa.true()),
                else_=differs | _is_renamed(ranges),
            ).label("differs"),
        )
        .cte("touched")
        .prefix_with("MATERIALIZED")
    )


def _is_seen(ranges: sa.Subquery, hidden: Hidden) -> sa.ColumnElement[bool]:
    """Whether a range of revisions has a change that is not hidden."""
    here = (*_within(change, ranges), *seen.changes(hidden))
    return sa.select(change.c.revision).where(*here).exists()


def _kinds(touched: sa.CTE) -> sa.CTE:
    """Return of the assets that have the same changes one, and how many ``assets`` they are."""
    one = sa.func.array_agg(touched.c.asset_id)[1]
    return (
        sa.select(one.label("asset_id"), sa.func.count().label("assets"))
        .where(touched.c.differs)
        .group_by(*(touched.c[name] for name in ALIKE))
        .cte("kinds")
        .prefix_with("MATERIALIZED")
    )


def _each(kinds: sa.CTE, start: datetime, end: datetime, hidden: Hidden) -> sa.CTE:
    """Return all changes of each kind of assets; equal changes of the same asset count once."""
    is_value = change.c.component.is_(None)
    # As an array, so that PostgreSQL looks them up however many it expects.
    ids = sa.func.array(sa.select(kinds.c.asset_id).scalar_subquery())
    return (
        sa.select(
            kinds.c.asset_id,
            kinds.c.assets,
            change.c.path,
            change.c.field,
            change.c.op,
            sa.case((is_value, sa.cast(change.c.old, sa.Text))).label("old"),
            sa.case((is_value, sa.cast(change.c.new, sa.Text))).label("new"),
        )
        .distinct()
        .join(kinds, kinds.c.asset_id == change.c.asset_id)
        .where(
            change.c.asset_id == sa.any_(ids),
            change.c.recorded_at > start,
            change.c.recorded_at <= end,
            *seen.changes(hidden),
        )
        .cte("each")
    )


def _waves(each: sa.CTE) -> sa.Select[Any]:
    """Return the changes that most assets share."""
    same = [each.c[name] for name in ("path", "field", "op", "old", "new")]
    count = sa.func.sum(each.c.assets).label("assets")
    most = sa.select(*same, count).group_by(*same)
    wave = most.order_by(count.desc(), *same).limit(WAVES).subquery("most").c
    return sa.select(
        wave.path,
        wave.field,
        wave.op,
        sa.cast(wave.old, JSON).label("old"),
        sa.cast(wave.new, JSON).label("new"),
        wave.assets,
    )


def _sections(each: sa.CTE) -> sa.Select[Any]:
    """Return how many assets have a change in each section."""
    section: sa.ColumnElement[str] = sa.func.split_part(each.c.path, ".", 1)
    once = sa.select(each.c.asset_id, each.c.assets, section.label("section")).distinct()
    of_kind = once.subquery("once").c
    count = sa.func.sum(of_kind.assets).label("assets")
    by_section = sa.select(of_kind.section, count).group_by(of_kind.section)
    return by_section.order_by(count.desc(), of_kind.section)


def _page(touched: sa.CTE, after: str, limit: int) -> sa.Select[Any]:
    """Return the first assets behind a name that differ, by their names."""
    differing = sa.select(touched.c.asset_id).where(touched.c.differs)
    number = sa.select(sa.func.count()).where(touched.c.differs).scalar_subquery()
    ids = sa.func.array(differing.where(number <= FEW).scalar_subquery())
    as_text = sa.cast(asset.c.id, sa.Text)
    # IS TRUE keeps it a set, so that the names are read in the order of their index.
    is_one = asset.c.id.in_(differing).is_(sa.true()) & (number > FEW)
    each = (
        (sa.func.coalesce(asset.c.minion_id, as_text), asset.c.id == sa.any_(ids)),
        (asset.c.minion_id, is_one & asset.c.minion_id.is_not(None)),
        (as_text, is_one & asset.c.minion_id.is_(None)),
    )
    found = sa.union_all(
        *(
            sa.select(asset.c.id, name.label("name"), asset.c.minion_id, asset.c.sn)
            .where(condition, *([name > after] if after else []))
            .order_by(name)
            .limit(limit)
            .subquery()
            .select()
            for name, condition in each
        )
    ).subquery("found")
    page = sa.select(found).order_by(found.c.name).limit(limit).subquery("page")
    of_touched = (touched.c[name] for name in ("asset_id", "first", "last", "is_new"))
    return (
        sa.select(*of_touched, page.c.name, page.c.minion_id, page.c.sn)
        .join(page, page.c.id == touched.c.asset_id)
        .order_by(page.c.name)
    )


def _as_json(select: sa.Select[Any], name: str) -> sa.Label[Any]:
    """Return all rows of a statement as one value."""
    every = sa.func.json_agg(select.subquery(f"of_{name}").table_valued())
    return sa.func.coalesce(sa.select(every).scalar_subquery(), sa.text("'[]'")).label(name)


def _with_changes(link: sa.Connection, page: list[Row]) -> list[Row]:
    """Add to each asset its ``changes`` from the first moment to the second."""
    ends = {(row["asset_id"], number) for row in page for number in (row["first"] - 1, row["last"])}
    wanted = sa.tuple_(revision.c.asset_id, revision.c.number).in_(ends)
    revisions = {
        (row["asset_id"], row["number"]): row
        for row in rows(link.execute(sa.select(revision).where(wanted)))
    }
    renamed = _renamed(link, page)
    found = []
    for row in page:
        asset_id, changes = row["asset_id"], []
        if not row["is_new"]:
            old, new = revisions[asset_id, row["first"] - 1], revisions[asset_id, row["last"]]
            changes = [
                *renamed.get(asset_id, ()),
                *changes_between(link, asset_id, old, new),
            ]
        found.append({**row, "changes": [one._asdict() for one in changes]})
    return found


def _digest(ranges: sa.Subquery, number: sa.ColumnElement[int]) -> sa.ScalarSelect[Any]:
    of_asset = (revision.c.asset_id == ranges.c.asset_id, revision.c.number == number)
    return sa.select(revision.c.digest).where(*of_asset).correlate(ranges).scalar_subquery()


def _within(table: sa.FromClause, ranges: sa.Subquery) -> list[sa.ColumnElement[bool]]:
    return [
        table.c.asset_id == ranges.c.asset_id,
        table.c.revision.between(ranges.c.first, ranges.c["last"]),
    ]


def _differs_between(ranges: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether the facts differ before, between or after the handovers of a range, or with one."""
    begin, next_one, here = revision.alias(), handover.alias(), handover.alias()
    is_handed = sa.select(here.c.revision).where(
        here.c.asset_id == begin.c.asset_id, here.c.revision == begin.c.number
    )
    following = (
        sa.select(sa.func.min(next_one.c.revision))
        .where(*_within(next_one, ranges), next_one.c.revision > begin.c.number)
        .correlate(ranges, begin)
    )
    end = sa.func.coalesce(following.scalar_subquery() - 1, ranges.c["last"])
    between = sa.select(begin.c.number).where(
        begin.c.asset_id == ranges.c.asset_id,
        begin.c.number.between(ranges.c.first - 1, ranges.c["last"]),
        (begin.c.number == ranges.c.first - 1) | is_handed.exists(),
        begin.c.digest.is_distinct_from(_digest(ranges, end)),
    )
    with_one = sa.select(change.c.revision).where(
        *_within(change, ranges),
        change.c.asset_id == handover.c.asset_id,
        change.c.revision == handover.c.revision,
    )
    return between.exists() | with_one.exists()


def _is_renamed(ranges: sa.Subquery) -> sa.ColumnElement[bool]:
    """Whether the names at both ends of a range of revisions differ: no digest covers the name."""
    within = (
        change.c.asset_id == ranges.c.asset_id,
        change.c.revision.between(ranges.c.first, ranges.c.last),
        change.c.op == "renamed",
    )
    old, new = sa.cast(change.c.old, sa.Text), sa.cast(change.c.new, sa.Text)
    first = sa.select(old).where(*within).order_by(change.c.revision).limit(1)
    last = sa.select(new).where(*within).order_by(change.c.revision.desc()).limit(1)
    return first.scalar_subquery().is_distinct_from(last.scalar_subquery())


def _renamed(link: sa.Connection, page: list[Row]) -> dict[uuid.UUID, list[Change]]:
    """Return the change of name between both ends, of the assets that have one."""
    ranges = {row["asset_id"]: (row["first"], row["last"]) for row in page}
    names: dict[uuid.UUID, list[Any]] = {}
    for row in link.execute(
        sa.select(change.c.asset_id, change.c.revision, change.c.old, change.c.new)
        .where(change.c.asset_id.in_(ranges), change.c.op == "renamed")
        .order_by(change.c.revision)
    ):
        first, last = ranges[row.asset_id]
        if first <= row.revision <= last:
            names.setdefault(row.asset_id, []).append(row)
    return {
        asset_id: [Change("renamed", "minion_id", None, None, steps[0].old, steps[-1].new)]
        for asset_id, steps in names.items()
        if steps[0].old != steps[-1].new
    }
