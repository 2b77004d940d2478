"""
What reactions do to machines, who was refused, and the waves in which nobody is permitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = ("state", "minion_id", "sn", "action", "since", "until", "asked_by", "says")


def reactions(database: store.Database, *, state: str = "", limit: int | None = None) -> Table:
    """Return waves and reactions, those that are not over first."""
    rows, total = store.reactions(database, state=state, limit=limit)
    return Table("reactions", COLUMNS, [_told(row) for row in rows], total)


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    lost = f"{row['machines']:,} machines have lost {row['path']}" if row["path"] else ""
    return {**row, "says": "; ".join(filter(None, (lost, row["refusal"], row["reason"])))}
