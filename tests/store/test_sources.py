"""Which source tells a section, and that a poorer one changes nothing that a better one knows."""

from datetime import timedelta

import pytest

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests import salt_grains
from tests.machines import arrival, dimm, later, report, server
from tests.postgres import open_store

WEEK = timedelta(days=7)
"""After this time without its better source an asset is told by the poorer one."""


def grains(facts, at, minion_id="web01", **more):
    return Arrival(minion_id, salt_grains.report(facts, minion_id, at, **more), at)


def tell(database, *arrivals):
    return [outcome.status for one in arrivals for outcome in ingest(database, [one])]


def stored(database, name="web01"):
    return store.overview(database, store.resolve(database, name))


def sources(database, name="web01"):
    return stored(database, name)["sources"]


def told(database):
    """Whatever anybody is told of changes."""
    start, end = later(days=-400), later(days=400)
    return (
        store.changes(database, limit=100_000),
        store.count_changes(database),
        store.fleet_diff(database, start, end)["waves"],
        [one for one in store.fleet_diff(database, start, end)["rows"] if not one["is_new"]],
    )


NOTHING = ([], 0, [], [])


def test_the_first_report_of_ours_is_no_change_of_what_salt_knew(database):
    assert tell(database, grains(server(1), later(minutes=-50))) == ["new"]
    before = stored(database)
    assert set(sources(database).values()) == {"grains"}
    assert tell(database, arrival(server(1))) == ["unchanged"]
    after = stored(database)
    assert after["id"] == before["id"]
    assert after["mode"] == "agent"
    assert after["facts"]["disks"] == report(server(1))["facts"]["disks"]
    assert set(sources(database).values()) == {"agent"}
    assert told(database) == NOTHING
    assert store.document(database, after["id"], later(minutes=-20))[1] == before["facts"]
    [handover] = [
        one for one in store.handovers(database, after["id"]) if one["source"] == "grains"
    ]
    assert (handover["mode"], handover["revision"]) == ("agent", 2)
    assert {"disks", "memory", "network"} <= set(handover["sections"])
    assert store.changes_page(database, store.Wanted(), 10)[0] == []


def test_events_tell_of_the_machine_and_not_of_the_handover(database):
    tell(database, grains(server(1), later(minutes=-50)), arrival(server(1)))
    news = []
    store.tell(database, news.extend, lambda: {"web01"})
    assert [one.kind for one in news] == ["new"]
    facts = server(1)
    facts["firmware"]["version"] = "2.0"
    tell(database, arrival(facts, at=later(minutes=1)))
    store.tell(database, news.extend, lambda: {"web01"})
    assert [one.kind for one in news] == ["new", "changed"]
    assert [one["path"] for one in news[1].changes] == ["firmware.version"]


def test_a_poorer_source_changes_nothing_and_is_heard(database):
    tell(database, arrival(server(1)))
    before = stored(database)
    poorer = grains(server(1), later(hours=1), osrelease="99", ssds=[], mem_total=1)
    assert tell(database, poorer) == ["unchanged"]
    after = stored(database)
    assert after["facts"] == before["facts"]
    assert (after["revision"], after["mode"]) == (before["revision"], "agent")
    assert after["last_seen"] == later(hours=1)
    assert after["changed_at"] == before["changed_at"]
    assert told(database) == NOTHING
    assert store.problems(database)[0] == []
    # What comes again makes nobody fresh; what says the same later does.
    again = poorer._replace(received_at=later(hours=2))
    assert tell(database, again) == ["unchanged"]
    assert stored(database)["last_seen"] == later(hours=1)
    assert tell(database, grains(server(1), later(hours=3), osrelease="99", ssds=[], mem_total=1))
    assert stored(database)["last_seen"] == later(hours=3)
    assert tell(database, arrival(server(1), at=later(hours=4))) == ["unchanged"]
    assert stored(database)["last_seen"] == later(hours=4)


def test_a_poorer_source_adds_the_sections_that_a_better_one_lacks(database):
    facts = server(1)
    firmware = facts.pop("firmware")
    tell(database, arrival(facts), grains({**facts, "firmware": firmware}, later(hours=1)))
    assert sources(database)["firmware"] == "grains"
    assert sources(database)["memory"] == "agent"
    assert stored(database)["facts"]["firmware"]["version"] == firmware["version"]
    # The better one does not remove it by not telling it; when it tells it, it is its own.
    tell(database, arrival(facts, at=later(hours=2)))
    assert sources(database)["firmware"] == "grains"
    tell(database, arrival({**facts, "firmware": firmware}, at=later(hours=3)))
    assert sources(database)["firmware"] == "agent"
    assert told(database) == NOTHING
    changed = {**facts, "firmware": {**firmware, "version": "2.0"}}
    tell(database, arrival(changed, at=later(hours=4)))
    assert [one["path"] for one in store.changes(database)] == ["firmware.version"]


def test_a_real_change_beside_a_handover_is_told(database):
    facts = server(1)
    firmware = facts.pop("firmware")
    both = {**facts, "firmware": firmware}
    tell(database, arrival(facts), grains(both, later(hours=1)))
    both["memory"]["devices"] = both["memory"]["devices"][:1]
    assert tell(database, arrival(both, at=later(hours=2))) == ["changed"]
    [one] = store.changes(database)
    assert (one["op"], one["path"]) == ("removed", "memory.devices")
    then = store.document(database, stored(database)["id"], later(minutes=90))[1]
    assert then["firmware"] == {"version": firmware["version"], "release_date": "2024-04-01"}
    assert len(then["memory"]["devices"]) == 2


def test_a_source_that_is_missing_gives_way_and_comes_back_as_if_nothing_was(database):
    tell(database, arrival(server(1)))
    day_by_day = [later(days=number) for number in range(1, 8)]
    for at in day_by_day:
        assert tell(database, grains(server(1), at, osrelease="13")) == ["unchanged"]
        assert set(sources(database).values()) == {"agent"}
    late = later(days=8)
    assert tell(database, grains(server(1), late, osrelease="13")) == ["unchanged"]
    assert sources(database)["operating_system"] == "grains"
    assert stored(database)["facts"]["operating_system"]["version_id"] == "13"
    # What only the better one knew is still there.
    assert sources(database)["baseboards"] == "agent"
    assert stored(database)["facts"]["memory"]["devices"] == server(1)["memory"]["devices"]
    # What the poorer one says now is what changes.
    assert tell(database, grains(server(1), later(days=9), osrelease="14")) == ["changed"]
    assert {one["path"] for one in store.changes(database)} == {
        "operating_system.version_id",
        "operating_system.pretty_name",
    }
    assert tell(database, grains(server(1), later(days=10), osrelease="14")) == ["unchanged"]
    assert tell(database, arrival(server(1), at=later(days=11))) == ["unchanged"]
    assert set(sources(database).values()) == {"agent"}
    assert stored(database)["facts"] == report(server(1))["facts"]
    assert len(store.changes(database)) == 2
    assert (
        store.document(database, stored(database)["id"], later(days=10))[1]["operating_system"][
            "version_id"
        ]
        == "14"
    )
    # From here on it is as at the beginning.
    assert tell(database, grains(server(1), later(days=12), osrelease="15")) == ["unchanged"]
    facts = server(1)
    facts["memory"]["devices"][0] = dimm("A1", "4F9999")
    assert tell(database, arrival(facts, at=later(days=12))) == ["changed"]
    assert [one["op"] for one in store.changes(database)][:1] == ["replaced"]


@pytest.mark.parametrize("mode", ["salt", "ssh", "return"])
def test_sources_in_which_our_collectors_ran_are_equals(database, mode):
    tell(database, grains(server(1), later(minutes=-50)), arrival(server(1)))
    tell(database, arrival(server(1), at=later(minutes=1), mode=mode))
    assert set(sources(database).values()) == {mode}
    facts = server(1)
    facts["firmware"]["version"] = "2.0"
    assert tell(database, arrival(facts, at=later(minutes=2), mode="agent")) == ["changed"]
    assert [one["path"] for one in store.changes(database)] == ["firmware.version"]


def test_our_grain_alone_is_poorer_than_a_report_and_better_than_salts_grains(database):
    facts = server(1)
    tell(database, grains(facts, later(minutes=-90)))
    tell(database, arrival(facts, at=later(minutes=-60), mode="cmdb_grain"))
    assert set(sources(database).values()) == {"cmdb_grain"}
    tell(database, grains(facts, later(minutes=-30), osrelease="99"))
    assert set(sources(database).values()) == {"cmdb_grain"}
    tell(database, arrival({**facts, "smart": []}))
    assert set(sources(database).values()) == {"agent"}
    old = server(1)
    old["firmware"]["version"] = "0.9"
    tell(database, arrival(old, at=later(minutes=30), mode="cmdb_grain"))
    assert stored(database)["facts"]["firmware"] == facts["firmware"]
    assert told(database) == NOTHING


def test_what_the_better_source_says_as_before_is_not_overlooked_when_it_is_back(database_url):
    database = open_store(database_url, missing_after="2h")
    tell(database, arrival(server(1)), grains(server(1), later(hours=4), osrelease="13"))
    assert sources(database)["operating_system"] == "grains"
    tell(database, arrival(server(1), at=later(hours=5)))
    assert sources(database)["operating_system"] == "agent"
    assert stored(database)["facts"] == report(server(1))["facts"]
    database.close()


SPELLINGS = {
    "as ours": {},
    "nothing to go by": {"serialnumber": "", "uuid": ""},
    "placeholders": {"serialnumber": "To Be Filled By O.E.M.", "uuid": "not available"},
    "another maker": {"manufacturer": "Dell Computer"},
    "the serial number of the board": {"serialnumber": "CNIVC0012345"},
    "the other order of bytes": {"uuid": "44454c4c-5800-1059-805a-b9c04f000001"},
    "a UUID of its own": {"uuid": "12345678-9abc-4def-8123-456789abcdef"},
    "both": {"serialnumber": "X1Y2Z3W4", "uuid": "12345678-9abc-4def-8123-456789abcdef"},
    "no machine-id": {"machine_id": None},
    "a container": {"virtual": "container"},
    "a guest": {"virtual": "kvm"},
}


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
def test_the_first_report_of_ours_is_the_machine_that_salt_knew(database, spelled):
    tell(database, grains(server(1), later(minutes=-50), **spelled))
    asset_id = stored(database)["id"]
    assert tell(database, arrival(server(1))) == ["unchanged"]
    assert stored(database)["id"] == asset_id
    assert stored(database)["sn"] == "9XYZ001"
    assert store.assets(database).total == 1
    assert store.held_reports(database)[0] == []
    assert told(database) == NOTHING
    # What Salt says afterwards is heard, whatever it shows, and takes over when it must.
    assert tell(database, grains(server(1), later(minutes=60), **spelled)) == ["unchanged"]
    assert tell(database, grains(server(1), later(days=20), **spelled)) == ["unchanged"]
    assert tell(database, arrival(server(1), at=later(days=21))) == ["unchanged"]
    assert stored(database)["id"] == asset_id
    assert store.assets(database).total == 1
    assert store.held_reports(database)[0] == []
    assert told(database) == NOTHING


def test_other_hardware_under_the_name_is_not_the_machine_that_salt_knew(database):
    tell(database, grains(server(1), later(minutes=-50)))
    assert tell(database, arrival(server(2))) in (["held"], ["new"])
    assert stored(database)["sn"] == "9XYZ001"


def test_a_handover_is_not_lost_hardware(database):
    tell(database, grains(server(1), later(minutes=-90)))
    asset_id = stored(database)["id"]
    act = store.Act("ann", "as bought", test=False)
    store.accept_baseline(database, asset_id, act)
    tell(database, arrival(server(1)))
    assert store.baseline_of(database, asset_id)["deviations"] == []
    facts = server(1)
    facts["memory"]["devices"] = facts["memory"]["devices"][:1]
    tell(database, arrival(facts, at=later(minutes=1)))
    [one] = store.baseline_of(database, asset_id)["deviations"]
    assert (one.state, one.change.path) == ("lost", "memory.devices")


def test_what_was_stored_long_ago_and_comes_again_changes_nothing(database):
    old = grains(server(1), later(minutes=-90))
    tell(database, old, arrival(server(1)))
    before = stored(database)
    assert tell(database, old._replace(received_at=later(minutes=5))) == ["unchanged"]
    assert stored(database) == before


def of_version(version, facts, at):
    """The report of a machine whose collector of firmware has this version."""
    return arrival(facts, at=at, versions=f"firmware={version}")


def test_what_a_newer_collector_tells_in_another_way_is_no_change(database):
    facts = server(1)
    tell(database, arrival(facts))
    facts["firmware"] |= {"revision": "1.9", "vendor": "Dell"}
    assert tell(database, of_version(2, facts, later(hours=1))) == ["unchanged"]
    assert stored(database)["facts"]["firmware"]["revision"] == "1.9"
    assert told(database) == NOTHING
    facts["firmware"]["version"] = "2.0"
    facts["memory"]["devices"] = facts["memory"]["devices"][:1]
    assert tell(database, of_version(2, facts, later(hours=2))) == ["changed"]
    assert {one["path"] for one in store.changes(database)} == {
        "firmware.version",
        "memory.devices",
    }


def test_a_change_after_a_new_version_that_tells_the_same_is_told(database):
    facts = server(1)
    tell(database, arrival(facts))
    tell(database, of_version(2, facts, later(hours=1)), of_version(3, facts, later(hours=2)))
    facts["firmware"]["version"] = "2.0"
    assert tell(database, of_version(3, facts, later(hours=3))) == ["changed"]
    assert [one["path"] for one in store.changes(database)] == ["firmware.version"]


def test_an_older_collector_elsewhere_takes_nothing_back(database):
    """The thin of salt-ssh is of the master, which is upgraded on another day."""
    new, old = server(1), server(1)
    new["firmware"] |= {"revision": "1.9", "vendor": "Dell"}
    tell(database, of_version(2, new, later(hours=1)))
    for number in range(2, 6):
        tell(database, arrival(old, at=later(hours=number), mode="ssh"))
        tell(database, of_version(2, new, later(hours=number, minutes=30)))
        assert stored(database)["facts"]["firmware"]["revision"] == "1.9"
    assert told(database) == NOTHING
    old["memory"]["devices"] = old["memory"]["devices"][:1]
    assert tell(database, arrival(old, at=later(hours=7), mode="ssh")) == ["changed"]


def test_a_downgrade_is_a_handover_too(database):
    new, old = server(1), server(1)
    new["firmware"] |= {"revision": "1.9", "vendor": "Dell"}
    tell(database, of_version(2, new, later(hours=1)), arrival(old, at=later(hours=2)))
    assert stored(database)["facts"]["firmware"] == old["firmware"]
    assert told(database) == NOTHING


def test_a_workbook_of_an_earlier_day_has_the_parts_as_they_were_told_then(database):
    facts = server(1)
    tell(database, grains(facts, later(minutes=-90)), arrival(facts, at=later(minutes=-60)))
    fewer = {**facts, "disks": [{**facts["disks"][0], "model": "PM9A4"}]}
    tell(database, arrival(fewer, at=later(minutes=-30)))

    def disks(minutes):
        with store.extract(database, at=later(minutes=minutes)) as extract:
            return [item for _, _, item in extract.parts("disks")]

    assert {one["name"] for one in disks(-80)} == {"sdan1", "dm-0"}
    assert disks(-50) == report(facts)["facts"]["disks"]
    assert disks(-20) == report(fewer)["facts"]["disks"]


def test_statistics_count_no_handover_as_a_change(database):
    tell(database, grains(server(1), later(minutes=-30)), arrival(server(1), at=later(minutes=-20)))
    assert store.statistics(database)["changed_last_hour"] == 1
    facts = server(1)
    facts["firmware"]["version"] = "2.0"
    tell(database, arrival(facts, at=later(minutes=-10)))
    assert store.statistics(database)["changed_last_hour"] == 2


def test_other_hardware_that_only_salt_tells_of_does_not_become_the_machine(database):
    tell(database, arrival(server(1)))
    asset_id = stored(database)["id"]
    # As long as the machine was heard from lately, the name is its own.
    assert tell(database, grains(server(2), later(days=1))) == ["unchanged"]
    assert stored(database)["sn"] == "9XYZ001"
    assert tell(database, grains(server(2), later(days=20))) in (["new"], ["held"])
    assert store.overview(database, asset_id)["sn"] == "9XYZ001"
