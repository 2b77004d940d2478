"""
Who listens, and for how long an asset was silent while somebody did.

Silence is the time in which a report of a machine would have been stored. While no
engine runs, or none can store anything, nobody is silent. So the heartbeat of each
master is kept as intervals, and an age such as ``stale_after`` is turned into a
moment: since then exactly that much time was listened. An asset last seen before
that moment was silent for longer. This is the only place that knows; everything
that asks for silence compares ``last_seen`` with such a moment.

Only the clock of the store is used. As long as no master has ever been heard, all
the time counts: reports may come in without a master.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import cache, partial
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.database import Database
from salt_ext.store.schema import Moment, master

BRIDGE = timedelta(minutes=5)
"""A pause of this length between two heartbeats is no interruption: an engine was restarted."""

GONE = timedelta(days=30)
"""Of a master that was not heard for so long the machines are judged by the other masters."""

KEPT = timedelta(days=400)
"""At least so much listened time of each master is remembered."""


class Listener(NamedTuple):
    """A master that hands over reports: its number in the store, and whose key it has accepted."""

    number: int
    trusted: Callable[[Iterable[str]], Collection[str]]


BEAT = sa.text("""
UPDATE master
   SET started_at = CASE WHEN beat_at < now() - CAST(:bridge AS interval) OR version <> :version
                         THEN now() ELSE started_at END,
       version = :version, beat_at = now(), waiting = :waiting,
       waiting_since = :waiting_since, failure = :failure
 WHERE name = :name
RETURNING number
""")

REGISTER = sa.text("""
INSERT INTO master (name, version, started_at, beat_at, waiting, waiting_since, failure)
VALUES (:name, :version, now(), CASE WHEN :is_engine THEN now() END, :waiting, :waiting_since,
        :failure)
    ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING number
""")

EXTEND = sa.text("""
UPDATE listening SET until = greatest(until, now())
 WHERE master = :number
   AND since = (SELECT max(since) FROM listening WHERE master = :number AND since <= now())
   AND until >= now() - CAST(:bridge AS interval)
""")

BEGIN = sa.text("""
INSERT INTO listening (master, since, until) VALUES (:number, now(), now())
    ON CONFLICT DO NOTHING
""")

END_OF_BEFORE = sa.text("UPDATE listening SET until = now() WHERE master = 0 AND until > now()")

FORGET = sa.text("""
DELETE FROM listening USING (
       SELECT master, since, sum(until - since) OVER (
              PARTITION BY master ORDER BY since DESC
              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS listened_after
         FROM listening WHERE master <> 0) AS one
 WHERE listening.master = one.master AND listening.since = one.since
   AND one.listened_after > CAST(:kept AS interval)
""")


# Of each asset the pieces that were listened to since it was heard are added up. When it was heard
# is read first: on Citus that is in the shards, and what was listened to is not.
BECAME = f"""
WITH spans AS MATERIALIZED ({{spans}}),
seen AS MATERIALIZED (
SELECT i.asset_id, i.age, asset_seen.last_seen, asset_seen.master
  FROM unnest(CAST(:ids AS uuid[]), CAST(:ages AS interval[])) AS i(asset_id, age)
  JOIN asset_seen ON asset_seen.asset_id = i.asset_id)
SELECT seen.asset_id, coalesce(found.at, now()) AS at
  FROM seen
  LEFT JOIN master
    ON master.number = seen.master
   AND coalesce(master.beat_at, now()) >= now() - interval '{GONE.days} days'
 CROSS JOIN LATERAL (
       SELECT tstzrange(seen.last_seen, greatest(seen.last_seen, now())) AS since) AS silence
 CROSS JOIN LATERAL (
       SELECT min(upper(piece) - (listened - seen.age)) AS at
         FROM (SELECT piece, sum(upper(piece) - lower(piece)) OVER (ORDER BY piece) AS listened
                 FROM (SELECT span * silence.since AS piece FROM spans
                        WHERE number = coalesce(master.number, 0)
                          AND span && silence.since) AS pieces) AS counted
        WHERE listened >= seen.age) AS found
"""  # noqa: S608 - a constant of ours


def beat(
    database: Database,
    name: str,
    version: str,
    waiting: int = 0,
    waiting_since: datetime | None = None,
    failure: str | None = None,
    bridge: timedelta = BRIDGE,
    *,
    is_engine: bool = True,
) -> int:
    """
    Note that a master listens, and how it does; return its number.

    Only its engine has a heartbeat: a command that stores what waits has listened too,
    and is no sign that there is an engine.

    ``waiting`` is how many reports are due, ``waiting_since`` when the oldest of them
    came. With a ``failure``, the reason why nothing can be stored, the time since the
    last heartbeat does not count as listened. ``bridge`` is the longest pause that
    still does.
    """
    values = {"name": name, "version": version, "waiting": waiting, "bridge": bridge}
    values |= {"waiting_since": waiting_since, "failure": failure, "is_engine": is_engine}
    with database.begin() as link:
        number = link.scalar(BEAT, values) if is_engine else None
        if number is None:
            number = link.scalar(REGISTER, values)
        about = {"number": number, "bridge": bridge}
        if failure is None and not link.execute(EXTEND, about).rowcount:
            link.execute(END_OF_BEFORE)
            link.execute(BEGIN, about)
        return int(number or 0)


def number_of(database: Database, name: str) -> int | None:
    """Return the number of a master; None for one that was never heard."""
    with database.autocommit() as link:
        return link.scalar(sa.select(master.c.number).where(master.c.name == name))


def forget(link: sa.Connection, settings: Mapping[str, Any]) -> int:
    """Remove intervals that no age reaches back to; return how many."""
    ages = (settings[name] for name in ("stale_after", "missing_after", "rename_grace"))
    kept = max(KEPT, 2 * timedelta(seconds=max(ages)))
    return link.execute(FORGET, {"kept": kept}).rowcount


def became_silent(
    link: sa.Connection, ages_seconds: Mapping[uuid.UUID, int]
) -> dict[uuid.UUID, datetime]:
    """Return since when each of these assets has been silent for longer than its age."""
    about = {
        "ids": array(ages_seconds),
        "ages": array(timedelta(seconds=age) for age in ages_seconds.values()),
    }
    rows = link.execute(sa.text(BECAME.format(spans=spans("now()"))), about)
    return {row.asset_id: row.at for row in rows}


def moments(at: str, *ages: str) -> str:
    """
    Return SQL for one row: since when, at a moment, so much time was listened.

    ``at`` and ``ages`` are SQL for that moment and for intervals. For the first age
    ``moments0`` has the answers: its first element is of all masters together, element
    n + 1 of the master with number n. A master that has not listened for so long has
    ``-infinity``. ``latest0`` is the latest of these. The next age has ``moments1``.
    """
    numbered = [*enumerate(ages)]
    reached = ", ".join(
        f"max(lower(span) + (listened - {age})) FILTER (WHERE listened >= {age}) AS moment{n}"
        for n, age in numbered
    )
    found = ", ".join(
        f"array_agg(coalesce(moment{n}, '-infinity') ORDER BY each.number) AS moments{n},"
        f" max(coalesce(moment{n}, '-infinity')) AS latest{n}"
        for n, _ in numbered
    )
    return f"""
SELECT {found}
  FROM generate_series(0, (SELECT coalesce(max(number), 0) FROM master)) AS each(number)
  LEFT JOIN master
    ON master.number = each.number
   AND coalesce(master.beat_at, {at}) >= {at} - interval '{GONE.days} days'
  LEFT JOIN (
       SELECT number, {reached}
         FROM (SELECT number, span, sum(upper(span) - lower(span)) OVER (
                      PARTITION BY number ORDER BY span DESC) AS listened
                 FROM ({spans(at)}) AS merged) AS counted
        GROUP BY number) AS reached
    ON reached.number = coalesce(master.number, 0)"""  # noqa: S608 - constants of ours


class Silence(NamedTuple):
    """What counts as silence at a moment: see :func:`silence`."""

    moments: Sequence[float]
    """Seconds since the epoch: of all masters together, then of master 1, 2 and so on."""

    def is_over(self, last_seen: datetime, master: int | None) -> bool:
        """Whether a machine that a master heard last was silent for longer than the age."""
        number = master or 0
        return last_seen.timestamp() < self.moments[number if number < len(self.moments) else 0]

    def moment(self) -> datetime:
        """Return the moment of all masters together, or one before there were computers."""
        return datetime.fromtimestamp(max(0.0, self.moments[0]), timezone.utc)


def silence(link: sa.Connection, age: timedelta, at: datetime) -> Silence:
    """Return since when, at a moment, the time of an age was listened, for each master."""
    found = moments("CAST(:at AS timestamptz)", "CAST(:age AS interval)")
    # As numbers, because no datetime is as early as -infinity.
    statement = f"""
SELECT array_agg(CAST(extract(epoch FROM moment) AS float) ORDER BY number)
  FROM ({found}) AS listened, unnest(moments0) WITH ORDINALITY AS one(moment, number)"""  # noqa: S608
    return Silence(link.scalars(sa.text(statement), {"at": at, "age": age}).one())


def spans(at: str) -> str:
    """Return SQL for what each ``number`` listened before a moment; 0: all masters together."""
    return f"""
SELECT number, unnest(range_agg(tstzrange(since, least(until, {at})))) AS span
  FROM (SELECT master AS number, since, until FROM listening WHERE master <> 0
         UNION ALL
        SELECT 0, since, until FROM listening) AS heard
 WHERE since < {at} GROUP BY number"""  # noqa: S608 - constants of ours


@cache
def silences(*ages_seconds: int) -> tuple[Callable[[Any], sa.ColumnElement[bool]], ...]:
    """
    Return for each age: whether an asset was silent for longer, while somebody listened.

    Each is called with the columns of ``asset_seen``. All of them together ask the store
    once in a statement, however often they are in it.
    """
    names = [f"{name}{n}" for n in range(len(ages_seconds)) for name in ("moments", "latest")]
    ages = [f"interval '{age:d} seconds'" for age in ages_seconds]
    columns: list[sa.ColumnClause[Any]] = [
        sa.column(name, sa.ARRAY(Moment) if name.startswith("moments") else Moment)
        for name in names
    ]
    found = sa.text(moments("now()", *ages)).columns(*columns)
    limits = found.cte("listened_" + "_".join(map(str, ages_seconds)))

    def silent(number: int, seen: Any) -> sa.ColumnElement[bool]:
        by_master: Any = sa.select(limits.c[f"moments{number}"]).scalar_subquery()
        latest = sa.select(limits.c[f"latest{number}"]).scalar_subquery()
        moment = sa.func.coalesce(by_master[sa.func.coalesce(seen.master, 0) + 1], by_master[1])
        # Nearly all assets were heard after the latest: that is faster than to look up theirs.
        return sa.and_(seen.last_seen < latest, seen.last_seen < moment)

    return tuple(partial(silent, number) for number in range(len(ages_seconds)))
