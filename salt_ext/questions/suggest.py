"""
Which values a field has, for somebody who is typing one.
"""

from __future__ import annotations

from salt_ext import store
from salt_ext.questions.table import Table


def suggest(database: store.Database, field: str, text: str, limit: int) -> Table:
    """Return the most frequent values of a field that have a text in them."""
    if not field:
        raise store.FilterError("of which field? give field=site or the like")
    found = store.suggestions(database, field, text, limit)
    return Table("values", ("value", "assets"), found, len(found), exact=len(found) < limit)
