"""
Which kinds of parts fail more often than others: by model and firmware, from the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.document import IDENTITY_FIELDS
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.schema import OF_REVISION, asset, asset_facts, change, part, placement, revision

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
    that only moved has not failed. The changes are found by the index on the times
    of revisions.
    """
    with database.autocommit() as link:
        bad: dict[tuple[Any, ...], Row] = {}
        for name, statement in (("gone", _gone(since)), ("failing", _failing())):
            for row in link.execute(statement):
                kind = (row.section, row.model, row.firmware_version)
                bad.setdefault(kind, {"gone": 0, "failing": 0})[name] += row.count
        kinds = [kind for kind, one in bad.items() if one["gone"] + one["failing"] >= FEWEST]
        used = {
            (row["section"], row["model"], row["firmware_version"]): row
            for row in (rows(link.execute(_in_use(database, kinds, filters))) if kinds else [])
        }
    found = []
    for kind in kinds:
        here = used.get(kind, {"in_use": 0, "assets": 0, "machines": []})
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
                "machines": sorted(here["machines"])[:NAMED],
            }
        )
    found.sort(key=lambda row: (-row["share_percent"], row["section"], row["model"] or ""))
    return found


def _gone(since: datetime) -> sa.Select[Any]:
    """Count the parts that left a machine and are in none now."""
    paths = {".".join(SOURCES[name].path): name for name in SECTIONS}
    section = sa.case(paths, value=change.c.path)
    number = sa.func.coalesce(*(change.c.old[name].astext for name in IDENTITY_FIELDS))
    is_placed = (
        sa.select(placement.c.serial)
        .where(placement.c.serial == number, placement.c.until.is_(None))
        .exists()
    )
    kind = [
        section.label("section"),
        _model(section, change.c.old).label("model"),
        change.c.old["firmware_version"].astext.label("firmware_version"),
    ]
    return (
        sa.select(*kind, sa.func.count(number.distinct()).label("count"))
        .join(revision, OF_REVISION)
        .where(
            revision.c.recorded_at >= since,
            change.c.op.in_(("removed", "replaced")),
            change.c.path.in_(paths),
            change.c.component.is_not(None),
            change.c.field.is_(None),
            ~is_placed,
        )
        .group_by(*(sa.text(str(place)) for place in (1, 2, 3)))
    )


def _failing() -> sa.Select[Any]:
    """Count the disks that say of themselves that they fail, by model and firmware."""
    smart = asset_facts.alias("smart")
    ill = (
        sa.func.jsonb_path_query(smart.c.facts, sa.text("'$[*] ? (@.passed == false)'"))
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("ill")
    )
    disks = asset_facts.alias("disks")
    disk = (
        sa.func.jsonb_path_query(disks.c.facts, sa.text("'$[*]'"))
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("disk")
    )
    kind = [
        sa.literal("disks", sa.Text).label("section"),
        disk.c.item["model"].astext.label("model"),
        disk.c.item["firmware_version"].astext.label("firmware_version"),
    ]
    return (
        sa.select(*kind, sa.func.count().label("count"))
        .select_from(
            smart.join(ill, sa.true())
            .join(
                disks,
                sa.and_(disks.c.asset_id == smart.c.asset_id, disks.c.section == "disks"),
            )
            .join(
                disk,
                disk.c.item["serial_number"].astext == ill.c.item["serial_number"].astext,
            )
        )
        .where(smart.c.section == "smart")
        .group_by(*(sa.text(str(place)) for place in (1, 2, 3)))
    )


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
    statement = (
        sa.select(
            *columns,
            sa.func.sum(part.c.count).label("in_use"),
            sa.func.count(part.c.asset_id.distinct()).label("assets"),
            sa.func.array_agg(asset.c.minion_id)
            .filter(asset.c.minion_id.is_not(None))
            .label("machines"),
        )
        .join(asset, asset.c.id == part.c.asset_id)
        .where(wanted)
        .group_by(*columns)
    )
    if filters:
        ids = matching_ids(database, filters)
        statement = statement.where(part.c.asset_id.in_(ids))
    return statement
