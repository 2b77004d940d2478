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
    *("section", "model", "firmware_version", "quarter", "failing", "gone", "in_use", "years"),
    *("times", "times_low", "times_high", "assets", "machines"),
)

WARNING_COLUMNS = ("rule", "warned", "came_true", "percent", "low", "high")


def health(database: store.Database, filters: Mapping[str, Any], limit: int | None) -> Table:
    """Return each part that fails, the worst first."""
    rows = [{**row, "asset_id": row["id"]} for row in store.health(database, filters=filters)]
    return cut("ill parts", COLUMNS, rows, limit, lambda: store.hint(database, filters))


def batches(
    database: store.Database, since: datetime, filters: Mapping[str, Any], limit: int | None
) -> Table:
    """
    Return the kinds of parts that fail more often than others, the surest first.

    A kind is named only when its interval says so: when even the lower end is more than once.
    """
    rows = store.failing_batches(database, since, filters=filters)
    named = [row for row in rows if row["times_low"] > 1]

    def why() -> str:
        if not rows:
            return store.hint(database, filters)
        one = len(rows) == 1
        return (
            f"of {len(rows)} {'kind' if one else 'kinds'} several parts failed, too few to tell"
            f" whether {'it fails' if one else 'they fail'} more often than others"
        )

    return cut("kinds of parts that fail more often", BATCH_COLUMNS, named, limit, why)


def warnings(database: store.Database, limit: int | None) -> Table:
    """Return how many of the parts that each rule warned of were replaced or gone in time."""
    rows = store.warnings(database)
    return cut("rules that warned", WARNING_COLUMNS, rows, limit, lambda: NO_WARNINGS)


NO_WARNINGS = f"warnings are kept since this version, and judged after {store.WARNING_DAYS} days"


def said_of_warnings(row: Mapping[str, Any]) -> str:
    """Return a row of :func:`warnings` as a sentence."""
    share = f"{row['percent']} % ({row['low']} to {row['high']} %)"
    warned, true, days = row["warned"], row["came_true"], store.WARNING_DAYS
    if row["rule"] == store.ANY_WARNING:
        disks = "disk" if warned == 1 else "disks"
        return (
            f"of {warned} {disks} replaced or gone since warnings are kept {true}"
            f" had been warned of: {share}"
        )
    parts = "part" if warned == 1 else "parts"
    return (
        f"{row['rule']}: of {warned} {parts} warned of more than {days} days ago {true}"
        f" {'was' if true == 1 else 'were'} replaced or gone within {days} days: {share}"
    )
