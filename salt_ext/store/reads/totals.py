"""
The totals of the fleet and of its groups: now, or as of a moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row
from salt_ext.store.reads.filters import matching, names
from salt_ext.store.reads.listing import joined, listing, states, tables_of
from salt_ext.store.schema import asset, asset_seen

SUMMED = ("processor_threads", "memory_bytes", "disk_bytes")


def report(
    database: Database,
    *,
    group_by: str | Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> tuple[Row, list[Row]]:
    """
    Return the totals of the fleet and the same totals for each group.

    Totals are ``assets``, one count for each freshness, ``processor_threads``,
    ``memory_bytes`` and ``disk_bytes``. How fresh they were is not known of the
    past.
    """
    source = listing(database, at)
    groups = [source.field(name) for name in names(group_by)]
    sums = {name: sa.cast(sa.func.sum(source.fields[name]), sa.BigInteger) for name in SUMMED}
    found = matching(source, filters or {}, "")
    statement: sa.Select[Any] = joined(sa.select(*groups, *sums.values()), source, found)
    counts = dict(source.states)
    if at is None and asset_seen not in tables_of(*groups, *found):
        # Most are fresh: to join the few others takes half of the time.
        late = sa.select(asset_seen).where(~source.states["fresh"]).subquery("late")
        statement = statement.outerjoin(late, late.c.asset_id == asset.c.id)
        counts = states(
            database.settings["stale_after"], database.settings["missing_after"], late.c
        )
        counts["fresh"] = late.c.asset_id.is_(None)
    counted = {
        "assets": sa.func.count(),
        # Counted and not grouped by: PostgreSQL cannot tell how few groups that would be.
        **{state: sa.func.count().filter(is_so) for state, is_so in counts.items()},
        **sums,
    }
    asked: list[Any] = [*counted.values(), *groups]
    statement = statement.with_only_columns(*asked, maintain_column_froms=True)
    if groups:
        ordinals = range(len(counted) + 1, len(asked) + 1)
        statement = statement.group_by(*(sa.text(str(one)) for one in ordinals))
    whole: Row = dict.fromkeys(counted, 0)
    by_group: dict[tuple[Any, ...], Row] = {}
    with database.at_once() as link:
        for row in link.execute(statement):
            total = {name: value or 0 for name, value in zip(counted, row, strict=False)}
            by_group[tuple(row[len(counted) :])] = total
            whole = {name: whole[name] + value for name, value in total.items()}
    if not groups:
        return whole, []
    named = [
        {**dict(zip(names(group_by), values, strict=True)), **total}
        for values, total in sorted(by_group.items(), key=_by_size)
    ]
    return whole, named


def _by_size(group: tuple[tuple[Any, ...], Row]) -> tuple[Any, ...]:
    """Sort the largest group first, and what is not known last."""
    values, total = group
    return -total["assets"], [(value is None, value) for value in values]
