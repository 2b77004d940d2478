"""
Who acts on an asset, and why; both are kept for ever.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.clock import now
from salt_ext.store.errors import NotFound
from salt_ext.store.schema import asset, asset_seen, decision


class Act(NamedTuple):
    """Who does something, why, and whether it is only tried out."""

    by: str
    why: str
    test: bool


def locked(link: sa.Connection, asset_id: uuid.UUID, act: Act) -> Any:
    """
    Return an asset with its last revision and ``changed_at``. Raises :class:`NotFound`.

    Unless the act is a test, nobody else writes the asset until the transaction ends.
    """
    mine = sa.select(asset_seen.c.asset_id).where(asset_seen.c.asset_id == asset_id)
    if not act.test:
        # The asset is read in the next statement: one that waited for a lock sees old rows.
        link.execute(mine.with_for_update())
    row = link.execute(
        sa.select(asset, asset_seen.c.revision, asset_seen.c.changed_at)
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(asset.c.id == asset_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    return row


def _says(evidence: Mapping[str, Any]) -> str:
    if "old" in evidence:
        return f"{evidence['old']} → {evidence['new']}"
    return ", ".join(f"{name} {value}" for name, value in evidence.items())


def decided(
    link: sa.Connection,
    action: str,
    act: Act,
    row: Any,
    evidence: Mapping[str, Any],
    *,
    is_news: bool = False,
) -> None:
    """
    Remember who did what, when and why; ``row`` is the asset, None if it was no single one.

    ``is_news`` is whether an event shall tell of it: see :mod:`salt_ext.store.news`.
    """
    link.execute(
        sa.insert(decision).values(
            id=uuid.uuid4(),
            decided_at=now(link),
            decided_by=act.by,
            minion_id=(row.minion_id or str(row.id)) if row is not None else "",
            action=action,
            asset_id=row.id if row is not None else None,
            reason=f"{_says(evidence)}: {act.why}",
            evidence=dict(evidence),
            told=not is_news,
        )
    )
