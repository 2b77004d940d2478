"""
The totals of the fleet and of its groups: now, or as of a moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row
from salt_ext.store.distribution import is_citus
from salt_ext.store.hidden import MARK
from salt_ext.store.reads.filters import matching, names
from salt_ext.store.reads.listing import FRESHNESS, joined, listing, tables_of
from salt_ext.store.schema import asset, asset_seen

SUMMED = ("processor_threads", "memory_bytes", "disk_bytes")


def totals(
    database: Database,
    *,
    groupings: Sequence[str | Sequence[str]] = (),
    filters: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> tuple[Row, list[list[Row]]]:
    """
    Return the totals of the fleet, and the same totals of each group of each grouping.

    A grouping is one field or several, such as ``manufacturer,product_name``. Totals
    are ``assets``, one count for each freshness, ``processor_threads``,
    ``memory_bytes`` and ``disk_bytes``; how fresh assets were is not known of the
    past. All is read by one statement, so that no report can come in between (but on Citus).
    """
    source = listing(database, at)
    asked = [names(one) for one in groupings]
    fields = {name: source.field(name) for grouping in asked for name in grouping}
    summed = [name for name in SUMMED if name in source.fields]
    sums = {name: sa.cast(sa.func.sum(source.fields[name]), sa.BigInteger) for name in summed}
    kept_back = dict.fromkeys((name for name in SUMMED if name not in summed), MARK)
    found = matching(source, filters or {}, "")
    statement: sa.Select[Any] = joined(sa.select(*fields.values(), *sums.values()), source, found)
    counts = dict(source.states)
    if at is None and asset_seen not in tables_of(*fields.values(), *found):
        # Most assets are fresh: to join only the few others, with how fresh each is, takes half of
        # the time.
        how_fresh = source.rank.label("rank")
        late = sa.select(asset_seen.c.asset_id, how_fresh).where(~source.states["fresh"]).subquery()
        statement = statement.outerjoin(late, late.c.asset_id == asset.c.id)
        counts = {state: late.c.rank == number for number, state in enumerate(FRESHNESS)}
        counts["fresh"] = late.c.asset_id.is_(None)
    counted = {
        "assets": sa.func.count(),
        # Each state is counted, not grouped by: PostgreSQL cannot tell how few groups it makes.
        **{state: sa.func.count().filter(is_so) for state, is_so in counts.items()},
        **sums,
    }
    by_grouping: dict[int, list[Row]] = {}
    with database.autocommit() as link:
        counting = _by_itself if is_citus(link) else _at_once
        told = [link.execute(one) for one in counting(statement, counted, fields, asked)]
        for row in chain.from_iterable(told):
            counts_of_row = {name: value or 0 for name, value in zip(counted, row, strict=False)}
            values = dict(zip(fields, row[len(counted) + 1 :], strict=True))
            by_grouping.setdefault(row[len(counted)], []).append({**values, **counts_of_row})
    tables = []
    for grouping in asked:
        wanted = (*grouping, *counted)
        found_rows = by_grouping.get(_bits(grouping, fields), [])
        rows = [{**{name: row[name] for name in wanted}, **kept_back} for row in found_rows]
        tables.append(sorted(rows, key=partial(_by_size, grouping)))
    first = tables[0] if tables else by_grouping.get(0, [])
    return {**{name: sum(row[name] for row in first) for name in counted}, **kept_back}, tables


Columns = Mapping[str, sa.ColumnElement[Any]]


def _at_once(
    statement: sa.Select[Any], counted: Columns, fields: Columns, asked: Sequence[Sequence[str]]
) -> list[sa.Select[Any]]:
    """Return one statement for all groupings."""
    # Which grouping a row belongs to: PostgreSQL sets a bit for each field that is not in it.
    bits = sa.func.grouping(*fields.values()) if fields else sa.literal(0)
    columns: list[Any] = [*counted.values(), bits, *fields.values()]
    statement = statement.with_only_columns(*columns, maintain_column_froms=True)
    if fields:
        numbers = {name: number for number, name in enumerate(fields, len(counted) + 2)}
        sets = (", ".join(str(numbers[name]) for name in grouping) for grouping in asked)
        listed = ", ".join(f"({one})" for one in dict.fromkeys(sets))
        statement = statement.group_by(sa.text(f"GROUPING SETS ({listed})"))
    return [statement]


def _by_itself(
    statement: sa.Select[Any], counted: Columns, fields: Columns, asked: Sequence[Sequence[str]]
) -> list[sa.Select[Any]]:
    """Return a statement for each grouping, whose rows are alike: Citus has no GROUPING SETS."""
    found = []
    for grouping in dict.fromkeys(map(tuple, asked or [()])):
        others = {name: sa.cast(sa.null(), one.type) for name, one in fields.items()}
        values = {name: fields[name] if name in grouping else others[name] for name in fields}
        columns: list[Any] = [*counted.values(), sa.literal(_bits(grouping, fields))]
        one = statement.with_only_columns(*columns, *values.values(), maintain_column_froms=True)
        numbers = [n for n, name in enumerate(fields, len(columns) + 1) if name in grouping]
        found.append(one.group_by(*(sa.text(str(number)) for number in numbers)))
    return found


def _bits(grouping: Sequence[str], fields: Iterable[str]) -> int:
    """Return the value of GROUPING() for a grouping: a bit is set for each field not in it."""
    return int("".join("0" if name in grouping else "1" for name in fields) or "0", 2)


def _by_size(grouping: Sequence[str], row: Row) -> tuple[Any, ...]:
    """Sort the largest group first, and what is not known last."""
    return -row["assets"], [(row[name] is None, row[name]) for name in grouping]
