"""The commands about one asset: show, get and card, with what people's list says of it."""

import pytest

from salt_ext import store
from salt_ext.store import Arrival, ingest
from tests.functional.conftest import BEFORE, in_rack
from tests.machines import NOW, arrival, later, report, server

LIST = "Serial,Name,Site,Memory,Owner\n"


@pytest.mark.parametrize("reference", ["web01", "9XYZ001", "52:54:00:00:00:01", "10.0.0.1"])
def test_an_asset_is_shown_by_any_of_its_identifiers(ask, reference):
    answer, retcode, text = ask("show", reference)
    assert retcode == 0
    assert answer["asset"]["minion_id"] == "web01"
    assert "PowerEdge R750" in text
    assert "dell/9xyz001" in text


def test_one_section_of_an_asset(ask):
    answer, _, text = ask("show", "web01", section="memory")
    assert list(answer["asset"]["facts"]) == ["memory"]
    assert "4F0001A1" in text
    _, retcode, text = ask("show", "web01", section="memmory")
    assert retcode == 3
    assert "did you mean 'memory'" in text


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("memory.installed_bytes", 64 << 30, str(64 << 30)),
        ("disks.S64F000001.model", "PM9A3", "PM9A3"),
        ("disks.sda.model", "PM9A3", "PM9A3"),
        ("disks.0.serial_number", "S64F000001", "S64F000001"),
        ("memory.devices.A1.serial_number", "4F0001A1", "4F0001A1"),
        ("memory.devices.A2.present", False, "false"),
        ("network.0000:3b:00.0.name", "eno1", "eno1"),
        ("network.eno1.addresses", ["10.0.0.1/16"], "10.0.0.1/16"),
        ("network.eno1.addresses.0", "10.0.0.1/16", "10.0.0.1/16"),
        ("smart.sda.temperature_celsius", 31, "31"),
        ("sn", "9XYZ001", "9XYZ001"),
        ("freshness", "fresh", "fresh"),
    ],
)
def test_a_value_is_had_by_its_path(ask, path, value, text):
    answer, retcode, shown = ask("get", "web01", path)
    assert (answer["value"], retcode, shown) == (value, 0, text)


def test_a_section_is_had_as_show_prints_it(ask):
    answer, _, text = ask("get", "web01", "firmware")
    assert answer["value"] == {"vendor": "Dell Inc.", "version": "1.11.0"}
    assert "1.11.0" in text
    _, _, text = ask("get", "web01", "memory.devices")
    assert "4F0001A1" in text


def test_values_sections_and_totals_of_the_past(ask):
    answer, _, _ = ask("get", "web01", "memory.installed_bytes", as_of=BEFORE)
    assert answer["value"] == 128 << 30
    answer, _, text = ask("show", "web01", as_of=BEFORE)
    assert answer["asset"]["facts"]["firmware"]["version"] == "1.9.2"
    assert "4F0001A2" in text
    now, _, _ = ask("report")
    then, _, text = ask("report", as_of=BEFORE)
    assert now["totals"]["memory_bytes"] == 320 << 30
    assert then["totals"]["memory_bytes"] == 384 << 30
    assert text.startswith("3 assets: as they were at ")
    _, retcode, text = ask("report", as_of="2020-01-01")
    assert (retcode, text) == (0, "no assets at 2020-01-01 00:00:00 UTC")


def test_the_card_fits_on_a_screen_and_says_what_counts(cmdb, database, fleet):
    facts = in_rack(1)
    facts["smart"][0]["passed"] = False
    facts["smart"][0]["health"] = {"failing": ["reliability"]}
    changed = [
        arrival({**facts, "firmware": {"version": f"2.{step}"}}, "web01", later(seconds=3 + step))
        for step in range(9)
    ]
    for one in changed:
        ingest(database, [one])
    failed = arrival(facts, "web01", later(seconds=30))
    error = {"type": "OSError", "message": "gone", "traceback": "line 1\nline 2"}
    failed.report.update(errors={"lldp": error}, partial=["lldp"])
    ingest(database, [failed])
    answer, retcode, text = cmdb("card", "9XYZ001")
    lines = text.splitlines()
    assert retcode == 0
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 110
    for part in ("web01", "S/N 9XYZ001", "rack R07", "unit U11", "fresh, heard", "10.128.0.1"):
        assert part in text
    assert "says that it fails: reliability" in text
    assert "lldp: OSError: gone" in text
    assert "changes (5 of " in text
    assert "U12  web02" in text
    assert "warranty" not in text
    assert len(answer["changes"]) == 5


def test_the_card_of_a_machine_of_which_little_is_known(cmdb, database):
    bare = report({"operating_system": {"hostname": "tiny"}}, "tiny")
    ingest(database, [Arrival("tiny", bare, NOW)])
    _, retcode, text = cmdb("card", "tiny")
    assert retcode == 0
    assert text.startswith("tiny  ")


def test_lost_zeros_are_told_with_the_serial_number_that_was_meant(cmdb, database):
    system = {**server(5)["system"], "serial_number": "0012345"}
    ingest(database, [arrival(server(5, system=system, baseboards=[]), "web05")])
    for command, args in (("show", [12345]), ("card", [12345]), ("history", [12345])):
        _, retcode, text = cmdb(command, *args)
        assert retcode == 2
        assert """write '"0012345"' with both pairs of quotes""" in text
    assert cmdb("show", "0012345")[1] == 0


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
    assert said["list.owner"] == ("web team", None)
    assert answer["expected"]["row"] == 2
    assert answer["expected"]["imported_by"]
    lines = [line.strip() for line in text.splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith("expected by "))
    assert lines[at].endswith("old.csv, row 2")
    assert lines[at + 1] == "≠ Site: dc7, but the machine reports dc1"
    assert lines[at + 2] == "≠ Memory: 64GB, but the machine reports 128 GiB"
    assert lines[at + 3] == "Owner web team"
    assert lines[at + 4] == "= SN 12345, Hostname web01.example.com"


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
    cmdb("expected", "set", "9XYZ001", rack="R1", os="Windows", remarks="x" * 500)
    answer, _, text = cmdb("card", "web01")
    lines = text.splitlines()
    assert len(lines) <= 30
    assert max(map(len, lines)) <= 110
    assert len(differing(answer)) == 5
    assert ", 3 of 5 differences" in text
    assert sum(line.strip().startswith("≠") for line in lines) == 3
    assert store.assets(database).total == 2


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("show", ["nobody"], {}, 3, "there is no asset 'nobody'"),
        ("show", ["web"], {}, 3, "similar: web01, web02"),
        ("show", [], {}, 2, "which asset?"),
        ("show", [12345], {}, 2, "drops leading zeros"),
        ("show", ["PowerEdge R750"], {}, 3, "there is no asset"),
        ("show", ["web01"], {"sektion": "x"}, 2, "did you mean 'section'"),
        ("show", ["web\0"], {}, 3, "there is no asset"),
        ("get", ["web01"], {}, 2, "which value?"),
        ("get", ["nobody", "sn"], {}, 3, "there is no asset 'nobody'"),
        ("get", ["web01", "memmory.total"], {}, 3, "did you mean 'memory'"),
        ("get", ["web01", "disks.sdb.model"], {}, 3, "There are: S64F000001, sda, 0"),
        ("get", ["web01", "sn.0"], {}, 3, "sn: there is no value"),
        ("get", ["web01", 7], {}, 2, "path arrived as 7"),
        ("get", ["web01", "sn"], {"as_of": "2020-01-01"}, 3, "its first report was at"),
        ("show", ["web01"], {"as_of": "yesterday"}, 3, "is no time, and there is no snapshot"),
        ("card", [], {}, 2, "which asset?"),
        ("card", ["web01"], {"limit": 3}, 2, "there is no option 'limit'"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


@pytest.mark.parametrize("spelling", ["aBc12", "ABC12", "abc12"])
def test_every_command_means_the_same_machine_by_one_spelling(cmdb, database, expect, spelling):
    system = {**server(1)["system"], "serial_number": "ABC12"}
    ingest(database, [arrival(server(1, system=system, baseboards=[]), "web01")])
    expect(f"{spelling},,dc7,,web team")
    assert cmdb("card", "web01")[0]["expected"]["row"] == 2
    listed, _, _ = cmdb("expected")
    [row] = [dict(zip(listed["columns"], row, strict=True)) for row in listed["rows"]]
    assert row["seen_as"] == "web01"
    cmdb("expected", "set", "abC12", owner="db team")
    told, _, _ = cmdb("expected", "list")
    assert told["total"] == 2  # the list, and what was set by hand
    assert cmdb("expected", "remove", "Abc12")[1] == 0
    assert cmdb("expected", "list")[0]["total"] == 0
    assert cmdb("card", "web01")[0]["expected"] is None


def test_a_row_of_a_name_that_two_machines_have_is_on_nobodys_card(cmdb, database, expect):
    ingest(database, [arrival(server(n), f"web.dc{n}") for n in (1, 2)])
    expect(",web,dc7,,")
    assert cmdb("card", "web.dc1")[0]["expected"] is None


def test_what_two_lists_say_of_one_machine_is_no_repetition(cmdb, database, tmp_path):
    ingest(database, [arrival(server(1), "web01")])
    for name, line in (("a.csv", "9XYZ001,web01"), ("b.csv", ",web01")):
        (tmp_path / name).write_text(f"SN,Name\n{line}\n")
        assert cmdb("expected", "import", file=str(tmp_path / name))[1] == 0
    listed, _, _ = cmdb("expected")
    at = listed["columns"].index("seen_as")
    assert [row[at] for row in listed["rows"]] == ["web01", "web01"]
    assert cmdb("expected", "missing")[0]["total"] == 0
