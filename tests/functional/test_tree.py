"""A machine without pip and without a master: it has what Salt syncs from the tree."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from salt_ext import __version__, tree
from tests.bare_salt import BareSalt
from tests.patience import PATIENCE_SECONDS

PACKAGE = Path(tree.__file__).parent


@pytest.fixture(scope="module")
def salt(tmp_path_factory):
    return BareSalt(tmp_path_factory.mktemp("bare"))


class Machine:
    """A machine without a master, whose file_roots have the tree."""

    def __init__(self, salt, home):
        self.salt, self.roots, self.home = salt, home / "srv", home
        self.roots.mkdir()
        config = {"id": "alone", "root_dir": str(home), "file_client": "local"}
        config |= {"file_roots": {"base": [str(self.roots)]}, "log_level_logfile": "quiet"}
        (home / "minion").write_text(json.dumps(config))

    def call(self, *args):
        options = ("--local", f"--config-dir={self.home}", "--out=json", "--log-level=error")
        out, err = self.salt.start(
            "salt-call", *options, *args, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ).communicate(timeout=PATIENCE_SECONDS)
        return json.loads(out)["local"] if out.startswith("{") else out + err

    def has(self):
        return {path.name for path in self.home.glob("var/cache/salt/minion/extmods/*/*.*")}


@pytest.fixture
def machine(salt, tmp_path):
    return Machine(salt, tmp_path)


def test_it_collects_with_what_was_synced_and_keeps_nothing_of_it(machine):
    assert "not available" in machine.call("cmdb.check")
    [zipped, *_] = tree.write(machine.roots)
    assert machine.call("saltutil.sync_all")["utils"] == [f"utils.{zipped.stem}"]
    check = machine.call("cmdb.check")
    assert (check["version"], Path(check["origin"]).name) == (__version__, zipped.name)
    assert check["not_used"] == []
    # A slow collector is a process of its own, which finds the zip as well.
    assert "ChildProcessError" not in str(check["sections"])
    assert (machine.home / "var/cache/salt/minion/cmdb/slow/cloud.json").exists()
    assert machine.call("grains.get", "cmdb:schema") == 1
    assert machine.call("grains.get", "cmdb_version") == __version__
    report = machine.call("cmdb.collect")
    assert (report["minion_id"], "processors" in report["facts"]) == ("alone", True)

    for path in machine.roots.rglob("*.*"):
        path.unlink()
    machine.call("saltutil.sync_all")
    assert machine.has() == set()
    assert "not available" in machine.call("cmdb.check")


@pytest.fixture
def installed(salt):
    """The package as pip installs it, beside Salt."""
    information = salt.packages / f"salt_cmdb-{__version__}.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Name: salt-cmdb\nVersion: {__version__}\n")
    (information / "entry_points.txt").write_text("[salt.loader]\nsalt-cmdb = salt_ext\n")
    shutil.copytree(PACKAGE, salt.packages / "salt_ext")
    yield salt.packages
    shutil.rmtree(salt.packages / "salt_ext")
    shutil.rmtree(information)


def test_where_pip_has_installed_it_the_synced_one_is_not_used(machine, installed):
    [zipped, *_] = tree.write(machine.roots)
    machine.call("saltutil.sync_all")
    check = machine.call("cmdb.check")
    assert check["origin"] == str(installed)
    assert [Path(path).name for path in check["not_used"]] == [zipped.name]
    assert machine.call("grains.get", "cmdb:schema") == 1
