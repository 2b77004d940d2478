"""How the tables are spread over the servers of Citus: the rule, and what a store without says."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import distribution
from salt_ext.store.schema import metadata
from tests.citus import ON_CITUS, one_server
from tests.machines import arrival, server
from tests.postgres import open_store


def test_what_grows_with_the_fleet_is_spread_by_asset():
    by_asset = {name for name, kind in distribution.wanted().items() if kind == "distributed"}
    assert by_asset >= {
        *("asset_facts", "asset_seen", "asset_was", "baseline", "build", "change", "counter"),
        *("handover", "identifier", "loss", "other_source", "part", "placement", "revision"),
    }


def test_no_table_refers_to_one_that_is_on_fewer_servers():
    wanted = distribution.wanted()
    for table in metadata.tables.values():
        for key in table.foreign_keys:
            other = wanted.get(key.column.table.name)
            assert other == "reference" or table.name not in wanted, (table.name, key.column)


def test_a_table_is_named_that_stays_on_the_coordinator():
    assert metadata.tables.keys() >= distribution.LOCAL
    assert not any(distribution.is_by_asset(metadata.tables[name]) for name in distribution.LOCAL)


@one_server("it is about a store without Citus")
def test_without_citus_nothing_is_spread_and_the_operator_is_told_why(database):
    with pytest.raises(store.StoreError) as refused:
        store.migrate(database, distribute=True)
    assert "has not the extension citus" in str(refused.value)
    assert "CREATE EXTENSION citus" in refused.value.hint
    assert store.migrate(database) == []


@pytest.mark.skipif(not ON_CITUS, reason="it spreads a store over servers")
def test_a_store_that_has_machines_is_spread_once_and_answers_as_before(new_database):
    database = open_store(new_database(empty=True))
    store.migrate(database)
    store.ingest(database, [arrival(server(number), f"web{number}") for number in range(9)])
    before = store.assets(database).rows, store.totals(database)
    named = store.migrate(database, distribute=True, test=True)
    assert "asset_facts: spread by asset" in named
    assert "asset: whole on each server" in named
    assert store.assets(database).rows == before[0]
    assert store.migrate(database, distribute=True) == named
    assert (store.assets(database).rows, store.totals(database)) == before
    assert {one.status for one in store.ingest(database, [arrival(server(3), "web3")])} == {
        "unchanged"
    }
    assert store.migrate(database, distribute=True) == store.migrate(database) == []
    with database.begin() as link:
        found = link.execute(
            sa.text(
                "SELECT DISTINCT colocation_id FROM citus_tables WHERE table_name::text IN"
                " ('asset_facts', 'revision', 'part')"
            )
        )
        assert len(found.all()) == 1
    database.close()


@pytest.mark.skipif(not ON_CITUS, reason="it spreads a table that a later version adds")
def test_a_table_that_a_later_version_adds_is_spread_by_the_next_migration(database):
    with database.begin() as link:
        link.execute(sa.text("DROP TABLE build"))
        link.execute(sa.text("SET LOCAL citus.enable_ddl_propagation = on"))
        link.execute(sa.schema.CreateTable(metadata.tables["build"]))
    assert store.migrate(database) == ["build: spread by asset"]
    assert store.migrate(database) == []


def test_the_size_of_the_store_is_that_of_all_its_servers(database):
    def bytes_of(answer):
        return {one["table"]: one["table_bytes"] for one in answer["tables"]}

    before = store.statistics(database)
    store.ingest(database, [arrival(server(number), f"web{number}") for number in range(9)])
    after = store.statistics(database)
    assert sorted(one["table"] for one in after["tables"]) == sorted(metadata.tables)
    for name in ("asset", "asset_facts", "identifier", "part"):
        assert bytes_of(after)[name] > bytes_of(before)[name], name
    assert after["database_bytes"] > sum(bytes_of(after).values())
