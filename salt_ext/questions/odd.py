"""
Which machines of a model have what most others of it have not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.questions.table import Table, cut

COLUMNS = ("group", "field", "value", "usual", "assets", "of", "machines")


def odd(
    database: store.Database,
    group_by: str,
    threshold: float,
    filters: Mapping[str, Any],
    limit: int | None,
) -> Table:
    """Return the values that at most a share of a group have, the rarest first."""
    rows = store.odd(database, group_by, threshold=threshold, filters=filters)
    return cut("odd values", COLUMNS, rows, limit, lambda: store.hint(database, filters))
