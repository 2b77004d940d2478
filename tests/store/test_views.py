"""The views that other programs may rely on: what they have, and whom."""

from datetime import datetime, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from tests.citus import one_server
from tests.machines import arrival, later, server
from tests.store.test_listening import DAY, HOUR, beat, freshness, listens, passes, report

COLUMNS = {
    "asset_id": "uuid",
    "minion_id": "text",
    "sn": "text",
    "kind": "text",
    "lifecycle": "text",
    "freshness": "text",
    "last_seen": "timestamp with time zone",
    "first_seen": "timestamp with time zone",
    "hostname": "text",
    "site": "text",
    "room": "text",
    "rack": "text",
    "unit": "text",
    "from_list": "text",
    "manufacturer": "text",
    "product_name": "text",
    "os": "text",
    "kernel_release": "text",
    "processor_model": "text",
    "processor_threads": "integer",
    "memory_bytes": "bigint",
    "disk_count": "integer",
    "disk_bytes": "bigint",
    "address": "text",
    "list": "jsonb",
    "named": "jsonb",
}
"""A contract: columns may be added at the end, and none is taken away or becomes another."""


def rows(database, view="cmdb_machines", before=""):
    with database.begin() as link:
        if before:
            link.exec_driver_sql(before)
        found = link.exec_driver_sql(f"SELECT * FROM {view} ORDER BY minion_id")
        return {row.minion_id: row for row in found}


def states(database, before=""):
    found = rows(database, "cmdb_all_machines", before)
    return {minion_id: row.freshness for minion_id, row in found.items()}


def says(database, *machines, source="list.csv"):
    """Import a list; of each machine its SN, its minion id and its fields."""
    said = [
        {"sn": sn, "minion_id": name, "fields": fields, "row": number, "awaited": True}
        for number, (sn, name, fields) in enumerate(machines, 2)
    ]
    store.import_expected(database, said, source=source, by="ops")


@pytest.mark.parametrize("view", ["cmdb_machines", "cmdb_all_machines"])
def test_the_columns_of_the_views_are_a_contract(database, view):
    with database.begin() as link:
        found = link.exec_driver_sql(
            "SELECT column_name, data_type FROM information_schema.columns"
            f" WHERE table_name = '{view}' ORDER BY ordinal_position"
        )
        assert dict([*found][: len(COLUMNS)]) == COLUMNS


def test_the_views_say_how_fresh_machines_are_as_the_list_of_assets_does(database):
    database.settings["missing_after"] = 3 * 3600

    def both():
        found = freshness(database)
        assert states(database, "SET LOCAL cmdb.missing_after = '3h'") == found
        return found

    first = store.Listener(beat(database, "first"), set)
    second = store.Listener(beat(database, "second"), set)
    report(database, "web01", 1, first)
    report(database, "web02", 2, second)
    passes(database, 9 * DAY)  # nobody listens
    assert both() == {"web01": "fresh", "web02": "fresh"}
    listens(database, 2 * HOUR, "first")
    assert both() == {"web01": "stale", "web02": "fresh"}
    report(database, "web03", 3, first)
    listens(database, HOUR, "first")
    assert both() == {"web01": "missing", "web02": "fresh", "web03": "fresh"}
    listens(database, HOUR, "first")
    assert both()["web03"] == "stale"
    listens(database, HOUR, "first")
    assert both() == {"web01": "missing", "web02": "fresh", "web03": "missing"}
    database.settings["missing_after"] = 7 * 86400
    assert states(database) == freshness(database)
    assert set(rows(database)) == {"web01", "web02", "web03"}


def test_as_long_as_no_master_was_heard_all_the_time_counts_in_the_views_too(database):
    report(database, "web01")
    passes(database, 3 * HOUR)
    assert states(database) == {"web01": "stale"}
    passes(database, 8 * DAY)
    assert states(database) == {"web01": "missing"}


def test_other_ages_are_set_for_the_database_or_the_session(database):
    report(database, "web01")
    passes(database, 3 * HOUR)
    assert states(database, "SET LOCAL cmdb.missing_after = '2h'") == {"web01": "missing"}
    assert states(database, "SET LOCAL cmdb.stale_after = '4h'") == {"web01": "fresh"}
    assert states(database) == {"web01": "stale"}


def test_retired_and_detached_hardware_and_what_only_lists_have_is_in_one_view_alone(database):
    at = datetime.now(timezone.utc).replace(microsecond=0)
    ingest(database, [arrival(server(number), f"web0{number}", at) for number in (1, 2, 3)])
    act = store.Act("ops", "broken", test=False)
    store.set_lifecycle(database, store.resolve(database, "web02"), "retired", act)
    with database.begin() as link:
        link.execute(
            sa.text("UPDATE asset_seen SET detached_at = now() WHERE asset_id = :id"),
            {"id": store.resolve(database, "web03")},
        )
    says(database, ("9XYZ009", None, {}))
    assert set(rows(database)) == {"web01"}
    assert states(database) == {
        **{"web01": "fresh", "web02": "fresh", "web03": "detached"},
        None: "unreported",
    }


def test_what_lists_say_is_apart_from_what_they_say_of_the_authenticated_name(database):
    ingest(database, [arrival(server(1), "web01.dc1"), arrival(server(2), "web02", later())])
    says(
        database,
        ("9XYZ001", "WEB01", {"list.role": "db", "rack": "R07"}),
        # Whoever reports this SN is meant, and that can be any machine.
        ("9XYZ002", None, {"list.role": "vault"}),
    )
    says(database, ("9XYZ001", None, {"list.role": "web", "list.cost": 7}), source="newer.csv")
    found = rows(database, "cmdb_all_machines")
    assert found["web01.dc1"].list == {"role": "web", "cost": 7, "rack": "R07"}
    assert found["web01.dc1"].named == {"role": "db", "rack": "R07"}
    assert found["web01.dc1"].from_list == "rack"
    assert (found["web02"].list, found["web02"].named) == ({"role": "vault"}, {})


def test_the_name_of_another_domain_is_another_machine(database):
    ingest(database, [arrival(server(1), "web01.dc1")])
    says(database, ("9XYZ001", "web01.dc2", {"list.role": "vault"}))
    assert rows(database, "cmdb_all_machines")["web01.dc1"].named == {}


@one_server("a role that reads logs in on each server, as this one may not")
def test_a_role_that_may_read_a_view_needs_no_right_on_tables(database):
    report(database, "web01")
    with database.begin() as link:
        link.exec_driver_sql("CREATE ROLE view_reader")
        link.exec_driver_sql("GRANT SELECT ON cmdb_machines TO view_reader")
        link.exec_driver_sql("SET LOCAL ROLE view_reader")
        try:
            assert link.exec_driver_sql("SELECT minion_id FROM cmdb_machines").scalar() == "web01"
            may = "SELECT has_table_privilege('asset', 'SELECT')"
            assert link.exec_driver_sql(may).scalar() is False
        finally:
            link.exec_driver_sql("RESET ROLE")
            link.exec_driver_sql("DROP OWNED BY view_reader")
            link.exec_driver_sql("DROP ROLE view_reader")
