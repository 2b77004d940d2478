"""
Warnings of parts are kept, and what became of each, so that it is known how often they are right.

``maintain`` compares what health warns of now with the warnings that are open, which is about once
an hour. The moment of a warning is that of the first comparison that has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store import bulk
from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database
from salt_ext.store.failures import IS_DOUBTFUL
from salt_ext.store.reads.health import Warned, warned
from salt_ext.store.schema import asset, asset_seen, placement, warning

OUTCOMES = {
    "replaced": "another part is in its place",
    "gone": "it is in no machine any more",
    "moved": "it is in another machine",
    "over": "it is there, and nothing warns of it any more",
    "retired": "its machine is retired, or another one has its name",
}
"""What may become of a part that was warned of; null: it is warned of still."""

LOCK = 0x636D6D78
"""One process compares at a time."""

MOST = 100
"""Warnings of one machine, the gravest first; more are not kept."""

AGAIN = timedelta(days=30)
"""A warning that was over for less than this goes on."""

Key = tuple[uuid.UUID, str, str]


def keep_warnings(database: Database) -> int:
    """Note new warnings, and what became of those that are over; return how many of both."""
    with database.begin() as link:
        link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        now = time_of(link)
        present = {one.key: one for one in _some(warned(link))}
        open_ones = {
            (row.asset_id, row.rule, row.part): row
            for row in link.execute(sa.select(warning).where(warning.c.until.is_(None)))
        }
        ended = _ended(link, [row for key, row in open_ones.items() if key not in present], now)
        new = [one for key, one in present.items() if key not in open_ones]
        if ended:
            END(link, dict(zip(ENDED, map(bulk.array, zip(*ended, strict=True)), strict=True)))
        begun = _begin(link, new, now) if new else 0
        return len(ended) + begun


def _some(found: Iterable[Warned]) -> Iterable[Warned]:
    """Return the warnings without those of a machine that are too many."""
    counts: dict[uuid.UUID, int] = {}
    for one in found:
        counts[one.asset_id] = counts.get(one.asset_id, 0) + 1
        if counts[one.asset_id] <= MOST:
            yield one


def _begin(link: sa.Connection, new: list[Warned], now: datetime) -> int:
    """Write warnings; one that was over only for a while goes on."""
    keys = {
        "ids": bulk.array(one.asset_id for one in new),
        "rules": bulk.array(one.rule for one in new),
        "parts": bulk.array(one.part for one in new),
    }
    gone_on = {
        (row.asset_id, row.rule, row.part) for row in GO_ON(link, {**keys, "after": now - AGAIN})
    }
    rows = [{**one._asdict(), "since": now} for one in new if one.key not in gone_on]
    if rows:
        bulk.insert(link, warning, rows, {})
    return len(new)


class _Ended(NamedTuple):
    asset_id: uuid.UUID
    rule: str
    part: str
    until: datetime
    outcome: str


ENDED = ("ids", "rules", "parts", "moments", "outcomes")

END = bulk.Prepared("""
UPDATE warning SET until = greatest(warning.since, i.until), outcome = i.outcome
  FROM unnest(CAST(:ids AS uuid[]), CAST(:rules AS text[]), CAST(:parts AS text[]),
              CAST(:moments AS timestamptz[]), CAST(:outcomes AS text[]))
       AS i(asset_id, rule, part, until, outcome)
 WHERE warning.asset_id = i.asset_id AND warning.rule = i.rule AND warning.part = i.part
   AND warning.until IS NULL
""")

GO_ON = bulk.Prepared("""
UPDATE warning SET until = NULL, outcome = NULL
  FROM unnest(CAST(:ids AS uuid[]), CAST(:rules AS text[]), CAST(:parts AS text[]))
       AS i(asset_id, rule, part)
 WHERE warning.asset_id = i.asset_id AND warning.rule = i.rule AND warning.part = i.part
   AND warning.outcome = 'over' AND warning.until > CAST(:after AS timestamptz)
   AND NOT EXISTS (SELECT FROM warning AS later
                    WHERE later.asset_id = warning.asset_id AND later.rule = i.rule
                      AND later.part = i.part AND later.since > warning.since)
RETURNING warning.asset_id, warning.rule, warning.part
""")


def _ended(link: sa.Connection, over: list[Any], now: datetime) -> list[_Ended]:
    """Return what became of the parts that are warned of no more; doubtful losses are left out."""
    serials = {row.serial for row in over if row.serial is not None}
    ids = {row.asset_id for row in over}
    if not over:
        return []
    stays: dict[str, list[Any]] = {}
    for stay in link.execute(_stays(serials)):
        stays.setdefault(stay.serial, []).append(stay)
    retired = set(link.scalars(_retired(ids)))
    found = []
    for row in over:
        outcome, until = _outcome(row, stays.get(row.serial, []), now)
        if row.asset_id in retired:
            outcome, until = "retired", now
        if outcome is not None:
            found.append(_Ended(row.asset_id, row.rule, row.part, until, outcome))
    return found


def _outcome(row: Any, stays: list[Any], now: datetime) -> tuple[str | None, datetime]:
    """Return what became of a part and when; None where nobody knows yet."""
    here = [stay for stay in stays if stay.asset_id == row.asset_id]
    if not here or any(stay.until is None for stay in here):
        return "over", now
    last = max(here, key=lambda stay: stay.until)
    if any(stay.until is None for stay in stays):
        return "moved", last.until
    if last.is_doubtful:
        return None, now
    return "replaced" if last.is_followed else "gone", last.until


def _stays(serials: set[str]) -> sa.Select[Any]:
    """Return where parts are and were, and what is known of the end of each stay."""
    next_one = placement.alias("next_one")
    is_followed = (
        sa.select(next_one.c.serial)
        .where(
            next_one.c.asset_id == placement.c.asset_id,
            next_one.c.path == placement.c.path,
            next_one.c.place == placement.c.place,
            next_one.c.serial != placement.c.serial,
            next_one.c.since >= placement.c.until,
        )
        .exists()
    )
    return sa.select(
        *(placement.c.serial, placement.c.asset_id, placement.c.until),
        *(is_followed.label("is_followed"), IS_DOUBTFUL.label("is_doubtful")),
    ).where(placement.c.serial.in_(serials))


def _retired(ids: set[uuid.UUID]) -> sa.Select[Any]:
    return (
        sa.select(asset.c.id)
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(
            asset.c.id.in_(ids),
            (asset.c.lifecycle == "retired") | asset_seen.c.detached_at.is_not(None),
        )
    )
