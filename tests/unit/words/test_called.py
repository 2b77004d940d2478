"""What an asset is called that has no minion id."""

import pytest

from salt_ext.words.called import called

NOTHING = dict.fromkeys(("minion_id", "hostname", "sn", "site", "room", "rack", "unit"))


@pytest.mark.parametrize(
    ("asset", "name"),
    [
        ({"minion_id": "web01", "kind": "physical", "hostname": "x"}, "web01"),
        ({"kind": "physical", "hostname": "web01", "sn": "S1"}, "S1"),
        ({"kind": "physical", "hostname": "web01"}, "detached"),
        ({"kind": "switch", "hostname": "sw01", "sn": "S1"}, "sw01"),
        ({"kind": "spare", "sn": "S1", "site": "dc1"}, "S1"),
        ({"kind": "pdu", "site": "dc1", "rack": "R1"}, "pdu dc1 R1"),
    ],
)
def test_what_never_reported_is_called_as_its_list_does_and_never_detached(asset, name):
    assert called({**NOTHING, **asset}) == name


def test_an_asset_of_which_nothing_but_its_numbers_is_known_is_taken_for_a_machine():
    assert called({"minion_id": None, "sn": "S1"}) == "S1"
    assert called({"minion_id": None}) == "detached"
