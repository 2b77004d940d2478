"""Everything that Salt finds by the entry point, through its own loaders."""

import ast
import json
import subprocess
import sys
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

import msgpack
import pytest
import salt.cache
import salt.loader
from salt.exceptions import CommandExecutionError

from salt_ext import store
from salt_ext.report import agent, checking


@pytest.fixture
def returner(minion_opts, database_url):
    minion_opts["cmdb"]["database_url"] = database_url
    return salt.loader.returners(minion_opts, functions={})["cmdb.returner"]


def test_each_room_is_found(minion_opts, master_opts, modules, runners):
    assert {name for name in modules if name.startswith("cmdb.")} == {
        *("cmdb.collect", "cmdb.answered", "cmdb.facts", "cmdb.identity", "cmdb.check")
    }
    assert runners["cmdb.report"]
    assert "cmdb.cmdb" in salt.loader.grain_funcs(minion_opts)
    assert "cmdb.returner" in salt.loader.returners(minion_opts, functions={})
    assert "cmdb.start" in salt.loader.engines(master_opts, {}, {}, {})
    assert "cmdb" in salt.loader.outputters(master_opts)


def test_the_package_imports_nothing():
    # Every loader in every Salt process imports it.
    code = (
        "import sys; before = set(sys.modules); import salt_ext; print(set(sys.modules) - before)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert ast.literal_eval(output) == {"salt_ext"}


def test_the_grain_needs_nothing_that_a_minion_does_not_have():
    code = (
        "import sys; from salt_ext.report import agent; agent.document({});"
        "print(*(name.partition('.')[0] for name in sys.modules))"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert output
    assert not {"sqlalchemy", "psycopg2", "alembic", "flask", "yaml"} & set(output.split())


def test_the_grain_describes_the_machine_and_survives_the_wire(grain):
    value = grain()
    assert value["system"]["serial_number"] == "DEMO8K2"
    assert len(value["memory"]["devices"]) == 8
    assert value["errors"] == {}
    assert msgpack.unpackb(msgpack.packb(value)) == value


@pytest.mark.parametrize(
    "bad",
    [{"collectors": "all"}, {"rooot": "/"}, "no mapping", {"deadline_seconds": None}],
)
def test_a_grain_with_bad_settings_says_so_and_does_not_raise(grain, minion_opts, bad):
    minion_opts["cmdb"] = bad
    value = grain()
    assert value["errors"]["grain"]["type"] == "SettingsError"
    assert msgpack.packb(value)


def test_nothing_that_goes_wrong_makes_the_grain_raise(grain, minion_opts, monkeypatch):
    """An error that a grain lets through keeps the minion from starting."""
    endless = {}
    endless["room"] = endless  # YAML can: location: &place {room: *place}
    minion_opts["cmdb"]["location"] = endless
    assert grain()["errors"]["grain"]["type"] == "SettingsError"
    minion_opts["cmdb"]["location"] = {"racked": datetime.now(timezone.utc)}  # YAML can this, too
    assert "location cannot be reported" in grain()["errors"]["grain"]["message"]
    monkeypatch.setitem(sys.modules, "salt_ext.report", None)  # half an installation
    assert grain()["errors"]["grain"]["type"] == "ModuleNotFoundError"


def test_a_grain_with_a_broken_collector_has_all_the_others(grain, minion_opts):
    minion_opts["cmdb"]["collectors"] = {"memory": "no.such.collector"}
    value = grain()
    assert "memory" not in value
    assert "No module named" in value["errors"]["memory"]["message"]
    assert value["system"]["serial_number"] == "DEMO8K2"


def test_what_the_grain_costs(record_property, capsys):
    # Beside Salt, whose modules a minion has loaded before any grain.
    code = """
import time
import salt.loader, salt.minion
began = time.process_time()
from salt_ext.report import agent
agent.document({})
first = time.process_time()
for _ in range(20):
    agent.document({})
print((first - began) * 1000, (time.process_time() - first) * 1000 / 20)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    first, later = map(float, output.split())
    record_property("grain_cpu_ms", later)
    with capsys.disabled():
        print(f"\nThe grain costs {later:.1f} ms of CPU, the first time {first:.1f} ms (imports).")
    # No bound on a time, which would fail on a busy machine; but it was measured.
    assert 0 < later < first


def test_a_report_without_a_master_is_one_that_the_store_takes(modules, database):
    report = modules["cmdb.collect"]()
    assert report["mode"] == "return"
    checking.check_body(report)
    arrival = store.Arrival("web01", report, datetime.now(timezone.utc))
    [outcome] = store.ingest(database, [arrival])
    assert outcome.status == "new"
    assert store.overview(database, outcome.asset_id)["sn"] == "DEMO8K2"


def test_location_from_the_pillar_travels_with_the_facts(minion_opts):
    minion_opts["pillar"] = {"cmdb": {"location": {"site": "dc1", "rack": "R12"}}}
    report = salt.loader.minion_mods(minion_opts)["cmdb.collect"]()
    assert report["facts"]["location"] == {"site": "dc1", "rack": "R12"}


def test_facts_can_be_had_by_section(modules):
    assert modules["cmdb.facts"]("firmware")["version"] == "1.10.2"
    with pytest.raises(
        CommandExecutionError, match=r"no section 'firmwear'; did you mean 'firmware'"
    ):
        modules["cmdb.facts"]("firmwear")


def test_the_identity_is_that_of_the_hardware(modules):
    assert modules["cmdb.identity"]()["primary"]["value"] == "dell/demo8k2"


def test_a_check_names_what_does_not_work(modules, minion_opts):
    minion_opts["cmdb"]["collectors"] = {"memory": "no.such.collector", "disks": None}
    answer = salt.loader.minion_mods(minion_opts)["cmdb.check"]()
    assert answer["ok"] is False
    assert answer["sections"]["memory"].startswith("failed: ModuleNotFoundError")
    assert answer["sections"]["disks"] == "switched off"
    assert answer["sections"]["system"] == "ok"
    assert answer["primary"]["value"] == "dell/demo8k2"


def test_a_proxy_minion_does_not_report_the_machine_that_it_runs_on(minion_opts):
    minion_opts["proxy"] = {"proxytype": "dummy"}
    modules = salt.loader.minion_mods(minion_opts)
    assert "cmdb.collect" not in modules
    assert "its device" in modules.missing_fun_string("cmdb.collect")


@pytest.mark.parametrize("name", ["collect", "facts", "identity", "check"])
def test_bad_settings_are_a_sentence(minion_opts, name):
    minion_opts["cmdb"] = {"rooot": "/"}
    with pytest.raises(CommandExecutionError, match="no setting 'rooot'; did you mean 'root'"):
        salt.loader.minion_mods(minion_opts)[f"cmdb.{name}"]()


def sent(opts):
    """A report as it is sent, after the master has taken it."""
    report, trouble = agent.report_to_send(opts, "agent")
    assert agent.note_taken(opts, report) is None
    assert trouble is None
    return report


def stored_as(name, report):
    return {"status": "stored", "name": name, "collected_at": report["collected_at"]}


def renamed(opts, name="db01"):
    return {**opts, "id": name}


def test_a_machine_says_what_it_was_and_proves_it_until_it_is_answered(minion_opts):
    first = sent(minion_opts)
    assert (first["previous_minion_id"], first["proof"]) == (None, None)
    second = sent(renamed(minion_opts))
    assert second["previous_minion_id"] == "web01"
    assert second["proof"]["collected_at"] == first["collected_at"]
    assert sha256(second["proof"]["secret"].encode()).hexdigest() == first["secret_hash"]
    assert second["secret_hash"] != first["secret_hash"]
    checking.check_body(second)
    checking.check_header(second, datetime.now(timezone.utc))
    db01 = salt.loader.minion_mods(renamed(minion_opts))
    answer = {"db01": stored_as("db01", second), "web01": stored_as("other", second)}
    assert db01["cmdb.answered"](answer) == "the master knows this machine as db01"
    assert db01["cmdb.check"]()["previous_minion_id"] is None
    assert sent(renamed(minion_opts))["proof"] is None


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (None, "is no answer for db01"),
        ("held", "is no answer for db01"),
        ({"web01": {"status": "held"}}, "is no answer for db01"),
        ({"db01": ["held"]}, "is no answer for db01"),
        ({"db01": {"status": "stored", "name": "db01"}}, "another report than the last one"),
    ],
)
def test_an_answer_that_is_for_another_machine_or_report_changes_nothing(
    minion_opts, answer, sentence
):
    sent(minion_opts)
    sent(renamed(minion_opts))
    before = Path(minion_opts["cachedir"], "cmdb/name").read_bytes()
    text = salt.loader.minion_mods(renamed(minion_opts))["cmdb.answered"](answer)
    assert sentence in text
    assert Path(minion_opts["cachedir"], "cmdb/name").read_bytes() == before


@pytest.mark.parametrize(
    ("status", "name", "sentence"),
    [
        ("held", "", "salt-run cmdb.quarantine show db01"),
        ("refused", "", "salt-run cmdb.errors db01"),
        ("waiting", "", "salt-run cmdb.errors db01"),
        ("stored", "web01", "stored under the name web01"),
    ],
)
def test_what_became_of_a_report_is_a_warning_in_the_log(
    minion_opts, caplog, status, name, sentence
):
    sent(minion_opts)
    report = sent(renamed(minion_opts))
    answer = stored_as(name, report) | {"status": status}
    text = salt.loader.minion_mods(renamed(minion_opts))["cmdb.answered"]({"db01": answer})
    assert sentence in text
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    assert text in record.getMessage()
    assert agent.previous_name(renamed(minion_opts)) == "web01"


def test_a_report_for_return_says_what_the_machine_was_and_has_no_secret_in_it(minion_opts):
    secret = sent(renamed(sent_once(minion_opts)))["proof"]["secret"]
    report = salt.loader.minion_mods(renamed(minion_opts))["cmdb.collect"]()
    assert report["previous_minion_id"] == "web01"
    assert (report["secret_hash"], report["proof"]) == (None, None)
    assert secret not in json.dumps(report)


def sent_once(opts):
    sent(opts)
    return opts


def test_a_full_disk_loses_no_report_and_is_told(minion_opts):
    first = sent(minion_opts)
    path = Path(minion_opts["cachedir"], "cmdb/name")
    Path(f"{path}.new").mkdir()  # what even root cannot write to
    report, trouble = agent.report_to_send(renamed(minion_opts), "agent")
    assert trouble.startswith(f"{path} cannot be written")
    # The old name is still proved; there is no hash of a secret that is not kept.
    assert report["proof"]["collected_at"] == first["collected_at"]
    assert report["secret_hash"] is None
    under_the_old_name, _ = agent.report_to_send(minion_opts, "agent")
    assert under_the_old_name["secret_hash"] == first["secret_hash"]
    assert "cannot be written" in agent.note_taken(minion_opts, under_the_old_name)


def test_a_damaged_name_file_is_told_by_the_check_and_written_anew(minion_opts, modules):
    sent(minion_opts)
    path = Path(minion_opts["cachedir"], "cmdb/name")
    path.write_text("{")
    checked = modules["cmdb.check"]()
    assert "is damaged" in checked["name_file"]
    assert checked["ok"] is False
    report, trouble = agent.report_to_send(minion_opts, "agent")
    assert "is damaged" in trouble
    assert report["secret_hash"] is not None
    assert modules["cmdb.check"]()["name_file"] == "ok"


def test_a_machine_of_the_first_edition_proves_nothing_until_its_next_report(minion_opts):
    path = Path(minion_opts["cachedir"], "cmdb/name")
    path.parent.mkdir(parents=True)
    path.write_text("db01\nweb01\n")
    report = sent(renamed(minion_opts))
    assert (report["previous_minion_id"], report["proof"]) == ("web01", None)
    text, is_warning = agent.note_answer(renamed(minion_opts), {"db01": stored_as("db01", report)})
    assert not is_warning, text
    again = sent(renamed(minion_opts, "db02"))
    assert again["proof"]["collected_at"] == report["collected_at"]
    assert sha256(again["proof"]["secret"].encode()).hexdigest() == report["secret_hash"]


def test_the_returner_stores_a_report_and_ignores_options_that_come_with_it(
    returner, modules, database
):
    ret = {"id": "web01", "fun": "cmdb.collect", "return": modules["cmdb.collect"]()}
    returner(ret | {"ret_config": "attacker", "ret_kwargs": {"database_url": "x://attacker"}})
    assert store.overview(database, store.resolve(database, "web01"))["mode"] == "return"


@pytest.mark.parametrize(
    ("ret", "sentence"),
    [
        ({"id": "web01", "fun": "test.ping", "return": True}, "stores cmdb.collect only"),
        ({"id": "web01", "fun": "cmdb.collect", "return": {"sent": True}}, "send=False"),
        ({"fun": "cmdb.collect", "return": {}}, "without a minion id"),
        ({"id": "web01", "fun": "cmdb.collect", "return": "rubbish"}, "refused: report: is str"),
    ],
)
def test_the_returner_says_what_it_cannot_store(returner, ret, sentence):
    with pytest.raises((ValueError, RuntimeError), match=sentence):
        returner(ret)


def test_the_returner_says_that_it_cannot_reach_the_database(minion_opts, modules):
    minion_opts["cmdb"]["database_url"] = "postgresql+psycopg2://cmdb:secret@127.0.0.1:1/cmdb"
    returner = salt.loader.returners(minion_opts, functions={})["cmdb.returner"]
    ret = {"id": "web01", "fun": "cmdb.collect", "return": modules["cmdb.collect"]()}
    with pytest.raises(RuntimeError, match=r"cannot reach the database.*start PostgreSQL") as error:
        returner(ret)
    assert "secret" not in str(error.value)


def test_a_collector_that_salt_synced_is_found_at_once(minion_opts, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    code = "def ports(root):\n    return [{'name': 'fc0'}]\n"
    (tmp_path / "acme_synced.py").write_text(code)
    minion_opts["utils_dirs"] = [str(tmp_path)]
    minion_opts["cmdb"]["collectors"] = {"fibre_channel": "acme_synced.ports"}
    minion_opts["cmdb"]["slow_collectors"] = {"acme": "acme_synced.ports"}
    found = salt.loader.minion_mods(minion_opts)["cmdb.facts"]()
    assert found["fibre_channel"] == [{"name": "fc0"}]
    assert found["acme"][0]["name"] == "fc0"


def test_a_collector_that_fails_is_in_the_minions_log_with_its_traceback(minion_opts, caplog):
    minion_opts["cmdb"]["collectors"] = {"memory": "no.such.collector"}
    salt.loader.minion_mods(minion_opts)["cmdb.facts"]()
    [said] = [one.getMessage() for one in caplog.records if one.name == "salt_ext.report.agent"]
    assert said.startswith("The collector memory: ModuleNotFoundError: No module named 'no'\n  | ")
    assert "dotted_path.py" in said


def test_a_wrong_setting_is_one_line_in_the_minions_log(grain, minion_opts, caplog):
    minion_opts["cmdb"] = {"rooot": "/"}
    grain()
    [said] = [one.getMessage() for one in caplog.records if "cmdb grain" in one.getMessage()]
    assert said.startswith(
        "The cmdb grain has no facts: configuration: there is no setting 'rooot'"
    )
    assert "\n" not in said
