"""What is counted by kind is what a list with the same filter has."""

import pytest

from salt_ext import store
from salt_ext.settings import resolve
from salt_ext.store.parts import SOURCES
from salt_ext.store.schema import PART_FIELDS
from tests.machines import arrival, dimm, later, server

FIELDS = ("site", "kind", "os", "freshness", "mode", "lifecycle", "temporary", "disk_count")


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines with parts that are alike in some fields only, one detached, one without a site."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    disks = [
        {"name": "sda", "model": "PM9A3", "transport": "nvme", "size_bytes": 10**12},
        {"name": "sdb", "model": "PM9A3", "transport": "sas", "firmware_version": "2"},
        {"name": "sdc", "size_bytes": 10**12},
    ]
    power = [{"name": "PSU1", "status": "OK"}, {"name": "PSU2", "status": "OK, Critical"}]
    machines = {
        "web01": server(1, disks=disks[:1], location={"site": "ams1"}),
        "web02": server(2, disks=disks, location={"site": "ams1"}, power_supplies=power),
        "web03": server(3, disks=disks[1:], location={"site": "fra1"}, power_supplies=power[:1]),
        "web04": server(4, disks=[], virtual={"role": "guest"}),
    }
    machines["web03"]["memory"]["devices"] = [dimm("A1", "S1", 32), dimm("A2", "S2", 32)]
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    store.ingest(database, [arrival(machines["web04"], "web04", later(days=-3), mode="ssh")])
    store.set_lifecycle(
        database,
        store.resolve(database, "web01"),
        "maintenance",
        store.Act("root", "new disk", False),
    )
    yield database
    database.close()


def is_it(name, value):
    return {f"{name}__isnull": "true"} if value is None else {name: str(value)}


@pytest.mark.parametrize("section", SOURCES)
def test_a_kind_of_part_is_in_as_many_assets_as_the_list_has(fleet, section):
    rows, total = store.components(fleet, section, limit=100)
    assert total == len(rows) > 0 or section == "gpus"
    for row in rows:
        filters = {}
        for name in filter(SOURCES[section].fills, PART_FIELDS):
            filters |= is_it(f"{section}.{name}", row[name])
        assert store.assets(fleet, filters=filters).total == row["assets"]
        assert store.components(fleet, section, filters=filters) == ([row], 1)


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_of_a_facet_has_as_many_assets_as_the_list_and_the_report(fleet, field):
    [facet] = store.facets(fleet, field)
    assert sum(one["assets"] for one in facet["values"]) == facet["assets"] == 4
    for one in facet["values"]:
        filters = is_it(field, one["value"])
        assert store.assets(fleet, filters=filters).total == one["assets"]
        whole, [table] = store.totals(fleet, groupings=[field], filters=filters)
        assert whole["assets"] == one["assets"] == table[0]["assets"]
