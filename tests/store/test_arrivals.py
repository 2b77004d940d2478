"""Machines that nobody knows, stored by several masters at once: none is mistaken for another."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.facts.identity import KEYS
from salt_ext.store.bulk import copy
from salt_ext.store.identity.locking import lock_identity
from salt_ext.store.ids import new_id
from salt_ext.store.ingest.arriving import store_new
from salt_ext.store.ingest.claiming import claimed
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.touching import touch_unchanged
from salt_ext.store.schema import (
    asset,
    asset_facts,
    asset_seen,
    held,
    identifier,
    metadata,
    part,
    placement,
)
from tests.machines import arrival, later, revisions, server

WAITS = sa.text("""
SELECT count(*) FROM pg_locks LEFT JOIN pg_database AS one ON one.oid = pg_locks.database
 WHERE NOT granted AND coalesce(datname = current_database(), true)
""")


def with_uuid_of(number, other):
    facts = server(number)
    facts["system"]["uuid"] = server(other)["system"]["uuid"]
    return facts


RIVALS = {
    "one machine under two names": [
        arrival(server(1), "a", later(minutes=1)),
        arrival(server(1), "b", later(minutes=2)),
        arrival(server(2), "c", later(minutes=3)),
    ],
    "two machines under one name": [
        arrival(server(1), "a", later(minutes=1)),
        arrival(server(2), "a", later(minutes=2)),
        arrival(server(1), "b", later(minutes=3)),
    ],
    "swapped names": [
        arrival(server(1), "a", later(minutes=1)),
        arrival(server(2), "b", later(minutes=2)),
        arrival(server(1), "b", later(minutes=3)),
    ],
    "one UUID of three": [
        arrival(server(1), "a", later(minutes=1)),
        arrival(with_uuid_of(2, 1), "b", later(minutes=2)),
        arrival(with_uuid_of(3, 1), "c", later(minutes=3)),
    ],
    "one report to three masters": [arrival(server(1), "a", later(minutes=1))] * 3,
    "a former name": [
        arrival(server(1), "a", later(minutes=1)),
        arrival(server(1), "b", later(minutes=2), "a"),
        arrival(server(2), "a", later(minutes=3)),
    ],
}


def known(database):
    """The machines with the keys that each shows, and whose reports are held."""
    shows = sa.and_(
        identifier.c.asset_id == asset_seen.c.asset_id,
        identifier.c.kind.in_(KEYS),
        identifier.c.last_seen.is_(None),
    )
    machines_of = asset.join(asset_seen, asset_seen.c.asset_id == asset.c.id)
    shown = (
        sa.select(asset.c.minion_id, sa.func.array_agg(identifier.c.value))
        .select_from(machines_of.outerjoin(identifier, shows))
        .group_by(asset.c.id, asset.c.minion_id)
    )
    with database.begin() as link:
        machines = link.execute(shown).all()
        names = link.scalars(sa.select(held.c.minion_id)).all()
    keys = sorted((str(name), tuple(sorted(keys or ()))) for name, keys in machines)
    return tuple(keys), tuple(sorted(names))


def emptied(database):
    names = ", ".join(metadata.tables)
    with database.begin() as link:
        link.exec_driver_sql(f"TRUNCATE {names} CASCADE")


@pytest.mark.parametrize("reports", RIVALS.values(), ids=RIVALS)
def test_rivals_that_arrive_at_once_end_as_if_they_had_come_in_some_order(database, reports):
    orders = set()
    for order in itertools.permutations(reports):
        for one in order:
            store.ingest(database, [one])
        orders.add(known(database))
        emptied(database)
    for _ in range(4):
        start = threading.Barrier(len(reports))

        def ingest(one, start=start):
            start.wait()
            return store.ingest(database, [one])

        with ThreadPoolExecutor(len(reports)) as pool:
            assert all(pool.map(ingest, reports))
        assert known(database) in orders
        emptied(database)


def test_many_batches_with_the_same_machines_store_each_once(database):
    machines = [arrival(server(number), f"web{number:02d}") for number in range(1, 25)]
    batches = [machines[start:] + machines[:start] for start in (0, 6, 12, 18)]
    with ThreadPoolExecutor(len(batches)) as pool:
        said = [*pool.map(lambda batch: store.ingest(database, batch), batches)]
    status = [{one.minion_id: one.status for one in outcomes} for outcomes in said]
    assert all(set(one.values()) <= {"new", "unchanged"} for one in status)
    assert sum(list(one.values()).count("new") for one in status) == len(machines)
    machines, waiting = known(database)
    assert [name for name, _ in machines] == [f"web{number:02d}" for number in range(1, 25)]
    assert not waiting
    assert len(revisions(database, store.resolve(database, "web01"))) == 1


def begun(database, link, *reports):
    """Store new machines in a transaction that has not ended yet."""
    with database.autocommit() as other:
        due, _ = touch_unchanged(other, reports)
    assert store_new(link, claimed(due, Findings()), Findings()) == []


def test_who_stores_machines_that_nobody_knows_waits_for_no_other_who_does(database):
    with database.begin() as link:
        lock_identity(link, shared=True)
        [outcome] = store.ingest(database, [arrival(server(1))])
    assert outcome.status == "new"


@pytest.mark.parametrize(
    "rival",
    [arrival(server(1), "web02"), arrival(server(2), "web01")],
    ids=["its keys", "its name"],
)
def test_who_stores_the_same_name_or_key_waits_and_then_knows_it(database, rival):
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as link:
            begun(database, link, arrival(server(1)))
            later_one = pool.submit(store.ingest, database, [rival])
            while not link.scalar(WAITS):
                assert not later_one.done()
        [outcome] = later_one.result()
    machines, waiting = known(database)
    assert outcome.status == "held"
    assert [name for name, _ in machines] == ["web01"]
    assert waiting == (rival.minion_id,)


def test_who_decides_waits_for_machines_that_are_being_stored(database):
    store.ingest(database, [arrival(server(2), "web02")])
    renamed = arrival(server(2), "web03", later(minutes=1), "web02")
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as link:
            begun(database, link, arrival(server(1)))
            decided = pool.submit(store.ingest, database, [renamed])
            while not link.scalar(WAITS):
                assert not decided.done()
        assert decided.result()


def test_what_copy_takes_for_its_own_arrives_as_it_was(database):
    texts = ["a\tb", "a\\b", "\\.", "\\N", "a\nb\r", "", "ä\x1d", 'say "x"', "{a,b}"]
    store.ingest(database, [arrival(server(1))])
    asset_id = store.resolve(database, "web01")
    rows = [
        {
            "asset_id": asset_id,
            "section": f"own{number}",
            "facts": {"text": text},
            "volatile": None,
            "digest": bytes([number]),
            "source": text,
            "version": -1 if number else None,
        }
        for number, text in enumerate(texts)
    ]
    with database.begin() as link:
        copy(link, asset_facts, rows)
        found = link.execute(
            sa.select(*(asset_facts.c[name] for name in rows[0]))
            .where(asset_facts.c.section.like("own%"))
            .order_by(asset_facts.c.section)
        )
        assert [dict(row._mapping) for row in found] == rows


def test_a_purged_machine_leaves_no_row(database):
    store.ingest(database, [arrival(server(1)), arrival(server(2), "web02")])
    with database.begin() as link:
        link.execute(sa.update(asset).values(lifecycle="retired"))
    gone = later(days=400)
    store.purge(database, "retired", gone, store.Act("me", "sold", test=False))
    with database.begin() as link:
        for table in (asset, asset_facts, identifier, part, placement):
            assert not link.execute(sa.select(table)).all(), table.name


def test_ids_grow_with_time_and_no_two_are_the_same():
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == len(ids)
    assert {one.version for one in ids} == {7}
    assert [one.int >> 80 for one in ids] == sorted(one.int >> 80 for one in ids)
