"""From where on a disk or a memory module is told to be ill."""

import itertools

import pytest

from salt_ext import store
from salt_ext.store.faults import RULES
from tests.machines import arrival, later, server
from tests.postgres import open_store

NUMBERS = itertools.count(1)
ONE = "1 of 4 SMART counters is not zero:"


@pytest.fixture(scope="module")
def database(new_database):
    """One store for all of them: each case is a machine of its own."""
    database = open_store(new_database())
    yield database
    database.close()


def findings(database, **sections):
    """The severity and the words about a new machine that shows this."""
    number = next(NUMBERS)
    store.ingest(database, [arrival(server(number, **sections), f"web{number:02d}")])
    return told(database, f"web{number:02d}")


def told(database, minion_id):
    rows = store.health(database, filters={"minion_id": minion_id})
    return [(one["severity"], one["says"]) for one in rows]


def disk(**volatile):
    return [{"name": "sda", "serial_number": "S64F000001", "passed": True, "volatile": volatile}]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"percentage_used": 89}, []),
        ({"percentage_used": 90}, [("notice", "90 % of its life used")]),
        ({"percentage_used": 99}, [("notice", "99 % of its life used")]),
        ({"percentage_used": 100}, [("warning", "100 % of its life used")]),
        ({"reallocated": 0, "pending": 0, "media_errors": 0}, []),
        ({"reallocated": 1}, [("notice", f"{ONE} 5 reallocated 1")]),
        ({"pending": 1}, [("notice", f"{ONE} 197 pending 1")]),
        ({"uncorrectable": 1}, [("notice", f"{ONE} 198 uncorrectable 1")]),
        ({"reported_uncorrectable": 1}, [("notice", f"{ONE} 187 reported uncorrectable 1")]),
        ({"media_errors": 1}, [("warning", "1 media errors")]),
        ({"uncorrected_reads": 1}, [("warning", "1 reads uncorrected")]),
        ({"uncorrected_writes": 1}, [("warning", "1 writes uncorrected")]),
        (
            {"reallocated": 2, "pending": 1, "percentage_used": 89},
            [("warning", "2 of 4 SMART counters are not zero: 5 reallocated 2, 197 pending 1")],
        ),
    ],
)
def test_a_disk_is_told_of_from_the_first_bad_sector_and_from_90_percent_on(
    database, values, found
):
    assert findings(database, smart=disk(**values)) == found


@pytest.mark.parametrize(
    ("corrected", "uncorrected", "found"),
    [
        (0, 0, []),
        (1, 0, []),
        (500_000, 0, []),
        (0, 1, [("critical", "1 uncorrected errors")]),
        (7, 2, [("critical", "2 uncorrected errors")]),
    ],
)
def test_memory_is_told_of_from_the_first_uncorrected_error_on_and_not_for_corrected_ones(
    database, corrected, uncorrected, found
):
    counters = {"ce_count": corrected, "ue_count": uncorrected}
    memory = server(1)["memory"] | {"edac": [{"name": "mc0", "volatile": counters}]}
    assert findings(database, memory=memory) == found


@pytest.mark.parametrize(
    "sections",
    [
        {"disks": [{"name": "sda", "paths": ["a", {"name": "sdb", "health": "failed"}]}]},
        {"md": [{"name": "md0", "health": {"degraded": 1}}]},
        {"md": [{"name": "md0", "raid_disks": 2, "health": [{"degraded": 1}]}]},
        {"power_supplies": [{"name": "PSU1", "status": ["critical"]}]},
        {"smart": [{"name": "sda", "passed": False, "health": "bad"}]},
        {"smart": [{"name": "sda", "passed": False, "health": {"failing": 5}}]},
        {"smart": [{"name": "sda", "passed": True, "health": [{"failed_before": ["a"]}]}]},
    ],
    ids=str,
)
def test_what_stands_beside_a_fault_in_another_form_costs_no_other_machine_its_faults(
    database, sections
):
    [ill] = findings(database, smart=disk(pending=1))
    assert findings(database, **sections) == []
    assert ill in [(one["severity"], one["says"]) for one in store.health(database)]
    steps = [one["step"] for one in store.maintain(database)]
    assert "warnings that are new or over, noted" in steps


def over(database, reports):
    """What is told of a machine after these sections on these days, and since when it is known."""
    number = next(NUMBERS)
    name = f"web{number:02d}"
    for day, sections in reports:
        [done] = store.ingest(
            database, [arrival(server(number, **sections), name, later(days=day))]
        )
        assert done.status in ("new", "changed", "unchanged")
    [asset_id] = {row["id"] for row in store.assets(database, filters={"minion_id": name}).rows}
    found = told(database, name)
    page = store.asset_page(database, asset_id, 1)
    assert [(one["severity"], one["says"]) for one in page["ill"]] == found
    return found


def errors(corrected, uncorrected=0):
    counters = {"ce_count": corrected, "ue_count": uncorrected}
    return {"memory": server(1)["memory"] | {"edac": [{"name": "mc0", "volatile": counters}]}}


def on(days):
    return f"{later(days=days):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("reports", "found"),
    [
        ([(0, 3), (1, 3)], []),
        ([(0, 3), (1, 10)], [("notice", 7, 0, 1)]),
        ([(0, 0), (1, 10)], [("notice", 10, 0, 1)]),
        ([(0, 3), (1, 3), (2, 3), (4, 60)], [("warning", 57, 2, 4)]),
        ([(0, 3), (1, 10), (30, 10)], [("notice", 7, 0, 1)]),
        ([(0, 3), (1, 10), (31, 10)], []),
        ([(0, 9), (1, 4)], []),
    ],
)
def test_corrected_errors_are_told_by_how_many_more_there_are_and_for_a_month(
    database, reports, found
):
    assert over(database, [(day, errors(count)) for day, count in reports]) == [
        (severity, f"{more} more corrected errors between {on(since)} and {on(until)}")
        for severity, more, since, until in found
    ]


def test_uncorrected_errors_come_before_corrected_ones(database):
    reports = [(0, errors(3)), (1, errors(5, 1))]
    says = f"1 uncorrected errors, 2 more corrected errors between {on(0)} and {on(1)}"
    assert over(database, reports) == [("critical", says)]


def by_module(counters):
    return {
        "memory": server(1)["memory"]
        | {"edac": [{"name": "mc0"}], "volatile": {"edac": {"mc0 dimm3 A2": counters}}}
    }


@pytest.mark.parametrize(
    ("slot", "where"),
    [
        ({"locator": "A2"}, "; module in A2"),
        ({"bank_locator": "P0", "locator": "A2"}, "; module in P0 A2"),
        ({"bank_locator": ["P0"], "locator": 7}, ""),
        ({}, ""),
    ],
)
def test_the_module_that_has_more_errors_is_named_with_its_slot(database, slot, where):
    reports = [(day, by_module({"ce_count": count, **slot})) for day, count in ((0, 3), (1, 60))]
    says = f"57 more corrected errors between {on(0)} and {on(1)}{where}"
    assert over(database, reports) == [("warning", says)]
    assert {row["component"] for row in store.health(database) if says == row["says"]} == {
        "mc0 dimm3 A2"
    }


def test_errors_of_modules_are_found_by_the_path_that_finds_those_of_controllers():
    [rule] = [one for one in RULES if one.section == "memory"]
    assert rule.path == "$.edac.keyvalue() ? (@.value.ce_count > 0 || @.value.ue_count > 0)"


@pytest.mark.parametrize("hides", ["memory.locator", "memory.devices.locator"])
def test_who_may_not_see_slots_does_not_see_them_in_the_names_of_modules(database, hides):
    slot = f"SECRET_{hides}"
    counters = {"ce_count": 0, "ue_count": 4, "locator": slot}
    memory = by_module({})["memory"]
    memory["volatile"] = {"edac": {f"mc0 dimm3 {slot}": counters}}
    findings(database, memory=memory)
    [asset_id] = {row["id"] for row in store.health(database) if slot in row["component"]}
    shown = [row for row in store.health(database.hiding([hides])) if row["id"] == asset_id]
    assert [(row["component"], row["says"]) for row in shown] == [
        ("hidden", "4 uncorrected errors")
    ]


@pytest.mark.parametrize(
    ("reports", "used", "end", "since"),
    [
        ([(0, 40), (60, 70)], 70, 120, (0, 40)),
        ([(0, 40), (60, 50)], None, None, None),  # not soon
        ([(0, 50), (20, 75)], None, None, None),  # too short a time
        ([(0, 98), (29, 99)], 99, None, None),
        ([(0, 90), (40, 91)], 91, None, None),  # one step may be the end of a long one
        ([(0, 10), (60, 90)], 90, 67.5, (0, 10)),
        ([(0, 50), (40, 92), (100, 94)], 94, 100 + 100 * 6 / 44, (0, 50)),
        ([(0, 40), (60, 100)], 100, None, None),
        # Another drive under the same key: the rate is that of the one that is there.
        ([(0, 40), (60, 80), (61, 1), (100, 2)], None, None, None),
    ],
)
def test_wear_is_told_with_the_day_on_which_it_ends_at_the_rate_of_until_now(
    database, reports, used, end, since
):
    found = over(database, [(day, {"smart": disk(percentage_used=one)}) for day, one in reports])
    if used is None:
        assert found == []
        return
    says = f"{used} % of its life used"
    if since is not None:
        says += f", all of it about {on(end)} at the rate since {on(since[0])} ({since[1]} % then)"
    assert found == [("warning" if used >= 100 else "notice", says)]


def test_wear_that_ends_soon_is_told_of_once_with_what_else_is_wrong(database):
    reports = [(0, {"percentage_used": 40}), (60, {"percentage_used": 70, "pending": 1})]
    rate = f"all of it about {on(120)} at the rate since {on(0)} (40 % then)"
    assert over(database, [(day, {"smart": disk(**one)}) for day, one in reports]) == [
        ("notice", f"{ONE} 197 pending 1; 70 % of its life used, {rate}")
    ]


def test_one_that_failed_before_is_told_and_one_that_is_retired_is_not(database):
    known = [{"name": "sda", "health": {"failed_before": ["reallocated"]}}]
    said = "was beyond its threshold once: reallocated"
    assert findings(database, smart=known) == [("notice", said)]
    [row] = [one for one in store.health(database) if one["says"] == said]
    store.set_lifecycle(database, row["id"], "retired", store.Act("me", "sold", test=False))
    assert told(database, row["minion_id"]) == []


@pytest.mark.parametrize("uncorrected", ["abc", -5, True, [1], 0.5])
def test_what_is_no_count_tells_of_no_uncorrected_errors(database, uncorrected):
    counters = {"ce_count": 3, "ue_count": uncorrected}
    memory = server(1)["memory"] | {"edac": [{"name": "mc0", "volatile": counters}]}
    assert findings(database, memory=memory) == []


def test_counters_that_are_no_numbers_do_not_keep_the_others_from_being_told(database):
    odd = {"pending": 5, "media_errors": None, "uncorrectable": "many", "percentage_used": []}
    facts = server(91)
    facts["smart"] = [{"name": "sda", "serial_number": "S1", "passed": True, "volatile": odd}]
    failing = server(92)
    failing["smart"] = [
        {"name": "sda", "serial_number": "S2", "passed": False, "health": {"failing": [7, "x"]}}
    ]
    store.ingest(database, [arrival(facts, "odd01"), arrival(failing, "odd02")])
    said = {row["minion_id"]: row["says"] for row in store.health(database)}
    assert said["odd01"] == "1 of 4 SMART counters is not zero: 197 pending 5"
    assert said["odd02"] == "says that it fails: 7, x"
