"""What became of the fleet between two moments, where other sources took over in between."""

import pytest

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests import salt_grains
from tests.machines import arrival, later, server


def tell(database, *arrivals):
    return [outcome.status for one in arrivals for outcome in ingest(database, [one])]


START, END = later(minutes=1), later(days=100)


def differing(database, start=START, end=END):
    """How many assets differ, and how many of these are new; what has changed in each."""
    found = store.fleet_diff(database, start, end)
    assert len(found["rows"]) == found["assets"]
    paths = [[one["path"] for one in row["changes"]] for row in found["rows"]]
    return found["assets"], found["new"], paths


def with_firmware(version):
    facts = server(1)
    facts["firmware"]["version"] = version
    return facts


def handed_over(database, facts, days=range(10, 20)):
    for day in days:
        at = later(days=day)
        tell(database, Arrival("web01", salt_grains.report(facts, "web01", at), at))
    overview = store.overview(database, store.resolve(database, "web01"))
    assert overview["sources"]["memory"] == "grains"


def test_what_went_there_and_back_before_a_handover_is_no_difference(database):
    tell(database, arrival(with_firmware("1")), arrival(with_firmware("2"), at=later(days=1)))
    tell(database, arrival(with_firmware("1"), at=later(days=2)))
    assert differing(database) == (0, 0, [])
    handed_over(database, with_firmware("1"))
    assert differing(database) == (0, 0, [])
    found = store.fleet_diff(database, START, END)
    assert (found["sections"], found["waves"]) == ([], [])


def test_what_went_there_and_back_after_a_handover_is_no_difference(database):
    tell(database, arrival(with_firmware("1")))
    handed_over(database, with_firmware("1"))
    tell(database, arrival(with_firmware("1"), at=later(days=30)))
    tell(database, arrival(with_firmware("2"), at=later(days=31)))
    assert differing(database) == (1, 0, [["firmware.version"]])
    tell(database, arrival(with_firmware("1"), at=later(days=32)))
    assert differing(database) == (0, 0, [])


@pytest.mark.parametrize("day", [5, 40])
def test_what_changed_before_or_after_a_handover_is_a_difference(database, day):
    facts = server(1)
    tell(database, arrival(facts))
    fewer = {**facts, "usb": [{"location": "port 1", "model": "Key"}]}
    for at in (5, 30, 40):
        tell(database, arrival(fewer if at >= day else facts, at=later(days=at)))
        if at == 5:
            handed_over(database, facts, range(13, 20))
    assert differing(database) == (1, 0, [["usb"]])


def test_a_machine_that_was_new_before_a_handover_is_new(database):
    tell(database, arrival(with_firmware("1")))
    handed_over(database, with_firmware("1"))
    assert differing(database, start=later(days=-1)) == (1, 1, [[]])
