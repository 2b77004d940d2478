"""
Every read. Rows come back as plain dictionaries; nothing here is lazy.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext import report as envelope
from salt_ext.store.database import Database, NotFound, StoreError, check_schema
from salt_ext.store.diff import Change, diff, undo
from salt_ext.store.filters import conditions, field, freshness, names
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_seen,
    change,
    held,
    identifier,
    problem,
    revision,
)

Row = dict[str, Any]

FRESHNESS = ("fresh", "stale", "missing", "detached")
DEFAULT_COLUMNS = (
    "freshness",
    "minion_id",
    "sn",
    "manufacturer",
    "product_name",
    "os",
    "processor_threads",
    "memory_bytes",
    "disk_bytes",
    "address",
    "last_seen",
)
SEARCHED = ("minion_id", "hostname", "sn", "product_name", "address")

OF_DOCUMENT = change.c.op != "renamed"
"""The changes that are in the document; a name is not."""


def _rows(result: sa.Result[Any]) -> list[Row]:
    return [dict(row._mapping) for row in result]


def _from_assets(*columns: Any) -> sa.Select[Any]:
    return sa.select(*columns).select_from(
        asset.join(asset_seen, asset_seen.c.asset_id == asset.c.id)
    )


def _where(
    statement: sa.Select[Any], database: Database, filters: Mapping[str, Any], text: str
) -> sa.Select[Any]:
    statement = statement.where(*conditions(filters, database.settings))
    for word in text.replace("\0", " ").split():
        found = [asset.c[name].icontains(word, autoescape=True) for name in SEARCHED]
        statement = statement.where(sa.or_(*found))
    return statement


def assets(
    database: Database,
    *,
    filters: Mapping[str, Any] | None = None,
    text: str = "",
    columns: str | Sequence[str] = DEFAULT_COLUMNS,
    sort: str = "minion_id",
    limit: int = 100,
    offset: int = 0,
) -> tuple[list[Row], int]:
    """
    Return a page of the asset list and how many assets the filter has in all.

    ``sort`` is a field, with ``-`` before it for the other direction; assets
    without that field come last. Each row has ``id`` beside its columns.
    """
    wanted = names(columns)
    order = field(sort.removeprefix("-"), database.settings)
    ordered = order.desc() if sort.startswith("-") else order.asc()
    selected = [field(name, database.settings).label(name) for name in wanted]
    filters = filters or {}
    with database.begin() as link:
        page = _where(_from_assets(asset.c.id, *selected), database, filters, text)
        page = page.order_by(ordered.nulls_last(), asset.c.id).limit(limit).offset(offset)
        count = _where(_from_assets(sa.func.count()), database, filters, text)
        return _rows(link.execute(page)), int(link.scalar(count) or 0)


def report(
    database: Database,
    *,
    group_by: str | Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
) -> tuple[Row, list[Row]]:
    """
    Return the totals of the fleet and the same totals for each group.

    Totals are ``assets``, one count for each freshness, ``processor_threads``,
    ``memory_bytes`` and ``disk_bytes``.
    """
    fresh = freshness(database.settings)
    totals = [
        sa.func.count().label("assets"),
        *(sa.func.count().filter(fresh == name).label(name) for name in FRESHNESS),
        *(
            sa.cast(sa.func.coalesce(sa.func.sum(asset.c[name]), 0), sa.BigInteger).label(name)
            for name in ("processor_threads", "memory_bytes", "disk_bytes")
        ),
    ]
    groups = [field(name, database.settings).label(name) for name in names(group_by)]
    filters = filters or {}
    with database.begin() as link:
        whole = _rows(link.execute(_where(_from_assets(*totals), database, filters, "")))[0]
        if not groups:
            return whole, []
        statement = _where(_from_assets(*groups, *totals), database, filters, "")
        statement = statement.group_by(*groups).order_by(sa.desc("assets"), *groups)
        return whole, _rows(link.execute(statement))


def find(database: Database, reference: str) -> uuid.UUID:
    """
    Return the id of the one asset that a reference means.

    A reference is an id, a name, a serial number or any other identifier, the
    former ones too. What is true now goes before what was. Raises
    :class:`NotFound` for none and for several.
    """
    nobody = NotFound(f"there is no asset {reference!r}", "look for it in the list of assets")
    if "\0" in reference:
        raise nobody
    with database.begin() as link:
        for statement in _meanings(reference):
            found = link.execute(
                _from_assets(asset.c.id, asset.c.minion_id, asset.c.sn)
                .where(asset.c.id.in_(statement))
                .order_by(asset.c.minion_id)
                .limit(10)
            ).all()
            if len(found) == 1:
                return uuid.UUID(str(found[0].id))
            if found:
                several = ", ".join(f"{row.minion_id or 'detached'} ({row.id})" for row in found)
                raise NotFound(
                    f"{reference!r} means several assets: {several}",
                    "use one of these ids or minion ids",
                )
        similar = link.scalars(
            sa.select(asset.c.minion_id)
            .where(
                sa.or_(
                    *(
                        asset.c[name].icontains(reference, autoescape=True)
                        for name in ("minion_id", "hostname", "sn")
                    )
                )
            )
            .order_by(asset.c.minion_id)
            .limit(5)
        ).all()
    if similar:
        nobody.hint = f"similar: {', '.join(str(one) for one in similar)}"
    raise nobody


def _meanings(reference: str) -> Iterator[sa.Select[Any]]:
    with contextlib.suppress(ValueError):
        yield sa.select(asset.c.id).where(asset.c.id == uuid.UUID(reference))
    yield sa.select(asset.c.id).where(
        sa.or_(asset.c.minion_id == reference, asset.c.sn == reference)
    )
    yield sa.select(asset.c.id).where(
        sa.or_(asset.c.hostname == reference, asset.c.address == reference)
    )
    ledger = sa.select(identifier.c.asset_id).where(
        # A serial number's key has its maker before it: dell/9xyz1k2.
        sa.or_(
            identifier.c.value.in_([reference, reference.lower()]),
            identifier.c.value.endswith("/" + reference.lower(), autoescape=True),
        )
    )
    yield ledger.where(identifier.c.last_seen.is_(None))
    yield ledger


def overview(database: Database, asset_id: uuid.UUID) -> Row:
    """Return everything of one asset: its list columns, documents and identifiers."""
    with database.begin() as link:
        row = link.execute(
            sa.select(
                asset,
                asset_seen.c.last_seen,
                asset_seen.c.collected_at,
                asset_seen.c.mode,
                asset_facts.c.facts,
                asset_facts.c.volatile,
                asset_facts.c.collected,
                freshness(database.settings).label("freshness"),
            )
            .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
            .join(asset_facts, asset_facts.c.asset_id == asset.c.id)
            .where(asset.c.id == asset_id)
        ).one_or_none()
        if row is None:
            raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
        ledger = link.execute(
            sa.select(
                identifier.c.kind,
                identifier.c.value,
                identifier.c.source,
                identifier.c.quality,
                identifier.c.shared,
                identifier.c.first_seen,
                sa.func.coalesce(identifier.c.last_seen, row.last_seen).label("last_seen"),
                identifier.c.last_seen.is_(None).label("is_current"),
            )
            .where(identifier.c.asset_id == asset_id)
            .order_by(identifier.c.kind, identifier.c.first_seen)
        )
        return {**row._mapping, "identifiers": _rows(ledger)}


def changes(
    database: Database,
    *,
    asset_id: uuid.UUID | None = None,
    since: datetime | None = None,
    limit: int = 50,
) -> list[Row]:
    """Return the newest changes, of one asset or of all."""
    with database.begin() as link:
        return _rows(
            link.execute(
                sa.select(change, asset.c.minion_id, asset.c.sn)
                .join(asset, asset.c.id == change.c.asset_id)
                .where(*_of(asset_id, since))
                .order_by(
                    change.c.recorded_at.desc(),
                    change.c.asset_id.desc(),
                    change.c.revision.desc(),
                    change.c.position,
                )
                .limit(limit)
            )
        )


def count_changes(
    database: Database, *, asset_id: uuid.UUID | None = None, since: datetime | None = None
) -> int:
    """Return how many changes there are; without a bound that reads all of them."""
    with database.begin() as link:
        statement = sa.select(sa.func.count()).select_from(change)
        return int(link.scalar(statement.where(*_of(asset_id, since))) or 0)


def _of(asset_id: uuid.UUID | None, since: datetime | None) -> list[sa.ColumnElement[bool]]:
    of_asset = [] if asset_id is None else [change.c.asset_id == asset_id]
    return of_asset + ([] if since is None else [change.c.recorded_at >= since])


def revisions(database: Database, asset_id: uuid.UUID, limit: int = 50) -> list[Row]:
    """Return the newest revisions of an asset, each with its number of changes."""
    count = (
        sa.select(sa.func.count())
        .where(change.c.asset_id == revision.c.asset_id, change.c.revision == revision.c.number)
        .scalar_subquery()
    )
    with database.begin() as link:
        return _rows(
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
    facts = link.scalar(sa.select(asset_facts.c.facts).where(asset_facts.c.asset_id == asset_id))
    later = link.execute(
        sa.select(change)
        .where(change.c.asset_id == asset_id, change.c.revision > at["number"], OF_DOCUMENT)
        .order_by(change.c.revision.desc(), change.c.position)
    ).all()
    document: Row = facts or {}
    number = None
    step: list[Change] = []
    for row in later:
        if row.revision != number:
            document, step, number = undo(document, step), [], row.revision
        step.append(Change(row.op, row.path, row.component, row.field, row.old, row.new))
    document = undo(document, step)
    if envelope.digest(document) != bytes(at["digest"]).hex():
        raise StoreError(
            f"revision {at['number']} of asset {asset_id} does not match its digest",
            "the history was altered outside salt-cmdb; restore it from a backup",
        )
    return document


def problems(
    database: Database,
    *,
    since: datetime | None = None,
    minion_id: str | None = None,
    problem_id: uuid.UUID | None = None,
    limit: int = 50,
) -> tuple[list[Row], int]:
    """Return the problems last seen most recently, and how many there are in all."""
    where = []
    if since is not None:
        where.append(problem.c.last_seen >= since)
    if minion_id is not None:
        where.append(problem.c.minion_id == minion_id)
    if problem_id is not None:
        where.append(problem.c.id == problem_id)
    with database.begin() as link:
        rows = link.execute(
            sa.select(problem)
            .where(*where)
            .order_by(problem.c.last_seen.desc(), problem.c.minion_id, problem.c.subject)
            .limit(limit)
        )
        found = _rows(rows)
        total = link.scalar(sa.select(sa.func.count()).select_from(problem).where(*where))
        return found, int(total or 0)


def held_reports(database: Database, minion_id: str | None = None, limit: int = 50) -> list[Row]:
    """Return the reports that wait for a person, of one minion or of all, without their facts."""
    columns = [one for one in held.columns if one.name != "report"]
    statement = sa.select(*columns).order_by(held.c.last_seen.desc()).limit(limit)
    if minion_id is not None:
        statement = statement.where(held.c.minion_id == minion_id)
    with database.begin() as link:
        return _rows(link.execute(statement))


def ping(database: Database) -> None:
    """Do nothing but raise :class:`StoreError` when the store cannot be used as it is now."""
    with database.begin_unchecked() as link:
        check_schema(link)
