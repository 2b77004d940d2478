"""Where the parts of machines are and were, and what there is to count."""

import pytest

from salt_ext import store
from tests.machines import NOW, arrival, dimm, later, server

DISK = {"name": "sdb", "model": "HUS726", "serial_number": "K1TRAVELS", "size_bytes": 6 << 40}


def with_disk(number, **fields):
    facts = server(number)
    facts["disks"].append({**DISK, **fields})
    return facts


def ingest(database, facts, minion_id="web01", at=NOW, **fields):
    [outcome] = store.ingest(database, [arrival(facts, minion_id, at, **fields)])
    assert outcome.status in ("new", "changed", "unchanged"), outcome
    return outcome.asset_id


def stays(database, serial="K1TRAVELS"):
    """The places of a part, the first one first, with the minutes of its coming and going."""

    def minutes(at):
        return at and (at - NOW).total_seconds() / 60

    return [
        (stay["minion_id"], stay["place"], minutes(stay["since"]), minutes(stay["until"]))
        for stay in reversed(store.genealogy(database, serial))
    ]


def moves(database):
    """What is told of the moves of parts: (machine, op, from which one, to which one)."""
    return {
        (row["minion_id"], row["op"], *(row[name] and row[name]["minion_id"] for name in MOVED))
        for row in store.changes(database)
        if row["path"] == "disks"
    }


MOVED = ("moved_from", "moved_to")


@pytest.mark.parametrize("taker_first", [False, True])
def test_a_disk_that_moves_is_told_on_both_machines_whoever_reports_first(database, taker_first):
    ingest(database, with_disk(1), "a")
    ingest(database, server(2), "b")
    reports = [(server(1), "a"), (with_disk(2, name="sdc"), "b")]
    if taker_first:
        reports.reverse()
    for minutes, (facts, name) in enumerate(reports, 1):
        ingest(database, facts, name, later(minutes=minutes))
    came, left = (1, 2) if taker_first else (2, 1)
    assert stays(database) == [("a", "sdb", 0, left), ("b", "sdc", came, None)]
    assert moves(database) == {("a", "removed", None, "b"), ("b", "added", "a", None)}


def test_a_disk_that_goes_through_many_machines_is_followed_from_one_to_the_next(database):
    for number, name in enumerate("abc", 1):
        ingest(database, with_disk(1) if name == "a" else server(number), name)
    steps = [(server(1), "a"), (with_disk(2), "b"), (server(2), "b"), (with_disk(3), "c")]
    steps += [(server(3), "c"), (with_disk(1), "a")]
    for minutes, (facts, name) in enumerate(steps, 1):
        ingest(database, facts, name, later(minutes=minutes))
    assert [(name, since, until) for name, _, since, until in stays(database)] == [
        ("a", 0, 1),
        ("b", 2, 3),
        ("c", 4, 5),
        ("a", 6, None),
    ]
    assert moves(database) == {
        ("a", "removed", None, "b"),
        ("b", "added", "a", None),
        ("b", "removed", None, "c"),
        ("c", "added", "b", None),
        ("c", "removed", None, "a"),
        ("a", "added", "c", None),
    }


def test_a_slot_move_inside_one_machine_ends_a_stay_and_begins_one(database):
    ingest(database, server(1))
    facts = server(1)
    facts["memory"]["devices"][0] = dimm("B1", "4F0001A1")
    ingest(database, facts, at=later(minutes=3))
    assert stays(database, "4F0001A1") == [("web01", "A1", 0, 3), ("web01", "B1", 3, None)]
    [row] = store.changes(database)
    assert (row["op"], row["moved_from"], row["moved_to"]) == ("moved", None, None)


def test_two_modules_that_change_places_are_two_moves(database):
    ingest(database, server(1))
    facts = server(1)
    facts["memory"]["devices"] = [dimm("A2", "4F0001A1"), dimm("A1", "4F0001A2")]
    ingest(database, facts, at=later(minutes=3))
    assert stays(database, "4F0001A1") == [("web01", "A1", 0, 3), ("web01", "A2", 3, None)]
    assert stays(database, "4F0001A2") == [("web01", "A2", 0, 3), ("web01", "A1", 3, None)]
    assert [row["op"] for row in store.changes(database)] == ["moved", "moved"]


def test_a_part_that_is_gone_and_back_has_two_stays_in_one_place(database):
    for minutes, facts in enumerate([with_disk(1), server(1), with_disk(1), server(1)]):
        ingest(database, facts, at=later(minutes=minutes))
    assert stays(database) == [("web01", "sdb", 0, 1), ("web01", "sdb", 2, 3)]


def test_a_part_that_is_gone_and_back_at_one_moment_never_left(database):
    # Two masters, or a clock of whole seconds: three reports that came at one time.
    for seconds, facts in enumerate([with_disk(1), server(1), with_disk(1)]):
        one = arrival(facts, at=later(seconds=seconds))
        [outcome] = store.ingest(database, [one._replace(received_at=NOW)])
        assert outcome.status in ("new", "changed")
    assert stays(database) == [("web01", "sdb", 0, None)]


def test_a_model_that_is_learnt_later_neither_ends_a_stay_nor_begins_one(database):
    ingest(database, with_disk(1, model=None))
    ingest(database, with_disk(1), at=later(minutes=3))
    [stay] = store.genealogy(database, "K1TRAVELS")
    assert (stay["since"], stay["until"], stay["model"]) == (NOW, None, "HUS726")
    [change] = stay["changes"]
    assert (change["field"], change["new"]) == ("model", "HUS726")


def test_one_number_on_two_live_machines_stands_on_both(database):
    ingest(database, with_disk(1), "a")
    ingest(database, with_disk(2), "b", later(minutes=1))
    assert stays(database) == [("a", "sdb", 0, None), ("b", "sdb", 1, None)]


def test_a_number_on_two_parts_of_one_machine_is_of_neither(database):
    twins = [{"model": model, "serial_number": "TW1N"} for model in ("hub", "stick")]
    ingest(database, server(1, usb=twins))
    with pytest.raises(store.NotFound):
        store.genealogy(database, "TW1N")
    ingest(database, server(1, usb=twins[:1]), at=later(minutes=1))
    assert stays(database, "TW1N") == [("web01", "", 1, None)]


def test_a_changed_field_of_a_part_is_told_at_the_machine_where_it_was(database):
    ingest(database, with_disk(1), "a")
    ingest(database, server(2), "b")
    ingest(database, with_disk(1, firmware_version="2"), "a", later(minutes=1))
    ingest(database, server(1), "a", later(minutes=2))
    ingest(database, with_disk(2, firmware_version="2"), "b", later(minutes=3))
    ingest(database, with_disk(2, firmware_version="3"), "b", later(minutes=4))
    told = [
        (stay["minion_id"], [(row["old"], row["new"]) for row in stay["changes"]])
        for stay in store.genealogy(database, "K1TRAVELS")
    ]
    assert told == [("b", [("2", "3")]), ("a", [(None, "2")])]


def test_the_parts_of_a_detached_machine_stay_in_it(database):
    first = ingest(database, with_disk(1), "web")
    ingest(database, server(2), "web", later(days=3))
    [stay] = store.genealogy(database, "K1TRAVELS")
    assert (stay["asset_id"], stay["minion_id"], stay["until"]) == (first, None, None)
    assert counted(database)["HUS726"] == (1, 1)


def keyless(facts):
    """The same machine while it shows no key: not as root."""
    return {
        name: value
        for name, value in facts.items()
        if name not in ("system", "baseboards", "network")
    }


def test_the_parts_of_a_merged_asset_are_counted_once_and_its_stays_end(database):
    asset = ingest(database, server(1), "old")
    temporary = ingest(database, keyless(with_disk(1)), "new", later(days=2))
    assert temporary != asset
    assert counted(database) == {"PM9A3": (2, 2), "HUS726": (1, 1)}
    assert ingest(database, with_disk(1), "new", later(days=3)) == asset
    assert counted(database) == {"PM9A3": (1, 1), "HUS726": (1, 1)}
    last, first = store.genealogy(database, "K1TRAVELS")
    assert (first["asset_id"], first["until"]) == (temporary, later(days=3))
    assert (last["asset_id"], last["since"], last["until"]) == (asset, later(days=3), None)


def counted(database, **filters):
    rows, total = store.components(database, "disks", filters=filters)
    assert total == len(rows)
    return {row["model"]: (row["count"], row["assets"]) for row in rows}


def test_parts_are_counted_by_kind_as_they_come_and_go(database):
    ingest(database, with_disk(1), "a")
    ingest(database, server(2), "b")
    assert counted(database) == {"PM9A3": (2, 2), "HUS726": (1, 1)}
    more = with_disk(2)
    more["disks"].append({**DISK, "name": "sdc", "serial_number": "K2"})
    ingest(database, more, "b", later(minutes=1))
    assert counted(database) == {"PM9A3": (2, 2), "HUS726": (3, 2)}
    ingest(database, server(2, disks=[]), "b", later(minutes=2))
    assert counted(database) == {"PM9A3": (1, 1), "HUS726": (1, 1)}


def test_an_empty_slot_and_a_virtual_card_are_no_parts(database):
    facts = server(1)
    facts["memory"]["devices"] += [{"locator": "A3", "present": False}]
    facts["network"] += [{"name": "bond0", "kind": "bond", "mac": "52:54:00:00:00:01"}]
    ingest(database, facts)
    [memory], total = store.components(database, "memory")
    assert (memory["model"], memory["count"], memory["assets"], total) == (
        "M393A8G40AB2",
        2,
        1,
        1,
    )
    [network], _ = store.components(database, "network")
    assert network["count"] == 1


def test_the_filters_of_a_count_of_parts_are_about_assets_and_about_the_parts(database):
    ingest(database, with_disk(1), "a")
    ingest(database, server(2), "b")
    assert counted(database, minion_id="b") == {"PM9A3": (1, 1)}
    assert counted(database, **{"disks.model": "HUS726"}) == {"HUS726": (1, 1)}
    # Of the machines that have such a disk, all the modules.
    rows, _ = store.components(database, "memory", filters={"disks.model": "HUS726"})
    assert [(row["count"], row["assets"]) for row in rows] == [(2, 1)]


def test_counting_says_how_many_kinds_there_are_beyond_its_limit(database):
    for number, name in enumerate("abc", 1):
        ingest(database, with_disk(number, model=f"M{number}", serial_number=name), name)
    rows, total = store.components(database, "disks", limit=2)
    assert ([row["model"] for row in rows], total) == (["PM9A3", "M1"], 4)


def test_a_section_without_parts_is_named_with_the_nearest(database):
    with pytest.raises(store.FilterError, match=r"no section of parts 'disk'.*'disks'"):
        store.components(database, "disk")


@pytest.mark.parametrize("serial", ["", "NOBODYS", "nul\0", "\udcff", "%", "'"])
def test_a_number_that_no_part_has_is_not_found(database, serial):
    ingest(database, with_disk(1))
    with pytest.raises(store.NotFound, match="no part has the serial number"):
        store.genealogy(database, serial)


def test_a_mac_is_found_as_people_write_it(database):
    ingest(database, server(171))
    [stay] = store.genealogy(database, "52:54:00:00:00:AB")
    assert (stay["path"], stay["place"]) == ("network", "0000:3b:00.0")
