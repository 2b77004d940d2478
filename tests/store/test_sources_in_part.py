"""Reports that saw only a part of a section which another source, or another collector, told."""

import copy
import random

import pytest

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests import salt_grains
from tests.machines import arrival, later, server


def tell(database, *arrivals):
    return [outcome.status for one in arrivals for outcome in ingest(database, [one])]


def stored(database, name="web01"):
    return store.overview(database, store.resolve(database, name))


def changed(database):
    return [(one["op"], one["path"]) for one in store.changes(database, limit=10_000)]


def checked(facts, letters="abcdefgh", **more):
    """These facts with the SMART values of disks."""
    smart = [
        {"name": f"sd{one}", "serial_number": f"SM{one.upper()}0001X", "passed": True, **more}
        for one in letters
    ]
    return {**facts, "smart": smart}


def of_version(version, facts, at, *partial, **more):
    return arrival(facts, at=at, versions=f"smart={version}", partial=list(partial), **more)


def grains(facts, at):
    return Arrival("web01", salt_grains.report(facts, "web01", at), at)


def test_a_new_collector_that_sees_a_part_first_removes_nothing_and_tells_no_change(database):
    facts = server(1)
    tell(database, arrival(checked(facts)))
    part = of_version(2, checked(facts, "abcdefg", hours=7), later(hours=1), "smart")
    assert tell(database, part) == ["unchanged"]
    smart = stored(database)["facts"]["smart"]
    assert [len(smart), [one.get("hours") for one in smart].count(7)] == [8, 7]
    assert tell(database, of_version(2, checked(facts, hours=7), later(hours=2))) == ["unchanged"]
    assert {one["hours"] for one in stored(database)["facts"]["smart"]} == {7}
    news = []
    store.tell(database, news.extend, lambda: {"web01"})
    assert ([one.kind for one in news], changed(database)) == (["new"], [])
    # From here on every change is told.
    fewer = of_version(2, checked(facts, "abcdefg", hours=7), later(hours=3))
    assert tell(database, fewer) == ["changed"]
    assert changed(database) == [("removed", "smart")]


def test_the_section_is_known_as_it_was_told_at_each_moment(database):
    facts = server(1)
    tell(database, arrival(checked(facts)))
    tell(database, of_version(2, checked(facts, "ab", hours=7), later(hours=1), "smart"))
    between = stored(database)["facts"]
    tell(database, of_version(2, checked(facts, hours=7), later(hours=2)))
    asset_id = stored(database)["id"]
    assert store.document(database, asset_id, later(minutes=90))[1] == between
    assert [len(row["sections"]) for row in store.handovers(database, asset_id)] == [1, 1]


def test_what_changes_among_the_parts_that_are_seen_is_told_meanwhile(database):
    facts = server(1)
    tell(database, arrival(checked(facts)))
    tell(database, of_version(2, checked(facts, "abcd"), later(hours=1), "smart"))
    failing = checked(facts, "abcd", passed=False)
    assert tell(database, of_version(2, failing, later(hours=2), "smart")) == ["changed"]
    assert changed(database) == [("changed", "smart")] * 4


def test_a_section_that_is_new_in_a_version_and_comes_in_part_first_is_no_change(database):
    facts = server(1)
    tell(database, arrival(facts))
    tell(database, of_version(2, checked(facts, "abc"), later(hours=1), "smart"))
    assert len(stored(database)["facts"]["smart"]) == 3
    assert tell(database, of_version(2, checked(facts), later(hours=2))) == ["unchanged"]
    assert (len(stored(database)["facts"]["smart"]), changed(database)) == (8, [])


def test_parts_that_are_seen_one_after_the_other_are_no_new_ones(database):
    facts = server(1)
    tell(database, arrival(facts))
    for hour, letters in enumerate(("abc", "bcde", "fgh", "a"), start=1):
        one = of_version(2, checked(facts, letters), later(hours=hour), "smart")
        assert tell(database, one) == ["unchanged"]
    assert (len(stored(database)["facts"]["smart"]), changed(database)) == (8, [])


def test_ours_in_part_takes_over_from_salts_grains_and_again_after_a_silence(database):
    facts = server(1)
    facts["disks"].append({**facts["disks"][0], "name": "sdb", "serial_number": "S64F000099"})
    part = copy.deepcopy(facts)
    part["disks"].pop()
    part["memory"].pop("devices")
    tell(database, grains(facts, later(hours=-1)))
    assert tell(database, arrival(part, partial=["disks", "memory"])) == ["unchanged"]
    assert tell(database, arrival(facts, at=later(hours=1))) == ["unchanged"]
    for day in range(1, 10):
        tell(database, grains(facts, later(days=day)))
    assert stored(database)["sources"]["disks"] == "grains"
    back = arrival(part, at=later(days=10), partial=["disks", "memory"])
    assert tell(database, back) == ["unchanged"]
    assert tell(database, arrival(facts, at=later(days=11))) == ["unchanged"]
    assert stored(database)["facts"] == arrival(facts).report["facts"]
    assert changed(database) == []
    facts["disks"].pop()
    assert tell(database, arrival(facts, at=later(days=12))) == ["changed"]
    assert changed(database) == [("removed", "disks")]


def test_what_is_added_while_only_salt_tells_of_a_machine_is_told(database):
    """Of Salt's own grains there is never more than a part."""
    facts = server(1)
    tell(database, arrival(facts))
    for day in range(1, 10):
        tell(database, grains(facts, later(days=day)))
    facts["network"].append(
        {**facts["network"][0], "name": "eth7", "mac": "52:54:00:00:07:07", "permanent_mac": None}
    )
    assert tell(database, grains(facts, later(days=10))) == ["changed"]
    assert ("added", "network") in changed(database)


@pytest.mark.parametrize("seed", range(4))
def test_a_machine_that_stays_as_it_is_never_changes_whatever_is_seen_of_it(database, seed):
    chance, hours, version = random.Random(seed), -5000, 1
    whole = server(1)
    whole["disks"] += [
        {**whole["disks"][0], "name": f"sd{one}", "serial_number": f"S64F00010{one}"}
        for one in "bcd"
    ]
    ingest(database, [arrival(whole, at=later(hours=hours))])
    for _ in range(40):
        hours += chance.choice((1, 24, 100))
        at = later(hours=hours)
        version = max(version, chance.choice((1, 1, 1, 2, 3)))
        facts = copy.deepcopy(whole)
        for one in facts["disks"]:
            one |= {"rotational": False} if version > 1 else {}
            one |= {"bay": one["name"]} if version > 2 else {}
        partial = chance.choice(([], [], ["disks"]))
        if partial:
            facts["disks"] = chance.sample(facts["disks"], chance.randint(0, 3))
        one = arrival(facts, at=at, versions=f"disks={version}", partial=partial)
        if chance.random() < 0.3:
            one = grains(whole, at)
        assert tell(database, one) == ["unchanged"]
    assert changed(database) == []
    name = f"disks={version}"
    tell(database, arrival(whole, at=later(hours=hours + 1), versions=name))
    none = arrival({**whole, "disks": []}, at=later(hours=hours + 2), versions=name)
    assert tell(database, none) == ["changed"]
