"""
The share of each machine in what is told: whatever it reports, it keeps no other's news waiting.

It is so many events within an hour. What is new of a machine after that stays news, and is told
together when its hour is over. The hour begins with the first event, by the clock of the store.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.clock import now as time_of
from salt_ext.store.ingest.problems import Problem, record
from salt_ext.store.schema import problem
from salt_ext.words.times import timestamp

MOST_TOLD = 100
"""So much is told of one machine within an hour; a machine that is well has a few news a day."""

NO_MACHINES_KINDS = ("news", "engine", "mode", "webhook", "brake", "cloud")
"""Kinds of problems that no report can make: they are told at once."""

FORGET = sa.text("""
DELETE FROM told_lately WHERE since <= now() - interval '1 hour' OR since > now()
RETURNING minion_id, number
""")

RESTING = sa.text("SELECT minion_id FROM told_lately WHERE number >= :most")

CHARGE = sa.text("""
INSERT INTO told_lately AS lately (minion_id, since, number)
SELECT minion_id, now(), number
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:numbers AS integer[])) AS i(minion_id, number)
    ON CONFLICT (minion_id) DO UPDATE SET number = lately.number + excluded.number
RETURNING minion_id, number, since + interval '1 hour' AS over_at
""")


def resting(link: sa.Connection) -> list[str]:
    """Return the machines of which no more is told in this hour; forget the hours that are over."""
    over = [row.minion_id for row in link.execute(FORGET) if row.number >= MOST_TOLD]
    if over:
        link.execute(
            sa.update(problem)
            .where(
                problem.c.kind == "news",
                problem.c.minion_id.in_(over),
                problem.c.closed_at.is_(None),
            )
            .values(closed_at=sa.func.now())
        )
    return [*link.scalars(RESTING, {"most": MOST_TOLD})]


def charge(link: sa.Connection, told: Mapping[str, int]) -> None:
    """
    Add to what was told, by minion id; where a share is used up by it, a problem says so.

    Whose share was used up before is not in ``told``.
    """
    if not told:
        return
    charged = link.execute(CHARGE, {"minion_ids": array(told), "numbers": array(told.values())})
    record(
        link,
        [
            Problem(
                "news",
                row.minion_id,
                "share",
                f"{MOST_TOLD} events within an hour told of it; what is new of it from now on is"
                f" told together at {timestamp(row.over_at)}",
                "",
                time_of(link),
            )
            for row in charged
            if row.number >= MOST_TOLD
        ],
    )
