"""
What changed and when, and what an asset was at any time.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext import report as envelope
from salt_ext.document import without_identity
from salt_ext.store.assets import joined, listing
from salt_ext.store.components import moves
from salt_ext.store.database import Database, NotFound, Row, StoreError, rows
from salt_ext.store.diff import Change, diff, undo
from salt_ext.store.documents import current, shortened
from salt_ext.store.filters import matching
from salt_ext.store.schema import asset, change, revision

OF_DOCUMENT = change.c.op != "renamed"
"""The changes that are in the document; a name is not."""

OF_REVISION = sa.and_(
    change.c.asset_id == revision.c.asset_id, change.c.revision == revision.c.number
)


class Wanted(NamedTuple):
    """Which changes: all of them when nothing is said."""

    asset_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    section: str = ""
    component: str = ""
    filters: Mapping[str, Any] = {}
    """Of the assets as they are now."""


ALL = Wanted()


class Position(NamedTuple):
    """Where a change stands among all of them, the newest of which are the first."""

    recorded_at: datetime
    asset_id: uuid.UUID
    revision: int
    position: int


def changes(
    database: Database, wanted: Wanted = ALL, limit: int = 50, after: Position | None = None
) -> list[Row]:
    """
    Return the newest changes, of one asset or of all; those behind ``after``.

    Each has ``moved_from`` or ``moved_to``, the asset where the same part was
    or is, when there is one.
    """
    with database.begin() as link:
        found = rows(
            link.execute(
                sa.select(change, revision.c.recorded_at, asset.c.minion_id, asset.c.sn)
                .join(revision, OF_REVISION)
                .join(asset, asset.c.id == revision.c.asset_id)
                .where(*_conditions(database, wanted), *_behind(after))
                .order_by(
                    revision.c.recorded_at.desc(),
                    revision.c.asset_id.desc(),
                    revision.c.number.desc(),
                    change.c.position,
                )
                .limit(limit)
            )
        )
        return moves(link, found)


def _behind(after: Position | None) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    here = sa.tuple_(revision.c.recorded_at, revision.c.asset_id, revision.c.number)
    there = sa.tuple_(*after[:3])
    return [
        revision.c.recorded_at <= after.recorded_at,  # what the index can begin with
        (here < there) | ((here == there) & (change.c.position > after.position)),
    ]


def count_changes(database: Database, wanted: Wanted = ALL) -> int:
    """Return how many changes there are; without a bound that reads all of them."""
    statement = sa.select(sa.func.count()).select_from(change)
    if wanted != ALL:
        statement = statement.join(revision, OF_REVISION).where(*_conditions(database, wanted))
    with database.begin() as link:
        return int(link.scalar(statement) or 0)


def _conditions(database: Database, wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if wanted.asset_id is not None:
        found.append(revision.c.asset_id.in_(_with_merged(wanted.asset_id)))
    if wanted.since is not None:
        found.append(revision.c.recorded_at >= wanted.since)
    if wanted.until is not None:
        found.append(revision.c.recorded_at <= wanted.until)
    if wanted.section:
        here = change.c.path == wanted.section
        found.append(here | change.c.path.startswith(wanted.section + ".", autoescape=True))
    if wanted.component:
        found.append(change.c.component == wanted.component)
    if wanted.filters:
        found.append(revision.c.asset_id.in_(_matching_ids(database, wanted.filters)))
    return found


def _with_merged(asset_id: uuid.UUID) -> sa.CompoundSelect[Any]:
    """Return the id with those of the temporary assets that turned out to be this one."""
    return sa.union_all(
        sa.select(sa.literal(asset_id, sa.UUID)),
        sa.select(asset.c.id).where(asset.c.merged_into == asset_id),
    )


def _matching_ids(database: Database, filters: Mapping[str, Any]) -> sa.Select[Any]:
    source = listing(database, None)
    return joined(sa.select(source.key), source, matching(source, filters, ""))


def revisions(database: Database, asset_id: uuid.UUID, limit: int = 50) -> list[Row]:
    """Return the newest revisions of an asset, each with its number of changes."""
    count = sa.select(sa.func.count()).where(OF_REVISION).scalar_subquery()
    with database.begin() as link:
        return rows(
            link.execute(
                sa.select(
                    revision.c.number,
                    revision.c.recorded_at,
                    revision.c.collected_at,
                    revision.c.mode,
                    revision.c.reason,
                    count.label("changes"),
                )
                .where(revision.c.asset_id == asset_id)
                .order_by(revision.c.number.desc())
                .limit(limit)
            )
        )


def document(
    database: Database, asset_id: uuid.UUID, at: datetime | None = None
) -> tuple[Row, Row]:
    """Return the revision that an asset had at a moment, or has now, and its facts then."""
    with database.begin() as link:
        then = _revision_at(link, asset_id, at)
        return then, _document(link, asset_id, then)


def document_of(link: sa.Connection, asset_id: uuid.UUID, number: int) -> Row:
    """Return the facts of an asset as they were after a revision."""
    return _document(link, asset_id, _revision(link, asset_id, revision.c.number == number))


def compare(
    database: Database, asset_id: uuid.UUID, start: datetime | None, end: datetime | None
) -> tuple[Row | None, Row, list[Change]]:
    """
    Return two revisions of an asset and what lies between them.

    ``start`` and ``end`` are moments; without them the last two revisions are
    meant. The first revision is None when the asset has only one.
    """
    with database.begin() as link:
        new = _revision_at(link, asset_id, end)
        if start is not None:
            old = _revision_at(link, asset_id, start)
        elif new["number"] > 1:
            old = _revision(link, asset_id, revision.c.number == new["number"] - 1)
        else:
            return None, new, []
        if old["number"] > new["number"]:
            raise StoreError("the first moment is after the second", "exchange from and to")
        before = _document(link, asset_id, old)
        after = _document(link, asset_id, new)
    return old, new, diff(before, after)


def compare_assets(
    database: Database, one: uuid.UUID, other: uuid.UUID, at: datetime | None = None
) -> list[Change]:
    """Return in what two machines differ, beside the numbers that no two parts share."""
    _, first = document(database, one, at)
    _, second = document(database, other, at)
    return diff(without_identity(first), without_identity(second))


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

    ``rows`` are the assets that differ in the end, by their names, each with
    what is different; a change that was taken back is none. ``waves`` are the
    same changes of many of these assets, ``sections`` how many of them changed
    in each. Pass the last ``name``, which is the id of a detached asset, as
    ``after`` for the next page.
    """
    if start > end:
        raise StoreError("the first moment is after the second", "exchange from and to")
    net = _net(database, start, end, filters)
    with database.begin() as link:
        # A wave is all that a fleet changes in a week: that it need not be sorted on disk.
        link.execute(sa.text("SET LOCAL work_mem = '64MB'"))
        totals = _waves(link, net)
        name = sa.func.coalesce(asset.c.minion_id, sa.cast(asset.c.id, sa.Text)).label("name")
        page = link.execute(
            sa.select(net, name, asset.c.minion_id, asset.c.sn)
            .join(asset, asset.c.id == net.c.asset_id)
            .where(name > after)
            .order_by(name)
            .limit(limit)
        ).all()
        differing = []
        for row in page:
            new = _revision_at(link, row.asset_id, end)
            facts = _document(link, row.asset_id, new)
            old = None if row.is_new else _revision_at(link, row.asset_id, start)
            before = facts if old is None else _document(link, row.asset_id, old)
            net_changes = [] if old is None else [*_renamed(link, row), *diff(before, facts)]
            differing.append({**row._mapping, "changes": [one._asdict() for one in net_changes]})
    return {**totals, "rows": differing}


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
            sa.case((change.c.component.is_(None), change.c.old)).label("old"),
            sa.case((change.c.component.is_(None), change.c.new)).label("new"),
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
    touched = sa.select(
        revision.c.asset_id,
        sa.func.min(revision.c.number).label("first"),
        sa.func.max(revision.c.number).label("last"),
        sa.func.bool_or(revision.c.reason.is_not(None)).label("is_special"),
    ).where(revision.c.recorded_at > start, revision.c.recorded_at <= end)
    if filters:
        touched = touched.where(revision.c.asset_id.in_(_matching_ids(database, filters)))
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
    first = sa.select(change.c.old).where(*within).order_by(change.c.revision).limit(1)
    last = sa.select(change.c.new).where(*within).order_by(change.c.revision.desc()).limit(1)
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


def _revision_at(link: sa.Connection, asset_id: uuid.UUID, moment: datetime | None) -> Row:
    if moment is None:
        return _revision(link, asset_id, sa.true())
    found = link.scalar(
        sa.select(sa.func.max(revision.c.number)).where(
            revision.c.asset_id == asset_id, revision.c.recorded_at <= moment
        )
    )
    if found is None:
        first = _revision(link, asset_id, revision.c.number == 1)
        raise NotFound(
            f"nothing is known of this asset at {moment:%Y-%m-%d %H:%M} UTC",
            f"its first report was at {first['recorded_at']:%Y-%m-%d %H:%M} UTC",
        )
    return _revision(link, asset_id, revision.c.number == found)


def _revision(link: sa.Connection, asset_id: uuid.UUID, where: Any) -> Row:
    row = link.execute(
        sa.select(revision)
        .where(revision.c.asset_id == asset_id, where)
        .order_by(revision.c.number.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    return dict(row._mapping)


def _document(link: sa.Connection, asset_id: uuid.UUID, at: Row) -> Row:
    """Return the facts as they were: those of now with every later change undone."""
    facts = link.scalar(sa.select(current(asset_id)))
    later = link.execute(
        sa.select(change)
        .where(change.c.asset_id == asset_id, change.c.revision > at["number"], OF_DOCUMENT)
        .order_by(change.c.revision.desc(), change.c.position)
    ).all()
    found: Row = facts or {}
    number = None
    step: list[Change] = []
    for row in later:
        if row.revision != number:
            found, step, number = undo(found, step), [], row.revision
        step.append(Change(row.op, row.path, row.component, row.field, row.old, row.new))
    found = undo(found, step)
    if shortened(envelope.digest(found)) != bytes(at["digest"]):
        raise StoreError(
            f"revision {at['number']} of asset {asset_id} does not match its digest",
            "the history was altered outside salt-cmdb; restore it from a backup",
        )
    return found
