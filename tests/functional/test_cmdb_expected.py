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
