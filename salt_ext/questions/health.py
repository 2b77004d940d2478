"""
Which parts fail or wear out, and which kinds of parts do.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table, cut

COLUMNS = ("severity", "minion_id", "sn", "section", "component", "says")
BATCH_COLUMNS = (
    *("section", "model", "firmware_version", "failing", "gone", "in_use"),
    *("share_percent", "assets", "machines"),
)


def health(database: store.Database, filters: Mapping[str, Any], limit: int | None) -> Table:
    """Return each part that fails, the worst machine first."""
    rows = [{**row, "asset_id": row["id"]} for row in store.health(database, filters=filters)]
    return cut("ill parts", COLUMNS, rows, limit, lambda: store.hint(database, filters))


def batches(
    database: store.Database, since: datetime, filters: Mapping[str, Any], limit: int | None
) -> Table:
    """Return the models and firmwares of which several parts failed or went since a moment."""
    rows = store.failing_batches(database, since, filters=filters)
    return cut(
        "kinds of parts that failed",
        BATCH_COLUMNS,
        rows,
        limit,
        lambda: store.hint(database, filters),
    )
