"""Equal sources with collectors of different versions, of which the newer one is heard no more."""

from datetime import timedelta

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server
from tests.postgres import open_store


def tell(database, *arrivals):
    return [outcome.status for one in arrivals for outcome in ingest(database, [one])]


def stored(database, name="web01"):
    return store.overview(database, store.resolve(database, name))


def changed(database):
    return [(one["op"], one["path"]) for one in store.changes(database, limit=10_000)]


@pytest.fixture
def known(new_database):
    database = open_store(new_database(), modes={"carried": "site.carried"})
    yield database
    database.close()


@pytest.mark.parametrize("mode", ["ssh", "salt", "carried"])
def test_an_older_collector_tells_of_the_machine_once_the_newer_one_is_silent(known, mode):
    tell(known, arrival(server(1), versions="disks=2"))
    facts = server(1)
    for day in range(1, 8):
        tell(known, arrival(facts, at=later(days=day), mode=mode))
        assert stored(known)["sources"]["disks"] == "agent"
    tell(known, arrival(facts, at=later(days=7, hours=1), mode=mode))
    assert set(stored(known)["sources"].values()) == {mode}
    assert changed(known) == []
    facts["disks"] = []
    assert tell(known, arrival(facts, at=later(days=10), mode=mode)) == ["changed"]
    assert changed(known) == [("removed", "disks")]
    assert stored(known)["facts"]["disks"] == []


def test_what_the_older_collector_has_said_before_takes_over_in_its_time(known):
    tell(known, arrival(server(1), versions="firmware=2"))
    facts = server(1)
    facts["firmware"]["version"] = "0.9"
    versions = [
        (tell(known, arrival(facts, at=later(days=day), mode="ssh")), stored(known)["facts"])
        for day in range(1, 15)
    ]
    told = [facts["firmware"]["version"] for _, facts in versions]
    assert told.index("0.9") == 7
    assert {status for [status], _ in versions} == {"unchanged"}
    assert changed(known) == []
    # The newer one takes over again as soon as it is back.
    assert tell(known, arrival(server(1), at=later(days=15), versions="firmware=2")) == [
        "unchanged"
    ]
    assert stored(known)["sources"]["firmware"] == "agent"
    assert stored(known)["facts"]["firmware"] == server(1)["firmware"]
    assert changed(known) == []


def test_the_newer_collector_counts_as_long_as_it_is_heard_though_it_says_the_same(known):
    facts = server(1)
    facts["firmware"]["version"] = "0.9"
    for day in range(30):
        tell(known, arrival(server(1), at=later(days=day), versions="firmware=2"))
        tell(known, arrival(facts, at=later(days=day, hours=3), mode="ssh"))
        assert stored(known)["facts"]["firmware"] == server(1)["firmware"]
    assert stored(known)["revision"] == 1


def test_a_report_of_the_older_collector_that_comes_again_makes_nobody_fresh(known):
    tell(known, arrival(server(1), versions="firmware=2"))
    facts = server(1)
    facts["firmware"]["version"] = "0.9"
    one = arrival(facts, at=later(days=1), mode="ssh")
    tell(known, one)
    before = stored(known)
    [again] = ingest(known, [one._replace(received_at=one.received_at + timedelta(hours=2))])
    assert (again.status, again.detail) == ("unchanged", "already stored")
    assert stored(known) == before
    assert store.problems(known)[0] == []


def test_a_section_that_the_newer_collector_told_long_ago_gives_way_to_the_older_one(known):
    facts = server(1)
    firmware = facts.pop("firmware")
    tell(known, arrival({**facts, "firmware": firmware}, versions="firmware=2"))
    for day in range(1, 10):
        tell(known, arrival(facts, at=later(days=day)))
        older = {**facts, "firmware": {**firmware, "version": "0.9"}}
        tell(known, arrival(older, at=later(days=day, hours=3), mode="ssh"))
    assert stored(known)["sources"]["firmware"] == "ssh"
    assert changed(known) == []


def test_clocks_that_are_wrong_by_ages_do_no_harm(known):
    facts = server(1)
    of_old = arrival(facts, at=later(), versions="firmware=2")
    of_old.report["collected_at"] = "0001-01-01T00:00:00.000Z"
    facts["firmware"]["version"] = "0.9"
    assert tell(known, of_old) == ["new"]
    assert tell(known, arrival(facts, at=later(hours=1), mode="ssh")) == ["unchanged"]
    assert stored(known)["sources"]["firmware"] == "agent"
    assert tell(known, arrival(facts, at=later(days=8), mode="ssh")) == ["unchanged"]
    assert stored(known)["sources"]["firmware"] == "ssh"
