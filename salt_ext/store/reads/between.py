"""
What changed on a machine between two revisions, whoever told of it.

Where another source took a section over meanwhile, its document before and after that
differ in how the two look at the machine. So such a section is compared piece by piece:
up to each handover, and from there on.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.document.diff import Change, diff
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import StoreError
from salt_ext.store.reads.as_of import documents_at, revision_at, the_revision
from salt_ext.store.reads.masking import masked
from salt_ext.store.schema import OF_HANDOVER, handover, revision


@masked
def compare(
    database: Database, asset_id: uuid.UUID, start: datetime | None, end: datetime | None
) -> tuple[Row | None, Row, list[Change]]:
    """
    Return two revisions of an asset and what changed on the machine between them.

    ``start`` and ``end`` are moments; without them the last two revisions are
    meant. The first revision is None when the asset has only one.
    """
    with database.autocommit() as link:
        new = revision_at(link, asset_id, end)
        if start is not None:
            old = revision_at(link, asset_id, start)
        elif new["number"] > 1:
            old = the_revision(link, asset_id, revision.c.number == new["number"] - 1)
        else:
            return None, new, []
        if old["number"] > new["number"]:
            raise StoreError("the first moment is after the second", "exchange from and to")
        return old, new, changes_between(link, asset_id, old, new)


def changes_between(link: sa.Connection, asset_id: uuid.UUID, old: Row, new: Row) -> list[Change]:
    """Return what changed on the machine from one revision of its asset to a later one."""
    handed: dict[str, list[int]] = {}
    for row in link.execute(
        sa.select(handover.c.section, handover.c.revision)
        .where(
            handover.c.asset_id == asset_id,
            handover.c.revision > old["number"],
            handover.c.revision <= new["number"],
        )
        .order_by(handover.c.revision)
    ):
        handed.setdefault(row.section, []).append(row.revision)
    ends = {number for one in handed.values() for number in one}
    between = _revisions(link, asset_id, ends | {number - 1 for number in ends})
    wanted = {one["number"]: one for one in (old, new, *between)}
    numbers = sorted(wanted, reverse=True)
    found = documents_at(link, asset_id, [wanted[number] for number in numbers])
    documents = dict(zip(numbers, found, strict=True))
    before, after = documents[old["number"]], documents[new["number"]]
    changes = diff(_without(before, handed), _without(after, handed))
    for section, steps in handed.items():
        start = old["number"]
        for number in (*steps, new["number"] + 1):
            changes += diff(_only(documents[start], section), _only(documents[number - 1], section))
            start = number
    return changes


@masked
def handovers(
    database: Database,
    asset_id: uuid.UUID,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
    *,
    whole: bool = False,
) -> list[Row]:
    """
    Return when another source took sections of an asset over, the newest first.

    Each has ``recorded_at``, the ``revision``, the ``mode`` that tells the ``sections``
    since then, and the ``source`` that had told them, None if nobody had; where both are
    equals, only the ``version`` of the collectors is another. With ``whole`` it has the
    ``changes``, too, which are none of the machine.
    """
    recorded = [revision.c.recorded_at >= since] if since is not None else []
    recorded += [revision.c.recorded_at <= until] if until is not None else []
    told = (revision.c.recorded_at, revision.c.number.label("revision"), revision.c.mode)
    sections = sa.func.array_agg(aggregate_order_by(handover.c.section, handover.c.section))
    statement = (
        sa.select(*told, handover.c.source, sections.label("sections"))
        .join(handover, OF_HANDOVER)
        .where(revision.c.asset_id == asset_id, *recorded)
        .group_by(*told, handover.c.source)
        .order_by(revision.c.number.desc(), handover.c.source.nulls_last())
        .limit(limit)
    )
    with database.autocommit() as link:
        found = rows(link.execute(statement))
        return [_with_changes(link, asset_id, row) for row in found] if whole else found


def _with_changes(link: sa.Connection, asset_id: uuid.UUID, row: Row) -> Row:
    numbers = {row["revision"], row["revision"] - 1}
    after, before = (
        {name: facts[name] for name in row["sections"] if name in facts}
        for facts in documents_at(link, asset_id, _revisions(link, asset_id, numbers))
    )
    return {**row, "changes": [one._asdict() for one in diff(before, after)]}


def _revisions(link: sa.Connection, asset_id: uuid.UUID, numbers: set[int]) -> list[Row]:
    if not numbers:
        return []
    here = (revision.c.asset_id == asset_id, revision.c.number.in_(numbers))
    newest_first = revision.c.number.desc()
    return rows(link.execute(sa.select(revision).where(*here).order_by(newest_first)))


def _without(facts: Row, sections: dict[str, Any]) -> Row:
    return {name: value for name, value in facts.items() if name not in sections}


def _only(facts: Row, section: str) -> Row:
    return {section: facts[section]} if section in facts else {}
