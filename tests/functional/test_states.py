"""The formula through Salt's own state system, on a minion without a master."""

import stat
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import salt.loader
import yaml

from salt_ext import settings

STATES = Path(__file__).parents[2] / "states"
SECRET = "postgresql+psycopg2://cmdb:secret@db.example.com/cmdb"


@pytest.fixture
def salt_call(minion_opts, tmp_path):
    """A function that calls one of Salt's with the formula at hand and a pillar for it."""
    minion_opts.update(
        file_roots={"base": [str(STATES)]},
        pillar_roots={"base": [str(tmp_path)]},
        grains={"os_family": "Debian", "kernel": "Linux", "pythonexecutable": sys.executable},
    )

    def call(function, state, formula=None, **kwargs):
        utils = salt.loader.utils(minion_opts)
        modules = salt.loader.minion_mods(minion_opts, utils=utils)
        answer = modules[function](state, pillar={"cmdb_formula": formula or {}}, **kwargs)
        assert isinstance(answer, dict), answer
        return answer

    return call


@pytest.fixture
def apply(salt_call):
    """A function that applies a state and returns what each step did, by its id."""

    def state_apply(state, formula=None, **kwargs):
        steps = salt_call("state.apply", state, formula, **kwargs)
        return {one["__id__"]: one for one in steps.values()}

    return state_apply


@pytest.fixture
def rendered(salt_call):
    """A function that returns the arguments of a step as the formula renders them."""

    def arguments(id_, function, formula=None):
        step = salt_call("state.show_sls", "cmdb.minion", formula)[id_]
        return {
            name: value
            for one in step[function]
            if isinstance(one, dict)
            for name, value in one.items()
        }

    return arguments


@pytest.fixture
def master_formula(tmp_path):
    return {
        "master": {
            "settings": {"database_url": SECRET, "sweep_seconds": 2},
            "extension_modules": str(tmp_path / "extmods"),
        }
    }


def test_the_master_is_configured_beside_the_configuration_of_its_minion(
    apply, master_formula, tmp_path
):
    file = tmp_path / "master.d/cmdb.conf"
    planned = apply("cmdb.master", master_formula, test=True)
    assert planned["cmdb_master_configuration"]["result"] is None
    assert not file.exists()

    done = apply("cmdb.master", master_formula)
    assert [one["comment"] for one in done.values() if one["result"] is not True] == []
    assert yaml.safe_load(file.read_text()) == {
        "cmdb": {"database_url": SECRET, "sweep_seconds": 2},
        "engines": [{"cmdb": {}}],
        "extension_modules": str(tmp_path / "extmods"),
    }
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Restart the salt-master" in done["cmdb_master_restart"]["comment"]
    # What a state returns is kept in the job cache and fired on the bus.
    assert "secret" not in str(done)

    again = apply("cmdb.master", master_formula)
    assert [id_ for id_, one in again.items() if one["changes"]] == []
    assert "Restart" not in again["cmdb_master_restart"]["comment"]

    master_formula["master"]["settings"]["database_url"] = SECRET.replace("secret", "hidden")
    changed = apply("cmdb.master", master_formula)
    assert "hidden" in file.read_text()
    assert changed["cmdb_master_configuration"]["changes"]
    assert not {"secret", "hidden"} & set(str(changed).replace("@", ":").split(":"))


@pytest.mark.parametrize("version", ["", metadata.version("salt-cmdb")])
def test_an_extension_that_is_there_is_left_alone(rendered, version):
    step = rendered("cmdb_extension", "pip", {"version": version})
    assert subprocess.run(step["unless"], shell=True).returncode == 0


def test_another_version_is_taken_from_where_the_pillar_says(rendered):
    pip = {"find_links": "/srv/wheels", "no_index": True}
    step = rendered("cmdb_extension", "pip", {"version": "99.0", "pip": pip})
    assert step["name"] == "salt-cmdb==99.0"
    assert (step["find_links"], step["no_index"]) == ("/srv/wheels", True)
    assert subprocess.run(step["unless"], shell=True, stderr=subprocess.DEVNULL).returncode != 0


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
    }


def test_the_example_of_a_pillar_is_one_that_works(rendered, minion_opts):
    pillar = yaml.safe_load((STATES / "cmdb/pillar.example").read_text())
    assert rendered("cmdb_collect", "schedule", pillar["cmdb_formula"])["seconds"] == 3600
    settings.from_opts({"cmdb": pillar["cmdb_formula"]["master"]["settings"]})
    minion_opts["pillar"] = pillar
    assert settings.from_opts(minion_opts)["location"]["rack"] == "R12"
