"""
Where a text is known: as a name, a number or an address, of which machine or part.
"""

from __future__ import annotations

from salt_ext import store
from salt_ext.questions.table import Table

COLUMNS = ("minion_id", "sn", "what", "value", "place", "known", "since_at", "until_at")


def find(database: store.Database, text: str, limit: int) -> Table:
    """
    Return each place where a text is known, the present before the past.

    A row has the ``asset_id`` beside the columns; of a report that waits for a person it is
    None. Raises :class:`store.NotFound` that names the nearest.
    """
    rows, more = store.lookup(database, text, limit)
    if not rows:
        near = store.nearest_known(database, text)
        raise store.NotFound(
            f"{text!r} is known nowhere, neither now nor in former times",
            f"the nearest is {near!r}"
            if near
            else "values of other fields are found by a filter: see cmdb.facets",
        )
    return Table("places", COLUMNS, rows, len(rows), exact=not more)
