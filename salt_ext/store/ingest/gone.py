"""
An asset that loses its name: it is detached, or merged into another asset.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.ingest.steps import revision_of, step
from salt_ext.store.schema import (
    asset,
    asset_seen,
    identifier,
    other_source,
    part,
    placement,
    reaction,
)

MERGED = "merged"
"""Who has released what both of two assets had that turned out to be one machine."""


class Gone(NamedTuple):
    """
    An asset that loses its name to other hardware, or is merged into another asset.

    ``name`` is the name of the asset that takes its place.
    """

    asset_id: uuid.UUID
    merged_into: uuid.UUID | None
    at: datetime
    name: str


def let_go(link: sa.Connection, gone: Gone) -> dict[str, Any]:
    """
    Take the name from an asset; return the row of its last revision.

    If it is merged, its parts and its row in ``asset_seen`` are removed too, and what is done
    to it is done to the machine that it turned out to be.
    """
    seen = step(link, gone.asset_id, gone.at, detached_at=gone.at)
    link.execute(
        sa.update(asset)
        .where(asset.c.id == gone.asset_id)
        .values(minion_id=None, merged_into=gone.merged_into)
    )
    ended = [identifier.c.asset_id == gone.asset_id, identifier.c.last_seen.is_(None)]
    if gone.merged_into is None:
        ended.append(identifier.c.kind == "minion_id")
    else:
        link.execute(sa.delete(asset_seen).where(asset_seen.c.asset_id == gone.asset_id))
        link.execute(sa.delete(part).where(part.c.asset_id == gone.asset_id))
        link.execute(sa.delete(other_source).where(other_source.c.asset_id == gone.asset_id))
        link.execute(
            sa.update(placement)
            .where(placement.c.asset_id == gone.asset_id, placement.c.until.is_(None))
            .values(until=seen["changed_at"])
        )
        _hand_over_reactions(link, gone.asset_id, gone.merged_into, gone.at)
    link.execute(sa.update(identifier).where(*ended).values(last_seen=seen["last_seen"]))
    reason = (
        f"other hardware reports as {gone.name}"
        if gone.merged_into is None
        else f"turned out to be the machine {gone.merged_into}"
    )
    return revision_of(link, seen, reason)


def _hand_over_reactions(
    link: sa.Connection, asset_id: uuid.UUID, into: uuid.UUID, at: datetime
) -> None:
    """Let a machine have the permissions of the asset that is merged into it."""
    one, other = reaction.c, reaction.alias("other").c
    # Who was refused asks again.
    link.execute(
        sa.delete(reaction).where(one.asset_id.in_([asset_id, into]), one.permitted_at.is_(None))
    )
    is_had = sa.exists().where(
        other.asset_id == into, other.action == one.action, other.released_at.is_(None)
    )
    link.execute(
        sa.update(reaction)
        .where(one.asset_id == asset_id, one.released_at.is_(None), is_had)
        .values(released_at=at, released_by=MERGED)
    )
    link.execute(sa.update(reaction).where(one.asset_id == asset_id).values(asset_id=into))
