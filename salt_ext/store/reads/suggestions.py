"""
The values of a field that begin with, or have in them, what somebody has typed so far.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import unplanned
from salt_ext.store.errors import FilterError
from salt_ext.store.reads.filters import matching, of_parts
from salt_ext.store.reads.listing import PARTS, joined, listing
from salt_ext.store.reads.patterns import NUMEROUS
from salt_ext.store.schema import part

ENOUGH = 2000
"""So many assets are looked at where nearly each has a value of its own."""


def suggestions(database: Database, field: str, text: str = "", limit: int = 20) -> list[Row]:
    """
    Return the most frequent values of a text field, each with how many ``assets`` have it.

    With a text, those that have it in them. Of a name or number that hardly two assets
    share any are returned, in order.
    """
    source = listing(database, None)
    column = PARTS[field] if field in PARTS else source.field(field)
    if not isinstance(column.type, sa.Text):
        raise FilterError(f"{field} is no text: there are no values of it to suggest")
    asked: dict[str, Any] = {f"{field}__contains": text} if text else {f"{field}__isnull": "false"}
    with database.autocommit() as link:
        if field in PARTS:
            section = field.partition(".")[0]
            found = sa.select(column.label("value"), sa.func.count().label("assets"))
            found = found.where(part.c.section == section, *of_parts(asked, source))
        else:
            conditions = matching(source, asked, "")
            if field in NUMEROUS:
                few = joined(sa.select(column.label("value")), source, conditions)
                [column] = few.limit(unplanned(link, ENOUGH)).subquery("few").c
                found = sa.select(column, sa.func.count().label("assets"))
            else:
                counted = sa.select(column.label("value"), sa.func.count().label("assets"))
                found = joined(counted, source, conditions)
        order = [column] if field in NUMEROUS else [sa.desc("assets"), column]
        return rows(link.execute(found.group_by(column).order_by(*order).limit(limit)))
