"""Which machine a row of people's list means."""

import pytest

from salt_ext.words.match import Said, match, row_key


def machine(sn, name):
    return {"sn": sn, "minion_id": name, "hostname": name}


ZEROS = machine("0012345", "web01.example.org")
MIXED = machine("ABC12", "web02")
ADDRESS = machine("X1", "10.9.0.1")


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"sn": "aBc12"}, MIXED),
        ({"sn": "abc12", "hostname": "web01"}, MIXED),
        ({"sn": "12345"}, ZEROS),
        ({"sn": 12345.0}, ZEROS),
        ({"sn": "00012345"}, ZEROS),
        ({"hostname": "WEB01"}, ZEROS),
        ({"sn": "ABC123"}, None),
        ({"hostname": "web01.example.com"}, None),
        ({"hostname": "web02.example.com"}, MIXED),
        ({"hostname": "10.9.0.99"}, None),
        ({"hostname": "10.9.0.1"}, ADDRESS),
        ({"owner": "web team"}, None),
    ],
    ids=str,
)
def test_a_row_means_one_machine_whatever_its_case_zeros_and_domain(values, meant):
    [found] = match([Said(2, values)], [ZEROS, MIXED, ADDRESS]).values()
    assert found.machine is meant
    assert not found.is_repeated


def test_two_rows_that_differ_in_case_are_one_row_twice():
    found = match([Said(2, {"sn": "aBc12"}), Said(3, {"sn": "AbC12"})], [MIXED])
    assert found[2].machine is MIXED
    assert (found[3].is_repeated, found[3].why) == (True, "the same SN as in row 2")
    assert row_key({"sn": "aBc12"}) == row_key({"sn": "AbC12", "hostname": "other"})


def test_what_could_be_two_machines_is_none():
    twins = [machine("0012345", "a"), machine("012345", "b")]
    [found] = match([Said(2, {"sn": "12345"})], twins).values()
    assert found.machine is None
