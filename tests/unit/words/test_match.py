"""Which machine a row of people's list means."""

from datetime import datetime

import pytest

from salt_ext.words.cells import text
from salt_ext.words.match import Said, match, row_key


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


@pytest.mark.parametrize("name", ["db01", "DB01.", "db01.prod"])
def test_a_host_name_takes_no_row_from_the_machine_with_the_minion_id(name):
    mine = machine("S1", "db01.prod" if name != "db01.prod" else "db01")
    claims = {"sn": "S2", "minion_id": "evil", "hostname": name}
    for machines in ([mine, claims], [claims, mine]):
        [found] = match([Said(2, {"hostname": name})], machines)
        assert found.machine is mine
    # Nor where it could be either of two: then it is nobody's.
    both = [machine("S1", "db01.prod"), machine("S3", "db01.lab"), {**claims, "hostname": "db01"}]
    [found] = match([Said(2, {"hostname": "db01"})], both)
    assert found.machine is None


def called(minion_id, hostname, sn=None):
    return {"sn": sn, "minion_id": minion_id, "hostname": hostname}


PROD, DEV = called("db01.prod", "db01.prod"), called("db01.dev", "x")
SHORT, LIAR = called("db01", "x"), called("evil", "db01")
OWN = called("db01.prod", "x", "S1")
LIARS = (LIAR, called("evil2", "db01.prod"))


@pytest.mark.parametrize(
    ("values", "machines", "meant"),
    [
        ({"hostname": "db01"}, [LIAR, PROD], PROD),
        ({"hostname": "db01.prod"}, [*LIARS, SHORT], SHORT),
        ({"hostname": "db01.prod"}, [*LIARS, SHORT, PROD], PROD),
        ({"minion_id": "gone", "hostname": "db01"}, [called("evil", "gone"), PROD], PROD),
        # What several minion ids could be is no host name either.
        ({"hostname": "db01"}, [LIAR, PROD, DEV], None),
        ({"hostname": "db01"}, [called("db01.prod", "db01"), DEV], None),
        ({"hostname": "db01"}, [LIAR, called("m1", "db02")], LIAR),
        ({"hostname": "db01"}, [LIAR, called("evil2", "db01"), called("m1", "db01.x")], None),
        ({"sn": "S1", "hostname": "db01"}, [called("e", "db01", "S1"), OWN], OWN),
    ],
    ids=str,
)
def test_a_minion_id_counts_before_a_host_name(values, machines, meant):
    for known in (machines, machines[::-1]):
        [found] = match([Said(2, values)], known)
        assert found.machine is meant


def test_a_machine_has_the_row_of_its_minion_id_before_that_of_its_host_name():
    rows = [Said(2, {"hostname": "web"}), Said(3, {"hostname": "db01"})]
    one, other = match(rows, [called("db01", "web")])
    assert (one.machine, one.is_repeated, other.by) == (None, False, "minion_id")
    assert one.why == "in the file only; db01 is the machine with SN none"


ONE_UUID, TWO_UUID = (f"4c4c4544-0058-5910-805a-b9c04f00000{number}" for number in (1, 2))
ONE_MAC = "52:54:00:00:00:01"


@pytest.mark.parametrize(
    ("values", "sn", "uuids", "is_meant"),
    [
        ({"mac": ONE_MAC}, "S1", [ONE_UUID], True),
        ({"mac": ONE_MAC, "sn": "S2"}, "S1", [], False),
        ({"mac": ONE_MAC, "sn": "S2"}, None, [], True),
        ({"mac": ONE_MAC, "sn": "S2"}, "To be filled by O.E.M.", [], True),
        ({"mac": ONE_MAC, "sn": "无"}, "S1", [], True),
        ({"mac": ONE_MAC, "uuid": TWO_UUID}, "S1", [ONE_UUID], False),
        ({"mac": ONE_MAC, "uuid": TWO_UUID}, "S1", [], True),
        ({"mac": ONE_MAC, "uuid": "03000200-0400-0500-0006-000700080009"}, None, [ONE_UUID], True),
        ({"uuid": ONE_UUID}, "S1", [ONE_UUID], True),
        ({"uuid": ONE_UUID, "sn": "S2"}, "S1", [ONE_UUID], False),
        ({"uuid": ONE_UUID, "sn": "S2"}, None, [ONE_UUID, TWO_UUID], True),
    ],
    ids=str,
)
def test_a_key_finds_no_machine_that_shows_another_number_or_uuid(values, sn, uuids, is_meant):
    one = {**machine(sn, "web01"), "uuids": uuids, "macs": [ONE_MAC]}
    [found] = match([Said(2, values)], [one])
    assert (found.machine is one) is is_meant
    if not is_meant:
        assert found.why == "in the file only; web01 has its UUID or MAC, but another SN or UUID"
    # Who else has the key is the one that is meant.
    other = {**machine(None, "web02"), "uuids": [], "macs": [ONE_MAC]}
    if "mac" in values:
        [found] = match([Said(2, values)], [one, other])
        assert found.machine is (None if is_meant else other)


def test_a_name_that_several_machines_have_is_told():
    [found] = match([Said(2, {"hostname": "db01"})], [PROD, DEV])
    assert found.why == "several machines have this name"


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
