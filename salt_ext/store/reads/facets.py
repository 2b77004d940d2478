"""
The values that a field has, and how many assets have each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.reads.filters import matching, names
from salt_ext.store.reads.listing import joined, listing


def facets(
    database: Database,
    fields: str | Sequence[str],
    *,
    filters: Mapping[str, Any] | None = None,
    text: str = "",
    limit: int = 20,
    at: datetime | None = None,
) -> list[Row]:
    """
    Return for each field its most frequent values, and how many ``distinct`` ones it has.

    An asset without a value counts under None. Each field is one read of its
    index, or of the assets that the filters leave.
    """
    source = listing(database, at)
    wanted = {name: source.field(name) for name in names(fields)}
    if not wanted:
        raise FilterError("which fields? give fields=os,product_name or the like")
    found = matching(source, filters or {}, text)
    answer = []
    with database.autocommit() as link:
        for name, column in wanted.items():
            statement = joined(
                sa.select(
                    column.label("value"),
                    sa.func.count().label("assets"),
                    sa.func.count(column).over().label("distinct"),
                    sa.func.sum(sa.func.count()).over().label("all"),
                ),
                source,
                found,
            )
            counted = rows(
                link.execute(
                    statement.group_by(column).order_by(sa.desc("assets"), column).limit(limit)
                )
            )
            answer.append(
                {
                    "field": name,
                    "values": [{"value": row["value"], "assets": row["assets"]} for row in counted],
                    "distinct": counted[0]["distinct"] if counted else 0,
                    "assets": int(counted[0]["all"]) if counted else 0,
                }
            )
    return answer
