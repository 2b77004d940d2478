"""
Values that few machines of a group have, while most have another: found by counting alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.hidden import Hidden
from salt_ext.store.reads.filters import matching, names
from salt_ext.store.reads.listing import hides_part, joined, listing
from salt_ext.store.schema import asset, asset_facts, part

USUAL = 0.5
"""The share of a group that makes a value usual; in a group without a usual value none is odd."""

NAMED = 5
"""How many of the machines are named."""

COLUMNS = ("os", "kernel_release", "processor_model", "memory_bytes", "disk_count")
KIND = ("model", "firmware_version")
PARTS = ("disks", "memory", "network", "gpus", "power_supplies")
PATHS = (
    ("firmware", "version"),
    ("firmware", "mode"),
    ("firmware", "secure_boot"),
    ("bmc", "firmware_version"),
)


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
    model makes it odd. Three statements read each asset of the filters once:
    ``asset`` itself, ``part`` by its index on section and model, ``asset_facts``
    by its key.
    """
    source = listing(database, None)
    groups = [sa.cast(source.field(name), sa.Text) for name in names(group_by)]
    if not groups:
        raise FilterError("which group? give group_by=product_name or the like")
    if not 0 < threshold < USUAL:
        raise FilterError(f"threshold is a share between 0 and {USUAL}, not {threshold}")
    # PostgreSQL knows how many values a column has, and then counts in memory; it does not
    # know that of an expression.
    group = groups[0] if len(groups) == 1 else sa.func.concat_ws(", ", *groups)
    columns = [asset.c.id, asset.c.minion_id, group.label("group")]
    shown = [name for name in COLUMNS if name not in source.hidden.columns]
    columns += [asset.c[name] for name in shown]
    found = joined(sa.select(*columns), source, matching(source, filters or {}, ""))
    members = found.where(asset.c.minion_id.is_not(None), group != "").subquery("members")
    rare: list[Row] = []
    with database.autocommit() as link:
        for held in _kinds_of_values(members, shown, source.hidden):
            rare += rows(link.execute(_minorities(held.cte("held"), threshold)))
    rare.sort(key=lambda row: (row["assets"] / row["of"], row["group"], row["field"], row["value"]))
    return [
        {**row, "assets": int(row["assets"]), "of": int(row["of"])}
        | {"machines": sorted(row["machines"])[:NAMED]}
        for row in rare
    ]


def _kinds_of_values(
    members: sa.Subquery, columns: Sequence[str], hidden: Hidden
) -> Iterator[sa.SelectBase]:
    """Yield the statements that count the values of columns, of parts, and at paths."""
    parts = [name for name in PARTS if not any(hides_part(hidden, f"{name}.{one}") for one in KIND)]
    paths = [path for path in PATHS if not hidden.path(".".join(path))]
    if columns:
        yield _columns(members, columns)
    if parts:
        yield _held(members, _parts(parts))
    if paths:
        yield _held(members, _paths(paths))


def _columns(members: sa.Subquery, names: Sequence[str]) -> sa.CompoundSelect[Any]:
    """Count the values of each column by itself."""
    return sa.union_all(
        *(
            sa.select(
                members.c.group,
                sa.literal(name, sa.Text).label("field"),
                sa.cast(members.c[name], sa.Text).label("value"),
                *_counted(members),
            )
            .where(members.c[name].is_not(None))
            .group_by(members.c.group, members.c[name])
            for name in names
        )
    )


def _held(members: sa.Subquery, values: sa.Subquery) -> sa.Select[Any]:
    """Count values from elsewhere, which have the columns ``asset_id``, ``field`` and ``value``."""
    return (
        sa.select(members.c.group, values.c.field, values.c.value, *_counted(members))
        .join(values, values.c.asset_id == members.c.id)
        .where(values.c.value.is_not(None))
        .group_by(members.c.group, values.c.field, values.c.value)
    )


def _counted(members: sa.Subquery) -> list[sa.ColumnElement[Any]]:
    return [
        sa.func.count().label("assets"),
        sa.func.array_agg(members.c.minion_id).label("machines"),
    ]


def _minorities(held: sa.CTE, threshold: float) -> sa.Select[Any]:
    here = [held.c.group, held.c.field]
    ranked = sa.select(
        held,
        sa.func.sum(held.c.assets).over(partition_by=here).label("of"),
        sa.func.max(held.c.assets).over(partition_by=here).label("most"),
        sa.func.first_value(held.c.value)
        .over(partition_by=here, order_by=[held.c.assets.desc(), held.c.value])
        .label("usual"),
    ).subquery("ranked")
    return sa.select(*(one for one in ranked.c if one.name != "most")).where(
        ranked.c.assets <= ranked.c.of * threshold, ranked.c.most >= ranked.c.of * USUAL
    )


def _parts(sections: Sequence[str]) -> sa.Subquery:
    kind = sa.func.concat_ws(" ", part.c.model, part.c.firmware_version)
    kinds = sa.func.string_agg(sa.distinct(kind), sa.literal(", "))
    return (
        sa.select(part.c.asset_id, part.c.section.label("field"), kinds.label("value"))
        .where(part.c.section.in_(sections), part.c.model.is_not(None))
        .group_by(part.c.asset_id, part.c.section)
        .subquery("values")
    )


def _paths(paths: Sequence[tuple[str, str]]) -> sa.Subquery:
    each = sa.values(
        sa.column("section", sa.Text),
        sa.column("name", sa.Text),
        name="each",
    ).data(list(paths))
    return (
        sa.select(
            asset_facts.c.asset_id,
            sa.func.concat_ws(".", each.c.section, each.c.name).label("field"),
            asset_facts.c.facts.op("->>")(each.c.name).label("value"),
        )
        .join(each, each.c.section == asset_facts.c.section)
        .where(asset_facts.c.section.in_({section for section, _ in paths}))
        .subquery("values")
    )
