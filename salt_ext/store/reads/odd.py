"""
Values that few machines of a group have, while most have another: found by counting alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.hidden import Hidden
from salt_ext.store.parts import BUILT_OF, FIRMWARE
from salt_ext.store.reads.filters import matching, names
from salt_ext.store.reads.listing import hides_part, joined, listing
from salt_ext.store.schema import asset, build

USUAL = 0.5
"""The share of a group that makes a value usual; in a group without a usual value none is odd."""

NAMED = 5
"""How many of the machines are named."""

COLUMNS = ("os", "kernel_release", "processor_model", "memory_bytes", "disk_count")
KIND = ("model", "firmware_version")


def odd(
    database: Database,
    group_by: str | Sequence[str] = "product_name",
    *,
    threshold: float = 0.05,
    filters: Mapping[str, Any] | None = None,
) -> list[Row]:
    """
    Return the values that at most a share of ``threshold`` of a group have, the rarest first.

    Each has ``group``, ``field``, ``value``, ``usual`` (what most have),
    ``assets`` out of ``of`` and some of their names as ``machines``. The models
    and firmwares of a machine's parts are one value, so that one disk of another
    model makes it odd. Each asset of the filters is read once, with its row of ``build``;
    equal ones are put together first, and counted field by field then.
    """
    source = listing(database, None)
    groups = [sa.cast(source.field(name), sa.Text) for name in names(group_by)]
    if not groups:
        raise FilterError("which group? give group_by=product_name or the like")
    if not 0 < threshold < USUAL:
        raise FilterError(f"threshold is a share between 0 and {USUAL}, not {threshold}")
    group = groups[0] if len(groups) == 1 else sa.func.concat_ws(", ", *groups)
    fields = _fields(source.hidden)
    if not fields:
        return []
    columns = [asset.c.id, asset.c.minion_id, group.label("group")]
    columns += [one for one in fields.values() if one.table is asset]
    found = joined(sa.select(*columns), source, matching(source, filters or {}, ""))
    members = found.where(asset.c.minion_id.is_not(None), group != "").subquery("members")
    kinds = _kinds(members, fields)
    valued = _values(kinds, fields)
    statement = _named(_minorities(valued, threshold), valued, kinds)
    with database.autocommit() as link:
        odd_ones = rows(link.execute(statement))
    odd_ones.sort(key=lambda row: (row["assets"] / row["of"], *(row[one] for one in ORDER)))
    return [{**row, "machines": sorted(row["machines"])[:NAMED]} for row in odd_ones]


ORDER = ("group", "field", "value")


def _fields(hidden: Hidden) -> dict[str, sa.Column[Any]]:
    """Return the columns that are compared, by the names of the fields."""
    shown = {name: asset.c[name] for name in COLUMNS if name not in hidden.columns}
    for name in BUILT_OF:
        if not any(hides_part(hidden, f"{name}.{one}") for one in KIND):
            shown[name] = build.c[name]
    for column, path in FIRMWARE.items():
        if not hidden.path(".".join(path)):
            shown[".".join(path)] = build.c[column]
    return shown


def _kinds(members: sa.Subquery, fields: Mapping[str, sa.Column[Any]]) -> sa.CTE:
    """Return the assets that are equal in all fields as one row, with the names of them all."""
    columns = [
        (members.c[one.name] if one.table is asset else one).label(f"value{number}")
        for number, one in enumerate(fields.values())
    ]
    # OFFSET 0 keeps it a table of its own: of values from two tables PostgreSQL expects as many
    # different ones as there are assets, and sorts all of them instead of counting in memory.
    each = (
        sa.select(members.c.group, members.c.minion_id, *columns)
        .select_from(members.outerjoin(build, build.c.asset_id == members.c.id))
        .offset(0)
        .subquery("each")
    )
    same = [one for one in each.c if one.name != "minion_id"]
    return (
        sa.select(
            *same,
            sa.func.row_number().over().label("number"),
            sa.func.count().label("assets"),
            sa.func.array_agg(each.c.minion_id).label("machines"),
        )
        .group_by(*same)
        .cte("kinds")
    )


def _values(kinds: sa.CTE, fields: Iterable[str]) -> sa.CTE:
    """Return each value of each kind, with the number of the kind."""
    return sa.union_all(
        *(
            sa.select(
                kinds.c.number,
                kinds.c.assets,
                kinds.c.group,
                sa.literal(name, sa.Text).label("field"),
                sa.cast(kinds.c[f"value{number}"], sa.Text).label("value"),
            ).where(kinds.c[f"value{number}"].is_not(None))
            for number, name in enumerate(fields)
        )
    ).cte("valued")


def _minorities(valued: sa.CTE, threshold: float) -> sa.CTE:
    """Return the values that few assets have, where another one is usual."""
    value = (valued.c.group, valued.c.field, valued.c.value)
    number = sa.cast(sa.func.sum(valued.c.assets), sa.BigInteger)
    held = sa.select(*value, number.label("assets")).group_by(*value).subquery("held")
    here = [held.c.group, held.c.field]
    usual = sa.func.first_value(held.c.value).over(
        partition_by=here, order_by=[held.c.assets.desc(), held.c.value]
    )
    ranked = sa.select(
        held,
        sa.cast(sa.func.sum(held.c.assets).over(partition_by=here), sa.BigInteger).label("of"),
        sa.func.max(held.c.assets).over(partition_by=here).label("most"),
        usual.label("usual"),
    ).subquery("ranked")
    is_rare = (ranked.c.assets <= ranked.c.of * threshold, ranked.c.most >= ranked.c.of * USUAL)
    return sa.select(*(one for one in ranked.c if one.name != "most")).where(*is_rare).cte("rare")


def _named(rare: sa.CTE, valued: sa.CTE, kinds: sa.CTE) -> sa.Select[Any]:
    """Return the rare values with the names of the ``machines`` that have them."""
    same = sa.and_(*(rare.c[name] == valued.c[name] for name in ORDER))
    machines = sa.func.unnest(kinds.c.machines).table_valued(sa.column("machine", sa.Text))
    each = machines.render_derived("each_machine")
    return (
        sa.select(*rare.c, sa.func.array_agg(each.c.machine).label("machines"))
        .select_from(
            rare.join(valued, same)
            .join(kinds, kinds.c.number == valued.c.number)
            .join(each, sa.true())
        )
        .group_by(*rare.c)
    )
