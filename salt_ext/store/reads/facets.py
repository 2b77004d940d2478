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
from salt_ext.store.reads.listing import Listing, joined, listing, tables_of
from salt_ext.store.schema import asset
from salt_ext.store.tally import IS_MERGED


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
            groups = _groups(source, column, found).subquery("groups")
            statement = sa.select(
                groups,
                sa.func.count(groups.c.value).over().label("distinct"),
                sa.func.sum(groups.c.assets).over().label("all"),
            )
            order = (groups.c.assets.desc(), groups.c.value)
            counted = rows(link.execute(statement.order_by(*order).limit(limit)))
            answer.append(
                {
                    "field": name,
                    "values": [{"value": row["value"], "assets": row["assets"]} for row in counted],
                    "distinct": counted[0]["distinct"] if counted else 0,
                    "assets": int(counted[0]["all"]) if counted else 0,
                }
            )
    return answer


def _groups(
    source: Listing, column: sa.ColumnElement[Any], found: Sequence[sa.ColumnElement[bool]]
) -> sa.Select[Any]:
    """Return each value and how many assets have it."""
    value, number = column.label("value"), sa.func.count()
    if source.at is not None or found or list(tables_of(column)) != [asset]:
        counted = sa.select(value, number.label("assets"))
        return joined(counted, source, found).group_by(column)
    # The few merged assets are subtracted, so that an index alone can count the others.
    merged = sa.select(value, -number).where(IS_MERGED).group_by(column)
    both = sa.select(value, number.label("assets")).group_by(column).union_all(merged).subquery()
    assets = sa.cast(sa.func.sum(both.c.assets), sa.BigInteger)
    grouped = sa.select(both.c.value, assets.label("assets")).group_by(both.c.value)
    return grouped.having(assets > 0)
