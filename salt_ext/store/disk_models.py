"""
How often the disks of each model fail here, counted once an hour by ``cmdb.maintain``.

When a disk has failed, and for how long it was in use, ``failures.py`` says.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.store.distribution import is_citus
from salt_ext.store.failures import Numbered, done_first, failing, gone, stays, years
from salt_ext.store.prediction import Rate, yearly_rate
from salt_ext.store.schema import disk_model, placement

PATHS = ("disks", "raid.members")
"""Where disks stand in a document; those behind a controller may stand in the second only."""


class Rates(NamedTuple):
    """Which share of disks fails in a year."""

    of_fleet: float
    of_disks: dict[Numbered, Rate]
    """Of the model of each disk; those of which the model is not known are missing."""


NO_RATES = Rates(0.0, {})


def count_models(link: sa.Connection) -> int:
    """Count anew how often the disks of each model failed; return how many models there are."""
    link.execute(sa.delete(disk_model))
    listed: sa.FromClause = placement.alias("listed")
    is_of_list = listed.c.path == PATHS[0]
    if is_citus(link):
        # The two places of a disk may be in two shards, so the few that have two are read first.
        behind = sa.select(placement.c.serial).where(placement.c.path != PATHS[0])
        behind = sa.select(done_first(behind.where(placement.c.path.in_(PATHS)).cte("behind")))
        both = sa.select(listed.c.serial).where(is_of_list, listed.c.serial.in_(behind))
        listed, is_of_list = done_first(both.cte("listed")), sa.true()
    is_listed = (
        sa.select(listed.c.serial).where(listed.c.serial == placement.c.serial, is_of_list).exists()
    )
    # A disk that stands in both places was there once.
    is_once = (placement.c.path == PATHS[0]) | ~is_listed
    used = (
        stays(placement.c.model, years().label("years"))
        .where(placement.c.path.in_(PATHS), placement.c.model.is_not(None), is_once)
        .group_by(placement.c.model)
        .cte("used")
    )
    columns = (placement.c.model, placement.c.path)
    failed = sa.union(gone(link, PATHS, *columns), failing(link, PATHS, *columns)).subquery("all")
    # A disk of both places once, too: it may be called by two models there.
    first = sa.func.array_agg(aggregate_order_by(failed.c.model, failed.c.path))
    failed = sa.select(first[1].label("model")).group_by(failed.c.serial).subquery("failed")
    number = (
        sa.select(sa.func.count())
        .where(failed.c.model == used.c.model)
        .correlate(used)
        .scalar_subquery()
    )
    return link.execute(
        sa.insert(disk_model).from_select(
            ["model", "years", "failed"], sa.select(used.c.model, used.c.years, number)
        )
    ).rowcount


def rates(link: sa.Connection, disks: Collection[Numbered]) -> Rates:
    """Return how often the models of some disks fail; nothing as long as no disk has failed."""
    asked = (
        sa.func.unnest(
            sa.cast([asset_id for asset_id, _ in disks], sa.ARRAY(sa.UUID)),
            sa.cast([serial for _, serial in disks], sa.ARRAY(sa.Text)),
        )
        .table_valued("asset_id", "serial")
        .render_derived("asked")
    )
    fleet = sa.select(
        sa.func.sum(disk_model.c.failed).label("failed"),
        sa.func.sum(disk_model.c.years).label("years"),
    ).subquery("fleet")
    found = link.execute(
        sa.select(
            *(placement.c.asset_id, placement.c.serial, disk_model.c.failed, disk_model.c.years),
            *(fleet.c.failed.label("all_failed"), fleet.c.years.label("all_years")),
        )
        .select_from(fleet)
        .join(asked, sa.true())
        .join(
            placement,
            sa.and_(
                placement.c.serial == asked.c.serial,
                placement.c.asset_id == asked.c.asset_id,
                placement.c.path.in_(PATHS),
                placement.c.until.is_(None),
            ),
        )
        .join(disk_model, disk_model.c.model == placement.c.model)
        .where(fleet.c.failed > 0, fleet.c.years > 0)
        # Of a disk in both places the first one counts, as in count_models: it comes last.
        .order_by(placement.c.path.desc())
    ).all()
    if not found:
        return NO_RATES
    of_fleet = found[0].all_failed / found[0].all_years
    return Rates(
        of_fleet,
        {
            (row.asset_id, row.serial): Rate(
                yearly_rate(row.failed, row.years, of_fleet), row.years
            )
            for row in found
        },
    )
