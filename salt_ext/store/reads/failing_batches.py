"""
Which kinds of parts fail more often than others: by model and firmware, from the history.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from salt_ext.document.keys import numbers
from salt_ext.document.names import NUMBERS
from salt_ext.store.columns import text_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.faults import FAILS
from salt_ext.store.hidden import Hidden
from salt_ext.store.parts import SOURCES, items_of
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.listing import hides_part
from salt_ext.store.schema import (
    asset,
    asset_facts,
    change,
    finds,
    part,
    placement,
)

SECTIONS = ("disks", "memory", "gpus", "power_supplies")
"""The sections whose parts are counted: those that people replace."""

FEWEST = 2
"""A kind is returned when at least so many of its parts have failed."""

NAMED = 5


def failing_batches(
    database: Database, since: datetime, *, filters: Mapping[str, Any] | None = None
) -> list[Row]:
    """
    Return the kinds of parts of which several fail or were taken out, the worst share first.

    Each has ``section``, ``model``, ``firmware_version``; ``failing``, how many
    disks say now that they fail; ``gone``, how many parts were removed or replaced
    since and are in no machine now; ``in_use``, how many there are;
    ``share_percent``, the failed ones among those in use and gone; ``assets``, how
    many machines have such parts, and some of their names as ``machines``. A part
    that only moved has not failed. The changes are found by the index on their classes,
    the disks that fail by the index of faults.
    """
    hidden = database.hidden
    if "smart" in hidden.unjudged:
        raise hidden.refusal("smart")
    with database.autocommit() as link:
        bad: dict[tuple[Any, ...], Row] = {}
        gone = {tuple(kind): count for *kind, count in link.execute(_gone(since))}
        for name, counted in (("gone", gone), ("failing", _failing(link))):
            for kind, count in counted.items():
                bad.setdefault(kind, {"gone": 0, "failing": 0})[name] += count
        kinds = [
            kind
            for kind, one in bad.items()
            if one["gone"] + one["failing"] >= FEWEST and not _is_hidden(hidden, kind[0])
        ]
        used = {
            (row["section"], row["model"], row["firmware_version"]): row
            for row in (rows(link.execute(_in_use(database, kinds, filters))) if kinds else [])
        }
        some = {one for row in used.values() for one in row["some"]}
        named = sa.select(asset.c.id, asset.c.minion_id).where(asset.c.id.in_(some))
        names = {row.id: row.minion_id for row in link.execute(named)} if some else {}
    found = []
    for kind in kinds:
        here = used.get(kind, {"in_use": 0, "assets": 0, "some": []})
        if filters and not here["assets"]:
            continue
        failed = bad[kind]["gone"] + bad[kind]["failing"]
        # Of a merged asset the disks are known still, and are no parts in use.
        known = max(int(here["in_use"]) + bad[kind]["gone"], failed)
        found.append(
            {
                **dict(zip(("section", "model", "firmware_version"), kind, strict=True)),
                **bad[kind],
                "in_use": int(here["in_use"]),
                "assets": here["assets"],
                "share_percent": round(100 * failed / known, 2),
                "machines": sorted(name for one in here["some"] if (name := names[one])),
            }
        )
    found.sort(key=lambda row: (-row["share_percent"], row["section"], row["model"] or ""))
    return found


def _is_hidden(hidden: Hidden, section: str) -> bool:
    """Whether the kinds of a section's parts tell something that is hidden."""
    return any(hides_part(hidden, f"{section}.{one}") for one in ("model", "firmware_version"))


def _gone(since: datetime) -> sa.Select[Any]:
    """Count the parts with a number of their own that left a machine and are in none now."""
    paths = {".".join(SOURCES[name].path): name for name in SECTIONS}
    section = sa.case(paths, value=change.c.path)
    # An array, because PostgreSQL looks up only those of its elements that are not null.
    shown = postgresql.array([change.c.old[name].astext for name in NUMBERS])
    elsewhere = placement.alias("elsewhere")
    is_placed = (
        sa.select(elsewhere.c.serial)
        .where(elsewhere.c.serial == placement.c.serial, elsewhere.c.until.is_(None))
        .exists()
    )
    kind = [
        section.label("section"),
        _model(section, change.c.old).label("model"),
        change.c.old["firmware_version"].astext.label("firmware_version"),
    ]
    return (
        sa.select(*kind, sa.func.count(placement.c.serial.distinct()).label("count"))
        .join(
            placement,
            sa.and_(
                placement.c.serial == sa.any_(shown),
                placement.c.asset_id == change.c.asset_id,
                placement.c.path == change.c.path,
                placement.c.until == change.c.recorded_at,
            ),
        )
        .where(
            change.c["class"].in_(("loss", "replaced")),
            change.c.recorded_at >= since,
            change.c.op.in_(("removed", "replaced")),
            change.c.path.in_(paths),
            change.c.component.is_not(None),
            change.c.field.is_(None),
            ~is_placed,
        )
        .group_by(*(sa.text(str(place)) for place in (1, 2, 3)))
    )


def _failing(link: sa.Connection) -> Counter[tuple[Any, ...]]:
    """Count the disks that say of themselves that they fail, by model and firmware."""
    smart, known = asset_facts, asset_facts.alias("known")
    ill = (
        sa.func.jsonb_path_query(smart.c.facts, sa.text("'$[*] ? (@.passed == false)'"))
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("ill")
    )
    found = link.execute(
        sa.select(ill.c.item, known.c.facts)
        .select_from(
            smart.join(ill, sa.true()).join(
                known, sa.and_(known.c.asset_id == smart.c.asset_id, known.c.section == "disks")
            )
        )
        .where(finds(FAILS))
    )
    counted: Counter[tuple[Any, ...]] = Counter()
    for item, facts in found:
        if disk := _disk_of(item, items_of({"disks": facts}, ("disks",))):
            counted["disks", text_of(disk.get("model")), text_of(disk.get("firmware_version"))] += 1
    return counted


def _disk_of(item: Row, disks: list[Row]) -> Row | None:
    """Return the disk that a part of the section ``smart`` is about, by its number or its name."""
    serial, name = item.get("serial_number"), item.get("name")
    for disk, own in zip(disks, numbers(disks), strict=True):
        if own is not None and own == serial:
            return disk
    return next((disk for disk in disks if disk.get("name") == name), None)


def _model(section: sa.ColumnElement[Any], item: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Return the model of a part as the table of parts has it."""
    return sa.case(
        {
            name: sa.func.coalesce(*(item[field].astext for field in SOURCES[name].model))
            if len(SOURCES[name].model) > 1
            else item[SOURCES[name].model[0]].astext
            for name in SECTIONS
        },
        value=section,
    )


def _in_use(
    database: Database, kinds: list[tuple[Any, ...]], filters: Mapping[str, Any] | None
) -> sa.Select[Any]:
    """Count what there is of each kind: by the index on section, model and firmware."""
    columns = [part.c.section, part.c.model, part.c.firmware_version]
    wanted = sa.or_(
        *(
            sa.and_(
                *(
                    column.is_(None) if value is None else column == value
                    for column, value in zip(columns, kind, strict=True)
                )
            )
            for kind in kinds
        )
    )
    assets = sa.func.array_agg(part.c.asset_id.distinct())
    statement = (
        sa.select(
            *columns,
            sa.func.sum(part.c.count).label("in_use"),
            sa.func.cardinality(assets).label("assets"),
            assets[1:NAMED].label("some"),
        )
        .where(wanted)
        .group_by(*columns)
    )
    if filters:
        ids = matching_ids(database, filters)
        statement = statement.where(part.c.asset_id.in_(ids))
    return statement
