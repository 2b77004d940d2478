"""The runner through Salt's own loader, and how its answers print."""

import pytest
import salt.loader

from salt_ext.store import ingest
from tests.machines import arrival, later, server


@pytest.fixture
def fleet(database):
    """Two servers, and a DIMM that was pulled from the first one."""
    ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    facts = server(1, firmware={"vendor": "Dell Inc.", "version": "1.11.0"})
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    ingest(database, [arrival(facts, "web01", later(seconds=1))])


COMMANDS = [
    *("report", "list", "show", "history", "diff", "errors", "migrate", "settings"),
    *("changes", "identity", "quarantine", "maintain", "snapshot", "sync"),
]


def test_a_report_counts_the_fleet_and_its_groups(cmdb, fleet):
    answer, retcode, text = cmdb("report")
    assert retcode == 0
    assert answer["totals"]["assets"] == 2
    assert answer["totals"]["memory_bytes"] == 256 << 30
    assert "2 assets: 2 fresh" in text
    assert "256 GiB memory" in text
    assert "Dell Inc.     PowerEdge R750       2      2" in text


def test_a_report_can_be_grouped_and_filtered(cmdb, fleet):
    answer, _, _ = cmdb("report", group_by="kind", sn="9XYZ001")
    assert answer["groups"][0]["rows"][0]["kind"] == "physical"
    assert answer["totals"]["assets"] == 1


def test_an_empty_fleet_is_told_what_to_do(cmdb):
    _, retcode, text = cmdb("report")
    assert retcode == 0
    assert "No machine has reported yet" in text
    assert "cmdb.collect" in text


def test_a_list_is_aligned_and_counts_what_it_does_not_show(cmdb, fleet):
    _, _, text = cmdb("list", limit=1)
    heading, row, total = text.splitlines()
    assert heading.index("SN") == row.index("9XYZ001")
    assert "128 GiB" in row
    assert total.startswith("1 of 2 assets  (next: cursor=")
    following, _, _ = cmdb("list", limit=1, cursor=total.partition("cursor=")[2].rstrip(")"))
    assert [one[2] for one in following["rows"]] == ["9XYZ002"]
    assert following["next"] is None


def test_a_list_takes_globs_filters_columns_and_order(cmdb, fleet):
    answer, _, _ = cmdb("list", "web*", columns="minion_id,sn", sort="-sn", memory_bytes__gt=1)
    assert answer["rows"] == [["web02", "9XYZ002"], ["web01", "9XYZ001"]]
    answer, _, _ = cmdb("list", minion_id__not=["web01", "web03"], memory_bytes__gte="128GiB")
    assert answer["total"] == 1
    answer, _, _ = cmdb("list", "web?2", columns="+site")
    assert answer["columns"][-1] == "site"
    assert len(answer["rows"]) == 1


@pytest.mark.parametrize("reference", ["web01", "9XYZ001", "52:54:00:00:00:01", "10.0.0.1"])
def test_an_asset_is_shown_by_any_of_its_identifiers(cmdb, fleet, reference):
    answer, retcode, text = cmdb("show", reference)
    assert retcode == 0
    assert answer["asset"]["minion_id"] == "web01"
    assert "PowerEdge R750" in text
    assert "dell/9xyz001" in text


def test_one_section_of_an_asset(cmdb, fleet):
    answer, _, text = cmdb("show", "web01", section="memory")
    assert list(answer["asset"]["facts"]) == ["memory"]
    assert "4F0001A1" in text
    _, retcode, text = cmdb("show", "web01", section="memmory")
    assert retcode == 3
    assert "did you mean 'memory'" in text


def test_a_history_says_what_was_pulled_and_when(cmdb, fleet):
    answer, _, text = cmdb("history", "web01")
    assert answer["total"] == 2
    assert "removed" in text
    assert "Memory module A2" in text
    assert "4F0001A2 → empty" in text
    assert "1.9.2 → 1.11.0" in text


def test_a_diff_groups_by_section_and_can_be_a_gate(cmdb, fleet):
    _, retcode, text = cmdb("diff", "web01", exit_code=True)
    assert retcode == 1
    assert "~ changed  Firmware › Version: 1.9.2 → 1.11.0" in text  # noqa: RUF001
    assert "− removed  Memory module A2: 64 GiB" in text  # noqa: RUF001
    assert text.endswith("1 changed, 1 removed")
    _, retcode, text = cmdb("diff", "web02", exit_code=True)
    assert retcode == 0
    assert "only its first report" in text


def test_errors_are_listed_and_one_is_shown_with_its_traceback(cmdb, database, fleet):
    bad = arrival(server(3), "web03")
    bad.report["digest"] = "0" * 64
    error = {"type": "OSError", "message": "gone", "traceback": "Traceback: line 1\nline 2"}
    failed = arrival(server(2), "web02", later(seconds=2))
    failed.report.update(errors={"smart": error}, partial=["smart"])
    ingest(database, [bad, failed])
    answer, _, text = cmdb("errors")
    assert answer["total"] == 2
    assert "digest: does not belong to the facts" in text
    [row] = [row for row in answer["rows"] if row[2] == "web02"]
    _, _, text = cmdb("errors", id=row[-1])
    assert "Traceback: line 1\n  line 2" in text


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("show", ["nobody"], {}, 3, "there is no asset 'nobody'"),
        ("show", ["web"], {}, 3, "similar: web01, web02"),
        ("show", [], {}, 2, "which asset?"),
        ("show", [12345], {}, 2, "drops leading zeros"),
        ("show", ["PowerEdge R750"], {}, 3, "there is no asset"),
        ("show", ["web01"], {"sektion": "x"}, 2, "did you mean 'section'"),
        ("list", [], {"manufaktur": "x"}, 2, "did you mean 'manufacturer'"),
        ("list", [], {"sn__like": "x"}, 2, "there is no comparison 'like'"),
        ("list", [], {"sn": 12345}, 2, """write sn='"12345"'"""),
        ("list", [], {"memory_bytes": "much"}, 2, "memory_bytes is a size"),
        ("list", [], {"processor_threads__gt": 10**30}, 2, "processor_threads is a number"),
        ("list", [], {"memory_bytes": "12 apples"}, 2, "memory_bytes is a size"),
        ("list", [], {"site__isnull": "banana"}, 2, "site__isnull is true or false"),
        ("list", [], {"site": "dc\0"}, 2, "which holds a NUL"),
        ("show", ["web\0"], {}, 3, "there is no asset"),
        ("list", [], {"limit": "all"}, 2, "a whole number above 0"),
        ("list", [], {"limit": -1}, 2, "a whole number above 0"),
        ("list", [], {"columns": "sn,modell"}, 2, "there is no field 'modell'"),
        ("list", [], {"sort": "-rem"}, 2, "there is no field 'rem'"),
        ("report", [], {"group_by": "sites"}, 2, "did you mean 'site'"),
        ("history", ["web01"], {"since": "yesterday"}, 3, "is neither a time nor a snapshot"),
        ("history", ["web01"], {"since": "99999999999w"}, 2, "is not a time"),
        ("diff", ["web01"], {"from": "2020-01-01"}, 3, "its first report was at"),
        ("diff", ["web01"], {"form": "7d"}, 2, "did you mean 'from'"),
        ("errors", [], {"id": "7"}, 2, "is not an id"),
        ("migrate", [], {"dry": True}, 2, "there is no option 'dry'"),
    ],
)
def test_wrong_input_gets_a_sentence(cmdb, fleet, command, args, kwargs, retcode, says):
    _, status, text = cmdb(command, *args, **kwargs)
    assert status == retcode
    assert says in text
    assert "Traceback" not in text


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
    master_opts, outputter, command, url, says
):
    master_opts["cmdb"] = {"database_url": url}
    args = ["web01"] if command in ("show", "history", "diff", "identity") else []
    answer = salt.loader.runner(master_opts)[f"cmdb.{command}"](*args)
    if command == "settings" and "127.0.0.1:1" in url:
        assert "retcode" not in answer["data"]  # reads no database
        assert "secret" not in outputter(answer["data"])
        return
    assert answer["data"]["retcode"] == 2
    text = outputter(answer["data"])
    assert says in text
    assert "secret" not in text
    assert "Traceback" not in text


def test_a_schema_that_was_never_made_is_made_by_migrate(master_opts, outputter, new_database):
    master_opts["cmdb"] = {"database_url": new_database(empty=True)}
    runners = salt.loader.runner(master_opts)
    before = runners["cmdb.report"]()["data"]
    assert before["retcode"] == 2
    assert "has no schema yet" in outputter(before)
    assert "salt-run cmdb.migrate" in outputter(before)
    test = outputter(runners["cmdb.migrate"](test=True)["data"])
    assert test.endswith("steps would be taken")
    assert outputter(runners["cmdb.migrate"]()["data"]).endswith("steps taken")
    assert outputter(runners["cmdb.migrate"]()["data"]) == "the schema is up to date"
    assert "retcode" not in runners["cmdb.report"]()["data"]


def test_an_unknown_setting_is_named_with_the_nearest(master_opts, outputter):
    master_opts["cmdb"] = {"databse_url": "x"}
    answer = salt.loader.runner(master_opts)["cmdb.report"]()["data"]
    assert answer["retcode"] == 2
    assert "did you mean 'database_url'" in outputter(answer)


def test_what_a_machine_says_cannot_move_the_cursor(cmdb, database):
    system = {**server(1)["system"], "product_name": "R750\x1b[2J\x07"}
    hostile = arrival(server(1, system=system), "web01")
    ingest(database, [hostile])
    _, _, text = cmdb("list")
    assert "\x1b" not in text
    assert "R750" in text
