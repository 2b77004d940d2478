"""What we wrote into a file is what we read from it, and a filter makes no ghost."""

import openpyxl
import pytest

from salt_ext import store
from salt_ext.store import Act, ingest
from tests.machines import arrival, server

OLD = Act("me", "it was old", test=False)


def numbered(number, sn, **sections):
    facts = server(number, **sections)
    facts["system"]["serial_number"] = sn
    return facts


@pytest.fixture
def fleet(database):
    """Machines whose values are difficult for spreadsheets, one of them retired."""
    machines = [
        numbered(1, "0012345", location={"site": "ams1", "room": "2.14", "rack": "R01"}),
        numbered(2, "=HYPERLINK(1)", location={"site": "机房一", "rack": "-R02"}),
        numbered(3, "1E5", location={"site": "fra2", "rack": "007", "unit": "U12"}),
        numbered(4, "210235838510123456789"),
        server(5, virtual={"role": "guest", "hypervisor": "kvm"}),
        server(6),
    ]
    machines[4].pop("system")
    machines[4]["operating_system"]["hostname"] = "0012"
    reports = [arrival(facts, f"web{number:02d}") for number, facts in enumerate(machines, 1)]
    ingest(database, reports)
    store.set_lifecycle(database, store.resolve(database, "web06"), "retired", OLD)
    return machines


@pytest.mark.parametrize("suffix", ["xlsx", "csv"])
@pytest.mark.parametrize("command", ["list", "export"])
def test_what_we_wrote_is_what_the_machines_report(cmdb, fleet, tmp_path, command, suffix):
    path = str(tmp_path / f"l.{suffix}")
    cmdb(command, out_file=path)
    answer, retcode, text = cmdb("reconcile", path, exit_code=True)
    assert answer["counts"]["ok"] == 6, text
    assert [row[2:] for row in answer["rows"]] == [["9XYZ006", "web06", "it is retired"]]
    assert retcode == 0
    assert not {"Memory GiB", "memory_bytes", "Disk GB", "disk_bytes"} & {*answer["ignored"]}


def test_every_field_that_a_list_can_show_is_known_when_it_comes_back(
    cmdb, database, fleet, tmp_path
):
    path = str(tmp_path / "l.xlsx")
    columns = ",".join(store.listable(database))
    cmdb("list", out_file=path, columns=columns)
    answer, _, text = cmdb("reconcile", path)
    assert answer["counts"]["ok"] == 6, text
    assert [field for field in answer["mapping"].values() if field.startswith("list.")] == []


def test_a_workbook_that_was_given_back_is_compared_as_before(cmdb, fleet, tmp_path):
    (tmp_path / "l.csv").write_text("SN,Site\n0012345,ams1\n")
    first, _, _ = cmdb("reconcile", str(tmp_path / "l.csv"), out_file=str(tmp_path / "l.xlsx"))
    again, _, text = cmdb("reconcile", str(tmp_path / "l.xlsx"), out_file=str(tmp_path / "l.xlsx"))
    assert first["counts"] == again["counts"]
    assert first["counts"]["unknown"] == 4
    assert "not read: Unknown machines: cmdb.reconcile wrote it" in text
    book = openpyxl.load_workbook(tmp_path / "l.xlsx")
    unknown = [list(row) for row in book["Unknown machines"].iter_rows(values_only=True)]
    assert unknown[1][unknown[0].index("Memory GiB")] == 128
    assert "memory_bytes" not in unknown[0]


def test_a_filter_tells_where_a_machine_reports_from(cmdb, fleet, tmp_path):
    (tmp_path / "l.csv").write_text("SN\n0012345\n1E5\n9XYZ006\n")
    answer, retcode, text = cmdb("reconcile", str(tmp_path / "l.csv"), site="ams1", exit_code=True)
    assert answer["counts"]["ghost"] == answer["counts"]["unknown"] == 0, text
    assert ["moved", "1E5", None, "it reports from fra2"] in [row[1:] for row in answer["rows"]]
    assert retcode == 1
    (tmp_path / "l.csv").write_text("SN,Site\n0012345,ams1\n1E5,fra2\n")
    answer, retcode, _ = cmdb("reconcile", str(tmp_path / "l.csv"), site="ams1", exit_code=True)
    assert (answer["counts"]["ok"], answer["counts"]["outside"], retcode) == (1, 1, 0)


def test_a_machine_whose_report_is_held_is_no_ghost(cmdb, database, fleet, tmp_path):
    [outcome] = ingest(database, [arrival(numbered(9, "7HELD09"), "web01")])
    assert outcome.status == "held"
    (tmp_path / "l.csv").write_text("SN\n7HELD09\n")
    answer, _, text = cmdb("reconcile", str(tmp_path / "l.csv"))
    assert answer["counts"]["held"] == 1, text
    assert "cmdb.quarantine web01" in text


def test_any_address_the_processors_and_the_disks_behind_a_controller_are_looked_up(
    cmdb, database, tmp_path
):
    facts = server(1, bmc={"present": True, "addresses": ["10.128.0.1/10"]})
    facts["processors"] |= {"sockets": 2, "model": "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"}
    facts["disks"] = [{"name": "sda", "model": "PERC H755", "size_bytes": 7_680_000_000_000}]
    facts["raid"] = {
        "volumes": [{"id": "0", "level": "RAID10", "size_bytes": 7_680_000_000_000}],
        "members": [{"slot": str(n), "size_bytes": 3_840_000_000_000} for n in range(4)],
    }
    ingest(database, [arrival(facts, "web01"), arrival(server(2), "web02")])
    path = tmp_path / "l.csv"
    for row in ("10.128.0.1,2*6330,4*3.84T,4", "10.0.0.1,6330,7.68T,1"):
        path.write_text(f"SN,管理IP,CPU,硬盘,硬盘数量\n9XYZ001,{row}\n")
        answer, _, text = cmdb("reconcile", str(path))
        assert answer["counts"]["ok"] == 1, text
        cmdb("expected", "import", file=str(path))
        assert [row[2] for row in cmdb("expected")[0]["rows"]] == ["ok"]
    path.write_text("SN,IP,CPU,硬盘\n9XYZ001,10.128.0.2,4*6330,6*3.84T\n")
    [row, *_] = cmdb("reconcile", str(path))[0]["rows"]
    assert row[4] == (
        "Processor: 4*6330 in the file, 2 x Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"
        " on the machine; Disk: 6*3.84T in the file, 7.7 TB on the machine;"
        " Address: 10.128.0.2 in the file, 10.0.0.1 on the machine"
    )


def test_an_import_may_be_tried_out_and_names_each_row_that_it_leaves_out(cmdb, fleet, tmp_path):
    path = tmp_path / "l.csv"
    path.write_text("SN,Owner,Site\n12345,me,ams1\n0012345,you,\n,nobody,\n0012345,,\nNEW1,,dc9\n")
    for test in (True, False):
        answer, _, text = cmdb("expected", "import", file=str(path), test=test)
        assert answer["counts"] == {
            **{"kept": 3, "known": 1, "changed": 1, "dropped": 0, "left out": 2},
        }
        assert answer["rows"] == [
            ["l.csv", 4, None, None, "the row has no SN, name, UUID or MAC"],
            ["l.csv", 5, "0012345", None, "the same SN as in row 3"],
        ]
        assert ("nothing was kept" in text) is test
        assert "2 rows left out" in text
        assert len(cmdb("expected")[0]["rows"]) == (0 if test else 3)
        assert cmdb("list", columns="list.owner")[1] == (2 if test else 0)
    path.write_text("SN,Owner\n12345,me\n")
    answer, _, _ = cmdb("expected", "import", file=str(path), test=True)
    assert answer["counts"]["dropped"] == 2
    assert len(cmdb("expected")[0]["rows"]) == 3
    assert "is for the actions import" in cmdb("expected", "set", "NEW1", test=True)[2]


def test_what_is_set_and_removed_by_hand_means_the_machine_that_a_row_would(cmdb, fleet, tmp_path):
    cmdb("expected", "set", "0012345", owner="me")
    told, _, _ = cmdb("expected", "set", "ab-0012345", owner="you")
    assert "owner=you" in told["rows"][0][3]
    told, _, _ = cmdb("expected", "set", "00012345", rack="R7")
    assert told["rows"][0][3] == "sn=00012345, list.owner=me, rack=R7"
    told, _, _ = cmdb("expected", "remove", "0012345")
    assert [row[0] for row in told["rows"]] == ["00012345"]
    assert [row[0] for row in cmdb("expected")[0]["rows"]] == ["ab-0012345"]
    # Zeros alone are no number: they mean none of the rows that have none.
    (tmp_path / "names.csv").write_text("Hostname\nweb77\n")
    cmdb("expected", "import", file=str(tmp_path / "names.csv"))
    assert cmdb("expected", "remove", "000")[1] == 3
