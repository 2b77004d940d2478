"""
What is lost: confirmed by a later collection, told once, and told again when it is found.

A loss is a change of the class ``loss``; a row in the table of that name is written with it,
so that only as much is looked at as is lost. An engine settles them with each look through
the cache, before it tells what is new.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from salt_ext.document.classes import classes
from salt_ext.document.diff import Change
from salt_ext.document.hardware import which
from salt_ext.store import aside, confirming
from salt_ext.store.bulk import array
from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.ingest.isolation import record_failure
from salt_ext.store.reads.as_of import the_revision
from salt_ext.store.reads.between import changes_between
from salt_ext.store.schema import revision

MOST = 200
"""So many losses are settled in one call, as long as reports wait; the rest follows later."""

MOST_OPEN = 1000
"""So many losses of one machine are open, the newest ones; the others end untold."""

WORK = "losses"
"""What is set aside for a machine of which nothing can be said, as when its history was altered."""

LOCK = 0x636D6E77
"""Who settles losses and who tells of them does so alone."""

FOUND = ("back", "replaced")
"""The endings (see reads/losses.py) after which the machine is whole: of these an event tells."""

_OF_ASSET = {"replaced": "replaced", "moved": "back", "added": "back"}
"""By the class of what became of the part: how its loss ended."""


def settle_losses(database: Database, of: uuid.UUID | None = None) -> int:
    """
    Confirm losses that a later collection shows too, and end those that are over.

    The machines take turns, so that one with many losses keeps none waiting. Returns how many
    were looked at; while another process does it, 0. All losses ``of`` one asset are settled
    for whoever asks for them, after that other process.
    """
    failed: dict[str, Exception] = {}
    done: set[str] = set()
    # An array: Citus loses sight of what belongs together when the asset is one value.
    ours = {"of": None if of is None else [of]}
    with database.begin() as link:
        if of is not None:
            link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        elif not link.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            return 0
        link.execute(CROWDED, {**ours, "most": MOST_OPEN})
        moment = time_of(link)
        found = rows(link.execute(DUE, {**ours, "most": MOST if of is None else MOST_OPEN}))
        _look_elsewhere(link, found)
        for (asset_id, number), group in groupby(
            found, lambda row: (row["asset_id"], row["revision"])
        ):
            lost = [*group]
            name = aside.name_of(asset_id, lost[0]["minion_id"])
            try:
                settled = _settled(link, asset_id, number, lost)
            except sa.exc.SQLAlchemyError:
                raise
            except Exception as error:  # of one machine: the others have nothing to do with it
                failed[name] = error
            else:
                link.execute(SETTLE, {**_columns(settled), "now": moment})
                done.add(name)
        aside.take_back(link, WORK, done - failed.keys())
    for name, failure in failed.items():
        record_failure(database, aside.KIND, name, WORK, failure)
    return len(found)


def _look_elsewhere(link: sa.Connection, found: Sequence[Row]) -> None:
    """Add to each loss whether the part is in another machine, since about when it was lost."""
    serials = {one["component"] for one in found if one["op"] == "removed" and one["component"]}
    stays: dict[tuple[str, str], list[sa.Row[Any]]] = {}
    for stay in link.execute(ELSEWHERE, {"serials": array(serials)}) if serials else ():
        stays.setdefault((stay.serial, stay.path), []).append(stay)
    for one in found:
        since = one["last_before"]
        one["is_elsewhere"] = (
            one["op"] == "removed"
            and since is not None
            and any(
                stay.asset_id != one["asset_id"] and stay.since >= since - CLOCKS
                for stay in stays.get((one["component"], one["path"]), ())
            )
        )


def end_losses(link: sa.Connection, asset_id: uuid.UUID, ending: str) -> None:
    """End all losses of an asset in a way that reads/losses.py names; nobody is told."""
    link.execute(END, {"asset_id": asset_id, "ending": ending})


def _settled(
    link: sa.Connection, asset_id: uuid.UUID, number: int, lost: Sequence[Row]
) -> list[Row]:
    """Return the losses of one revision, each with its ``ending`` and ``is_confirmed``."""
    over = [{**one, "ending": _over(one)} for one in lost]
    if all(one["ending"] or one["revision_now"] == number for one in over):
        # Nothing has changed since: what was lost then is lost now.
        return [_row(one) for one in over]
    now = endings(lost, _since(link, asset_id, number))
    return [
        _row({**one, "ending": one["ending"] or ending})
        for one, ending in zip(over, now, strict=True)
    ]


def _over(one: Row) -> str | None:
    """Return how a loss ended, whatever the document of its machine says now."""
    if one["is_gone"]:
        return "gone"
    if one["lifecycle"] == "retired":
        return "retired"
    if one["is_lost_again"]:
        return "back"
    if one["confirmed_at"] is None:
        if one["is_retold"]:
            return "retold"
        if one["is_elsewhere"]:
            return "elsewhere"
    return None


def _row(one: Row) -> Row:
    """Return what is written: a loss that was never told of needs no word that it is over."""
    was_told = one["confirmed_at"] is not None and one["untold"] != "lost"
    if one["ending"]:
        untold = "found" if was_told and one["ending"] in FOUND else None
    else:
        is_new = one["confirmed_at"] is None and one["is_shown_again"]
        untold = "lost" if is_new else one["untold"]
    confirmed = not one["ending"] and one["is_shown_again"]
    return {**one, "untold": untold, "is_confirmed": confirmed}


def endings(lost: Sequence[Row], net: Sequence[Change]) -> list[str | None]:
    """
    Return how each loss of a revision ended, None if it stands.

    ``net`` is what differs now from the document before the losses; where another source took
    the section over meanwhile, piece by piece.
    """
    added = {(one.path, one.component) for one in net if one.op == "added"}
    became: dict[bytes, str | None] = {}
    for one, name in zip(net, classes(net), strict=True):
        became.setdefault(which(one), _OF_ASSET.get(name or ""))
    told = (Change(*(one[name] for name in Change._fields)) for one in lost)
    return [
        "back"
        if one.op == "removed" and (one.path, one.component) in added
        else became.get(which(one), "back")
        for one in told
    ]


def _since(link: sa.Connection, asset_id: uuid.UUID, number: int) -> list[Change]:
    """Return what differs now from the document before a revision."""
    before = the_revision(link, asset_id, revision.c.number == number - 1)
    return changes_between(link, asset_id, before, the_revision(link, asset_id, sa.true()))


def _columns(settled: Sequence[Row]) -> dict[str, Any]:
    names = ("asset_id", "revision", "position", "revision_now", "is_confirmed", "ending", "untold")
    return {name: array(row[name] for row in settled) for name in names}


OVER = """(seen.asset_id IS NULL OR seen.detached_at IS NOT NULL
    OR asset.lifecycle = 'retired')"""

NEWS = f"({OVER} OR seen.revision > loss.looked_at)"

OURS = "(CAST(:of AS uuid[]) IS NULL OR loss.asset_id = ANY(CAST(:of AS uuid[])))"

# A loss is looked at when its asset has another revision than the last time, or when a later
# collection has shown it; whatever comes of it, it is looked at no more until the next such moment.
# Each machine has one turn before any has its second. What each loss is of is read for these few
# alone: the changes of a revision are found together, and there may be thousands of them.
SHOWN_BEFORE = confirming.SHOWN_BEFORE.format(asset_id="seen.asset_id")
DUE = sa.text(f"""
WITH due AS MATERIALIZED (
SELECT *, row_number() OVER (PARTITION BY asset_id
                             ORDER BY confirmed_at IS NOT NULL, looked_at, revision,
                                      position) AS turn
  FROM (
  SELECT loss.*, asset.minion_id, asset.lifecycle, told.last_before,
         seen.asset_id IS NULL OR seen.detached_at IS NOT NULL AS is_gone,
         coalesce(seen.revision, loss.looked_at) AS revision_now,
         coalesce(loss.confirmed_at IS NULL AND {confirming.is_as_good("told.mode")}
                  AND {SHOWN_BEFORE} >= loss.revision, false) AS is_shown_again,
         {NEWS} AS is_news
    FROM loss
    JOIN asset ON asset.id = loss.asset_id
    JOIN revision AS told ON told.asset_id = loss.asset_id AND told.number = loss.revision
    LEFT JOIN asset_seen AS seen ON seen.asset_id = loss.asset_id
    {confirming.SOURCES.format(section="split_part(loss.path, '.', 1)")}
   WHERE loss.ended_at IS NULL AND {OURS}
     AND (loss.confirmed_at IS NULL OR {NEWS})
     AND ({OVER} OR {aside.is_due(WORK, "seen")})) AS open
   WHERE is_shown_again OR is_news
   ORDER BY turn, confirmed_at IS NOT NULL, lost_at, asset_id
   LIMIT :most)
SELECT due.asset_id, due.revision, due.position, due.confirmed_at, due.untold, due.last_before,
       change.op, change.path, change.component, change.field, change.old, change.new,
       due.minion_id, due.lifecycle, due.is_gone, due.revision_now, due.is_shown_again,
       EXISTS (SELECT FROM handover
                WHERE handover.asset_id = change.asset_id AND handover.revision > due.revision
                  AND handover.section = split_part(due.path, '.', 1)) AS is_retold,
       EXISTS (SELECT FROM loss AS again
                WHERE again.asset_id = change.asset_id AND again.what = due.what
                  AND again.revision > due.revision AND again.ended_at IS NULL) AS is_lost_again
  FROM due
  JOIN change ON change.asset_id = due.asset_id AND change.revision = due.revision
   AND change.position = due.position
 ORDER BY due.asset_id, due.revision, due.position
""")  # noqa: S608 - constants of ours

# Their clocks may differ by some minutes.
ELSEWHERE = sa.text("""
SELECT placement.serial, placement.path, placement.asset_id, placement.since
  FROM placement
  JOIN asset_seen AS its ON its.asset_id = placement.asset_id
 WHERE placement.serial = ANY(CAST(:serials AS text[])) AND placement.until IS NULL
   AND its.detached_at IS NULL
""")
CLOCKS = timedelta(minutes=5)

# An index has the open ones by machine, so few are read where few are lost.
CROWDED = sa.text(f"""
UPDATE loss SET ended_at = now(), ending = 'too_many', untold = NULL
  FROM (SELECT asset_id FROM loss WHERE ended_at IS NULL AND {OURS}
         GROUP BY asset_id HAVING count(*) > :most) AS crowded
 CROSS JOIN LATERAL (
       SELECT revision, position FROM loss AS older
        WHERE older.asset_id = crowded.asset_id AND older.ended_at IS NULL
        ORDER BY revision DESC, position OFFSET :most) AS older
 WHERE loss.asset_id = crowded.asset_id AND loss.revision = older.revision
   AND loss.position = older.position
""")  # noqa: S608 - constants of ours

SETTLE = sa.text("""
UPDATE loss
   SET looked_at = i.revision_now,
       confirmed_at = CASE WHEN i.is_confirmed AND loss.confirmed_at IS NULL
                           THEN CAST(:now AS timestamptz) ELSE loss.confirmed_at END,
       ended_at = CASE WHEN i.ending IS NOT NULL THEN CAST(:now AS timestamptz) END,
       ending = i.ending,
       untold = i.untold
  FROM unnest(CAST(:asset_id AS uuid[]), CAST(:revision AS integer[]), CAST(:position AS integer[]),
              CAST(:revision_now AS integer[]), CAST(:is_confirmed AS boolean[]),
              CAST(:ending AS text[]), CAST(:untold AS text[]))
       AS i(asset_id, revision, position, revision_now, is_confirmed, ending, untold)
 WHERE loss.asset_id = i.asset_id AND loss.revision = i.revision AND loss.position = i.position
   AND loss.ended_at IS NULL
""")

END = sa.text("""
UPDATE loss SET ended_at = now(), ending = :ending, untold = NULL
 WHERE asset_id = :asset_id AND ended_at IS NULL
""")
