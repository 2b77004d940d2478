"""Where parts are, while different sources tell of their machines."""

import copy

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests import salt_grains
from tests.machines import arrival, dimm, later, server

DISK = "S64F000001"


def tell(database, *arrivals):
    return [outcome.status for one in arrivals for outcome in ingest(database, [one])]


def silent(database, facts, name="web01"):
    """More than a week in which only Salt tells of a machine."""
    for day in range(1, 10):
        at = later(days=day)
        tell(database, Arrival(name, salt_grains.report(facts, name, at), at))
    overview = store.overview(database, store.resolve(database, name))
    assert overview["sources"]["disks"] == "grains"


def stays(database, serial):
    """The places of a part, the first one first: the machine, and from when to when."""
    found = store.genealogy(database, serial)
    return [(one["minion_id"], one["since"], one["until"]) for one in reversed(found)]


def moved(database):
    return [
        (one["op"], (one["moved_from"] or {}).get("minion_id"))
        for one in store.changes(database)
        if one["path"] == "disks"
    ]


def test_a_source_that_tells_no_numbers_ends_no_stay(database):
    tell(database, arrival(server(1)))
    silent(database, server(1))
    for serial in (DISK, "4F0001A1", "52:54:00:00:00:01"):
        assert stays(database, serial) == [("web01", later(), None)]
    tell(database, arrival(server(1), at=later(days=11)))
    for serial in (DISK, "4F0001A1", "52:54:00:00:00:01"):
        assert stays(database, serial) == [("web01", later(), None)]


def test_a_poorer_source_that_tells_other_numbers_ends_no_stay_either(database):
    tell(database, arrival(server(1)))
    facts = {**server(1), "disks": [{"name": "sda", "serial_number": "S64F000888"}]}
    for day in (1, 9, 10):
        tell(database, arrival(facts, at=later(days=day), mode="cmdb_grain"))
    assert stays(database, DISK) == [("web01", later(), None)]
    assert stays(database, "S64F000888") == [("web01", later(days=9), None)]
    tell(database, arrival(server(1), at=later(days=11)))
    assert stays(database, DISK) == [("web01", later(), None)]
    assert stays(database, "S64F000888") == [("web01", later(days=9), later(days=11))]


def test_a_part_of_which_the_poorer_source_learns_later_is_there_once(database):
    tell(database, arrival(server(1)))
    bare = {**server(1), "disks": [{"name": "sda"}]}
    for day in (9, 10):
        tell(database, arrival(bare, at=later(days=day), mode="cmdb_grain"))
    tell(database, arrival(server(1), at=later(days=11), mode="cmdb_grain"))
    assert stays(database, DISK) == [("web01", later(), None)]


def test_a_number_that_two_machines_show_has_not_moved_while_salt_told_of_one_of_them(database):
    other = server(2)
    tell(database, arrival(server(1)), arrival(other, "web02"))
    silent(database, server(1))
    other["disks"].append({**server(1)["disks"][0], "name": "sdb"})
    tell(database, arrival(other, "web02", later(days=10)))
    assert moved(database) == [("added", None)]
    tell(database, arrival(server(1), at=later(days=11)))
    assert moved(database) == [("added", None)]


def test_a_disk_that_went_to_another_machine_meanwhile_has_moved(database):
    one, other = server(1), server(2)
    tell(database, arrival(one), arrival(other, "web02"))
    silent(database, one)
    other["disks"].append({**one["disks"][0], "name": "sdb"})
    tell(database, arrival(other, "web02", later(days=10)))
    one["disks"] = [{**one["disks"][0], "serial_number": "S64F000777"}]
    tell(database, arrival(one, at=later(days=11)))
    assert stays(database, DISK) == [
        ("web01", later(), later(days=11)),
        ("web02", later(days=10), None),
    ]
    assert stays(database, "S64F000777") == [("web01", later(days=11), None)]
    assert moved(database) == [("added", "web01")]


def test_what_a_report_in_part_does_not_tell_stays(database):
    tell(database, arrival(server(1)))
    silent(database, server(1))
    part = {**server(1), "disks": []}
    tell(database, arrival(part, at=later(days=11), partial=["disks"]))
    assert stays(database, DISK) == [("web01", later(), None)]
    tell(database, arrival(part, at=later(days=12)))
    assert stays(database, DISK) == [("web01", later(), later(days=12))]


def test_a_new_version_ends_the_stay_of_what_it_does_not_tell_and_of_nothing_else(database):
    facts = server(1)
    tell(database, arrival(facts))
    new = copy.deepcopy(facts)
    new["disks"][0] |= {"bay": "1", "name": "sdx"}
    new["memory"]["devices"] = [dimm("P0-A1", "4F0001A1"), dimm("P0-B1", "4F0001B1")]
    tell(database, arrival(new, at=later(hours=1), versions="disks=2 memory=2"))
    assert stays(database, DISK) == [("web01", later(), None)]
    assert stays(database, "4F0001A1") == [("web01", later(), None)]
    assert stays(database, "4F0001A2") == [("web01", later(), later(hours=1))]
    assert stays(database, "4F0001B1") == [("web01", later(hours=1), None)]
    assert store.changes(database) == []
    new["memory"]["devices"].pop(0)
    tell(database, arrival(new, at=later(hours=2), versions="disks=2 memory=2"))
    assert stays(database, "4F0001A1") == [("web01", later(), later(hours=2))]
