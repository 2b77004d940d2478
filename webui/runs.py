"""
Changes grouped by the report that brought them.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from salt_ext.words.called import called
from salt_ext.words.changes import Line, line


class Run(NamedTuple):
    """What one report changed."""

    asset_id: uuid.UUID
    name: str
    """What people call the asset."""
    revision: int
    recorded_at: datetime
    lines: list[Line]


def runs(rows: Iterable[Mapping[str, Any]]) -> list[Run]:
    """Group changes, as the store lists them, by the report that brought them."""
    found = []
    for (asset_id, revision), group in groupby(
        rows, key=lambda row: (row["asset_id"], row["revision"])
    ):
        members = list(group)
        first = members[0]
        lines = [line(row) for row in members]
        found.append(Run(asset_id, called(first), revision, first["recorded_at"], lines))
    return found
