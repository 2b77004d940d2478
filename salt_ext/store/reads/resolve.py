"""
Which asset is meant by what people call it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.reads.known import is_called, is_identifier
from salt_ext.store.reads.names import CALLED
from salt_ext.store.reads.slipped import nearest_asset
from salt_ext.store.schema import asset, identifier
from salt_ext.store.text import is_text
from salt_ext.words.called import called
from salt_ext.words.spellings import spellings


def resolve(database: Database, reference: str) -> uuid.UUID:
    """
    Return the id of the one asset that a reference means.

    A reference is an id, a name, a serial number or any other identifier, present
    or former; present ones are searched first. Raises :class:`NotFound` if no asset
    or several are meant.
    """
    nobody = NotFound(f"there is no asset {reference!r}", "look for it in the list of assets")
    if not reference or not is_text(reference):
        raise nobody
    with database.autocommit() as link:
        for statement in _meanings(reference):
            # An asset that was merged stands for the one that it turned out to be.
            meant = sa.select(sa.func.coalesce(asset.c.merged_into, asset.c.id)).where(
                asset.c.id.in_(statement)
            )
            found = link.execute(
                sa.select(asset.c.id, *CALLED)
                .where(asset.c.id.in_(meant))
                .order_by(asset.c.minion_id)
                .limit(10)
            ).all()
            if len(found) == 1:
                return uuid.UUID(str(found[0].id))
            if found:
                several = ", ".join(f"{called(row._asdict())} ({row.id})" for row in found)
                raise NotFound(
                    f"{reference!r} means several assets: {several}",
                    "use one of these ids or minion ids",
                )
        near = nearest_asset(link, reference)
        if near is not None:
            nobody.hint = f"the nearest is {near!r}"
            raise nobody
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


def _meanings(reference: str) -> Iterator[sa.SelectBase]:
    with contextlib.suppress(ValueError):
        yield sa.select(asset.c.id).where(asset.c.id == uuid.UUID(reference))
    yield sa.select(asset.c.id).where(
        sa.or_(asset.c.minion_id == reference, asset.c.sn == reference)
    )
    yield sa.select(asset.c.id).where(
        sa.or_(asset.c.hostname == reference, asset.c.address == reference)
    )
    lower = sorted({one.lower() for one in spellings(reference)})
    ledger = sa.select(identifier.c.asset_id).where(is_identifier(lower))
    yield ledger.where(identifier.c.last_seen.is_(None)).union(
        sa.select(asset.c.id).where(is_called(lower))
    )
    yield ledger


LONGEST_NUMBER = 30


def padded(database: Database, number: int) -> list[Row]:
    """Return the assets whose serial number or name is this number after leading zeros."""
    digits = str(number)
    spellings = [digits.zfill(length) for length in range(len(digits), LONGEST_NUMBER)]
    with database.autocommit() as link:
        return rows(
            link.execute(
                sa.select(asset.c.id, asset.c.minion_id, asset.c.sn)
                .where(asset.c.sn.in_(spellings) | asset.c.minion_id.in_(spellings))
                .order_by(asset.c.minion_id)
                .limit(10)
            )
        )
