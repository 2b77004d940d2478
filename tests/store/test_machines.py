"""Which machines are handed out to other programs."""

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server


def names(database, **filters):
    return [row["name"] for row in store.machines(database, filters=filters)]


@pytest.fixture
def fleet(database):
    """A fresh machine, a stale one, one missing for weeks, one retired, one without its name."""
    ages = ({}, {"hours": -5}, {"days": -20}, {})
    for number, age in enumerate(ages, start=1):
        ingest(database, [arrival(server(number), f"web0{number}", later(**age))])
    retired = store.resolve(database, "web04")
    store.set_lifecycle(database, retired, "retired", store.Act("me", "sold", test=False))
    ingest(database, [arrival(server(5), "web05", later(hours=-1))])
    ingest(database, [arrival(server(6), "web05")])
    return database


def test_who_is_gone_is_handed_out_only_when_asked_for(fleet):
    assert names(fleet) == ["web01", "web02", "web05"]
    assert "web03" in names(fleet, freshness="missing")
    assert "web04" in names(fleet, lifecycle="retired")


def test_the_interface_with_the_address_is_told(database):
    facts = server(1)
    spare = {"name": "eth1", "kind": "physical", "addresses": ["10.0.0.10/24"]}
    facts["network"][0] |= {"addresses": ["10.0.0.1/24", "fd00::1/64"]}
    facts["network"].insert(0, spare)
    facts["network"][1]["default_address"] = "10.0.0.1"
    ingest(database, [arrival(facts, "web01")])
    [row] = store.machines(database, columns=["address"], has_interface=True)
    assert row["address"] == "10.0.0.1"
    assert row["interface"]["name"] == facts["network"][1]["name"]
    assert row["interface"]["addresses"] == ["10.0.0.1/24", "fd00::1/64"]


def test_an_interface_is_not_told_to_whom_something_of_it_is_hidden(database):
    ingest(database, [arrival(server(1), "web01")])
    for hidden in ("network.driver", "network", "address"):
        with pytest.raises(store.HiddenField):
            list(store.machines(database.hiding([hidden]), has_interface=True))


def test_one_statement_reads_all_of_them(fleet):
    counted = store.count_statements()
    assert len(names(fleet)) == 3
    assert counted.count <= 3
