"""The formula through Salt's own state system, on a minion without a master."""

import stat
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import salt.config
import yaml

from salt_ext import settings

STATES = Path(__file__).parents[2] / "states"
SECRET = "postgresql+psycopg2://cmdb:secret@db.example.com/cmdb"


@pytest.fixture
def rendered(call_states):
    """A function that returns the arguments of a step as the formula renders them."""

    def arguments(id_, function, formula=None):
        step = call_states("state.show_sls", "cmdb.minion", formula)[id_]
        return {
            name: value
            for one in step[function]
            if isinstance(one, dict)
            for name, value in one.items()
        }

    return arguments


@pytest.fixture
def configured(apply_state, tmp_path):
    """A function that applies cmdb.master and returns its steps and what Salt then reads."""

    def state_apply(**formula):
        formula = {"settings": {"database_url": SECRET}, **formula}
        steps = apply_state("cmdb.master", {"master": formula})
        return steps, salt.config.master_config(str(tmp_path / "master"))

    return state_apply


def failed(steps):
    return {id_: one["comment"] for id_, one in steps.items() if one["result"] is False}


def test_the_master_is_configured_beside_the_configuration_of_its_minion(apply_state, tmp_path):
    file, pidfile = tmp_path / "master.d/cmdb.conf", tmp_path / "master.pid"
    (tmp_path / "master").write_text(f"pidfile: {pidfile}")
    pidfile.write_text("1")
    formula = {"master": {"settings": {"database_url": SECRET, "sweep_seconds": 2}}}
    planned = apply_state("cmdb.master", formula, test=True)
    assert planned["cmdb_master_configuration"]["result"] is None
    assert not file.exists()

    done = apply_state("cmdb.master", formula)
    assert [one["comment"] for one in done.values() if one["result"] is not True] == []
    assert yaml.safe_load(file.read_text()) == {
        "cmdb": {"database_url": SECRET, "sweep_seconds": 2},
        "engines": [{"cmdb": {}}],
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    # What a state returns is kept in the job cache and fired on the bus.
    assert "secret" not in str(done)

    again = apply_state("cmdb.master", formula)
    assert [id_ for id_, one in again.items() if one["changes"]] == []
    # Said as long as it is to be done.
    for steps in (done, again):
        assert "Restart the salt-master" in steps["cmdb_master_is_to_restart"]["comment"]
    pidfile.write_text("2")
    restarted = apply_state("cmdb.master", formula)
    assert "Restart" not in restarted["cmdb_master_is_to_restart"]["comment"]

    formula["master"]["settings"]["database_url"] = SECRET.replace("secret", "hidden")
    changed = apply_state("cmdb.master", formula)
    assert "hidden" in file.read_text()
    assert changed["cmdb_master_configuration"]["changes"]
    assert not {"secret", "hidden"} & set(str(changed).replace("@", ":").split(":"))


def test_a_master_keeps_its_engines_modules_and_settings(configured, tmp_path):
    (tmp_path / "master").write_text(
        "engines: [logstash: {port: 1}, slack]\nextension_modules: /srv/modules\n"
        "cmdb: {sweep_seconds: 5}"
    )
    for _ in range(2):
        steps, options = configured()
        assert failed(steps) == {}
        assert options["engines"] == [{"logstash": {"port": 1}}, "slack", {"cmdb": {}}]
        assert options["extension_modules"] == "/srv/modules"
        assert options["cmdb"] == {"database_url": SECRET, "sweep_seconds": 5}
    # What a file of master.d lists has taken the place of the main file's; Salt adds ours.
    (tmp_path / "master.d/zz.conf").write_text("engines: [redis]")
    assert configured()[1]["engines"] == [{"cmdb": {}}, "redis"]


def test_a_master_whose_engines_nothing_can_be_added_to_is_told_the_lines(configured, tmp_path):
    (tmp_path / "master").write_text("include: /srv/own.conf".replace("/srv", str(tmp_path)))
    (tmp_path / "own.conf").write_text("engines: [slack]")
    steps, options = configured()
    assert "engines:\n  - cmdb: {}" in failed(steps)["cmdb_master_configuration"]
    assert options["engines"] == ["slack"]
    assert not (tmp_path / "master.d/cmdb.conf").exists()


def test_a_state_that_failed_halfway_says_the_next_time_what_is_to_do(configured, tmp_path):
    (tmp_path / "master").write_text(f"pidfile: {tmp_path / 'master.pid'}")
    (tmp_path / "master.pid").write_text("1")
    steps, _ = configured(user="nobody-of-this-name")
    assert "cmdb_master_configuration" in failed(steps)
    steps, _ = configured()
    assert failed(steps) == {}
    assert "Restart the salt-master" in steps["cmdb_master_is_to_restart"]["comment"]


@pytest.mark.parametrize("version", ["", metadata.version("salt-cmdb")])
def test_an_extension_that_is_there_is_left_alone(rendered, version):
    step = rendered("cmdb_extension", "pip", {"version": version})
    assert subprocess.run(step["unless"], shell=True).returncode == 0


def test_another_version_is_taken_from_where_the_pillar_says(rendered):
    pip = {"find_links": "/srv/wheels", "no_index": True}
    formula = {"version": "99.0", "pip": pip}
    step = rendered("cmdb_extension", "pip", formula)
    assert rendered("cmdb_extension_requirement", "file", formula)["contents"] == "salt-cmdb==99.0"
    assert (step["find_links"], step["no_index"]) == ("/srv/wheels", True)
    assert subprocess.run(step["unless"], shell=True, stderr=subprocess.DEVNULL).returncode != 0


def test_two_wheels_on_the_file_server_are_a_question(apply_state, minion_opts, tmp_path):
    wheels = tmp_path / "own/cmdb/wheels"
    wheels.mkdir(parents=True)
    for version in ("1.0", "1.1"):
        (wheels / f"salt_cmdb-{version}-py3-none-any.whl").touch()
    minion_opts["file_roots"]["base"].append(str(tmp_path / "own"))
    said = failed(apply_state("cmdb.minion"))["cmdb_extension"]
    assert said == (
        "salt://cmdb/wheels has salt-cmdb 1.0 and 1.1: say which of them in the pillar"
        " cmdb_formula:version, or leave one there"
    )


def test_the_schedule_is_gentle_with_the_master(rendered):
    step = rendered("cmdb_collect", "schedule", {"interval_seconds": 900})
    step.pop("require")
    step.pop("order")
    assert step == {
        "function": "cmdb.collect",
        "seconds": 900,
        "splay": 600,
        "maxrunning": 1,
        "return_job": False,
        "run_on_start": False,
    }


def test_the_example_of_a_pillar_is_one_that_works(rendered, minion_opts):
    pillar = yaml.safe_load((STATES / "cmdb/pillar.example").read_text())
    assert rendered("cmdb_collect", "schedule", pillar["cmdb_formula"])["seconds"] == 3600
    settings.from_opts({"cmdb": pillar["cmdb_formula"]["master"]["settings"]})
    minion_opts["pillar"] = pillar
    assert settings.from_opts(minion_opts)["location"]["rack"] == "R12"
