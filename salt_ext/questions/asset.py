"""
What is known of one asset, now or as it was.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from salt_ext import store


def known(
    database: store.Database, asset_id: uuid.UUID, at: datetime | None = None
) -> dict[str, Any]:
    """
    Return everything that is known of an asset, or its columns and facts as they were then.

    Raises :class:`store.NotFound` when nothing was known of it at that moment.
    """
    if at is None:
        return store.overview(database, asset_id)
    revision, facts = store.document(database, asset_id, at)
    one, columns = {"id": asset_id}, store.KEPT_COLUMNS
    page = store.assets(database, filters=one, columns=columns, at=at, mask_hidden=True)
    if not page.rows:
        # It had turned out to be another one before: this says which.
        return store.overview(database, asset_id)
    return {**page.rows[0], "changed_at": revision["recorded_at"], "facts": facts}
