"""
Reports that change nothing: each updates one row of a narrow table, a batch in one statement.

A new report moves the times of its asset. One that was stored before moves nothing
but the position, up to which the master's cache was read: what comes again makes
nobody fresh.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.report import checking, digests
from salt_ext.report.order import Order
from salt_ext.report.sources import POORER, rank
from salt_ext.store.bulk import OneByOne, array
from salt_ext.store.database import HEAD
from salt_ext.store.distribution import is_citus
from salt_ext.store.ingest.arrivals import Arrival
from salt_ext.store.ingest.before import Before, named
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.hooking import Trouble, hooked
from salt_ext.store.ingest.problems import Good

ALREADY_STORED = "already stored"

VOLATILE_HOURS = 24
"""An unchanged report refreshes its volatile values only when they are older than this."""

KNOWN = f"(SELECT version_num FROM alembic_version) = '{HEAD}'"  # noqa: S608 - constants of ours
"""
In a schema that this code does not know nothing is touched: then all reports are due, and
the transaction that shall store them refuses.
"""

IS_AGAIN = "i.collected_at = seen.collected_at"
"""Of a report that is touched: whether it is the very one that was stored last."""

_RANKS = "CAST('{" + ",".join(POORER) + "}' AS text[])"
IS_EQUAL = f"""(seen.mode = i.mode OR
    array_position({_RANKS}, seen.mode) IS NOT DISTINCT FROM array_position({_RANKS}, i.mode))"""
"""Whether a report is as good as the best source of its asset."""

INPUT = """
unnest(CAST(:minion_ids AS text[]), CAST(:digests AS bytea[]), CAST(:collected AS timestamptz[]),
       CAST(:boot_ids AS uuid[]), CAST(:since_boot_ms AS bigint[]),
       CAST(:received AS timestamptz[]), CAST(:positions AS timestamptz[]),
       CAST(:modes AS text[]), CAST(:secret_hashes AS bytea[]))
    AS i(minion_id, digest, collected_at, boot_id, since_boot_ms, received_at, position, mode,
         secret_hash)
"""


# The plain cases of salt_ext.report.order: the same boot and later, or a boot that is not
# known and a later clock; or the very report that was stored last. All others are looked
# at one by one. A position is told by the clock of one master: it means nothing to
# another one. The subqueries at the end see the rows of before the update.
def _touch_of(these: str) -> str:
    """Return the statement that touches those of ``these`` reports that say nothing new."""
    return f"""
UPDATE asset_seen AS seen
   SET last_seen = CASE WHEN {IS_AGAIN} THEN seen.last_seen
                        ELSE greatest(seen.last_seen, i.received_at) END,
       collected_at = i.collected_at,
       boot_id = i.boot_id,
       since_boot_ms = i.since_boot_ms,
       doubted_boot_id = NULL,
       mode = i.mode,
       mode_seen = CASE WHEN {IS_AGAIN} THEN seen.mode_seen END,
       secret_hash = i.secret_hash,
       reports_as = NULL,
       filling = NULL,
       position = CASE WHEN {IS_AGAIN} AND seen.master IS DISTINCT FROM :master
                       THEN seen.position ELSE i.position END,
       master = CASE WHEN {IS_AGAIN} THEN seen.master ELSE :master END
  FROM {these}
   AND seen.digest = i.digest
   AND {IS_EQUAL}
   AND i.collected_at - seen.volatile_at < interval '{VOLATILE_HOURS} hours'
   AND i.collected_at >= seen.collected_at
   AND coalesce(i.boot_id = seen.boot_id AND i.since_boot_ms >= seen.since_boot_ms, true)
RETURNING i.minion_id, seen.asset_id,
          EXISTS (SELECT FROM problem
                   WHERE problem.minion_id = i.minion_id AND problem.closed_at IS NULL)
          AS has_problem,
          i.collected_at = (SELECT collected_at FROM asset_seen AS before
                             WHERE before.asset_id = seen.asset_id) AS is_again
"""  # noqa: S608 - constants of ours


TOUCH = OneByOne(
    _touch_of(
        f"""{INPUT}
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id AND {KNOWN}"""
    )
)

# On Citus each shard would look all names up, and wait for the number of the schema: so that is
# done once, on the coordinator. An asset that has lost its name meanwhile is not touched.
NAMED = OneByOne(f"""
SELECT minion_id, id FROM asset WHERE minion_id = ANY(CAST(:minion_ids AS text[])) AND {KNOWN}
""")  # noqa: S608 - constants of ours

INPUT_WITH_IDS = INPUT.replace("[]))", "[]), CAST(:ids AS uuid[]))").replace("hash)", "hash, id)")
TOUCH_NAMED = OneByOne(
    _touch_of(f"{INPUT_WITH_IDS} WHERE seen.asset_id = i.id AND seen.detached_at IS NULL")
)


# Of a report that is not stored for its size the machine was heard; that may be its first
# report after a boot. What is stored of it is as old as before.
HEARD = OneByOne(f"""
UPDATE asset_seen AS seen
   SET last_seen = greatest(seen.last_seen, i.received_at),
       mode_seen = CASE WHEN {IS_EQUAL} THEN NULL
                        ELSE coalesce(seen.mode_seen, seen.last_seen) END,
       boot_id = i.boot_id,
       since_boot_ms = i.since_boot_ms,
       doubted_boot_id = NULL,
       position = i.position,
       master = :master
  FROM {INPUT}
  JOIN asset ON asset.minion_id = i.minion_id
 WHERE seen.asset_id = asset.id
   AND CASE WHEN i.boot_id = seen.boot_id THEN i.since_boot_ms > seen.since_boot_ms
            ELSE i.collected_at > seen.collected_at END
""")  # noqa: S608 - constants of ours

# A poorer source that says what it said before: the machine was heard, and what the best
# source told is as old as it was. Where that has been silent for too long the poorer one is
# due, unless it was due already when it said so before: then it has taken over.
_HEARD_OF_OTHER = f"""
UPDATE asset_seen AS seen
   SET last_seen = CASE WHEN i.collected_at = other.collected_at THEN seen.last_seen
                        ELSE greatest(seen.last_seen, i.received_at) END,
       mode_seen = CASE WHEN i.collected_at = other.collected_at THEN seen.mode_seen
                        ELSE coalesce(seen.mode_seen, seen.last_seen) END,
       position = CASE WHEN i.collected_at = other.collected_at
                        AND seen.master IS DISTINCT FROM :master
                       THEN seen.position ELSE i.position END,
       master = CASE WHEN i.collected_at = other.collected_at THEN seen.master ELSE :master END
  FROM {INPUT}
  JOIN asset ON asset.minion_id = i.minion_id
  JOIN other_source AS other ON other.asset_id = asset.id AND other.source = i.mode
 WHERE seen.asset_id = asset.id
   AND other.digest = i.digest
   AND i.collected_at >= other.collected_at
   AND coalesce(i.boot_id = other.boot_id AND i.since_boot_ms >= other.since_boot_ms, true)
   AND CAST(:missing_after AS interval)
       NOT BETWEEN other.last_seen - coalesce(seen.mode_seen, seen.last_seen)
               AND i.received_at - coalesce(seen.mode_seen, seen.last_seen)
   AND {KNOWN}
RETURNING i.*, seen.asset_id, i.collected_at = other.collected_at AS is_again"""  # noqa: S608

_TOLD_BY_OTHER = """
UPDATE other_source AS other
   SET last_seen = CASE WHEN i.is_again THEN other.last_seen
                        ELSE greatest(other.last_seen, i.received_at) END,
       collected_at = i.collected_at,
       boot_id = i.boot_id,
       since_boot_ms = i.since_boot_ms
  FROM {0}
 WHERE other.asset_id = i.asset_id AND other.source = i.mode
RETURNING i.minion_id, other.asset_id, false AS has_problem, i.is_again
"""

TOUCH_OTHER = OneByOne(f"WITH heard AS ({_HEARD_OF_OTHER}) {_TOLD_BY_OTHER.format('heard AS i')}")

# On Citus these are two statements: it takes all that the first one hands over for text.
HEARD_OF_OTHER = OneByOne(_HEARD_OF_OTHER)
TOLD_BY_OTHER = OneByOne(
    _TOLD_BY_OTHER.format("""
unnest(CAST(:minion_ids AS text[]), CAST(:collected AS timestamptz[]), CAST(:boot_ids AS uuid[]),
       CAST(:since_boot_ms AS bigint[]), CAST(:received AS timestamptz[]), CAST(:modes AS text[]),
       CAST(:ids AS uuid[]), CAST(:again AS boolean[]))
    AS i(minion_id, collected_at, boot_id, since_boot_ms, received_at, mode, asset_id, is_again)
""")
)

MOVE = OneByOne(f"""
UPDATE asset_seen AS seen SET position = i.position
  FROM unnest(CAST(:ids AS uuid[]), CAST(:positions AS timestamptz[])) AS i(asset_id, position)
 WHERE seen.asset_id = i.asset_id AND seen.master IS NOT DISTINCT FROM :master
   AND i.position IS NOT NULL AND {KNOWN}
""")  # noqa: S608 - constants of ours


# An old copy may come again: it does not take back what a later one has shown.
DOUBT = OneByOne("""
UPDATE asset_seen AS seen
   SET doubted_boot_id = i.boot_id,
       doubted_since_boot_ms = CASE WHEN i.boot_id = seen.doubted_boot_id
           THEN greatest(i.since_boot_ms, seen.doubted_since_boot_ms) ELSE i.since_boot_ms END
  FROM unnest(CAST(:ids AS uuid[]), CAST(:boot_ids AS uuid[]), CAST(:since_boot_ms AS bigint[]))
       AS i(asset_id, boot_id, since_boot_ms)
 WHERE seen.asset_id = i.asset_id
""")


class Due(NamedTuple):
    """A good report that says something new, and what was checked of it."""

    arrival: Arrival
    order: Order
    checked: checking.Checked
    named: Before | None
    """The asset of this name, as it was read before it was locked; None if there is none."""
    sent: Arrival
    """As it came, before the site's own hooks."""
    troubles: Sequence[Trouble] = ()
    """Of these hooks."""


def touch_unchanged(
    link: sa.Connection,
    batch: Sequence[Arrival],
    findings: Findings | None = None,
    master: int | None = None,
) -> tuple[list[Due], Findings]:
    """
    Check reports and touch the assets of those that say nothing new; return the others.

    No machine may be twice in the batch. ``master`` is the number of the one that hands
    it over. The findings are returned too; nothing of them is written yet.
    """
    findings = findings or Findings()
    limits = findings.limits
    good: list[Arrival] = []
    orders: dict[str, Order] = {}
    for arrival in batch:
        try:
            orders[arrival.minion_id] = _header(arrival, findings)
            good.append(arrival)
        except checking.ReportError as error:
            findings.refuse(arrival, error)
    touched = _touch(link, good, orders, master, findings.taking.missing_after)
    rest = [one for one in good if one.minion_id not in touched]
    known = named(link, [one.minion_id for one in rest]) if rest else {}
    due: list[Due] = []
    for arrival in good:
        order = orders[arrival.minion_id]
        if arrival.minion_id in touched:
            _note_touched(findings, arrival, order, touched[arrival.minion_id])
            continue
        asset, spent = known[arrival.minion_id]
        if spent is not None and (reason := spent.over(limits)):
            findings.wait(arrival, reason, spent.seconds_left)
            continue
        try:
            with findings.timed(arrival.minion_id):
                digests_known = asset.digests if asset else {}
                checked = checking.check_body(arrival.report, digests_known, limits)
            due.append(
                _hooked(Due(arrival, order, checked, asset, arrival), digests_known, findings)
            )
        except checking.TooMuch as error:
            findings.refuse_size(arrival, order, error)
        except checking.ReportError as error:
            findings.refuse(arrival, error)
    return due, findings


def _hooked(due: Due, known: Mapping[str, str], findings: Findings) -> Due:
    """Return a report after the site's own hooks. Raises ReportError if one refuses it."""
    paths = findings.taking.hooks
    if not paths:
        return due
    arrival = due.arrival
    report, checked, troubles = hooked(
        paths, arrival.minion_id, arrival.report, due.checked, known, findings.limits
    )
    return due._replace(arrival=arrival._replace(report=report), checked=checked, troubles=troubles)


def _header(arrival: Arrival, findings: Findings) -> Order:
    """Check the header of a report. Only that of one with errors takes a time worth counting."""
    if not (isinstance(arrival.report, dict) and arrival.report.get("errors")):
        return checking.check_header(arrival.report, arrival.received_at, findings.taking.modes)
    with findings.timed(arrival.minion_id):
        return checking.check_header(arrival.report, arrival.received_at, findings.taking.modes)


def secret_hash(report: Mapping[str, Any]) -> bytes | None:
    """
    Return the hash of the secret that proves a rename later, None without one.

    A report without a hash, by ssh or by the first edition, leaves no older hash standing:
    its moment is not in the machine's name file, so that nothing proves a rename then.
    """
    said = report.get("secret_hash")
    return bytes.fromhex(said) if said is not None else None


def move(
    link: sa.Connection, stored: Sequence[tuple[uuid.UUID, datetime | None]], master: int | None
) -> None:
    """Note up to where the cache was read of assets whose report was stored before."""
    if any(position is not None for _, position in stored):
        ids, positions = zip(*stored, strict=True)
        about = {"ids": array(ids), "positions": array(positions), "master": master}
        MOVE(link, about)


def remember_doubt(link: sa.Connection, doubted: Sequence[tuple[uuid.UUID, Order]]) -> None:
    """Remember reports that may be old: a later one of the same boot proves that they are not."""
    if doubted:
        about = {
            "ids": array(asset_id for asset_id, _ in doubted),
            "boot_ids": array(order.boot_id for _, order in doubted),
            "since_boot_ms": array(order.since_boot_ms for _, order in doubted),
        }
        DOUBT(link, about)


def heard(
    link: sa.Connection, batch: Sequence[tuple[Arrival, Order]], master: int | None = None
) -> None:
    """
    Count machines as heard whose reports are refused for what is in them, not for their age.

    No machine may be twice in the batch, which is in the order of the names.
    """
    if batch:
        orders = {one.minion_id: order for one, order in batch}
        HEARD(link, _input([one for one, _ in batch], orders, master))


def _note_touched(
    findings: Findings,
    arrival: Arrival,
    order: Order,
    touched: sa.Row[Any],
) -> None:
    if touched.is_again:
        findings.outcome(arrival, "unchanged", ALREADY_STORED, touched.asset_id)
        return
    findings.outcome(arrival, "unchanged", "as before", touched.asset_id)
    if arrival.report["errors"]:
        findings.failed_collectors(arrival)
    if touched.has_problem:
        # Its facts are as before, so the doubts about them stay open.
        behind = checking.is_behind(arrival.report, order.collected_at, arrival.received_at)
        doubted = {"facts", "collected_at"} if behind else {"facts"}
        findings.good[arrival.minion_id] = Good(arrival, doubted)


def _touch(
    link: sa.Connection,
    batch: Sequence[Arrival],
    orders: Mapping[str, Order],
    master: int | None,
    missing_after: timedelta,
) -> dict[str, sa.Row[Any]]:
    """
    Update the times of each asset of which a report says what its source said before.

    Returns, by minion id, the id of the asset, whether it is the very report that was
    stored last, and whether the machine has an open problem.
    """
    if not batch:
        return {}
    touched = {row.minion_id: row for row in _as_before(link, batch, orders, master)}
    others = [one for one in batch if rank(one.report["mode"]) and one.minion_id not in touched]
    if others:
        rows = _as_before_by_other(link, others, orders, master, missing_after)
        touched |= {row.minion_id: row for row in rows}
    return touched


def _as_before(
    link: sa.Connection, batch: Sequence[Arrival], orders: Mapping[str, Order], master: int | None
) -> Sequence[sa.Row[Any]]:
    if not is_citus(link):
        return TOUCH(link, _input(batch, orders, master)).all()
    names = {"minion_ids": array(one.minion_id for one in batch)}
    ids = {row.minion_id: row.id for row in NAMED(link, names)}
    named = [one for one in batch if one.minion_id in ids]
    if not named:
        return ()
    about = _input(named, orders, master)
    about["ids"] = array(ids[one.minion_id] for one in named)
    return TOUCH_NAMED(link, about).all()


def _as_before_by_other(
    link: sa.Connection,
    batch: Sequence[Arrival],
    orders: Mapping[str, Order],
    master: int | None,
    missing_after: timedelta,
) -> Iterable[sa.Row[Any]]:
    about = {**_input(batch, orders, master), "missing_after": missing_after}
    if not is_citus(link):
        return TOUCH_OTHER(link, about)
    heard = {row.minion_id: row for row in HEARD_OF_OTHER(link, about)}
    those = [one for one in batch if one.minion_id in heard]
    if not those:
        return ()
    found = [heard[one.minion_id] for one in those]
    about = {
        **_input(those, orders, master),
        "ids": array(row.asset_id for row in found),
        "again": array(row.is_again for row in found),
    }
    return TOLD_BY_OTHER(link, about)


def _input(
    batch: Sequence[Arrival], orders: Mapping[str, Order], master: int | None
) -> dict[str, Any]:
    made = [orders[one.minion_id] for one in batch]
    return {
        "minion_ids": array(one.minion_id for one in batch),
        "digests": array(digests.of_report(one.report) for one in batch),
        "collected": array(one.collected_at for one in made),
        "boot_ids": array(one.boot_id for one in made),
        "since_boot_ms": array(one.since_boot_ms for one in made),
        "received": array(one.received_at for one in batch),
        "positions": array(one.position for one in batch),
        "modes": array(one.report["mode"] for one in batch),
        "secret_hashes": array(secret_hash(one.report) for one in batch),
        "master": master,
    }
