"""The commands that read, through Salt's own runner loader: table and data, exit status, files."""

import csv
import json
import os
import subprocess
import sys
from importlib import import_module

import openpyxl
import pytest
import salt.loader

from salt_ext.store import Arrival, ingest
from tests.machines import NOW, arrival, later, report, server

BEFORE = NOW.strftime("%Y-%m-%d %H:%M:%S")


def with_more(number, **sections):
    """A server with a place in a rack, a BMC and a disk that knows its health."""
    facts = server(number)
    disk = facts["disks"][0]
    return {
        **facts,
        "location": {"site": "dc1", "rack": "R07", "unit": f"U{10 + number}"},
        "bmc": {
            "present": True,
            "addresses": [f"10.128.0.{number}/16"],
            "firmware_version": "6.10",
        },
        "smart": [
            {
                "name": "sda",
                "serial_number": disk["serial_number"],
                "protocol": "nvme",
                "passed": True,
                "health": {"failing": []},
                "volatile": {"percentage_used": 3, "temperature_celsius": 31},
            }
        ],
        **sections,
    }


@pytest.fixture
def fleet(database):
    """Three servers of a rack; a second later the first one has lost a DIMM."""
    ingest(database, [arrival(with_more(one), f"web{one:02d}") for one in (1, 2, 3)])
    facts = with_more(1, firmware={"vendor": "Dell Inc.", "version": "1.11.0"})
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(facts, "web01", later(seconds=1))])


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
def test_a_value_is_had_by_its_path(cmdb, fleet, path, value, text):
    answer, retcode, shown = cmdb("get", "web01", path)
    assert (answer["value"], retcode, shown) == (value, 0, text)


def test_a_section_is_had_as_show_prints_it(cmdb, fleet):
    answer, _, text = cmdb("get", "web01", "firmware")
    assert answer["value"] == {"vendor": "Dell Inc.", "version": "1.11.0"}
    assert "1.11.0" in text
    _, _, text = cmdb("get", "web01", "memory.devices")
    assert "4F0001A1" in text


def test_values_sections_and_totals_of_the_past(cmdb, fleet):
    answer, _, _ = cmdb("get", "web01", "memory.installed_bytes", as_of=BEFORE)
    assert answer["value"] == 128 << 30
    answer, _, text = cmdb("show", "web01", as_of=BEFORE)
    assert answer["asset"]["facts"]["firmware"]["version"] == "1.9.2"
    assert "4F0001A2" in text
    now, _, _ = cmdb("report")
    then, _, text = cmdb("report", as_of=BEFORE)
    assert now["totals"]["memory_bytes"] == 320 << 30
    assert then["totals"]["memory_bytes"] == 384 << 30
    assert text.startswith("3 assets: as they were at ")
    _, retcode, text = cmdb("report", as_of="2020-01-01")
    assert (retcode, text) == (0, "no assets at 2020-01-01 00:00:00 UTC")


def test_a_text_is_found_as_name_number_address_and_part(cmdb, fleet):
    def what(text):
        answer, retcode, _ = cmdb("find", text)
        assert retcode == 0
        at = {name: place for place, name in enumerate(answer["columns"])}
        return {(row[at["minion_id"]], row[at["what"]], row[at["known"]]) for row in answer["rows"]}

    assert ("web02", "sn", "present") in what("9XYZ002")
    assert ("web02", "address", "present") in what("10.0.0.2")
    assert ("web02", "mac", "present") in what("52:54:00:00:00:02")
    assert what("S64F000003") >= {("web03", "disks", "present")}
    # The DIMM that was pulled is known where it was.
    assert what("4F0001A2") == {("web01", "memory.devices", "former")}
    # Nothing is called so, but much contains it.
    assert {name for name, _, _ in what("S64F")} == {"web01", "web02", "web03"}


def test_a_former_address_is_found(cmdb, database, fleet):
    network = [{**server(2)["network"][0], "addresses": ["10.9.9.9/16"]}]
    facts = with_more(2, network=network)
    ingest(database, [arrival(facts, "web02", later(seconds=2))])
    answer, _, text = cmdb("find", "10.0.0.2")
    assert [row[2:6] for row in answer["rows"]] == [["address", "10.0.0.2", "", "former"]]
    assert "web02" in text


def test_what_is_so_again_is_not_told_as_former(cmdb, database, fleet):
    for step, address in enumerate(("10.9.9.9/16", "10.0.0.2/16"), start=2):
        network = [{**server(2)["network"][0], "addresses": [address]}]
        facts = with_more(2, network=network)
        ingest(database, [arrival(facts, "web02", later(seconds=step))])
    answer, _, _ = cmdb("find", "10.0.0.2")
    assert [row[5] for row in answer["rows"]] == ["present"]


def test_facets_count_the_values_of_fields(cmdb, fleet):
    answer, _, text = cmdb("facets", "os,kernel_release", "web0?", product_name="PowerEdge R750")
    assert [one["field"] for one in answer["facets"]] == ["os", "kernel_release"]
    assert answer["facets"][0]["values"] == [
        {"value": "Debian GNU/Linux 12 (bookworm)", "assets": 3}
    ]
    assert "KERNEL RELEASE  ASSETS" in text
    answer, _, text = cmdb("facets", "sn", limit=2)
    assert answer["facets"][0]["distinct"] == 3
    assert "1 assets have others; 3 values in all" in text


def test_the_card_fits_on_a_screen_and_says_what_counts(cmdb, database, fleet):
    facts = with_more(1)
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


def test_one_asset_is_meant_by_its_identifier_and_many_by_a_glob(cmdb, fleet):
    for tgt, names in (
        ("9XYZ002", ["web02"]),
        ("52:54:00:00:00:03", ["web03"]),
        ("web0*", ["web01", "web02", "web03"]),
        ("*3", ["web03"]),
    ):
        answer, _, _ = cmdb("list", tgt, columns="minion_id")
        assert [row[0] for row in answer["rows"]] == names
    assert cmdb("report", "9XYZ002")[0]["totals"]["assets"] == 1
    assert cmdb("components", "disks", tgt="web02")[0]["rows"][0][5] == 1
    assert {one["minion_id"] for one in cmdb("changes", "9XYZ001")[0]["changes"]} == {"web01"}
    _, retcode, text = cmdb("list", "web")
    assert retcode == 3
    assert "similar: web01, web02, web03" in text


def test_changes_come_page_by_page_and_none_twice(cmdb, fleet):
    whole = cmdb("changes")[0]["changes"]
    pages, cursor = [], ""
    while cursor is not None:
        answer, _, text = cmdb("changes", limit=1, cursor=cursor)
        pages += answer["changes"]
        cursor = answer["next"]
        assert len(pages) <= len(whole)
        assert (f"(next: cursor={cursor})" in text) is (cursor is not None)
    assert pages == whole
    assert len(whole) > 2
    first = cmdb("history", "web01", limit=1)[0]
    second = cmdb("history", "web01", limit=1, cursor=first["next"])[0]
    assert first["changes"] != second["changes"]


def test_a_history_is_narrowed_by_section_component_and_time(cmdb, fleet):
    assert len(cmdb("history", "web01", section="firmware")[0]["changes"]) == 1
    assert len(cmdb("history", "web01", component="4F0001A2")[0]["changes"]) == 1
    assert cmdb("history", "web01", until=BEFORE)[0]["changes"] == []


def rows_of(path):
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        return [list(row) for row in sheet.iter_rows(values_only=True)]
    if path.suffix == ".csv":
        return list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return json.loads(path.read_text())


def test_assets_with_a_common_word_are_told_to_be_more_than_were_counted(
    cmdb, fleet, tmp_path, monkeypatch
):
    monkeypatch.setattr(import_module("salt_ext.store.reads.assets"), "FEW", 2)
    answer, _, text = cmdb("list", q="dell", limit=1, columns="minion_id")
    assert (answer["total"], answer["exact"]) == (2, False)
    assert "1 of more than 2 assets  (next: cursor=" in text
    path = tmp_path / "all.csv"
    assert cmdb("list", q="dell", columns="minion_id", out_file=str(path))[0]["rows"] == 3
    answer, _, text = cmdb("list", q="web02", columns="minion_id")
    assert (answer["total"], answer["exact"]) == (1, True)
    assert text.endswith("1 asset")


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "ndjson"])
def test_a_file_has_every_row_whatever_the_limit(cmdb, fleet, tmp_path, suffix):
    path = tmp_path / f"assets.{suffix}"
    answer, retcode, text = cmdb(
        "list", limit=1, columns="minion_id,sn,id", sort="-sn", out_file=str(path)
    )
    assert retcode == 0
    assert answer["rows"] == 3
    assert text.startswith(f"{path}: 3 rows, sha256 ")
    assert "9XYZ003" in str(rows_of(path))
    assert "9XYZ001" in str(rows_of(path))


@pytest.mark.parametrize(
    ("command", "args", "kwargs"),
    [
        ("changes", [], {}),
        ("history", ["web01"], {}),
        ("fleet_diff", [], {"from": BEFORE}),
        ("components", ["memory"], {}),
        ("errors", [], {}),
        ("missing", [], {}),
        ("duplicates", [], {}),
        ("odd", [], {}),
        ("health", [], {}),
        ("health", [], {"by": "batch"}),
    ],
)
def test_each_table_goes_into_a_file(cmdb, fleet, tmp_path, command, args, kwargs):
    path = tmp_path / "table.csv"
    shown, _, _ = cmdb(command, *args, **kwargs)
    answer, retcode, _ = cmdb(command, *args, **kwargs, out_file=str(path))
    assert retcode == 0
    rows = rows_of(path)
    assert answer["rows"] == len(rows) - 1
    if shown["kind"] == "table":
        assert rows[0] == shown["columns"]
        assert answer["rows"] == shown["total"]


def test_a_fleet_diff_in_a_file_is_a_gate_all_the_same(cmdb, fleet, tmp_path):
    _, retcode, _ = cmdb(
        "fleet_diff", **{"from": BEFORE}, exit_code=True, out_file=str(tmp_path / "x.csv")
    )
    assert retcode == 1
    ops = [row[2] for row in rows_of(tmp_path / "x.csv")]
    assert sorted(set(ops[1:])) == ["changed", "removed"]


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("get", ["web01"], {}, 2, "which value?"),
        ("get", ["nobody", "sn"], {}, 3, "there is no asset 'nobody'"),
        ("get", ["web01", "memmory.total"], {}, 3, "did you mean 'memory'"),
        ("get", ["web01", "disks.sdb.model"], {}, 3, "there are: S64F000001, sda, 0"),
        ("get", ["web01", "sn.0"], {}, 3, "there is nothing in sn"),
        ("get", ["web01", 7], {}, 2, "path arrived as 7"),
        ("get", ["web01", "sn"], {"as_of": "2020-01-01"}, 3, "its first report was at"),
        ("show", ["web01"], {"as_of": "yesterday"}, 3, "is neither a time nor a snapshot"),
        ("find", [], {}, 2, "find what?"),
        ("find", [12345], {}, 2, "drops leading zeros"),
        ("find", ["nothing-like-it"], {}, 3, "is known nowhere"),
        ("find", ["x\0"], {}, 3, "is known nowhere"),
        ("find", ["web01"], {"limit": 0}, 2, "a whole number above 0"),
        ("facets", ["oss"], {}, 2, "did you mean 'os'"),
        ("facets", [""], {}, 2, "which fields?"),
        ("facets", [7], {}, 2, "fields arrived as 7"),
        ("facets", ["disks.model"], {}, 2, "see cmdb.components"),
        ("card", [], {}, 2, "which asset?"),
        ("card", ["web01"], {"limit": 3}, 2, "there is no option 'limit'"),
        ("list", [12345], {}, 2, "drops leading zeros"),
        ("list", [], {"columns": 7}, 2, "columns arrived as 7"),
        ("list", [], {"id": "seven"}, 2, "'seven' is not the id of an asset"),
        ("list", [], {"out_file": "x.doc"}, 2, ".xlsx"),
        ("list", [], {"out_file": "/nowhere/x.csv"}, 2, "cannot write /nowhere/x.csv"),
        ("list", [], {"out_file": 7}, 2, "out_file arrived as 7"),
        ("report", [], {"as_of": "2020-13-01"}, 2, "is not a time"),
        ("report", [], {"group_by": 7}, 2, "group_by arrived as 7"),
        ("changes", [], {"cursor": "abc"}, 2, "the cursor is none"),
        ("changes", [], {"cursor": "W10="}, 2, "the cursor is none"),
        ("history", ["web01"], {"until": "soon"}, 3, "is neither a time nor a snapshot"),
    ],
)
def test_wrong_input_gets_a_sentence(cmdb, fleet, command, args, kwargs, retcode, says):
    _, status, text = cmdb(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


def test_lost_zeros_are_told_with_the_serial_number_that_was_meant(cmdb, database):
    system = {**server(5)["system"], "serial_number": "0012345"}
    ingest(database, [arrival(server(5, system=system, baseboards=[]), "web05")])
    for command, args in (("show", [12345]), ("card", [12345]), ("history", [12345])):
        _, retcode, text = cmdb(command, *args)
        assert retcode == 2
        assert """write '"0012345"' with both pairs of quotes""" in text
    assert cmdb("show", "0012345")[1] == 0


@pytest.mark.parametrize(
    ("command", "args"),
    [
        *(("get", ["web01", "sn"]), ("find", ["web01"]), ("card", ["web01"]), ("facets", [])),
    ],
)
def test_an_empty_store_and_one_that_is_away_are_told(cmdb, master_opts, outputter, command, args):
    assert cmdb(command, *args)[1] == (0 if command == "facets" else 3)
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"}
    data = salt.loader.runner(master_opts)[f"cmdb.{command}"](*args)["data"]
    assert data["retcode"] == 2
    assert "cannot reach the database at" in outputter(data)
    assert "secret" not in outputter(data)


def test_a_command_imports_no_heavy_library_that_it_does_not_need():
    code = (
        "import sys, salt_ext.runners.cmdb, salt_ext.runners.cmdb_fleet;"
        "print(*(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert not {"alembic", "mako", "openpyxl", "xlsxwriter", "flask"} & set(done.stdout.split())
