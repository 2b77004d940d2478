"""
What an asset was at any time, and what lies between two times.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.document import without_identity
from salt_ext.document.diff import Change, diff, section_of, undo
from salt_ext.report import digests
from salt_ext.store.database import Database, Row
from salt_ext.store.documents import current
from salt_ext.store.errors import NotFound, StoreError
from salt_ext.store.schema import change, revision

OF_DOCUMENT = change.c.op != "renamed"
"""The changes that are in the document; a name is not."""


def document(
    database: Database, asset_id: uuid.UUID, at: datetime | None = None
) -> tuple[Row, Row]:
    """Return the revision that an asset had at a moment, or has now, and its facts then."""
    with database.autocommit() as link:
        then = revision_at(link, asset_id, at)
        return then, document_at(link, asset_id, then)


def document_of(link: sa.Connection, asset_id: uuid.UUID, number: int) -> Row:
    """Return the facts of an asset as they were after a revision."""
    return document_at(link, asset_id, _revision(link, asset_id, revision.c.number == number))


def compare(
    database: Database, asset_id: uuid.UUID, start: datetime | None, end: datetime | None
) -> tuple[Row | None, Row, list[Change]]:
    """
    Return two revisions of an asset and what lies between them.

    ``start`` and ``end`` are moments; without them the last two revisions are
    meant. The first revision is None when the asset has only one.
    """
    with database.autocommit() as link:
        new = revision_at(link, asset_id, end)
        if start is not None:
            old = revision_at(link, asset_id, start)
        elif new["number"] > 1:
            old = _revision(link, asset_id, revision.c.number == new["number"] - 1)
        else:
            return None, new, []
        if old["number"] > new["number"]:
            raise StoreError("the first moment is after the second", "exchange from and to")
        after, before = documents_at(link, asset_id, [new, old])
    return old, new, diff(before, after)


def compare_assets(
    database: Database, one: uuid.UUID, other: uuid.UUID, at: datetime | None = None
) -> list[Change]:
    """Return in what two machines differ, beside the numbers that no two parts share."""
    _, first = document(database, one, at)
    _, second = document(database, other, at)
    return diff(without_identity(first), without_identity(second))


def revision_at(link: sa.Connection, asset_id: uuid.UUID, moment: datetime | None) -> Row:
    """Return the revision that an asset had at a moment, or has now."""
    if moment is None:
        return _revision(link, asset_id, sa.true())
    found = _last_revision(link, asset_id, revision.c.recorded_at <= moment)
    if found is None:
        first = _revision(link, asset_id, revision.c.number == 1)
        raise NotFound(
            f"nothing is known of this asset at {moment:%Y-%m-%d %H:%M} UTC",
            f"its first report was at {first['recorded_at']:%Y-%m-%d %H:%M} UTC",
        )
    return found


def _revision(link: sa.Connection, asset_id: uuid.UUID, where: Any) -> Row:
    found = _last_revision(link, asset_id, where)
    if found is None:
        raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    return found


def _last_revision(link: sa.Connection, asset_id: uuid.UUID, where: Any) -> Row | None:
    row = link.execute(
        sa.select(revision)
        .where(revision.c.asset_id == asset_id, where)
        .order_by(revision.c.number.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else dict(row._mapping)


def document_at(link: sa.Connection, asset_id: uuid.UUID, at: Row) -> Row:
    """Return the facts as they were after a revision."""
    [found] = documents_at(link, asset_id, [at])
    return found


def documents_at(link: sa.Connection, asset_id: uuid.UUID, revisions: list[Row]) -> list[Row]:
    """
    Return the facts as they were after each of some revisions, the newest first.

    They are those of now with every later change undone.
    """
    facts, later = link.execute(_now_and_later(asset_id, revisions[-1]["number"])).one()
    steps = [(number, list(step)) for number, step in groupby(later, lambda row: row[0])]
    facts = facts or {}
    found = []
    for at in revisions:
        while steps and steps[0][0] > at["number"]:
            facts = _before(facts, steps.pop(0)[1])
        if digests.short(digests.of_facts(facts)) != bytes(at["digest"]):
            raise StoreError(
                f"revision {at['number']} of asset {asset_id} does not match its digest",
                "the history was altered outside salt-cmdb; restore it from a backup",
            )
        found.append(facts)
    return found


def _now_and_later(asset_id: uuid.UUID, oldest: int) -> sa.Select[Any]:
    """
    Return the facts of now and what changed since a revision, the last first.

    In one statement: between two, a report could come that is in one answer alone.
    """
    names = ("revision", *Change._fields)
    row = sa.func.json_build_array(*(change.c[name] for name in names))
    order = aggregate_order_by(row, change.c.revision.desc(), change.c.position)
    later = sa.select(sa.func.coalesce(sa.func.json_agg(order), sa.text("'[]'"))).where(
        change.c.asset_id == asset_id, change.c.revision > oldest, OF_DOCUMENT
    )
    return sa.select(current(asset_id), later.scalar_subquery())


def _before(facts: Row, step: list[list[Any]]) -> Row:
    """Return the facts before a revision; only the sections that it changed are looked at."""
    changes = [Change(*values) for _, *values in step]
    names = {section_of(one) for one in changes}
    then = undo({name: value for name, value in facts.items() if name in names}, changes)
    return {**{name: value for name, value in facts.items() if name not in names}, **then}
