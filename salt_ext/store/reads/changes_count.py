"""
How many changes there are: of each class, and on each day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.document.hardware import HARDWARE
from salt_ext.store.database import Database
from salt_ext.store.reads import seen
from salt_ext.store.reads.history import (
    ALL,
    IS_OF,
    SECTION,
    Wanted,
    assets_of,
    of_each_class,
    others,
    span,
)
from salt_ext.store.schema import Moment, change


class Count(NamedTuple):
    """How many changes of a class there are; ``is_exact`` False: there may be more."""

    number: int
    is_exact: bool = True


def count_changes(database: Database, wanted: Wanted = ALL) -> int:
    """Return how many changes there are; all of them are read."""
    return sum(one.number for one in count_classes(database, wanted).values())


def count_classes(
    database: Database, wanted: Wanted = ALL, most: int | None = None
) -> dict[str, Count]:
    """
    Return how many changes of each class there are.

    With ``most`` only so many of the newest of each class are looked at, whatever else is
    asked of them, so that it takes the same time for any span.
    """
    with database.autocommit() as link:
        assets = assets_of(link, database, wanted)
        asked = others(database, wanted, assets)
        if assets.ids is not None:
            return _of_few(link, [*span(wanted), *asked])
        fits = sa.and_(sa.true(), *asked).label("fits")
        looking = sa.select(IS_OF.label("name"), fits).where(*span(wanted))
        if most is not None:
            # One more shows that there are more.
            looking = looking.order_by(change.c.recorded_at.desc()).limit(most + 1)
        seen = of_each_class(link, wanted, lambda one: looking.where(one == IS_OF)).subquery()
        number = sa.func.count()
        counted = sa.select(seen.c.name, number.filter(seen.c.fits), number).group_by(seen.c.name)
        return {
            name: Count(fit if most is None else min(fit, most), most is None or looked_at <= most)
            for name, fit, looked_at in link.execute(counted)
            if fit
        }


def _of_few(link: sa.Connection, here: list[sa.ColumnElement[bool]]) -> dict[str, Count]:
    name = change.c["class"]
    found = link.execute(sa.select(name, sa.func.count()).where(*here).group_by(name))
    return {one: Count(number) for one, number in found}


LOSABLE = (*HARDWARE, "raid")
"""The sections in which hardware may be lost: see :mod:`salt_ext.document.classes`."""


def count_losses(database: Database, since: datetime) -> dict[str, int]:
    """Return how many losses of hardware there are in each section since a moment."""
    here = (change.c["class"] == "loss", change.c.recorded_at >= since)
    statement = sa.select(SECTION, sa.func.count()).where(*here, *seen.changes(database.hidden))
    with database.autocommit() as link:
        return {row[0]: row[1] for row in link.execute(statement.group_by(SECTION))}


def count_days(database: Database, starts: Sequence[datetime]) -> list[dict[str, int]]:
    """Return how many changes of each class there are on each day; given are their beginnings."""
    moments = sa.cast(list(starts), ARRAY(Moment))
    day = sa.func.width_bucket(change.c.recorded_at, moments)
    days = (
        sa.select(IS_OF, day, sa.func.count())
        .where(change.c.recorded_at >= starts[0], *seen.changes(database.hidden))
        .group_by(IS_OF, day)
    )
    found: list[dict[str, int]] = [{} for _ in starts]
    with database.autocommit() as link:
        counted = link.execute(of_each_class(link, ALL, lambda one: days.where(one == IS_OF)))
        for of, number_of_day, number in counted:
            found[number_of_day - 1][of] = number
    return found
