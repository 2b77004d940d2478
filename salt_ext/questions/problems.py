"""
What is wrong: collectors that failed, reports that were refused or held, doubts.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = ("last_seen", "count", "minion_id", "kind", "subject", "message", "id")

MOST = 1_000_000
"""The limit of problems in a file; cmdb.maintain leaves only a few for each machine."""


def problems(
    database: store.Database,
    *,
    minion_id: str = "",
    kind: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    problem_id: uuid.UUID | None = None,
    is_open: bool = True,
    limit: int | None = None,
) -> Table:
    """
    Return the problems, those seen last first, with their tracebacks.

    ``minion_id`` may be a glob, or the name of a machine that has no asset. With
    ``is_open=False`` there are also those that are over, with ``closed_at``.
    """
    rows, total = store.problems(
        database,
        kind=kind or None,
        since=since,
        until=until,
        minion_id=minion_id or None,
        problem_id=problem_id,
        is_open=is_open,
        limit=limit or MOST,
    )
    columns = COLUMNS if is_open else (*COLUMNS, "closed_at")
    of = {"minion_id__glob": minion_id} if minion_id else {}
    return Table("problems", columns, rows, total, hint="" if rows else store.hint(database, of))
