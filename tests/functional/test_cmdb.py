"""The commands about the fleet as a list: report, list, facets, find and components."""

import csv
import json
import os
import subprocess
import sys
from importlib import import_module

import openpyxl
import pytest

from salt_ext.store import ingest
from tests.functional.conftest import BEFORE, commands, in_rack
from tests.machines import arrival, later, server


def test_a_report_counts_the_fleet_and_its_groups(ask):
    answer, retcode, text = ask("report")
    assert retcode == 0
    assert answer["totals"]["assets"] == 3
    assert answer["totals"]["memory_bytes"] == 320 << 30
    assert "3 assets: 3 fresh" in text
    assert "320 GiB memory" in text
    assert "Dell Inc.     PowerEdge R750       3      3" in text


def test_a_report_can_be_grouped_and_filtered(ask):
    answer, _, _ = ask("report", group_by="kind", sn="9XYZ001")
    assert answer["groups"][0]["rows"][0]["kind"] == "physical"
    assert answer["totals"]["assets"] == 1


def test_an_empty_fleet_is_told_what_to_do(cmdb):
    _, retcode, text = cmdb("report")
    assert retcode == 0
    assert "No machine has reported yet" in text
    assert "cmdb.collect" in text


def test_a_list_is_aligned_and_counts_what_it_does_not_show(ask):
    _, _, text = ask("list", limit=1)
    heading, row, total = text.splitlines()
    assert heading.index("SN") == row.index("9XYZ001")
    assert "64 GiB" in row
    assert total.startswith("1 of 3 assets  (next: cursor=")
    following, _, _ = ask("list", limit=2, cursor=total.partition("cursor=")[2].rstrip(")"))
    assert [one[2] for one in following["rows"]] == ["9XYZ002", "9XYZ003"]
    assert following["next"] is None


def test_a_list_takes_globs_filters_columns_and_order(ask):
    answer, _, _ = ask("list", "web*", columns="minion_id,sn", sort="-sn", memory_bytes__gt=1)
    assert answer["rows"] == [[f"web0{one}", f"9XYZ00{one}"] for one in (3, 2, 1)]
    answer, _, _ = ask("list", minion_id__not=["web01", "web03"], memory_bytes__gte="128GiB")
    assert answer["total"] == 1
    answer, _, _ = ask("list", "web?2", columns="+site")
    assert answer["columns"][-1] == "site"
    assert len(answer["rows"]) == 1


def test_one_asset_is_meant_by_its_identifier_and_many_by_a_glob(ask):
    for tgt, names in (
        ("9XYZ002", ["web02"]),
        ("52:54:00:00:00:03", ["web03"]),
        ("web0*", ["web01", "web02", "web03"]),
        ("*3", ["web03"]),
    ):
        answer, _, _ = ask("list", tgt, columns="minion_id")
        assert [row[0] for row in answer["rows"]] == names
    assert ask("report", "9XYZ002")[0]["totals"]["assets"] == 1
    assert ask("components", "disks", tgt="web02")[0]["rows"][0][5] == 1
    assert {one["minion_id"] for one in ask("changes", "9XYZ001")[0]["changes"]} == {"web01"}
    _, retcode, text = ask("list", "web")
    assert retcode == 3
    assert "similar: web01, web02, web03" in text


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


def test_facets_count_the_values_of_fields(ask):
    answer, _, text = ask("facets", "os,kernel_release", "web0?", product_name="PowerEdge R750")
    assert [one["field"] for one in answer["facets"]] == ["os", "kernel_release"]
    assert answer["facets"][0]["values"] == [
        {"value": "Debian GNU/Linux 12 (bookworm)", "assets": 3}
    ]
    assert "KERNEL RELEASE  ASSETS" in text
    answer, _, text = ask("facets", "sn", limit=2)
    assert answer["facets"][0]["distinct"] == 3
    assert "1 asset with 1 other value: give a larger limit=" in text


def test_a_text_is_found_as_name_number_address_and_part(ask):
    def what(text):
        answer, retcode, _ = ask("find", text)
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
    facts = in_rack(2, network=network)
    ingest(database, [arrival(facts, "web02", later(seconds=2))])
    answer, _, text = cmdb("find", "10.0.0.2")
    assert [row[2:6] for row in answer["rows"]] == [["address", "10.0.0.2", "", "former"]]
    assert "web02" in text


def test_what_is_so_again_is_not_told_as_former(cmdb, database, fleet):
    for step, address in enumerate(("10.9.9.9/16", "10.0.0.2/16"), start=2):
        network = [{**server(2)["network"][0], "addresses": [address]}]
        facts = in_rack(2, network=network)
        ingest(database, [arrival(facts, "web02", later(seconds=step))])
    answer, _, _ = cmdb("find", "10.0.0.2")
    assert [row[5] for row in answer["rows"]] == ["present"]


def rows_of(path):
    if path.suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).worksheets[0]
        return [list(row) for row in sheet.iter_rows(values_only=True)]
    if path.suffix == ".csv":
        return list(csv.reader(path.read_text("utf-8-sig").splitlines()))
    if path.suffix == ".ndjson":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return json.loads(path.read_text())


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "json", "ndjson"])
def test_a_file_has_every_row_whatever_the_limit(ask, tmp_path, suffix):
    path = tmp_path / f"assets.{suffix}"
    answer, retcode, text = ask(
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
def test_each_table_goes_into_a_file(ask, tmp_path, command, args, kwargs):
    path = tmp_path / "table.csv"
    shown, _, _ = ask(command, *args, **kwargs)
    answer, retcode, _ = ask(command, *args, **kwargs, out_file=str(path))
    assert retcode == 0
    rows = rows_of(path)
    assert answer["rows"] == len(rows) - 1
    if shown["kind"] == "table":
        # Behind a heading of times stands their zone.
        assert [heading.removesuffix(" (UTC)") for heading in rows[0]] == shown["columns"]
        assert answer["rows"] == shown["total"]


def test_what_a_machine_says_cannot_move_the_cursor(cmdb, database):
    system = {**server(1)["system"], "product_name": "R750\x1b[2J\x07"}
    hostile = arrival(server(1, system=system), "web01")
    ingest(database, [hostile])
    _, _, text = cmdb("list")
    assert "\x1b" not in text
    assert "R750" in text


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("list", [], {"manufaktur": "x"}, 2, "did you mean 'manufacturer'"),
        ("list", [], {"sn__like": "x"}, 2, "there is no comparison 'like'"),
        ("list", [], {"sn": 12345}, 2, """write sn='"12345"'"""),
        ("list", [], {"memory_bytes": "much"}, 2, "memory_bytes is a size"),
        ("list", [], {"processor_threads__gt": 10**30}, 2, "processor_threads is a whole number"),
        ("list", [], {"memory_bytes": "12 apples"}, 2, "memory_bytes is a size"),
        ("list", [], {"site__isnull": "banana"}, 2, "site__isnull: there is no truth value"),
        ("list", [], {"site": "dc\0"}, 2, "which holds a NUL"),
        ("list", [], {"limit": "all"}, 2, "a whole number from 1 to"),
        ("list", [], {"limit": -1}, 2, "a whole number from 1 to"),
        ("list", [], {"columns": "sn,modell"}, 2, "there is no field 'modell'"),
        ("list", [], {"sort": "-rem"}, 2, "there is no field 'rem'"),
        ("report", [], {"group_by": "sites"}, 2, "did you mean 'site'"),
        ("find", [], {}, 2, "find what?"),
        ("find", [12345], {}, 2, "drops leading zeros"),
        ("find", ["nothing-like-it"], {}, 3, "is known nowhere"),
        ("find", ["x\0"], {}, 3, "is known nowhere"),
        ("find", ["web01"], {"limit": 0}, 2, "a whole number from 1 to"),
        ("facets", ["oss"], {}, 2, "did you mean 'os'"),
        ("facets", [""], {}, 2, "which fields?"),
        ("facets", [7], {}, 2, "fields arrived as 7"),
        ("facets", ["disks.model"], {}, 2, "see cmdb.components"),
        ("list", [12345], {}, 2, "drops leading zeros"),
        ("list", [], {"columns": 7}, 2, "columns arrived as 7"),
        ("list", [], {"id": "seven"}, 2, "'seven' is not the id of an asset"),
        ("list", [], {"out_file": "x.doc"}, 2, ".xlsx"),
        ("list", [], {"out_file": "/nowhere/x.csv"}, 2, "cannot write /nowhere/x.csv"),
        ("list", [], {"out_file": 7}, 2, "out_file arrived as 7"),
        ("report", [], {"as_of": "2020-13-01"}, 2, "is not a time"),
        ("report", [], {"group_by": 7}, 2, "group_by arrived as 7"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


ARGS = {
    **{name: ["web01"] for name in ("show", "card", "history", "diff", "identity", "find")},
    "get": ["web01", "sn"],
    "components": ["disks"],
}
COMMANDS = [
    *("report", "list", "facets", "find", "components", "show", "get", "card", "history"),
    *("changes", "diff", "snapshot", "status", "missing", "duplicates", "odd", "health"),
    *("errors", "identity", "quarantine", "maintain", "migrate", "settings", "stats", "sync"),
]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb", "cannot reach the database at"),
        ("mysql://u:secret@127.0.0.1/cmdb", "is not a PostgreSQL URL"),
        ("postgresql://u:secret@127.0.0.1/cmdb", "write it as postgresql+psycopg2://"),
        ("nonsense", "is not a PostgreSQL URL"),
    ],
)
def test_a_database_that_is_not_there_is_named_without_its_password(
    storeless_opts, command, url, says
):
    storeless_opts["cmdb"] = {"database_url": url}
    _, retcode, text = commands(storeless_opts)(command, *ARGS.get(command, []))
    assert "secret" not in text
    assert "Traceback" not in text
    if command == "settings" and "127.0.0.1:1" in url:
        assert retcode == 0  # reads no database
    else:
        assert retcode == 2
        assert says in text


def test_an_empty_store_is_no_error_and_one_that_is_not_in_it_is(cmdb):
    tables = ["status", "missing", "duplicates", "odd", "health", "errors", "stats", "facets"]
    assert {command: cmdb(command)[1] for command in tables} == dict.fromkeys(tables, 0)
    for command in ("get", "find", "card"):
        assert cmdb(command, *ARGS[command])[1] == 3


def test_an_unknown_setting_is_named_with_the_nearest(storeless_opts):
    storeless_opts["cmdb"] = {"databse_url": "x"}
    _, retcode, text = commands(storeless_opts)("report")
    assert retcode == 2
    assert "did you mean 'database_url'" in text


def test_a_command_imports_no_heavy_library_that_it_does_not_need():
    code = (
        "import sys, salt_ext.runners.cmdb, salt_ext.runners.cmdb_fleet;"
        "print(*(name.partition('.')[0] for name in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert not {"alembic", "mako", "openpyxl", "xlsxwriter", "flask"} & set(done.stdout.split())
