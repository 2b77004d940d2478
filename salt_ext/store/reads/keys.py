"""
Which assets show a UUID or a MAC now: for lists whose rows have these alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection

import sqlalchemy as sa

from salt_ext.document.placeholders import uuid_spellings
from salt_ext.store.database import Database
from salt_ext.store.schema import identifier


def assets_with_keys(
    database: Database,
    uuids: Collection[str],
    macs: Collection[str],
    asset_ids: Collection[uuid.UUID] = (),
) -> dict[uuid.UUID, dict[str, list[str]]]:
    """
    Return the assets that show one of these as their own, by id, with all that each shows.

    Those with ``asset_ids`` are among them.
    """
    values = {*macs, *(one for key in uuids for one in uuid_spellings(key))}
    if not values and not asset_ids:
        return {}
    is_shown = (
        identifier.c.kind.in_(("uuid", "mac"))
        & identifier.c.last_seen.is_(None)
        & ~identifier.c.disowned
    )
    alike = sa.select(identifier.c.asset_id).where(identifier.c.value.in_(values), is_shown)
    statement = sa.select(identifier.c.asset_id, identifier.c.kind, identifier.c.value).where(
        identifier.c.asset_id.in_(alike) | identifier.c.asset_id.in_(asset_ids), is_shown
    )
    found: dict[uuid.UUID, dict[str, list[str]]] = {}
    with database.autocommit() as link:
        for row in link.execute(statement):
            shown = found.setdefault(row.asset_id, {"uuids": [], "macs": []})
            shown[f"{row.kind}s"].append(row.value)
    return found
