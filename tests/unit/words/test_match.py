"""Which machine a row of people's list means."""

from datetime import datetime

import pytest

from salt_ext.words.match import Said, match, row_key, text


def machine(sn, name):
    return {"sn": sn, "minion_id": name, "hostname": name}


ZEROS = machine("0012345", "web01.example.org")
MIXED = machine("ABC12", "web02")
ADDRESS = machine("X1", "10.9.0.1")
LONG = machine("12034567890", "web03")
LONGER = machine("210235838510123456789", "web04")


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"sn": "aBc12"}, MIXED),
        ({"sn": "abc12", "hostname": "web01"}, MIXED),
        ({"sn": "12345"}, ZEROS),
        ({"sn": 12345.0}, ZEROS),
        ({"sn": "00012345"}, ZEROS),
        ({"sn": "12345.0"}, ZEROS),
        ({"sn": "'0012345"}, ZEROS),
        ({"sn": "ＡＢＣ１２"}, MIXED),  # noqa: RUF001 - as a Chinese keyboard writes it
        ({"sn": "\u3000ABC12\u00a0"}, MIXED),
        ({"sn": "AB\u200bC12\ufeff"}, MIXED),
        ({"sn": "ABC 12"}, MIXED),
        ({"sn": 12034567890.0}, LONG),
        ({"sn": "1.203456789E+10"}, LONG),
        ({"sn": "1.20346E+10"}, LONG),
        ({"sn": "1.2E+10"}, None),
        ({"sn": 210235838510123000000.0}, LONGER),
        ({"sn": "210235838510123000000"}, LONGER),
        ({"sn": "2.10236E+20"}, LONGER),
        ({"sn": "210235838510124000000"}, None),
        ({"sn": "N/A", "hostname": "web02"}, MIXED),
        ({"sn": "无", "hostname": "ｗｅｂ０２"}, MIXED),  # noqa: RUF001
        ({"sn": "9" * 400 + "e99"}, None),
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
    [found] = match([Said(2, values)], [ZEROS, MIXED, ADDRESS, LONG, LONGER])
    assert found.machine is meant
    assert not found.is_repeated


def test_two_rows_that_differ_in_case_are_one_row_twice():
    one, other = match([Said(2, {"sn": "aBc12"}), Said(3, {"sn": "AbC12"})], [MIXED])
    assert one.machine is MIXED
    assert (other.is_repeated, other.why) == (True, "the same SN as in row 2")
    assert row_key({"sn": "aBc12"}) == row_key({"sn": "AbC12", "hostname": "other"})


def test_what_could_be_two_machines_is_none():
    twins = [machine("0012345", "a"), machine("012345", "b")]
    [found] = match([Said(2, {"sn": "12345"})], twins)
    assert found.machine is None


def test_rows_of_which_nobody_knows_the_number_are_not_one_machine_twice():
    rows = [Said(2, {"sn": "N/A", "hostname": "a"}), Said(3, {"sn": "n/a", "hostname": "b"})]
    assert [one.is_repeated for one in match(rows, [])] == [False, False]


def test_a_row_of_another_sheet_is_named_with_it():
    rows = [Said(2, {"sn": "S1"}, "dc1"), Said(2, {"sn": "S1"}, "dc2")]
    assert match(rows, [])[1].why == "the same SN as in row 2 of dc1"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (12345.0, "12345"),
        (0.1 + 0.2, "0.3"),
        (datetime(2027, 3, 1), "2027-03-01"),
        (datetime(2027, 3, 1, 8, 30), "2027-03-01 08:30:00"),
        ("\u200b a\u00a0b \u00a0", "a\u00a0b"),
        (None, ""),
    ],
)
def test_a_cell_is_the_text_that_people_see(cell, shown):
    assert text(cell) == shown
