"""
Which machines to ask for a report, the longest silent first, and which of them had news.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import listing
from salt_ext.store.reads.positions import HEARD, REPORTS_AS
from salt_ext.store.schema import asset, asset_seen

WITHOUT_REPORTS = ("planned", "retired")
"""Nobody expects a report of an asset in one of these stages of its life."""


def due(
    database: Database, *, filters: Mapping[str, Any] | None = None, limit: int | None = None
) -> dict[str, str]:
    """
    Return the mode of the last report of each stale or missing machine, the longest silent first.

    Machines that only send reports by themselves (mode ``return``) are left out.
    """
    found = matching(
        listing(database, None), {"freshness": ["stale", "missing"], **(filters or {})}, ""
    )
    statement = (
        sa.select(REPORTS_AS, asset_seen.c.mode)
        .select_from(HEARD)
        .where(
            *found,
            asset.c.minion_id.is_not(None),
            asset.c.lifecycle.not_in(WITHOUT_REPORTS),
            asset_seen.c.mode != "return",
        )
        .order_by(asset_seen.c.last_seen, asset.c.id)
        .limit(limit)
    )
    with database.autocommit() as link:
        return {row[0]: row[1] for row in link.execute(statement)}


def stalest_first(database: Database, minion_ids: Iterable[str]) -> list[str]:
    """Return names in the order of their last reports, the oldest first; unknown ones lead."""
    names = list(minion_ids)
    statement = (
        sa.select(REPORTS_AS, asset_seen.c.last_seen)
        .select_from(HEARD)
        .where(REPORTS_AS.in_(names))
    )
    with database.autocommit() as link:
        seen = {row[0]: row[1].timestamp() for row in link.execute(statement)}
    return sorted(names, key=lambda name: (seen.get(name, 0.0), name))


def news_since(
    database: Database, asset_ids: Iterable[uuid.UUID], moment: datetime
) -> dict[uuid.UUID, str]:
    """Return which of these assets are ``new`` since a moment, and which have ``changed``."""
    statement = (
        sa.select(asset.c.id, asset.c.first_seen >= moment)
        .select_from(HEARD)
        .where(asset.c.id.in_(list(asset_ids)), asset_seen.c.changed_at >= moment)
    )
    with database.autocommit() as link:
        return {row[0]: "new" if row[1] else "changed" for row in link.execute(statement)}
