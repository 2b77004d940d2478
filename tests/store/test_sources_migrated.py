"""Stores of before schema 0006: which of the two sorts of grains told each machine."""

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests import salt_grains
from tests.machines import arrival, later
from tests.postgres import open_store
from tests.store.old_store import story


def test_an_older_store_knows_its_sources_by_how_each_machine_was_heard(store_of):
    database = open_store(store_of("0005"))
    with database.begin_unchecked() as link:
        link.exec_driver_sql("UPDATE asset_seen SET mode = 'grains'")
        link.exec_driver_sql(
            "DELETE FROM asset_facts USING asset WHERE asset.id = asset_id"
            " AND minion_id = 'web02' AND section NOT IN ('system', 'memory')"
        )
    store.migrate(database)
    ours, salts = (
        store.overview(database, store.resolve(database, name)) for name in ("web01", "web02")
    )
    assert set(ours["sources"].values()) == {ours["mode"]} == {"cmdb_grain"}
    assert set(salts["sources"].values()) == {salts["mode"]} == {"grains"}
    facts = story()[-1][1]
    at = later(hours=1)
    told = Arrival("web01", salt_grains.report(facts, "web01", at, osrelease="99"), at)
    assert [one.status for one in ingest(database, [told])] == ["unchanged"]
    assert store.overview(database, ours["id"])["facts"] == ours["facts"]
    before = store.count_changes(database)
    [outcome] = ingest(database, [arrival(facts, "web01", later(hours=2))])
    assert (outcome.status, store.count_changes(database)) == ("unchanged", before)
    # Reports that still say the old word are taken.
    old = arrival(facts, "web03", later(hours=2), mode="grains")
    assert [one.status for one in ingest(database, [old])] in (["new"], ["held"])
    database.close()
