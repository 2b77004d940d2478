"""People's list beside what the machines report."""

import pytest

from salt_ext.lists.amounts import sizes
from salt_ext.lists.annotate import COLOURS
from salt_ext.lists.reconcile import RARE, STATUSES, reconcile
from salt_ext.lists.rows import said
from salt_ext.lists.tables import Table
from salt_ext.words.match import Said


def asset(sn="9XYZ001", name="web01", **fields):
    known = dict.fromkeys(
        ("site", "rack", "manufacturer", "product_name", "os", "memory_bytes", "address")
    )
    return {**known, "sn": sn, "minion_id": name, "hostname": name, **fields}


def verdict(values, *assets):
    [one], _ = reconcile([Said(2, values)], assets or [asset()])
    return one


def test_the_same_serial_number_is_the_same_machine_and_another_name_is_told():
    one = verdict({"sn": "9xyz001", "hostname": "other"})
    assert (one.status, one.asset["sn"]) == ("different", "9XYZ001")
    assert one.reason == "Hostname: other in the file, web01 on the machine"


@pytest.mark.parametrize(
    "name", ["web01", "WEB01.example.org", "-", "10.0.0.5", "node7", "戴尔 服务器"]
)
def test_a_name_is_right_that_is_one_of_the_names_of_a_machine_or_its_address(name):
    machine = asset(address="10.0.0.5") | {"hostname": "node7"}
    assert verdict({"sn": "9XYZ001", "hostname": name}, machine).status == "ok"


@pytest.mark.parametrize("cell", [12345, 12345.0, "12345"])
def test_leading_zeros_that_a_spreadsheet_lost_are_found_again(cell):
    one = verdict({"sn": cell}, asset("0012345"))
    assert one.status == "ok"
    assert one.reason == "the SN is 0012345: the file lost its leading zeros"


def test_leading_zeros_decide_where_both_machines_exist():
    assert verdict({"sn": "12345"}, asset("0012345"), asset("12345", "b")).asset["sn"] == "12345"


def test_numbers_that_two_machines_could_have_lost_are_nobodys():
    assert verdict({"sn": "12345"}, asset("012345"), asset("0012345", "b")).status == "ghost"


@pytest.mark.parametrize("name", ["web01", "WEB01", "web01.example.org"])
def test_without_a_serial_number_the_name_decides(name):
    one = verdict({"hostname": name})
    assert one.status == "ok"
    assert "by its name" in one.reason


def test_a_machine_with_the_name_and_another_serial_number_is_different():
    one = verdict({"sn": "OLD1", "hostname": "web01"})
    assert one.status == "different"
    assert one.reason.startswith("SN: OLD1 in the file, 9XYZ001 on the machine")


def test_a_name_goes_to_the_row_that_has_the_serial_number():
    rows = [Said(2, {"sn": "OLD1", "hostname": "web01"}), Said(3, {"sn": "9XYZ001"})]
    verdicts, unknown = reconcile(rows, [asset()])
    assert [one.status for one in verdicts] == ["ghost", "ok"]
    assert "web01 is the machine with SN 9XYZ001" in verdicts[0].reason
    assert unknown == []


def test_another_site_or_rack_is_a_move_and_other_values_are_told_with_it():
    here = asset(site="dc1", rack="R01", memory_bytes=64 << 30)
    one = verdict({"sn": "9XYZ001", "site": "dc2", "rack": "R01", "memory_bytes": "128G"}, here)
    assert one.status == "moved"
    assert one.reason == (
        "Site: dc2 in the file, dc1 on the machine; Memory: 128G in the file, 64 GiB on the machine"
    )


def test_what_either_side_does_not_know_is_not_compared():
    assert verdict({"sn": "9XYZ001", "site": "dc2"}, asset(site=None)).status == "ok"
    assert verdict({"sn": "9XYZ001"}, asset(site="dc1")).status == "ok"


def test_a_second_row_of_a_machine_is_a_duplicate():
    rows = [Said(2, {"sn": "9XYZ001"}), Said(5, {"sn": "9xyz001"}), Said(6, {"sn": "09XYZ001"})]
    verdicts, _ = reconcile(rows, [asset()])
    assert [one.status for one in verdicts] == ["ok", "duplicate", "duplicate"]
    assert verdicts[1].reason == "the same SN as in row 2"
    assert verdicts[2].reason == "means the same machine as row 2"


def test_machines_that_no_row_means_are_unknown():
    other = asset("S2", "web02")
    assert reconcile([Said(2, {"sn": "9XYZ001"})], [asset(), other])[1] == [other]


def test_a_row_without_number_and_name_is_a_ghost_that_says_so():
    assert verdict({"site": "dc1"}).reason == "the row has no SN, name, UUID or MAC"


def test_a_bare_number_takes_the_unit_of_its_heading():
    table = Table("s", 1, ["SN", "Disk TB"], [(2, ["A", 2])])
    [row] = said(table, {0: "sn", 1: "disk_bytes"}, {"disk_bytes": "tb"})
    assert sizes(row.values["disk_bytes"], "g")[0] == 2e12


def test_a_serial_number_that_several_machines_report_means_none_of_them():
    one = verdict({"sn": "9XYZ001"}, asset(name="a"), asset(name="b"))
    assert (one.status, one.reason) == ("ghost", "several machines report this SN")
    one = verdict({"sn": "NONE1"}, asset(name="a"), asset(name="b"))
    assert one.reason == "in the file only: no machine reports this SN or name"


def test_a_name_that_stands_twice_is_a_duplicate_whichever_column_it_is_in():
    rows = [Said(2, {"hostname": "web01"}), Said(3, {"minion_id": "WEB01", "hostname": "x"})]
    verdicts, _ = reconcile(rows, [asset()])
    assert [one.status for one in verdicts] == ["ok", "duplicate"]
    assert verdicts[1].reason == "the same name as in row 2"


def test_a_short_name_finds_the_machine_with_its_domain():
    assert verdict({"hostname": "web01"}, asset(name="web01.example.com")).status == "ok"


def test_a_filter_never_makes_a_ghost():
    here = asset(site="ams1")
    away = asset("S2", "web02", site="fra2") | {"chosen": False}
    rows = [
        Said(2, {"sn": "S2"}),
        Said(3, {"sn": "9XYZ001"}),
        Said(4, {"sn": "GONE1"}),
    ]
    verdicts, unknown = reconcile(rows, [here, away], {"site": "ams1"})
    assert [one.status for one in verdicts] == ["moved", "ok", "ghost"]
    assert verdicts[0].reason == "it reports from fra2"
    assert unknown == []


@pytest.mark.parametrize(
    ("said", "filters", "status", "reason"),
    [
        ({"site": "fra2"}, {"site": "ams1"}, "outside", "it reports from fra2"),
        (
            {"site": "ams1"},
            {"site": "ams1"},
            "moved",
            "Site: ams1 in the file, fra2 on the machine; it reports from fra2",
        ),
        ({}, {"site__in": "ams1,ams2"}, "moved", "it reports from fra2"),
        ({}, {"manufacturer": "HPE"}, "outside", "it reports from fra2"),
        ({"site": "fra2", "memory_bytes": "1G"}, {"site": "ams1"}, "outside", "it reports from"),
    ],
)
def test_a_filter_chooses_which_machines_are_judged(said, filters, status, reason):
    away = asset(site="fra2", memory_bytes=64 << 30) | {"chosen": False}
    [one], unknown = reconcile([Said(2, {"sn": "9XYZ001", **said})], [away], filters)
    assert one.status == status
    assert one.reason.startswith(reason)
    assert unknown == []
    assert reconcile([], [away], filters)[1] == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [({"lifecycle": "retired"}, "it is retired"), ({"freshness": "detached"}, "it is detached: ")],
)
def test_a_row_for_a_machine_that_is_gone_says_so_and_no_list_must_have_one(state, reason):
    gone = asset() | state
    [one], _ = reconcile([Said(2, {"sn": "9XYZ001"})], [gone])
    assert (one.status, one.is_gone) == ("ok", True)
    assert one.reason.startswith(reason)
    assert reconcile([], [gone]) == ([], [])


def test_a_machine_whose_report_waits_for_a_decision_is_no_ghost():
    held = {"sn": "S9", "minion_id": "web01", "hostname": None, "held_as": "web01"}
    rows = [Said(2, {"sn": "s9"}), Said(3, {"hostname": "web01"}), Said(4, {"sn": "S10"})]
    verdicts, _ = reconcile(rows, [asset()], held=[held])
    assert [one.status for one in verdicts] == ["held", "ok", "ghost"]
    assert verdicts[0].reason == "a report of it waits for a decision: cmdb.quarantine web01"


def test_of_several_machines_with_one_number_the_name_tells_which():
    twins = [asset(name="web01"), asset(name="web02")]
    rows = [Said(n, {"sn": "9XYZ001", "minion_id": f"web0{n}"}) for n in (1, 2, 2)]
    verdicts, unknown = reconcile(rows, twins)
    assert [one.status for one in verdicts] == ["ok", "ok", "duplicate"]
    assert unknown == []


@pytest.mark.parametrize("field", [*STATUSES, *RARE])
def test_every_status_has_a_colour(field):
    assert (field in COLOURS) is True


def test_a_place_that_only_another_list_says_contradicts_no_row():
    listed = asset(site="fra2", rack="R01") | {"from_list": "site, unit"}
    assert verdict({"sn": "9XYZ001", "site": "ams1"}, listed).status == "ok"
    assert verdict({"sn": "9XYZ001", "site": "ams1", "rack": "R02"}, listed).reason == (
        "Rack: R02 in the file, R01 on the machine"
    )
    away = listed | {"chosen": False}
    [one], _ = reconcile([Said(2, {"sn": "9XYZ001"})], [away], {"site": "ams1"})
    assert (one.status, one.reason) == ("moved", "a list has it in fra2")


def test_what_another_list_has_too_is_expected_and_no_ghost():
    spare = {"sn": "SPARE1", "minion_id": None, "hostname": None, "kind": "spare"}
    rows = [Said(2, {"sn": "spare1"}), Said(3, {"sn": "GONE1"}), Said(4, {"sn": "9XYZ001"})]
    verdicts, _ = reconcile(rows, [asset()], awaited=[spare])
    assert [one.status for one in verdicts] == ["expected", "ghost", "ok"]
    assert verdicts[0].reason == "no machine reports it; a list has it as spare"
