"""
One asset: which one is meant, and everything that is known of it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, NotFound, Row
from salt_ext.store.ingest import problems
from salt_ext.store.reads import history
from salt_ext.store.reads.listing import freshness
from salt_ext.store.schema import asset, asset_facts, asset_seen, identifier
from salt_ext.store.text import is_text

HIDDEN = ("asset_id", "digest", "told_revision", "told_freshness")
"""What is kept of an asset and says nothing of it."""

LEDGER = ("kind", "value", "source", "quality", "shared", "first_seen", "last_seen")
"""What is shown of an identifier."""


def find(database: Database, reference: str) -> uuid.UUID:
    """
    Return the id of the one asset that a reference means.

    A reference is an id, a name, a serial number or any other identifier, the
    former ones too. What is true now goes before what was. Raises
    :class:`NotFound` for none and for several.
    """
    nobody = NotFound(f"there is no asset {reference!r}", "look for it in the list of assets")
    if not reference or not is_text(reference):
        raise nobody
    with database.at_once() as link:
        for statement in _meanings(reference):
            # Who means a temporary asset that was merged means what it turned out to be.
            meant = sa.select(sa.func.coalesce(asset.c.merged_into, asset.c.id)).where(
                asset.c.id.in_(statement)
            )
            found = link.execute(
                sa.select(asset.c.id, asset.c.minion_id)
                .where(asset.c.id.in_(meant))
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
                asset.c.search.contains(reference.lower(), autoescape=True),
                asset.c.minion_id.is_not(None),
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
            sa.func.split_part(identifier.c.value, "/", 2) == reference.lower(),
        )
    )
    yield ledger.where(identifier.c.last_seen.is_(None))
    yield ledger


def overview(database: Database, asset_id: uuid.UUID) -> Row:
    """Return everything of one asset: its list columns, documents and identifiers."""
    with database.at_once() as link:
        return _overview(link, database, asset_id)


def asset_page(database: Database, asset_id: uuid.UUID, limit: int) -> Row:
    """
    Return all that one page shows of an asset.

    Beside :func:`overview` as ``asset`` these are its newest ``changes`` of
    ``changed`` in all, its newest ``revisions``, and its open ``problems``.
    """
    with database.at_once() as link:
        asset = _overview(link, database, asset_id)
        found, changed, revisions = history.of_asset(link, asset_id, limit)
        return {
            "asset": asset,
            "changes": found,
            "changed": changed,
            "revisions": revisions,
            "problems": problems.open_of(link, asset["minion_id"]),
        }


def _overview(link: sa.Connection, database: Database, asset_id: uuid.UUID) -> Row:
    found = link.execute(
        sa.select(
            asset,
            *(one for one in asset_seen.columns if one.name not in HIDDEN),
            freshness(database.settings).label("freshness"),
        )
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(asset.c.id == asset_id)
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    sections = link.execute(sa.select(asset_facts).where(asset_facts.c.asset_id == asset_id)).all()
    ledger = link.execute(
        sa.select(*(identifier.c[name] for name in LEDGER))
        .where(identifier.c.asset_id == asset_id)
        .order_by(identifier.c.kind, identifier.c.first_seen)
    )
    return {
        **row._mapping,
        "facts": {one.section: one.facts for one in sections},
        "volatile": {one.section: one.volatile for one in sections if one.volatile is not None},
        "collected": {one.section: one.collected_at or row.collected_at for one in sections},
        "identifiers": [
            {
                **one._mapping,
                "last_seen": one.last_seen or row.last_seen,
                "is_current": one.last_seen is None,
            }
            for one in ledger
        ],
    }
