"""
What an asset was at any time.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.document import without_identity
from salt_ext.document.diff import Change, diff, section_of
from salt_ext.document.names import RULE
from salt_ext.document.undo import undo
from salt_ext.report import digests
from salt_ext.store.database import Database, Row
from salt_ext.store.documents import current
from salt_ext.store.errors import NotFound, NotYet, StoreError
from salt_ext.store.reads.masking import masked, of_document, of_row
from salt_ext.store.schema import OF_REVISION, change, handover, revision

OF_DOCUMENT = change.c.op != "renamed"
"""The condition for changes of the document; a change of the name is not one of them."""


def document(
    database: Database, asset_id: uuid.UUID, at: datetime | None = None
) -> tuple[Row, Row]:
    """Return the revision that an asset had at a moment, or has now, and its facts then."""
    with database.autocommit() as link:
        then = revision_at(link, asset_id, at)
        facts = document_at(link, asset_id, then)
    hidden = database.hidden
    return (of_row(hidden, then) or {}, of_document(hidden, facts)) if hidden else (then, facts)


@masked
def compare_assets(
    database: Database, one: uuid.UUID, other: uuid.UUID, at: datetime | None = None
) -> list[Change]:
    """Return the changes from one machine to another, except serial numbers and the like."""
    _, first = document(database, one, at)
    _, second = document(database, other, at)
    return diff(without_identity(first), without_identity(second))


def revision_at(link: sa.Connection, asset_id: uuid.UUID, moment: datetime | None) -> Row:
    """Return the revision that an asset had at a moment, or has now."""
    if moment is None:
        return the_revision(link, asset_id, sa.true())
    found = _last_revision(link, asset_id, revision.c.recorded_at <= moment)
    if found is None:
        first = the_revision(link, asset_id, revision.c.number == 1)
        raise NotYet(
            f"nothing is known of this asset at {moment:%Y-%m-%d %H:%M} UTC",
            f"its first report was at {first['recorded_at']:%Y-%m-%d %H:%M} UTC",
            first["recorded_at"],
        )
    return found


def the_revision(link: sa.Connection, asset_id: uuid.UUID, where: Any) -> Row:
    """Return the last revision of an asset that fits a condition."""
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

    Each is the present document with every later change undone. Raises
    :class:`StoreError` if the result does not match the digest of its revision.
    """
    facts, later, handed = link.execute(_now_and_later(asset_id, revisions[-1]["number"])).one()
    steps = {number: [*step] for number, step in groupby(later, lambda row: row[0])}
    handovers = {number: [*step] for number, step in groupby(handed, lambda row: row[0])}
    numbers = sorted(steps.keys() | handovers.keys())
    facts = facts or {}
    found = []
    for at in revisions:
        while numbers and numbers[-1] > at["number"]:
            number = numbers.pop()
            facts = _before(facts, steps.get(number, []), handovers.get(number, []))
        if digests.short(digests.of_facts(facts)) != bytes(at["digest"]):
            raise StoreError(
                f"revision {at['number']} of asset {asset_id} does not match its digest",
                "the history was altered outside salt-cmdb; restore it from a backup",
            )
        found.append(facts)
    return found


def _now_and_later(asset_id: uuid.UUID, oldest: int) -> sa.Select[Any]:
    """
    Return the statement for the present facts, and what they differ by since a revision.

    That is the changes and the handovers, the last first. It is a single statement: if a
    report came between two, only one of the answers would contain it.
    """
    columns = [change.c.revision, revision.c.key_rule, *(change.c[one] for one in Change._fields)]
    row = sa.func.json_build_array(*columns)
    order = aggregate_order_by(row, change.c.revision.desc(), change.c.position)
    later = (
        sa.select(sa.func.coalesce(sa.func.json_agg(order), sa.text("'[]'")))
        .select_from(change.join(revision, OF_REVISION))
        .where(change.c.asset_id == asset_id, change.c.revision > oldest, OF_DOCUMENT)
    )
    row = sa.func.json_build_array(handover.c.revision, handover.c.section, handover.c.old)
    every = sa.func.json_agg(aggregate_order_by(row, handover.c.revision.desc()))
    handed = sa.select(sa.func.coalesce(every, sa.text("'[]'"))).where(
        handover.c.asset_id == asset_id, handover.c.revision > oldest
    )
    return sa.select(current(asset_id), later.scalar_subquery(), handed.scalar_subquery())


def _before(facts: Row, step: list[list[Any]], handed: list[list[Any]]) -> Row:
    """Return the facts before a revision; only the sections that it changed are undone."""
    changes = [Change(*values) for _, _, *values in step]
    rule = step[0][1] if step else RULE
    names = {section_of(one) for one in changes}
    then = undo({name: value for name, value in facts.items() if name in names}, changes, rule)
    then |= {section: old for _, section, old in handed if old is not None}
    names.update(section for _, section, _ in handed)
    return {**{name: value for name, value in facts.items() if name not in names}, **then}
