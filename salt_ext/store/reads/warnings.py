"""
How often warnings of parts came true: the store's own precision.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database, Row
from salt_ext.store.failures import gone
from salt_ext.store.intervals import share
from salt_ext.store.schema import asset, asset_seen, placement, warning

DAYS = 30
"""A warning came true when its part was replaced or gone within so many days."""

ALL = "any warning before"
"""The row about the disks that went, and not about a rule."""


def warnings(database: Database) -> list[Row]:
    """
    Return how many parts that each rule warned of were replaced or gone within 30 days.

    Each row has the ``rule``; ``warned``, how many parts it warned of more than 30 days ago;
    ``came_true``, how many of these were replaced or gone in time; and what ``percent`` that is,
    with its interval of 95 % from ``low`` to ``high``. A part that a rule warned of several times
    counts with the first time. Parts that moved to another machine, or whose machine is retired
    or detached, do not count. The last row is about all disks that were replaced or gone since
    warnings are kept: how many of these any rule had warned of before.
    """
    hidden = database.hidden
    with database.autocommit() as link:
        found = [
            _row(row.rule, row.warned, row.came_true)
            for row in link.execute(_by_rule(hidden.unjudged))
        ]
        first = link.scalar(sa.select(sa.func.min(warning.c.since)))
        if first is not None and not hidden.unjudged:
            known = (
                sa.select(warning.c.serial)
                .where(
                    warning.c.serial == placement.c.serial,
                    warning.c.since <= placement.c.until,
                )
                .exists()
            )
            left = gone(link, ("disks",), known.label("is_known"), since=first).subquery("left")
            counted = sa.select(
                sa.func.count(), sa.func.count().filter(left.c.is_known)
            ).select_from(left)
            number, told = link.execute(counted).one()
            found += [_row(ALL, number, told)] if number else []
    return found


def _row(rule: str, warned: int, came_true: int) -> Row:
    interval = share(came_true, warned)
    return {
        **{"rule": rule, "warned": warned, "came_true": came_true},
        "percent": round(100 * interval.best),
        "low": round(100 * interval.low),
        "high": round(100 * interval.high),
    }


def _by_rule(unjudged: frozenset[str]) -> sa.Select[Any]:
    """Count the parts that each rule warned of long enough ago, and those that went in time."""
    within = timedelta(days=DAYS)
    left_at = sa.func.min(warning.c.until).filter(warning.c.outcome.in_(("replaced", "gone")))
    since = sa.func.min(warning.c.since)
    other_at = sa.func.min(warning.c.until).filter(warning.c.outcome.in_(("moved", "retired")))
    part = (
        sa.select(
            warning.c.rule,
            (left_at <= since + within).label("has_come_true"),
        )
        .join(asset, asset.c.id == warning.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == warning.c.asset_id)
        .where(
            asset.c.lifecycle != "retired",
            asset_seen.c.detached_at.is_(None),
            warning.c.section.not_in(sorted(unjudged)),
        )
        .group_by(warning.c.asset_id, warning.c.rule, warning.c.part)
        .having(
            since <= sa.func.now() - within,
            sa.func.coalesce(other_at > since + within, sa.true()),
        )
        .subquery("part")
    )
    return (
        sa.select(
            part.c.rule,
            sa.func.count().label("warned"),
            sa.func.count().filter(part.c.has_come_true).label("came_true"),
        )
        .group_by(part.c.rule)
        .order_by(part.c.rule)
    )
