"""
Which kinds of parts fail more often than others: by model, firmware and when they came.

Parts with a number of their own are followed from machine to machine. When one of them has failed,
and for how long it was in use, ``failures.py`` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timezone
from functools import partial
from math import inf
from typing import Any

import sqlalchemy as sa

from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.distribution import is_citus
from salt_ext.store.failures import failing, gone, lasted, stays, years_of
from salt_ext.store.hidden import Hidden
from salt_ext.store.intervals import Interval, times
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.listing import hides_part
from salt_ext.store.schema import asset, placement

SECTIONS = ("disks", "memory", "gpus", "power_supplies")
"""The sections whose parts are counted: those that people replace."""

PATHS = {".".join(SOURCES[name].path): name for name in SECTIONS}
PLACES = {name: path for path, name in PATHS.items()}

FEWEST = 2
"""A kind is returned when at least so many of its parts have failed."""

NAMED = 5

KIND = ("section", "model", "firmware_version", "quarter")

NO_TIMES = Interval(0.0, 0.0, inf)


def failing_batches(
    database: Database, since: datetime, *, filters: Mapping[str, Any] | None = None
) -> list[Row]:
    """
    Return the kinds of parts of which several fail or were taken out, the surest first.

    A kind is a ``section``, ``model``, ``firmware_version`` and the ``quarter`` in which the
    store has seen the part first. Each has ``failing``, how many disks began since to say that
    they fail; ``gone``, how many parts were removed or replaced since and are in no machine now;
    ``in_use``, how many there are; ``years``, for how long all of them together were in use since
    then; ``times``, how many times as often they fail in a year as all others of the section,
    with its interval of 95 % from ``times_low`` to ``times_high`` (None: without end);
    ``assets``, how many machines have such parts, and some of their names as ``machines``.

    Filters choose the kinds by the machines that have them; how often these fail is that of the
    fleet.
    """
    hidden = database.hidden
    if "smart" in hidden.unjudged:
        raise hidden.refusal("smart")
    with database.autocommit() as link:
        quarters = _quarters(link)
        say_so, taken_out = _failing(link, since, quarters), _gone(link, since, quarters)
        failed = say_so + taken_out
        kinds = [
            kind
            for kind, number in failed.items()
            if number >= FEWEST and not _is_hidden(hidden, kind[0])
        ]
        if not kinds:
            return []
        used = {
            tuple(row[name] for name in KIND): row
            for row in rows(link.execute(_exposure(since, quarters, _paths(kinds))))
        }
        here = _here(link, database, quarters, kinds, filters)
    all_failed, all_years = Counter[str](), Counter[str]()
    for kind, number in failed.items():
        all_failed[kind[0]] += number
    for kind, row in used.items():
        all_years[kind[0]] += row["years"]
    found = []
    for kind in kinds:
        if filters and kind not in here:
            continue
        about = used.get(kind, {"years": 0.0, "in_use": 0})
        others = all_failed[kind[0]] - failed[kind], all_years[kind[0]] - about["years"]
        rate = times(failed[kind], about["years"], *others) or NO_TIMES
        found.append(
            {
                **dict(zip(KIND, kind, strict=True)),
                "quarter": _quarter(quarters[max(kind[-1] - 1, 0)]),
                **{"failing": say_so[kind], "gone": taken_out[kind], "in_use": about["in_use"]},
                "years": round(about["years"], 1),
                "times": _rounded(rate.best),
                "times_low": _rounded(rate.low),
                "times_high": _rounded(rate.high),
                **here.get(kind, {"assets": 0, "machines": []}),
                "low": rate.low,
            }
        )
    found.sort(key=lambda row: (-row.pop("low"), *(row[name] or "" for name in KIND)))
    return found


def _quarter(began: datetime) -> str:
    return f"{began.year} Q{began.month // 3 + 1}"


def _rounded(value: float) -> float | None:
    return None if value == inf else round(value, 2 if value < 10 else 0)


def _is_hidden(hidden: Hidden, section: str) -> bool:
    """Whether the kinds of a section's parts tell something that is hidden."""
    return any(hides_part(hidden, f"{section}.{one}") for one in ("model", "firmware_version"))


def _quarters(link: sa.Connection) -> list[datetime]:
    """Return when each quarter began since the store has seen its first machine."""
    first: datetime | None = link.scalar(sa.select(sa.func.min(asset.c.first_seen)))
    now = time_of(link)
    first = min(first or now, now)
    return [
        datetime(year, month, 1, tzinfo=timezone.utc)
        for year in range(first.year, now.year + 1)
        for month in (1, 4, 7, 10)
    ]


def _kind(quarters: list[datetime], first_at: sa.ColumnElement[Any]) -> list[sa.ColumnElement[Any]]:
    """Return the columns of a kind for the rows of ``placement``; the quarter is its number."""
    began = sa.cast(quarters, sa.ARRAY(placement.c.since.type))
    return [
        sa.case(PATHS, value=placement.c.path).label("section"),
        placement.c.model,
        placement.c.firmware_version,
        sa.func.width_bucket(first_at, began).label("quarter"),
    ]


def _first_at() -> sa.ScalarSelect[Any]:
    """Return when the store has seen a part first, for few rows of ``placement``."""
    earlier = placement.alias("earlier")
    return (
        sa.select(sa.func.min(earlier.c.since))
        .where(earlier.c.serial == placement.c.serial, earlier.c.path == placement.c.path)
        .correlate(placement)
        .scalar_subquery()
    )


def _paths(kinds: list[tuple[Any, ...]]) -> list[str]:
    """Return where the parts of the sections stand that some kinds are of."""
    return sorted({PLACES[section] for section, *_ in kinds})


def _over(paths: Collection[str]) -> sa.Subquery:
    """
    Return when the store has seen each part first that was elsewhere before.

    Such a part has left a stay behind that is over, and of these there are few.
    """
    before = placement.alias("before")
    return (
        sa.select(before.c.serial, before.c.path, sa.func.min(before.c.since).label("first_at"))
        .where(before.c.path.in_(paths), before.c.until.is_not(None))
        .group_by(before.c.serial, before.c.path)
        .subquery("over")
    )


def _of_many(
    quarters: list[datetime], paths: Collection[str], find: Callable[..., sa.Select[Any]]
) -> sa.Select[Any]:
    """
    Return what finds many stays of the parts at some paths, by their kinds.

    The parts that were elsewhere before, of which there are few, are joined.
    """
    over = _over(paths)
    return (
        find(*_kind(quarters, sa.func.least(placement.c.since, over.c.first_at)))
        .outerjoin(over, (over.c.serial == placement.c.serial) & (over.c.path == placement.c.path))
        .where(placement.c.path.in_(paths))
    )


def _of_few(
    link: sa.Connection, quarters: list[datetime], find: Callable[..., sa.Select[Any]]
) -> sa.Select[Any]:
    """
    Return what finds few stays, by their kinds.

    When the store has seen a part first is looked up for each of them, in an index. On Citus the
    other stays of a part are in other shards.
    """
    if is_citus(link):
        return _of_many(quarters, PATHS, find)
    return find(*_kind(quarters, _first_at()))


def _exposure(since: datetime, quarters: list[datetime], paths: list[str]) -> sa.Select[Any]:
    """
    Count what there is of each kind, and for how many years it was in use since a moment.

    This reads all stays of the parts at some paths, so it is kept plain.
    """
    about = lasted(since).label("lasted"), placement.c.until.is_(None).label("is_there")
    stay = (
        _of_many(quarters, paths, lambda *kind: stays(*kind, *about))
        # OFFSET 0 keeps it a table of its own: of kinds from two tables PostgreSQL expects as many
        # as there are stays, and sorts all of them instead of counting in memory.
        .offset(0)
        .subquery("stay")
    )
    kind = [stay.c[name] for name in KIND]
    return sa.select(
        *kind,
        years_of(stay.c.lasted).label("years"),
        sa.func.count().filter(stay.c.is_there).label("in_use"),
    ).group_by(*kind)


def _gone(
    link: sa.Connection, since: datetime, quarters: list[datetime]
) -> Counter[tuple[Any, ...]]:
    """Count the parts that left a machine and are in none now."""
    left = link.execute(_of_few(link, quarters, partial(gone, link, PATHS, since=since)))
    return Counter(tuple(row[: len(KIND)]) for row in left)


def _failing(
    link: sa.Connection, since: datetime, quarters: list[datetime]
) -> Counter[tuple[Any, ...]]:
    """Count the disks that began to say that they fail."""
    say_so = link.execute(_of_few(link, quarters, partial(failing, link, ("disks",), since=since)))
    return Counter(tuple(row[: len(KIND)]) for row in say_so)


def _is(column: sa.ColumnElement[Any], value: Any) -> sa.ColumnElement[bool]:
    return column.is_(None) if value is None else column == value


def _here(
    link: sa.Connection,
    database: Database,
    quarters: list[datetime],
    kinds: list[tuple[Any, ...]],
    filters: Mapping[str, Any] | None,
) -> dict[tuple[Any, ...], Row]:
    """Return how many machines have parts of each kind now, and some of their names."""
    same = (placement.c.path, placement.c.model, placement.c.firmware_version)
    # Only the parts of these models and firmwares are counted by when they came.
    fits = sa.or_(
        *(
            sa.and_(*map(_is, same, (PLACES[section], *others)))
            for section, *others in dict.fromkeys(kind[:-1] for kind in kinds)
        )
    )
    present = _of_many(
        quarters, _paths(kinds), lambda *kind: stays(*kind, placement.c.asset_id)
    ).where(placement.c.until.is_(None), fits)
    if filters:
        present = present.where(placement.c.asset_id.in_(matching_ids(database, filters)))
    stay = present.subquery("stay")
    columns = [stay.c[name] for name in KIND]
    assets = sa.func.array_agg(stay.c.asset_id.distinct())
    found = link.execute(
        sa.select(
            *columns, sa.func.cardinality(assets).label("assets"), assets[1:NAMED].label("some")
        ).group_by(*columns)
    ).all()
    some = {one for row in found for one in row.some}
    named = sa.select(asset.c.id, asset.c.minion_id).where(asset.c.id.in_(some))
    names = {row.id: row.minion_id for row in link.execute(named)} if some else {}
    return {
        tuple(row[: len(KIND)]): {
            "assets": row.assets,
            "machines": sorted(name for one in row.some if (name := names[one])),
        }
        for row in found
    }
