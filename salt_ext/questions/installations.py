"""
Which machines may be installed, which were, and how they differ from what was planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = (
    *("name", "sn", "state", "profile", "uuid", "macs", "address", "opened_at", "opened_by"),
    *("reason", "expires_at", "gets", "last_get_at", "done_at", "compared_at", "outcome"),
)

SHORT = (
    *("name", "sn", "state", "profile", "opened_at", "opened_by", "expires_at", "gets"),
    *("done_at", "outcome"),
)
"""What a terminal has room for."""


def installations(
    database: store.Database, filters: Mapping[str, Any], state: str, limit: int | None
) -> Table:
    """Return the installations of the assets that fit, the newest first."""
    found, total = store.installations(database, filters=filters, state=state, limit=limit)
    rows = [{**row, "macs": _words(row["macs"]), "outcome": outcome(row)} for row in found]
    hint = "" if rows or not filters else store.hint(database, filters)
    return Table("installations", COLUMNS, rows, total, hint=hint)


def _words(macs: Any) -> str:
    return ", ".join(macs) if isinstance(macs, list) else str(macs or "")


def outcome(row: Mapping[str, Any]) -> str | None:
    """Return in words how the first report was; None while there is none to compare."""
    if row["compared_at"] is None:
        return None
    return "; ".join(map(difference, row["differences"])) or "as planned"


def difference(one: Mapping[str, str]) -> str:
    """Return one difference in words."""
    if one["field"] == store.MARK:
        return store.MARK
    return f"{one['field']}: {one['planned']} planned, {one['reported']} reported"
