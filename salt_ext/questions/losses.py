"""
What was lost, and what became of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table
from salt_ext.words import changes

COLUMNS = (
    *("lost_at", "minion_id", "sn", "state", "what", "value"),
    *("confirmed_at", "ended_at", "elsewhere"),
)


def losses(
    database: store.Database,
    *,
    state: str = "",
    since: datetime | None = None,
    filters: Mapping[str, Any] | None = None,
    limit: int | None = None,
) -> Table:
    """Return losses, the newest first; ``what`` was lost, and the ``value`` before and after."""
    filters = filters or {}
    rows, total = store.losses(database, state=state, since=since, filters=filters, limit=limit)
    hint = "" if rows else store.hint(database, filters)
    return Table("lost parts", COLUMNS, [_told(row) for row in rows], total, hint=hint)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    line = changes.line(row)
    return {**row, "what": line.what, "value": f"{line.old or 'none'} → {line.new or 'none'}"}
