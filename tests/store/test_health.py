"""From where on a disk or a memory module is told to be ill."""

import itertools

import pytest

from salt_ext import store
from tests.machines import arrival, server
from tests.postgres import open_store

NUMBERS = itertools.count(1)


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
        ({"reallocated": 1}, [("notice", "1 sectors reallocated")]),
        ({"pending": 1}, [("warning", "1 sectors pending")]),
        ({"uncorrectable": 1}, [("warning", "1 sectors uncorrectable")]),
        ({"reported_uncorrectable": 1}, [("warning", "1 errors uncorrectable")]),
        ({"media_errors": 1}, [("warning", "1 media errors")]),
        ({"uncorrected_reads": 1}, [("warning", "1 reads uncorrected")]),
        ({"uncorrected_writes": 1}, [("warning", "1 writes uncorrected")]),
        (
            {"reallocated": 2, "pending": 1, "percentage_used": 89},
            [("warning", "1 sectors pending, 2 sectors reallocated")],
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
        (1, 0, [("notice", "1 corrected errors")]),
        (0, 1, [("critical", "1 uncorrected errors")]),
    ],
)
def test_memory_is_told_of_from_the_first_error_on(database, corrected, uncorrected, found):
    counters = {"ce_count": corrected, "ue_count": uncorrected}
    memory = server(1)["memory"] | {"edac": [{"name": "mc0", "volatile": counters}]}
    assert findings(database, memory=memory) == found


def test_one_that_failed_before_is_told_and_one_that_is_retired_is_not(database):
    known = [{"name": "sda", "health": {"failed_before": ["reallocated"]}}]
    said = "was beyond its threshold once: reallocated"
    assert findings(database, smart=known) == [("notice", said)]
    [row] = [one for one in store.health(database) if one["says"] == said]
    store.set_lifecycle(database, row["id"], "retired", store.Act("me", "sold", test=False))
    assert told(database, row["minion_id"]) == []


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
    assert said["odd01"] == "5 sectors pending"
    assert said["odd02"] == "says that it fails: 7, x"
