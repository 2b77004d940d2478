"""What somebody sees who keeps lists: slips in values and sources, and what is removed."""

import pytest


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"kind": "storge"}, "did you mean 'storage'?"),
        ({"lifecycle": "actve"}, "did you mean 'active'?"),
        ({"memory_bytes": "lots"}, "must be a size such as 384GiB"),
        ({"disk_bytes": "big"}, "must be a size"),
        ({"processor_threads": "many"}, "must be a number"),
        ({"disk_count": "some"}, "must be a number"),
    ],
)
def test_a_slip_in_a_value_is_no_value(cmdb, fleet, fields, says):
    _, retcode, text = cmdb("expected", "set", "S1", **fields)
    assert (retcode, says in text) == (2, True), text
    assert cmdb("expected")[0]["total"] == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "交换机"},
        {"kind": "Server"},
        {"kind": "虚拟机"},
        {"kind": "load balancer"},
        {"lifecycle": "Retired"},
        {"memory_bytes": 64},
        {"memory_bytes": "16*32G"},
        {"disk_bytes": "3.84TB"},
        {"disk_count": 8},
        {"disk_count": ""},
    ],
)
def test_what_lists_say_can_be_set_by_hand_too(cmdb, fleet, fields):
    assert cmdb("expected", "set", "S1", rack="R1", **fields)[1] == 0


def test_a_machine_that_is_set_by_its_name_is_no_second_one(cmdb, fleet):
    assert cmdb("expected", "set", "web03", owner="me")[1] == 0
    _, retcode, text = cmdb("card", "web03")
    assert (retcode, text.split()[0]) == (0, "web03")
    assert cmdb("list")[0]["total"] == 3


def test_a_reason_that_is_taken_away_leaves_no_row(cmdb, fleet):
    cmdb("expected", "set", "GHOST", reason="spare")
    _, retcode, text = cmdb("expected", "set", "GHOST", reason="")
    assert (retcode, "nothing is set" in text) == (0, True)
    assert (cmdb("expected")[0]["total"], cmdb("list")[0]["total"]) == (0, 3)


def test_a_slip_in_the_name_of_a_list_is_seen_before_it_is_kept(cmdb, fleet, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("SN,Owner\nA1,ann\nA2,bob\n")
    assert "new list" not in cmdb("expected", "import", file=str(path), source="finance")[2]
    text = cmdb("expected", "import", file=str(path), source="finanse", test=True)[2]
    assert "finanse is a new list; there are: finance; did you mean source='finance'?" in text
    assert "new list" not in cmdb("expected", "import", file=str(path), source="finance")[2]
    answer, _, _ = cmdb("expected", "sources")
    assert [row[:3] for row in answer["rows"]] == [["finance", 2, 0]]


def test_what_is_removed_is_told_with_its_lists(cmdb, fleet, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("SN,Owner\nA1,ann\nA2,bob\n")
    for source in ("finance", "racks"):
        cmdb("expected", "import", file=str(path), source=source)
    answer, _, text = cmdb("expected", "remove", "A1", test=True)
    assert ("would be removed" in text, "2 rows of lists" in text) == (True, True)
    cmdb("expected", "remove", "A1", source="racks")
    answer, _, _ = cmdb("expected", "remove", "A1")
    assert [row[2:5] for row in answer["rows"]] == [["removed", "finance", 2]]
    assert cmdb("expected", "remove", source="racks", test=True)[0]["total"] == 1
    assert cmdb("expected", "remove", source="racks")[1] == 0
    assert [row[:2] for row in cmdb("expected", "sources")[0]["rows"]] == [["finance", 1]]
    _, retcode, text = cmdb("expected", "remove", source="finanse")
    assert (retcode, "did you mean 'finance'" in text) == (3, True)


@pytest.fixture
def things(cmdb, fleet, tmp_path):
    """Three machines, and a list of a switch and a PDU that no SN names."""
    path = tmp_path / "things.csv"
    path.write_text("SN,Name,Type,Owner,Remarks\n,pdu01,pdu,ann,loud\n9XYZ001,web01,,bob,old\n")
    assert cmdb("expected", "import", file=str(path))[1] == 0


def test_what_has_no_sn_has_the_name_of_its_list(cmdb, things):
    answer, _, text = cmdb("list")
    assert "  pdu01  " in text
    # Programs read what there is: it has no minion id.
    assert [row[1] for row in answer["rows"]] == ["web01", "web02", "web03", None]


def test_of_several_things_with_one_name_each_has_its_own(cmdb, fleet, tmp_path):
    path = tmp_path / "things.csv"
    path.write_text("SN,Name\nA1,twin\nA2,twin\n")
    cmdb("expected", "import", file=str(path))
    _, retcode, text = cmdb("card", "twin")
    assert (retcode, text.count("twin ("), "detached" in text) == (3, 2, False), text


def test_a_card_has_the_words_of_a_list_on_a_line_of_their_own(cmdb, things):
    lines = [line.strip() for line in cmdb("card", "web01")[2].splitlines()]
    at = next(number for number, line in enumerate(lines) if line.startswith("expected by "))
    assert lines[at + 1 : at + 3] == ["Owner bob, Remarks old", "= SN 9XYZ001, Hostname web01"]
    text = cmdb("card", "pdu01")[2]
    assert "Owner ann, Remarks loud" in text
    assert "=" not in text


@pytest.mark.parametrize(
    "command", ["report", "list", "facets", "show", "get", "export", "identity"]
)
def test_nothing_is_answered_of_the_future(cmdb, fleet, tmp_path, command):
    args = {"show": ["web01"], "get": ["web01", "os"], "identity": ["web01"]}.get(command, [])
    more = {"out_file": str(tmp_path / "x.xlsx")} if command == "export" else {}
    _, retcode, text = cmdb(command, *args, as_of="2031-01-01", **more)
    assert (retcode, "is in the future, of which nothing is known" in text) == (2, True), text


@pytest.mark.parametrize(
    ("command", "args"), [("diff", ["web01"]), ("fleet_diff", [])], ids=["diff", "fleet_diff"]
)
@pytest.mark.parametrize("end", ["from", "to"])
def test_nothing_is_compared_with_the_future(cmdb, fleet, command, args, end):
    _, retcode, text = cmdb(command, *args, **{"from": "1d", end: "2031-01-01"})
    assert (retcode, "is in the future" in text) == (2, True), text
