"""
The rows of a batch, written with one statement for each table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.document.diff import Change
from salt_ext.store import bulk
from salt_ext.store.ingest.counters import count
from salt_ext.store.ingest.gathering import Gathered
from salt_ext.store.ingest.gone import let_go
from salt_ext.store.ingest.listed import settle
from salt_ext.store.ingest.stays import settled
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_seen,
    asset_was,
    build,
    change,
    decision,
    handover,
    held,
    identifier,
    loss,
    other_source,
    part,
    placement,
    revision,
)

LATE = timedelta(seconds=30)
"""A change that is so old when it is stored has the moment of that too: see ``reads/feed.py``."""


def write_all(link: sa.Connection, gathered: Gathered, *, locked: bool) -> None:
    """
    Write all gathered rows; an asset that loses its name is written before its successor.

    ``locked`` tells whether the lock of identity is held.
    """
    for one in gathered.gone:
        gathered.add(revision, **let_go(link, one))
        if one.merged_into is None:
            renamed = Change("renamed", "minion_id", None, None, one.name, None)
            last = gathered.rows[revision][-1]
            gathered.changed(one.asset_id, last["number"], last["recorded_at"], [renamed])
    if decided := gathered.rows.pop(decision, None):
        gathered.rows.update({decision: left} if (left := _news(link, decided)) else {})
    if gathered.recounted:
        FEWER(link, _columns(gathered.recounted, "ids", "counts"))
    if gathered.handed:
        begun, placed = settled(link, gathered.handed)
        gathered.placed += placed
        for row in begun:
            gathered.add(placement, **row)
    if gathered.placed:  # before a part is noted in its new place
        names = ("serials", "paths", "ids", "moments", "models", "firmwares")
        PLACE(link, _columns(gathered.placed, *names))
    if gathered.readings:  # before the volatile values that they are compared with
        count(link, gathered.readings)
    if changes := gathered.rows.get(change):
        gathered.rows[change] = dated(link, changes)
    for table, update in UPSERTS.items():
        if rows := gathered.rows.get(table):
            bulk.insert(link, table, rows, update)
    if gathered.refreshed:
        REFRESH(link, _columns(gathered.refreshed, "ids", "sections", "volatiles"))
    if gathered.standing:
        STANDING(link, _columns(gathered.standing, *STANDING_COLUMNS))
    if gathered.beside:
        BESIDE(link, _columns(gathered.beside, *BESIDE_COLUMNS))
    if gathered.accepted:
        FORGET(link, _columns(gathered.accepted, "names", "keys"))
    if gathered.called:
        settle(link, gathered.called, locked=locked)


def write_new(link: sa.Connection, gathered: Gathered) -> None:
    """Write the rows of machines that nobody knew: none of these rows is there already."""
    for table in UPSERTS:
        if rows := gathered.rows.get(table):
            bulk.copy(link, table, rows)


def dated(link: sa.Connection, changes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Return rows of changes with their ``stored_at``: when that is, if they are late; or None.

    That is not when the transaction began: it may have waited for a lock since.
    """
    now: datetime = link.scalars(sa.select(sa.func.clock_timestamp())).one()
    late = now - LATE
    return [{**row, "stored_at": now if row["recorded_at"] < late else None} for row in changes]


# Only surplus rows are deleted. The others are overwritten: most are as before, and then
# no index needs a new entry.
FEWER = bulk.Prepared("""
DELETE FROM part
 USING unnest(CAST(:ids AS uuid[]), CAST(:counts AS integer[])) AS i(asset_id, count)
 WHERE part.asset_id = i.asset_id AND part.number >= i.count
""")

REFRESH = bulk.Prepared("""
UPDATE asset_facts SET volatile = CAST(i.volatile AS jsonb)
  FROM unnest(CAST(:ids AS uuid[]), CAST(:sections AS text[]), CAST(:volatiles AS text[]))
       AS i(asset_id, section, volatile)
 WHERE asset_facts.asset_id = i.asset_id AND asset_facts.section = i.section
""")

STANDING_COLUMNS = ("ids", "sections", "moments", "sources", "versions", "wholes")
STANDING = bulk.Prepared("""
UPDATE asset_facts
   SET collected_at = CASE WHEN i.at IS NOT NULL THEN coalesce(asset_facts.collected_at, i.at) END,
       source = i.source,
       version = i.version,
       whole_at = i.whole_at
  FROM unnest(CAST(:ids AS uuid[]), CAST(:sections AS text[]), CAST(:moments AS timestamptz[]),
              CAST(:sources AS text[]), CAST(:versions AS smallint[]),
              CAST(:wholes AS timestamptz[]))
       AS i(asset_id, section, at, source, version, whole_at)
 WHERE asset_facts.asset_id = i.asset_id AND asset_facts.section = i.section
""")

BESIDE_COLUMNS = (
    *("ids", "received", "numbers", "changed", "reports_as", "positions", "masters"),
    "taken_over",
)

# What the best source said stays, with its time. Once another one has taken its place, what
# it says next is news, though it be the same: so its digest is forgotten.
BESIDE = bulk.Prepared("""
UPDATE asset_seen AS seen
   SET mode_seen = coalesce(seen.mode_seen, seen.last_seen),
       last_seen = greatest(seen.last_seen, i.received_at),
       revision = i.revision,
       changed_at = i.changed_at,
       reports_as = i.reports_as,
       position = i.position,
       master = i.master,
       detached_at = NULL,
       digest = CASE WHEN i.has_taken_over THEN '' ELSE seen.digest END
  FROM unnest(CAST(:ids AS uuid[]), CAST(:received AS timestamptz[]),
              CAST(:numbers AS integer[]), CAST(:changed AS timestamptz[]),
              CAST(:reports_as AS text[]), CAST(:positions AS timestamptz[]),
              CAST(:masters AS smallint[]), CAST(:taken_over AS boolean[]))
       AS i(asset_id, received_at, revision, changed_at, reports_as, position, master,
            has_taken_over)
 WHERE seen.asset_id = i.asset_id
""")

# A number stands once in a machine. The place is not compared: by an older key rule it was
# written otherwise.
PLACE = bulk.Prepared("""
UPDATE placement SET until = i.until, model = i.model, firmware_version = i.firmware_version
  FROM unnest(CAST(:serials AS text[]), CAST(:paths AS text[]), CAST(:ids AS uuid[]),
              CAST(:moments AS timestamptz[]), CAST(:models AS text[]),
              CAST(:firmwares AS text[]))
       AS i(serial, path, asset_id, until, model, firmware_version)
 WHERE placement.serial = i.serial AND placement.asset_id = i.asset_id
   AND placement.path = i.path AND placement.until IS NULL
""")

# The best key must be the same: a held report may be of other hardware than the machine
# that has the name.
FORGET = bulk.Prepared("""
DELETE FROM held
 USING unnest(CAST(:names AS text[]), CAST(:keys AS text[])) AS i(minion_id, key)
 WHERE held.minion_id = i.minion_id
   AND coalesce(held.evidence -> 'keys' -> 0, 'null') = CAST(i.key AS jsonb)
""")


LAST_DECIDED = sa.text("""
SELECT DISTINCT ON (minion_id) minion_id, action, asset_id, other_asset_id, reason
  FROM decision WHERE minion_id = ANY(CAST(:names AS text[]))
 ORDER BY minion_id, decided_at DESC
""")


def _news(link: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Return the decisions without those that were the last ones of their machines already.

    A machine that is held, or that shares a key, may show other values each time and
    is decided about in the same way. What moves a name is always kept.
    """
    names = {"names": bulk.array(sorted({row["minion_id"] for row in rows}))}
    last = {
        row.minion_id: _decided(dict(row._mapping)) for row in link.execute(LAST_DECIDED, names)
    }
    return [
        {**row}
        for row in rows
        if row["action"] not in ("held", "known") or last.get(row["minion_id"]) != _decided(row)
    ]


def _decided(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what was decided: the reason without its values, which are those with digits."""
    words = [one for one in row["reason"].split() if not any(map(str.isdigit, one))]
    return row["action"], row["asset_id"], row["other_asset_id"], words


def _columns(rows: Sequence[tuple[Any, ...]], *names: str) -> dict[str, str]:
    return dict(zip(names, map(bulk.array, zip(*rows, strict=True)), strict=True))


def _all(table: sa.Table, *but: str) -> dict[str, str]:
    keys = {column.name for column in table.primary_key}
    return bulk.taken(*(one.name for one in table.columns if one.name not in {*keys, *but}))


UPSERTS: dict[sa.Table, dict[str, str] | None] = {
    # Of two changes at the same moment, the columns before the first one are kept.
    asset_was: {},
    asset: _all(asset, "lifecycle", "first_seen", "merged_into", "listed"),
    asset_seen: {
        **_all(asset_seen, "told_revision", "told_freshness", "filling"),
        "filling": "NULL",
    },
    other_source: _all(other_source),
    asset_facts: _all(asset_facts),
    identifier: {
        # An identifier that is reported no more keeps its source and its quality.
        "source": "coalesce(nullif(excluded.source, ''), identifier.source)",
        "quality": "coalesce(nullif(excluded.quality, ''), identifier.quality)",
        **bulk.taken("last_seen"),
    },
    revision: None,
    change: None,
    loss: None,
    handover: None,
    part: _all(part),
    build: _all(build),
    placement: bulk.taken("until", "model", "firmware_version"),
    decision: None,
    held: {
        **_all(held),
        # Another claim under the same name is held since now, not since the first one.
        "first_seen": "CASE WHEN held.evidence -> 'keys' = excluded.evidence -> 'keys'"
        " THEN held.first_seen ELSE excluded.first_seen END",
        "count": "held.count + excluded.count",
    },
}
"""Every table in the order of writing, with its ``update`` for :func:`bulk.insert`."""
