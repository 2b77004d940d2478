"""
The brake: what must not hurt many machines at once is not permitted, whoever asks.

When more machines than ``wave_machines`` lose parts of one kind within ``wave_interval``, it is
tripped: a collector is broken more likely than all of them. Then nothing is permitted, and no
event tells of these losses, until a person has looked and resets it. All of it is decided under
one lock and by the clock of the store.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.ingest.problems import Problem, closed, record
from salt_ext.store.schema import reaction, wave
from salt_ext.words.times import timestamp

LOCK = 0x636D6272

OWNER = "salt-cmdb"
"""In the place of a machine in the problem, because it is of no single one."""

REFUSED, WAVE = "refused", "wave"
"""The subjects of the problem; there is one of them at a time."""

RESET = "salt-run cmdb.brake reset=True reason='...'"


def settle_brake(database: Database) -> None:
    """Trip the brake if it has to be, and close its problem when that is over."""
    with database.begin() as link:
        if link.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            tripped(link, database.settings)
            forget_refused(link)


def lock(link: sa.Connection) -> None:
    """Wait until nobody else decides; what is read after it is what the others decided."""
    link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def tripped(link: sa.Connection, settings: Mapping[str, Any]) -> list[Row]:
    """Return the waves for which the brake is tripped, the first one first; notice new ones."""
    asked = {"most": settings["wave_machines"], "seconds": settings["wave_interval"]}
    is_news = [
        link.execute(TRIP, {"id": uuid.uuid4(), **row}).rowcount
        for row in rows(link.execute(WAVES, asked))
    ]
    found = open_waves(link)
    if any(is_news):
        close(link, REFUSED)
        link.execute(sa.delete(reaction).where(reaction.c.permitted_at.is_(None)))
        record(link, [Problem("brake", OWNER, WAVE, says(found), "", time_of(link))])
    return found


def open_waves(link: sa.Connection) -> list[Row]:
    """Return the waves that no person has looked into, the first one first."""
    return rows(link.execute(sa.select(wave).where(wave.c.reset_at.is_(None)).order_by("since")))


def says(waves: list[Row]) -> str:
    """Return why nothing is permitted, and what is to be done."""
    lost = "; ".join(
        f"{one['machines']:,} machines have lost {one['path']} since {timestamp(one['since'])}"
        for one in waves
    )
    return (
        f"{lost}: a broken collector is likely. No reaction is permitted, and no event tells of"
        f" these losses, until a person has looked: {RESET}"
    )


def refuse(link: sa.Connection, why: str) -> None:
    """Record that something was refused: one problem, however often and of however many."""
    record(link, [Problem("brake", OWNER, REFUSED, why, "", time_of(link))])


def forget_refused(link: sa.Connection) -> None:
    """Forget who was refused and has not asked for an hour; if nobody is left it is over."""
    link.execute(FORGET)
    waits = sa.select(reaction.c.id).where(reaction.c.permitted_at.is_(None))
    if not link.scalar(sa.select(waits.exists())):
        close(link, REFUSED)


def close(link: sa.Connection, subject: str) -> None:
    """Close the problem of the brake, if it is open."""
    link.execute(closed("brake", subject))


# What was lost before a person has reset the brake for it counts no more.
WAVES = sa.text("""
SELECT loss.path, count(DISTINCT loss.asset_id) AS machines, min(loss.lost_at) AS since
  FROM loss
 WHERE loss.lost_at > now() - make_interval(secs => :seconds)
   AND loss.lost_at > coalesce((SELECT max(reset_at) FROM wave WHERE wave.path = loss.path),
                               '-infinity')
 GROUP BY loss.path
HAVING count(DISTINCT loss.asset_id) > :most
 ORDER BY loss.path
""")

TRIP = sa.text("""
INSERT INTO wave AS known (id, path, machines, since)
VALUES (:id, :path, :machines, :since)
    ON CONFLICT (path) WHERE reset_at IS NULL DO UPDATE SET machines = excluded.machines
 WHERE known.machines < excluded.machines
""")

FORGET = sa.text("""
DELETE FROM reaction WHERE permitted_at IS NULL AND refused_at < now() - interval '1 hour'
""")
