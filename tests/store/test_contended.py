"""Writers that meet: what is no race does not look like one, and what is one has one end."""

import threading

import psycopg2
import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import bulk
from salt_ext.store.identity import locking
from salt_ext.store.ingest import arriving
from salt_ext.store.schema import UNCHECKED
from tests.citus import one_server
from tests.machines import arrival, later, server
from tests.patience import PATIENCE_SECONDS
from tests.postgres import open_store


def statuses(outcomes):
    return {one.minion_id: one.status for one in outcomes}


def merge(database):
    """Two machines of which a person says that they are one; return the name that is gone."""
    one, other = server(1), server(2)
    store.ingest(database, [arrival(one, "web01"), arrival(other, "web02")])
    both = server(1)
    both["baseboards"][0]["serial_number"] = other["baseboards"][0]["serial_number"]
    both["system"]["uuid"] = other["system"]["uuid"]
    store.ingest(database, [arrival(both, "web03", later(minutes=1))])
    [merging] = [one for one in store.choices(database, "web03") if one.name == "merge"][:1]
    store.rule(database, "web03", "merge", subject=merging.subject.id, by="me", why="one box")
    return merging.subject.minion_id


def test_a_new_machine_with_a_part_of_a_merged_one_is_stored(database):
    left = server(2 if merge(database) == "web02" else 1)
    new = server(9)
    for name in ("mac", "permanent_mac"):
        new["network"][0][name] = left["network"][0][name]
    reports = [
        arrival(new, "web09", later(minutes=2)),
        arrival(server(10), "web10", later(minutes=2)),
    ]
    assert statuses(store.ingest(database, reports)) == {"web09": "new", "web10": "new"}


def test_rows_that_are_there_already_set_their_machines_aside_and_nobody_else(database):
    names = [f"web{number:02d}" for number in range(1, 7)]
    first = [arrival(server(number), name) for number, name in enumerate(names, 1)]
    store.ingest(database, first)
    with database.begin() as link:
        link.exec_driver_sql(
            "INSERT INTO revision SELECT asset_id, 2, recorded_at, collected_at, mode, reason,"
            " digest, last_before, key_rule FROM revision JOIN asset ON asset.id = asset_id"
            " WHERE minion_id <> 'web06'"
        )
    changed = [
        arrival(server(number, custom={"rack": "R1"}), name, later(minutes=1))
        for number, name in enumerate(names, 1)
    ]
    found = statuses(store.ingest(database, changed))
    assert found == {**dict.fromkeys(names[:5], "refused"), "web06": "changed"}
    told = store.problems(database, limit=20)[0]
    assert {one["minion_id"] for one in told} == set(names[:5])
    assert all("revision_pkey" in one["message"] + one["traceback"] for one in told)


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_one_machine_under_two_names_is_one_whatever_the_database_isolates(
    database, database_url, monkeypatch, level
):
    name = sa.make_url(database_url).database
    with database.begin() as link:
        link.exec_driver_sql(f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
    database.close()
    both, lock = threading.Barrier(2), locking.lock_arrival
    met = set()

    def lock_together(link):
        """Let both write before one of them may end."""
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            both.wait(PATIENCE_SECONDS)
        lock(link)

    monkeypatch.setattr(arriving, "lock_arrival", lock_together)
    found = {}

    def report(minion_id):
        own = open_store(database_url)
        found.update(statuses(store.ingest(own, [arrival(server(7), minion_id)])))
        own.close()

    writers = [threading.Thread(target=report, args=(name,)) for name in ("one", "two")]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert sorted(found.values()) == ["held", "new"]
    assert store.assets(database).total == 1


def test_a_machine_that_takes_its_place_while_lists_are_matched_anew_keeps_it(
    database, database_url, monkeypatch
):
    said = {"sn": "9XYZ007", "hostname": "web07", "lifecycle": "staged"}
    row = {"sn": "9XYZ007", "minion_id": "web07", "fields": said, "row": 1, "awaited": True}
    store.import_expected(database, [row], source="dc", by="me")
    with database.begin() as link:  # its row is written again
        link.execute(sa.text("""UPDATE expected SET fields = fields || '{"rack": "R9"}'"""))
    insert, reached, go_on = bulk.insert, threading.Event(), threading.Event()

    def late(link, table, rows, update=None):
        if table.name == "asset" and threading.current_thread().name == "maintain":
            reached.set()
            go_on.wait(PATIENCE_SECONDS)
        return insert(link, table, rows, update)

    monkeypatch.setattr(bulk, "insert", late)
    own = open_store(database_url)
    matching = threading.Thread(target=store.maintain, args=(own,), name="maintain")
    matching.start()
    assert reached.wait(PATIENCE_SECONDS)
    found = {}
    reporting = threading.Thread(
        target=lambda: found.update(statuses(store.ingest(database, [arrival(server(7), "web07")])))
    )
    reporting.start()
    with database.begin() as link:
        waits = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        while reporting.is_alive() and not link.scalar(waits):
            pass
    go_on.set()
    matching.join()
    reporting.join()
    own.close()
    if found == {"web07": "waiting"}:  # a slow machine
        found = statuses(store.ingest(database, [arrival(server(7), "web07")]))
    assert found == {"web07": "new"}
    [machine] = store.assets(database, columns="minion_id,kind,os").rows
    assert (machine["minion_id"], machine["kind"]) == ("web07", "physical")


def test_a_name_that_no_index_can_hold_does_not_get_into_the_inbox(database):
    with pytest.raises(sa.exc.IntegrityError) as error, database.begin() as link:
        link.execute(
            sa.text("INSERT INTO inbox (minion_id, report) VALUES (:name, '{}')"),
            {"name": "n" * 256},
        )
    assert isinstance(error.value.orig, psycopg2.errors.CheckViolation)


def test_a_newcomer_waits_for_a_known_machine_of_its_batch_that_shows_its_keys(database):
    store.ingest(database, [arrival(server(1), "web01")])
    taken = {name: server(9)[name] for name in ("system", "baseboards")}
    reports = [
        arrival({**server(1), **taken}, "web01", later(hours=1)),
        arrival(server(9), "web09", later(hours=1)),
    ]
    assert statuses(store.ingest(database, reports))["web01"] == "held"


@one_server("Citus has no triggers: cmdb.purge alone removes what is of an asset there")
def test_what_is_of_an_asset_goes_with_it_whoever_removes_it(database):
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    with database.begin() as link:
        link.exec_driver_sql("DELETE FROM asset WHERE minion_id = 'web01'")
        for table in UNCHECKED:
            found = set(link.scalars(sa.select(table.c.asset_id).distinct()))
            assert found == {store.resolve(database, "web02")}
