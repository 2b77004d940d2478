"""What clouds say of machines is kept beside what these report, with a history of its own."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests import machines
from tests.machines import arrival, later, server

UUID = server(1)["system"]["uuid"]
TOLD = {"cloud": "prod", "id": "i-1", "name": "vm", "host": "compute1", "state": "running"}


@pytest.fixture
def asset(database):
    store.ingest(database, [arrival(server(1), at=later(hours=-1))])
    return store.resolve(database, "web01")


def test_what_a_cloud_says_first_is_no_change_of_the_machine(database, asset):
    assert store.tell_instances(database, "prod", [(asset, TOLD)]) == 1
    assert store.tell_instances(database, "prod", [(asset, TOLD)]) == 0
    assert store.overview(database, asset)["facts"]["instance"] == TOLD
    rows = machines.revisions(database, asset)
    assert [(row["number"], row["mode"]) for row in rows] == [(2, "cloud"), (1, "agent")]
    assert store.changes(database, store.Wanted(asset_id=asset)) == []


def test_each_document_of_the_past_is_the_one_that_was(database, asset):
    store.tell_instances(database, "prod", [(asset, TOLD)])
    moved = {**TOLD, "host": "compute2"}
    store.tell_instances(database, "prod", [(asset, moved)])
    fewer = {name: one for name, one in server(1).items() if name != "disks"}
    store.ingest(database, [arrival({**fewer, "disks": []})])
    for row in machines.revisions(database, asset):
        at, facts = store.document(database, asset, row["recorded_at"])
        hosts = {1: None, 2: "compute1", 3: "compute2", 4: "compute2"}
        assert facts.get("instance", {}).get("host") == hosts[at["number"]]
    assert store.document(database, asset)[1]["disks"] == []


def test_a_report_that_changes_nothing_is_touched_as_ever_beside_a_cloud(database, asset):
    store.tell_instances(database, "prod", [(asset, TOLD)])
    [outcome] = store.ingest(database, [arrival(server(1), at=later(seconds=1))])
    assert (outcome.status, outcome.detail) == ("unchanged", "as before")


def test_more_machines_than_one_transaction_takes_are_all_told(database):
    count = 250
    store.ingest(database, [arrival(server(number), f"vm{number}") for number in range(1, count)])
    told = [(one.asset_id, {**TOLD, "id": one.name}) for one in store.guests(database)]
    assert len(told) == count - 1
    assert store.tell_instances(database, "prod", told) == count - 1
    known = {one.name: one.instance["id"] for one in store.guests(database)}
    assert all(name == told for name, told in known.items())


def test_a_machine_that_was_purged_meanwhile_is_left_out(database, asset):
    with database.begin() as link:
        link.execute(sa.text("DELETE FROM asset"))
    assert store.tell_instances(database, "prod", [(asset, TOLD)]) == 0


def test_a_finding_keeps_since_when_it_is_one(database, asset):
    one = store.Finding("unreported", "i-1", "no machine reports its id", TOLD)
    store.keep_listing(database, "prod", "ec2", {"unreported": 1}, [one])
    [before], total = store.cloud_findings(database, "prod", "unreported")
    other = one._replace(key="i-2", facts={**TOLD, "name": "other"})
    store.keep_listing(database, "prod", "ec2", {"unreported": 2}, [one, other])
    found, total = store.cloud_findings(database, "prod", "unreported", 1)
    assert (len(found), total) == (1, 2)
    since = {
        row["key"]: row["since"] for row in store.cloud_findings(database, "prod", "unreported")[0]
    }
    assert since["i-1"] == before["since"]
    store.keep_listing(database, "prod", "ec2", {"unreported": 0}, [])
    assert store.cloud_findings(database, "prod", "unreported") == ([], 0)


def test_what_a_cloud_says_counts_for_no_container_and_no_disowned_key(database):
    inside = server(2)
    inside["virtual"] = {**inside["virtual"], "container": "docker"}
    store.ingest(database, [arrival(server(1)), arrival(inside, "web02")])
    one = store.resolve(database, "web01")
    assert {guest.name: bool(guest.keys) for guest in store.guests(database)} == {"web01": True}
    store.disown(database, one, "uuid", store.Act("ops", "a clone", False), value=UUID, own=False)
    assert list(store.guests(database)) == []
