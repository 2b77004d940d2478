"""Masters that write at the same time, and what is in the store in the end."""

import multiprocessing
import random
import time
import uuid

import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import schema
from tests.machines import arrival, dimm, later, revisions, server
from tests.postgres import open_store

NOW_KNOWN = (schema.asset, schema.asset_facts, schema.identifier, schema.part)
"""The tables that hold the present state."""

ALL_KNOWN = (*NOW_KNOWN, schema.asset_was, schema.revision, schema.change, schema.placement)
"""The same tables, and those that hold the past."""


def story(machines=8, steps=6):
    """
    Return what machines report in turn, a batch for each time.

    Every one of them changes with every step. The first is renamed, the second
    and the third have one serial number, and a DIMM goes from one to another.
    """
    batches = []
    for step in range(steps):
        batch = []
        for number in range(1, machines + 1):
            facts = server(number, firmware={"vendor": "Dell Inc.", "version": f"1.{step}"})
            name, previous, last = f"web{number:02d}", None, None
            if number == 1 and step >= steps // 2:
                name, previous = "renamed", name
                last = later(minutes=steps // 2 - 1)
            if number in (2, 3):
                facts["system"]["serial_number"] = "5HARED1"
                facts["baseboards"][0]["serial_number"] = f"CNIVC00{number}"
            if number == 4 + step % 2:
                facts["memory"]["devices"].append(dimm("B1", "4FWANDERS"))
            batch.append(arrival(facts, name, later(minutes=step), previous, last=last))
        batches.append(batch)
    return batches


def write(url, batches, patience_seconds=0, acknowledged=None):
    """
    Store one batch after the other and return the outcomes.

    A batch is tried again until the store has said that it is stored, as the
    engine does. ``acknowledged`` is a shared counter of the batches that are stored,
    for another process to watch.
    """
    database = open_store(url)
    outcomes = []
    for batch in batches:
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                outcomes += store.ingest(database, batch)
                break
            except store.StoreUnreachable:
                if time.monotonic() >= deadline:
                    raise
        if acknowledged is not None:
            acknowledged.value += 1
    database.close()
    return [(one.minion_id, one.status, one.detail) for one in outcomes]


def shuffled(batches, seed):
    """
    Return the same reports in any order and in batches of any size, some of them twice.

    The last reports come once more at the end: one that was held may go through then.
    """
    chance = random.Random(seed)
    reports = [one for batch in batches for one in batch]
    reports += chance.sample(reports, len(reports) // 4)
    chance.shuffle(reports)
    result = []
    while reports:
        size = chance.randint(1, 9)
        result.append(reports[:size])
        del reports[:size]
    return [*result, batches[-1]]


FORK = multiprocessing.get_context("fork")
"""Salt starts its processes by fork, too."""


def forked(count):
    """Return a pool of processes that are forks of this one."""
    return FORK.Pool(count)


def dump(database, tables=ALL_KNOWN):
    """Return the rows of these tables without what differs from run to run: ids and times."""
    with database.begin() as link:
        names = {
            row.id: row.minion_id or f"detached {row.sn}"
            for row in link.execute(sa.select(schema.asset))
        }
        found = {}
        for table in tables:
            columns = [one for one in table.columns if not isinstance(one.type, sa.DateTime)]
            statement = sa.select(*columns)
            if tables is NOW_KNOWN and table is schema.identifier:
                statement = statement.where(table.c.last_seen.is_(None))
            found[table.name] = sorted(
                repr(
                    [
                        names.get(value, value) if isinstance(value, uuid.UUID) else value
                        for value in row
                    ]
                )
                for row in link.execute(statement)
            )
    return found


def check_history(database):
    """Undo changes back to some revisions of each asset; each must match its digest."""
    for row in store.assets(database, columns="minion_id", limit=1000).rows:
        found = revisions(database, row["id"])
        for one in [*found[:: max(1, len(found) // 10)], found[-1]]:
            store.document(database, row["id"], one["recorded_at"])
