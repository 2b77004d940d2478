"""The commands that look after the store: migrate, stats and version; doctor has its own file."""

import pytest
import salt.loader

from salt_ext.store import ingest
from tests.machines import arrival, later, server


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


def test_statistics_and_versions(cmdb, database, master_opts, outputter):
    ingest(database, [arrival(server(1), "web01")])
    answer, retcode, text = cmdb("stats")
    assert retcode == 0
    assert {row["table"] for row in answer["tables"]} >= {"asset", "change", "placement"}
    assert answer["heard_last_hour"] == 1
    assert "1 machine heard in the last hour" in text
    assert (answer["collectors"], text.splitlines()[-1]) == ([], "no collector fails")
    rows = {name: version for name, version, *_ in cmdb("version")[0]["rows"]}
    assert set(rows) == {
        *("salt-cmdb", "Salt", "SQLAlchemy", "psycopg2", "Python", "PostgreSQL", "schema")
    }
    assert rows["schema"].endswith("the one that this salt-cmdb works with")
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"}
    data = salt.loader.runner(master_opts)["cmdb.version"]()["data"]
    assert "retcode" not in data
    assert "cannot reach the database" in outputter(data)
    assert "secret" not in outputter(data)


def test_statistics_count_the_errors_by_collector(cmdb, database):
    for second, names in enumerate((["lldp", "smart"], ["lldp"])):
        for number in (1, 2):
            failed = arrival(server(number), f"web0{number}", later(seconds=second))
            error = {"type": "OSError", "message": "gone", "traceback": ""}
            found = names if number == 1 else ["lldp"]
            failed.report.update(errors=dict.fromkeys(found, error), partial=found)
            ingest(database, [failed])
    whole = {**server(2), "lldp": [{"name": "eno1", "port_id": "Eth1"}]}
    ingest(database, [arrival(whole, "web02", later(seconds=9))])
    answer, _, text = cmdb("stats")
    found = [(one["collector"], one["machines"], one["errors"]) for one in answer["collectors"]]
    # On web02 it is over.
    assert found == [("lldp", 1, 2), ("smart", 1, 1)]
    assert "COLLECTOR  MACHINES  ERRORS  LAST SEEN" in text


def test_the_doctor_says_what_to_do_below_each_check(cmdb):
    answer, _, text = cmdb("doctor")
    [engine] = [one for one in answer["checks"] if one["check"] == "engine"]
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warn  engine"))
    # Nothing is cut, however long it is.
    assert lines[at].endswith(engine["detail"])
    assert lines[at + 1].strip() == engine["hint"]


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("migrate", [], {"dry": True}, 2, "there is no option 'dry'"),
        ("stats", [], {"all": True}, 2, "there is no option 'all'"),
        ("version", [], {"all": True}, 2, "there is no option 'all'"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


def test_the_settings_show_no_password_of_either_database(cmdb, master_opts):
    for name in ("database_url", "database_read_url"):
        url = "postgresql+psycopg2://who:s3cret@127.0.0.1:1/cmdb"
        master_opts["cmdb"][name] = url.replace("who", name)
    answer, retcode, text = cmdb("settings")
    assert retcode == 0
    assert "s3cret" not in text + str(answer)
    assert "postgresql+psycopg2://database_url:***@127.0.0.1:1/cmdb" in text
