"""What people's list says of a machine, on its card beside what the machine reports."""

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server

LIST = "Serial,Name,Site,Memory,Owner\n"


@pytest.fixture
def zeros(database):
    """A machine whose serial number begins with zeros, in dc1."""
    system = {**server(1)["system"], "serial_number": "0012345"}
    facts = server(1, system=system, baseboards=[], location={"site": "dc1"})
    ingest(database, [arrival(facts, "web01")])


@pytest.fixture
def expect(cmdb, tmp_path):
    """Keep a list of these lines as what people expect."""

    def keep(*lines):
        (tmp_path / "old.csv").write_text(LIST + "\n".join(lines))
        assert cmdb("expected", "import", file=str(tmp_path / "old.csv"))[1] == 0

    return keep


def differing(answer):
    return {one["field"] for one in answer["expected"]["fields"] if one["differs"]}


def test_a_card_marks_where_the_list_of_people_differs(cmdb, zeros, expect):
    # The list has lost the zeros and has the domain; neither is a difference.
    expect("12345,web01.example.com,dc7,64GB,web team")
    answer, retcode, text = cmdb("card", "web01")
    assert retcode == 0
    assert differing(answer) == {"site", "memory_bytes"}
    said = {
        one["field"]: (one["expected"], one["reported"]) for one in answer["expected"]["fields"]
    }
    assert said["memory_bytes"] == ("64GB", 128 << 30)
    assert said["owner"] == ("web team", None)
    assert answer["expected"]["row"] == 2
    assert answer["expected"]["imported_by"]
    lines = [line.strip() for line in text.splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith("expected by "))
    assert lines[at].endswith("old.csv, row 2")
    assert lines[at + 1] == "≠ Site: dc7, but the machine reports dc1"
    assert lines[at + 2] == "≠ Memory: 64GB, but the machine reports 128 GiB"
    assert lines[at + 3] == "= SN 12345, Hostname web01.example.com; not reported: Owner web team"


def test_a_list_that_agrees_is_shown_without_a_mark(cmdb, zeros, expect):
    expect("0012345,,dc1,,")
    answer, _, text = cmdb("card", "web01")
    assert differing(answer) == set()
    assert "= SN 0012345, Site dc1" in text
    assert "≠" not in text


def test_another_name_in_the_list_is_a_difference(cmdb, zeros, expect):
    expect("0012345,db07,,,")
    answer, _, text = cmdb("card", "web01")
    assert differing(answer) == {"hostname"}
    assert "≠ Hostname: db07, but the machine reports web01" in text


def test_a_row_is_found_by_the_name_unless_its_number_is_that_of_another(
    cmdb, database, zeros, expect
):
    ingest(database, [arrival(server(2), "web02")])
    expect("9XYZ002,web01,dc1,,", ",web02,dc9,,")
    assert cmdb("card", "web01")[0]["expected"] is None
    said = cmdb("card", "web02")[0]["expected"]
    # Its number goes before its name.
    assert [one["expected"] for one in said["fields"]] == ["9XYZ002", "web01", "dc1"]
    expect("NEVER1,web01,dc1,,")
    assert differing(cmdb("card", "web01")[0]) == {"sn"}


def test_a_machine_that_nobody_expects_has_a_card_without_it(cmdb, zeros):
    answer, retcode, text = cmdb("card", "web01")
    assert (retcode, answer["expected"]) == (0, None)
    assert "expected" not in text


def test_a_card_with_everything_wrong_fits_on_a_screen_still(cmdb, database, expect):
    facts = server(1, location={"site": "dc1", "rack": "R7", "unit": "U2"})
    facts["lldp"] = [{"name": "eno1", "system_name": "sw1", "port_id": "Eth1"}]
    facts["bmc"] = {"addresses": ["10.9.0.1/24"]}
    facts["smart"] = [
        {"name": f"sd{letter}", "passed": False, "health": {"failing": ["x"]}}
        for letter in "abcdef"
    ]
    for step in range(7):
        facts["firmware"] = {"version": f"1.{step}"}
        one = arrival(facts, "web01", later(seconds=step))
        error = {"type": "OSError", "message": "gone", "traceback": ""}
        names = ["usb", "tpm", "raid", "pci", "gpus"]
        one.report.update(errors=dict.fromkeys(names, error), partial=names)
        ingest(database, [one])
    beside = server(2, location={"site": "dc1", "rack": "R7", "unit": "U3"})
    ingest(database, [arrival(beside, "web02")])
    expect("9XYZ001,db07,dc9,1TB,somebody")
    cmdb("expected", "set", "9XYZ001", rack="R1", os="Windows", note="x" * 500)
    answer, _, text = cmdb("card", "web01")
    lines = text.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 110
    assert len(differing(answer)) == 5
    assert ", 3 of 5 differences" in text
    assert sum(line.strip().startswith("≠") for line in lines) == 3
    assert store.assets(database).total == 2
