"""
Which parts there are, and where one part is and was.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = ("manufacturer", "model", "type", "firmware_version", "size_bytes", "count", "assets")
STAY_COLUMNS = ("minion_id", "sn", "path", "place", "model", "since", "until")
MOST_KINDS = 1_000_000
"""The limit of kinds in a file: more than anybody has."""


def kinds(
    database: store.Database, section: str, filters: Mapping[str, Any], limit: int | None
) -> Table:
    """Return the kinds of parts of a section, the most frequent first."""
    rows, total = store.components(database, section, filters=filters, limit=limit or MOST_KINDS)
    hint = "" if rows else store.hint(database, filters)
    return Table("kinds of parts", COLUMNS, rows, total, hint=hint)


def stays(database: store.Database, serial: str, limit: int | None) -> Table:
    """
    Return every place where a part was, the last first, with its ``changes`` there.

    Raises :class:`store.NotFound` with the nearest number.
    """
    rows = store.genealogy(database, serial)
    return Table("places", STAY_COLUMNS, rows[:limit], len(rows))
