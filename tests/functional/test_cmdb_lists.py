"""The commands that write and read people's files, through Salt's loader."""

import csv
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import openpyxl
import pytest
import salt.loader

from salt_ext.commands import progress
from salt_ext.exchange import write_table
from salt_ext.store import extract, ingest
from salt_ext.store.reads import export
from tests.machines import arrival, later, server
from tests.terminal import terminal

OFFICE = shutil.which("soffice")
needs_office = pytest.mark.skipif(
    OFFICE is None, reason="LibreOffice is not installed: apt-get install libreoffice-calc"
)
LOCATION = {"site": "dc1", "rack": "R01"}


def numbered(number, sn, **sections):
    facts = server(number, **sections)
    facts["system"]["serial_number"] = sn
    return facts


@pytest.fixture
def fleet(database):
    """Three servers with difficult names for a spreadsheet, and a DIMM that was pulled."""
    machines = {
        "web01": numbered(1, "0012345", location=LOCATION),
        "web02": numbered(2, "=HYPERLINK(1)", location={"site": "机房一", "rack": "R02"}),
        "web03": numbered(3, "9XYZ003"),
    }
    then = later(days=-2)
    ingest(database, [arrival(facts, name, then) for name, facts in machines.items()])
    machines["web01"]["memory"]["devices"][1] = {"locator": "A2", "present": False}
    ingest(database, [arrival(machines["web01"], "web01", later(days=-1))])
    bad = arrival(server(4), "web04")
    bad.report["digest"] = "0" * 64
    ingest(database, [bad])


def sheet(path, name):
    rows = [list(row) for row in openpyxl.load_workbook(path)[name].iter_rows(values_only=True)]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]


def test_an_export_has_a_sheet_for_each_kind(cmdb, fleet, tmp_path):
    target = str(tmp_path / "assets.xlsx")
    answer, retcode, text = cmdb("export", target)
    assert retcode == 0
    assert answer["sha256"] == hashlib.sha256(Path(target).read_bytes()).hexdigest()
    assert target in text
    assert openpyxl.load_workbook(target).sheetnames == [
        *("Assets", "Disks", "Memory", "Processors", "Network", "Power supplies", "GPUs"),
        *("Changes", "Problems", "Read me"),
    ]
    rows = sheet(target, "Assets")
    assert [row["SN"] for row in rows] == ["0012345", "=HYPERLINK(1)", "9XYZ003"]
    assert rows[1]["Site"] == "机房一"
    assert rows[0]["Memory GiB"] == 128
    assert rows[0]["Disk GB"] == 3840.8
    assert rows[0]["First seen (UTC)"].year >= 2026
    # An empty slot is no part.
    assert [row["Slot"] for row in sheet(target, "Memory")] == ["A1", "A1", "A2", "A1", "A2"]
    assert sheet(target, "Disks")[0]["Serial number"] == "S64F000001"
    assert sheet(target, "Network")[0]["Addresses"] == "10.0.0.1/16"
    [change] = [row for row in sheet(target, "Changes") if row["What happened"] == "removed"]
    assert change["To what"] == "Memory module A2"
    assert [row["Minion"] for row in sheet(target, "Problems")] == ["web04"]
    about = {row["What"]: row["Value"] for row in sheet(target, "Read me")}
    assert about["Rows in Disks"] == 3
    assert about["Filter"] == "none"
    assert about["As of (UTC)"] == "now"
    assert about["Versions"].startswith("salt-cmdb ")


def test_an_export_keeps_to_its_filter(cmdb, fleet, tmp_path):
    target = str(tmp_path / "assets.xlsx")
    cmdb("export", target, site="dc1")
    assert [row["Minion"] for row in sheet(target, "Assets")] == ["web01"]
    assert {row["Minion"] for row in sheet(target, "Disks")} == {"web01"}
    assert {row["Minion"] for row in sheet(target, "Changes")} <= {"web01"}
    assert sheet(target, "Problems") == []
    assert sheet(target, "Read me")[3] == {"What": "Filter", "Value": "site=dc1"}


def test_an_export_of_the_past_has_the_parts_of_then(cmdb, fleet, tmp_path):
    target = str(tmp_path / "assets.xlsx")
    cmdb("export", target, as_of="36h")
    assert len(sheet(target, "Memory")) == 6
    assert "Freshness" not in sheet(target, "Assets")[0]
    assert "Problems" not in openpyxl.load_workbook(target).sheetnames
    assert not [row for row in sheet(target, "Changes") if row["What happened"] == "removed"]


def test_a_format_with_room_for_one_sheet_has_the_assets_or_the_one_asked_for(
    cmdb, fleet, tmp_path
):
    answer, _, _ = cmdb("export", str(tmp_path / "a.csv"))
    assert answer["rows"] == 3
    with open(tmp_path / "a.csv", encoding="utf-8-sig", newline="") as file:
        assert [row["SN"] for row in csv.DictReader(file)][1] == "'=HYPERLINK(1)"
    cmdb("export", str(tmp_path / "a.ndjson"), sheet="disks")
    lines = (tmp_path / "a.ndjson").read_text().splitlines()
    assert json.loads(lines[0])["Model"] == "PM9A3"
    cmdb("export", str(tmp_path / "a.json"), sheet="network")
    assert json.loads((tmp_path / "a.json").read_text())[0]["Addresses"] == "10.0.0.1/16"


def test_an_export_of_nothing_is_a_workbook_too(cmdb, database, tmp_path):
    _, retcode, _ = cmdb("export", str(tmp_path / "a.xlsx"))
    assert retcode == 0
    assert sheet(tmp_path / "a.xlsx", "Assets") == []


def test_a_terminal_shows_how_far_an_export_is(cmdb, fleet, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "ROWS", 1)
    with terminal() as shown:
        cmdb("export", str(tmp_path / "a.xlsx"))
        cmdb("list", out_file=str(tmp_path / "a.csv"))
    for text in ("5 rows of Memory", "packing the file", "3 of 3 rows"):
        assert f"\r{text}\x1b[K" in shown[0]
    assert shown[0].endswith("\r\x1b[K")


def test_odd_facts_do_not_stop_an_export(cmdb, database, tmp_path):
    facts = server(1, gpus={"no": "list"})
    facts["disks"][0].update(model=["a", "b"], size_bytes="big", vendor={"x": 1}, wwn=10**17)
    facts["disks"][0].update(transport="a\tb\\\nc", firmware_version="\x1f7", name=None)
    facts["memory"]["devices"] = "none"
    ingest(database, [arrival(facts, "web01")])
    _, retcode, text = cmdb("export", str(tmp_path / "a.xlsx"))
    assert retcode == 0, text
    [row] = sheet(tmp_path / "a.xlsx", "Disks")
    assert (row["Model"], row["Size GB"], row["WWN"]) == ("a, b", "big", str(10**17))
    assert (row["Manufacturer"], row["Transport"]) == ('{"x": 1}', "a\tb\\\nc")
    assert row["Name"] is None


def test_an_export_that_breaks_off_leaves_nothing_behind(database, monkeypatch):
    monkeypatch.setattr(export, "BATCH", 2)
    ingest(database, [arrival(server(number), f"web{number:02d}") for number in range(1, 10)])

    def write():
        with extract(database) as source:
            assert next(source.parts("disks"))  # and the server has more
            raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full") as stopped:
        write()
    # The error still knows of the parts, as it does until somebody has told of it.
    with extract(database) as source:
        assert len(list(source.parts("disks"))) == 9, stopped
        assert len(list(source.assets(["minion_id"]))) == 9


@pytest.fixture
def old_list(tmp_path):
    """What somebody kept by hand."""
    book = openpyxl.Workbook()
    rows = [
        ["序列号", "主机名", "机房", "内存(GB)", "颜色"],
        [12345, "web01", "dc1", 128, "red"],
        ["=HYPERLINK(1)", None, "dc7", None, None],
        ["9XYZ003", "web03", None, 64, None],
        ["GONE1", "web09", "dc1", 64, None],
        ["9XYZ003", None, None, None, None],
    ]
    for number, row in enumerate(rows, 1):
        for column, value in enumerate(row, 1):
            cell = book.active.cell(number, column, value)
            if isinstance(value, str):
                cell.data_type = "s"
    book.save(tmp_path / "old.xlsx")
    return str(tmp_path / "old.xlsx")


def test_a_list_is_reconciled_with_the_machines(cmdb, database, fleet, old_list, tmp_path):
    ingest(database, [arrival(server(7), "web07")])
    target = str(tmp_path / "new.xlsx")
    answer, retcode, text = cmdb("reconcile", old_list, out_file=target, exit_code=True)
    assert retcode == 1
    assert answer["counts"] == {
        **{"ok": 1, "moved": 1, "different": 1, "ghost": 1, "duplicate": 1, "unknown": 1},
    }
    assert answer["mapping"]["序列号"] == "sn"
    assert answer["ignored"] == ["颜色"]
    assert "not compared: 颜色" in text
    assert "ok 1  moved 1  different 1" in text
    assert "the same SN as in row 4" in text
    statuses = [row["CMDB status"] for row in sheet(target, "Sheet")]
    assert statuses == ["ok", "moved", "different", "ghost", "duplicate"]
    assert "lost its leading zeros" in sheet(target, "Sheet")[0]["CMDB reason"]
    assert [row["Minion"] for row in sheet(target, "Unknown machines")] == ["web07"]


def test_a_list_that_is_right_is_a_gate_that_opens(cmdb, fleet, tmp_path):
    (tmp_path / "list.csv").write_text("Serial;Colour\n0012345;red\n")
    _, retcode, text = cmdb(
        "reconcile",
        str(tmp_path / "list.csv"),
        out_file=str(tmp_path / "list.xlsx"),
        exit_code=True,
        site="dc1",
    )
    assert retcode == 0, text
    assert sheet(tmp_path / "list.xlsx", "Sheet")[0]["Serial"] == "0012345"


def test_a_heading_that_nobody_knows_is_said_by_the_operator(cmdb, fleet, tmp_path):
    path = str(tmp_path / "list.csv")
    Path(path).write_text("Nummer,Ort\n0012345,dc1\n")
    _, retcode, text = cmdb("reconcile", path)
    assert retcode == 2
    assert "looks like a serial number or a name" in text
    assert "Nummer, Ort" in text
    answer, retcode, _ = cmdb("reconcile", path, map={"Nummer": "sn", "Ort": "site"})
    assert (retcode, answer["counts"]["ok"]) == (0, 1)


def test_what_people_expect_is_kept_and_found_when_it_reports(cmdb, database, fleet, old_list):
    answer, _, text = cmdb("expected", "import", file=old_list)
    assert answer["counts"] == {"kept": 4, "known": 3, "changed": 2, "dropped": 0, "left out": 1}
    assert "序列号" in text
    answer, _, _ = cmdb("expected", "missing")
    assert [row[:3] for row in answer["rows"]] == [["GONE1", "web09", "never seen"]]
    facts = numbered(9, "GONE1")
    ingest(database, [arrival(facts, "web09")])
    _, retcode, text = cmdb("expected", "missing")
    assert (retcode, text) == (0, "no expected machines")
    answer, _, _ = cmdb("expected")
    row = next(dict(zip(answer["columns"], one, strict=True)) for one in answer["rows"])
    assert (row["sn"], row["seen_as"], row["status"]) == ("12345", "web01", "ok")
    assert row["source"] == "old.xlsx"
    assert row["imported_by"]


def test_a_list_that_is_imported_again_takes_the_place_of_the_old_one(cmdb, fleet, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("SN\nA1\nA2\n")
    cmdb("expected", "import", file=str(path))
    path.write_text("SN\nA2\nA3\n")
    answer, _, _ = cmdb("expected", "import", file=str(path))
    assert answer["counts"] == {"kept": 2, "known": 0, "changed": 0, "dropped": 1, "left out": 0}
    assert [row[0] for row in cmdb("expected")[0]["rows"]] == ["A2", "A3"]


def test_one_machine_is_expected_and_no_more(cmdb, fleet):
    answer, retcode, text = cmdb("expected", "set", "0012345", site="dc9", owner="web team")
    assert retcode == 0
    assert "list.owner=web team" in text
    answer, _, _ = cmdb("expected", "set", "0012345", rack="R77")
    assert "site=dc9" in answer["rows"][0][3]
    answer, _, _ = cmdb("expected")
    assert answer["rows"][0][2] == "moved"
    cmdb("expected", "remove", "0012345")
    assert cmdb("expected")[0]["rows"] == []


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("export", [], {}, 2, "into which file?"),
        ("export", [12345], {}, 2, "out_file arrived as 12345"),
        ("export", ["a.xls"], {}, 2, "end it with"),
        ("export", ["/nowhere/a.xlsx"], {}, 2, "No such file or directory"),
        ("export", ["a.xlsx"], {"sheet": "disk"}, 2, "did you mean 'disks'"),
        ("export", ["a.xlsx"], {"sites": "x"}, 2, "did you mean 'site'"),
        ("export", ["a.xlsx"], {"as_of": "yesterday"}, 3, "is no time, and there is no snapshot"),
        ("export", ["a.xlsx", "", "nobody"], {}, 3, "there is no asset 'nobody'"),
        ("reconcile", [], {}, 2, "which file?"),
        ("reconcile", ["/nowhere.xlsx"], {}, 2, "No such file or directory"),
        ("reconcile", ["list.csv"], {"map": "sn"}, 2, "map is a mapping"),
        ("reconcile", ["list.csv"], {"map": {"SNN": "sn"}}, 2, "did you mean 'SN'"),
        ("reconcile", ["list.csv"], {"out_file": "b.csv"}, 2, "must end with .xlsx"),
        ("reconcile", ["list.csv"], {"limit": 0}, 2, "a whole number from 1 to"),
        ("expected", ["improt"], {}, 2, "did you mean 'import'"),
        ("expected", ["import"], {}, 2, "which file?"),
        ("expected", ["set"], {}, 2, "which asset?"),
        ("expected", ["set", 12345], {}, 2, "drops leading zeros"),
        ("expected", ["set", "S1"], {"sites": "x"}, 2, "did you mean 'site'"),
        ("expected", ["remove", "S1"], {}, 3, "nobody expects a machine 'S1'"),
        ("expected", ["list"], {"lmit": 3}, 2, "did you mean 'limit'"),
    ],
)
def test_wrong_input_gets_a_sentence(
    cmdb, fleet, tmp_path, monkeypatch, command, args, kwargs, retcode, says
):
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text("SN\nS1\n")
    _, status, text = cmdb(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["list.csv"]


@pytest.mark.parametrize("command", ["export", "reconcile", "expected"])
def test_a_database_that_is_away_is_named(master_opts, tmp_path, command):
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"}
    (tmp_path / "list.csv").write_text("SN\nS1\n")
    args = {"export": [str(tmp_path / "a.xlsx")], "reconcile": [str(tmp_path / "list.csv")]}
    data = salt.loader.runner(master_opts)[f"cmdb.{command}"](*args.get(command, []))["data"]
    assert data["retcode"] == 2
    assert "cannot reach the database" in data["cmdb"]["error"]
    assert "secret" not in str(data)
    assert os.listdir(tmp_path).count("a.xlsx") == 0


def shown(path, directory):
    """What LibreOffice shows of the first sheet and of the others, by their names."""
    export = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    done = subprocess.run(
        [
            *(OFFICE, f"-env:UserInstallation=file://{directory}/profile", "--headless"),
            *("--convert-to", export, "--outdir", str(directory), str(path)),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {}
    for file in directory.glob(f"{Path(path).stem}-*.csv"):
        with file.open(encoding="utf-8", newline="") as text:
            found[file.stem.partition("-")[2]] = list(csv.reader(text))
    return found


@needs_office
def test_libreoffice_shows_every_text_as_it_is(tmp_path):
    texts = ["=1+1", "0012345", "1E5", "{=1}", "https://example.org", "中文 机房", "a\nb", " a "]
    texts += ["<r>", "<r>a</r>", "<r><t>&", "<&>", "_x0041_", "y" * 300]
    write_table(str(tmp_path / "a.xlsx"), ["text"], [[one] for one in texts])
    assert shown(tmp_path / "a.xlsx", tmp_path)["Table"] == [["text"], *([one] for one in texts)]


@needs_office
def test_libreoffice_shows_the_cells_of_both_workbooks(cmdb, fleet, old_list, tmp_path):
    target, given_back = tmp_path / "assets.xlsx", tmp_path / "reconciled.xlsx"
    cmdb("export", str(target))
    cmdb("reconcile", old_list, out_file=str(given_back))
    sheets = shown(target, tmp_path)
    assert sorted(sheets) == sorted(openpyxl.load_workbook(target).sheetnames)
    for name, rows in sheets.items():
        ours = [
            ["" if one is None else str(one).partition(".")[0] for one in row]
            for row in openpyxl.load_workbook(target)[name].iter_rows(values_only=True)
        ]
        assert [[cell.partition(".")[0] for cell in row] for row in rows] == ours, name
    assert [row[2] for row in sheets["Assets"]] == ["SN", "0012345", "=HYPERLINK(1)", "9XYZ003"]
    [*rows] = shown(given_back, tmp_path)["Sheet"]
    assert [row[5] for row in rows] == [
        *("CMDB status", "ok", "moved", "different", "ghost", "duplicate"),
    ]


def test_what_several_lists_say_of_one_machine_is_kept_when_a_word_is_added(cmdb, tmp_path):
    for name, line in (("one.csv", "S1,web team,"), ("two.csv", "S2,,R01"), ("two.csv", "S1,,R02")):
        (tmp_path / name).write_text(f"SN,Owner,Rack\n{line}\n")
        assert cmdb("expected", "import", file=str(tmp_path / name))[1] == 0
    assert cmdb("expected", "set", "s1", site="dc1")[1] == 0
    told, _, _ = cmdb("expected", "remove", "S1")
    says = [dict(zip(told["columns"], row, strict=True))["says"] for row in told["rows"]]
    # Each list keeps its own words, and so does what was set by hand.
    assert len(says) == 3
    assert any("rack=R02" in one for one in says)
    assert any("site=dc1" in one for one in says)
