"""
Keep what a cloud said: of each instance in its machine's facts, and what was left over.

What a cloud says of a machine is no report of that machine: it makes nobody fresh, and is
written beside what the machine reports, as a section that no report has. So neither erases the
other, and its history is kept as all history is.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import encode, normal
from salt_ext.document.alike import alike
from salt_ext.document.names import RULE
from salt_ext.facts import INSTANCE
from salt_ext.report import digests
from salt_ext.report.checking import Checked
from salt_ext.report.sources import CLOUD
from salt_ext.store import bulk
from salt_ext.store.clock import now
from salt_ext.store.database import Database
from salt_ext.store.identity.locking import lock_assets
from salt_ext.store.ingest.before import NO_HANDOVER, Before, Stored, Told
from salt_ext.store.ingest.gathering import Gathered
from salt_ext.store.ingest.problems import Problem, closed, record
from salt_ext.store.ingest.writing import write_all
from salt_ext.store.schema import asset_facts, cloud, cloud_finding, handover, revision

BATCH = 200
"""So many machines are written in one transaction: reports of theirs wait no longer."""

FINDINGS = 5000
"""So many findings are written in one statement."""

NEW = {INSTANCE: Told(None, None)}
"""That a cloud tells of a machine for the first time is no change of the machine."""

# The times of reports stay: nobody was heard.
STEP = bulk.Prepared("""
UPDATE asset_seen AS seen SET revision = i.revision, changed_at = i.changed_at
  FROM unnest(CAST(:ids AS uuid[]), CAST(:revisions AS integer[]),
              CAST(:changed AS timestamptz[])) AS i(asset_id, revision, changed_at)
 WHERE seen.asset_id = i.asset_id
""")


class Finding(NamedTuple):
    """An instance or a machine that is left over; ``key`` is the id of what it is about."""

    list: str
    key: str
    why: str
    facts: Mapping[str, Any]
    """Of the instance."""
    asset_id: uuid.UUID | None = None
    machine: str | None = None
    """What the machine is called; that is kept with its asset."""


KEPT = ("list", "key", "why", "facts", "asset_id")


def tell_instances(
    database: Database, name: str, told: Iterable[tuple[uuid.UUID, Mapping[str, Any]]]
) -> int:
    """
    Write what a cloud says of these machines; return of how many that is news.

    Each few machines are a transaction: after an error some are written, and what is told
    again later changes nothing.
    """
    left, written = iter(told), 0
    while batch := dict(islice(left, BATCH)):
        with database.begin() as link:
            written += _tell(link, name, batch)
    return written


def _tell(link: sa.Connection, name: str, told: Mapping[uuid.UUID, Mapping[str, Any]]) -> int:
    ids = lock_assets(link, told)
    reports = {one: _checked(told[one]) for one in ids}
    # Read after they are locked: whoever had to wait for a lock sees what was written meanwhile.
    stored = Stored(link, ids)
    stored.load_all(reports)
    gathered = Gathered()
    steps = []
    moment = now(link)
    for asset_id, report in reports.items():
        before = stored.before(asset_id)
        if before is None or before.digests.get(INSTANCE) == report.digests[INSTANCE]:
            continue
        # What is told first as deleted is news all the same.
        is_first = INSTANCE not in before.digests and told[asset_id].get("state") != "deleted"
        handed = NEW if is_first else NO_HANDOVER
        document = stored.after(asset_id, report, handed)
        number, at = before.revision + 1, max(moment, before.changed_at)
        changes = document.changes()
        row = _revision(before, document.digest, number, at, name)
        gathered.add(revision, **row, alike=alike(changes))
        gathered.changed(asset_id, number, at, changes)
        if document.handed:
            of_asset = {"asset_id": asset_id, "revision": number, "section": INSTANCE}
            gathered.add(handover, **of_asset, source=None, version=None, old=None)
        gathered.add(
            asset_facts,
            asset_id=asset_id,
            section=INSTANCE,
            facts=report.texts[INSTANCE],
            volatile=None,
            digest=bytes.fromhex(report.digests[INSTANCE]),
            collected_at=None,
            source=CLOUD,
            version=None,
        )
        steps.append((str(asset_id), number, at if changes else before.changed_at))
    if steps:
        write_all(link, gathered, locked=False)
        columns = map(bulk.array, zip(*steps, strict=True))
        STEP(link, dict(zip(("ids", "revisions", "changed"), columns, strict=True)))
    return len(steps)


def _checked(facts: Mapping[str, Any]) -> Checked:
    """Return what a cloud says of one machine in the form of a report that was checked."""
    section = normal({INSTANCE: dict(facts)})
    texts = {INSTANCE: encode(section[INSTANCE])}
    found = {INSTANCE: digests.of_section(texts[INSTANCE])}
    return Checked(section, [], texts, found, digests.of_sections(texts))


def _revision(before: Before, digest: str, number: int, at: Any, name: str) -> dict[str, Any]:
    """Return the row of a revision that no report made: the last one was made when it was."""
    return {
        "asset_id": before.id,
        "number": number,
        "recorded_at": at,
        "collected_at": before.order.collected_at,
        "mode": CLOUD,
        "reason": f"told by the cloud {name}",
        "digest": digests.short(digest),
        "last_before": before.order.collected_at,
        "key_rule": RULE,
    }


def keep_listing(
    database: Database,
    name: str,
    driver: str,
    counts: Mapping[str, int],
    findings: Iterable[Finding],
) -> None:
    """
    Keep what a whole listing of a cloud left over, in place of what the one before did.

    That the cloud told nothing before is over, for whichever master.
    """
    with database.begin() as link:
        moment = now(link)
        said = {"driver": driver, "tried_at": moment, "failure": None}
        row = {"name": name, **said, "listed_at": moment, "counts": dict(counts)}
        bulk.insert(link, cloud, [row], bulk.taken(*(one for one in row if one != "name")))
        known = sa.select(cloud_finding.c.list, cloud_finding.c.key)
        old = {tuple(one) for one in link.execute(known.where(cloud_finding.c.cloud == name))}
        left = iter(findings)
        while some := list(islice(left, FINDINGS)):
            old.difference_update((one.list, one.key) for one in some)
            rows = [
                {
                    "cloud": name,
                    "since": moment,
                    **{column: getattr(one, column) for column in KEPT},
                }
                for one in some
            ]
            bulk.insert(link, cloud_finding, rows, bulk.taken("why", "asset_id", "facts"))
        if old:
            lists, keys = map(bulk.array, zip(*sorted(old), strict=True))
            FORGET(link, {"cloud": name, "lists": lists, "keys": keys})
        link.execute(closed(CLOUD, name))


FORGET = bulk.Prepared("""
DELETE FROM cloud_finding
 USING unnest(CAST(:lists AS text[]), CAST(:keys AS text[])) AS i(list, key)
 WHERE cloud_finding.cloud = :cloud
   AND cloud_finding.list = i.list AND cloud_finding.key = i.key
""")


def fail_listing(database: Database, name: str, driver: str, master: str, why: str) -> None:
    """
    Keep why a cloud told nothing, as a problem of this master too.

    What the listing before had found stays as it is.
    """
    with database.begin() as link:
        moment = now(link)
        row = {"name": name, "driver": driver, "tried_at": moment, "failure": why}
        bulk.insert(link, cloud, [row], bulk.taken("driver", "tried_at", "failure"))
        record(link, [Problem(CLOUD, master, name, why, "", moment)])
