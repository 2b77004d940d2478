"""
A revision that no report made: an asset lost its name, or a person gave it another one.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store import bulk
from salt_ext.store.database import Row
from salt_ext.store.schema import WAS_COLUMNS, asset, asset_seen, asset_was, revision


def step(link: sa.Connection, asset_id: uuid.UUID, at: datetime, **values: Any) -> Row:
    """
    Begin a revision and keep the present list columns; return the new row of ``asset_seen``.

    ``values`` are further columns of that row to set.
    """
    seen = link.execute(
        sa.update(asset_seen)
        .where(asset_seen.c.asset_id == asset_id)
        .values(
            # As for any other change: times in the history never go back.
            changed_at=sa.func.greatest(asset_seen.c.changed_at, at),
            revision=asset_seen.c.revision + 1,
            **values,
        )
        .returning(asset_seen)
    ).one()
    keep_columns(link, asset_id, seen.changed_at)
    return dict(seen._mapping)


def keep_columns(link: sa.Connection, asset_id: uuid.UUID, until: datetime) -> None:
    """Keep the list columns that an asset has until a moment; call this before a change."""
    before = link.execute(sa.select(asset).where(asset.c.id == asset_id)).one()
    was = former(before._mapping, until)
    # Of two changes at the same moment, the columns before the first one are kept.
    bulk.insert(link, asset_was, [was], {})
    link.execute(
        sa.update(asset).where(asset.c.id == asset_id).values(unchanged_since=was["until"])
    )


def former(columns: Row | sa.RowMapping, until: datetime) -> Row:
    """
    Return the row that keeps the list columns of an asset which become others at a moment.

    They do so later if they became what they are later, by another clock: so each moment
    is in one row, or in the present one, which is ``unchanged_since`` the end of this one.
    """
    since = columns["unchanged_since"]
    kept = {name: columns[name] for name in WAS_COLUMNS}
    return {"asset_id": columns["id"], "since": since, "until": max(since, until), **kept}


def revision_of(link: sa.Connection, seen: Row, reason: str) -> Row:
    """Return the row of the revision that a step made: the document stays as it was."""
    last = link.execute(
        sa.select(revision)
        .where(revision.c.asset_id == seen["asset_id"])
        .order_by(revision.c.number.desc())
        .limit(1)
    ).one()
    return {
        **last._mapping,
        "number": seen["revision"],
        "recorded_at": seen["changed_at"],
        "last_before": seen["collected_at"],
        "reason": reason,
        "alike": None,
    }
