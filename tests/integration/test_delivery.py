"""A minion that has Salt and nothing of ours: what ``./dev tree`` wrote makes it report."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import pytest

from salt_ext import __version__, tree
from tests.bare_salt import BareSalt

REPORTING = """
cmdb_collect:
  schedule.present:
    - function: cmdb.collect
    - seconds: 2
    - maxrunning: 1
    - return_job: False
cmdb_first_report:
  module.run:
    - cmdb.collect: []
    - onchanges:
      - schedule: cmdb_collect
"""
"""What a site without the formula writes."""


class Minion:
    """A minion without a package of ours, and the folder from which Salt serves it one."""

    def __init__(self, fleet, roots, home):
        self.fleet, self.roots, self.home = fleet, roots, home
        self.id = "bare01"
        self.hardware = home / "hardware"
        (self.hardware / "etc").mkdir(parents=True)
        (self.hardware / "etc/machine-id").write_text(hashlib.md5(b"bare01").hexdigest())
        config = {
            "id": self.id,
            "master": "127.0.0.1",
            "master_port": fleet.master.config["ret_port"],
            "root_dir": str(home),
            "user": fleet.master.config["user"],
            "cmdb": {"root": str(self.hardware)},
        }
        (home / "minion").write_text(json.dumps(config))
        salt = BareSalt(home / "salt")
        self.process = salt.start("salt-minion", f"--config-dir={home}", stdout=-3, stderr=-3)

    def answers(self):
        ping = self.fleet.run("salt", self.id, "test.ping", "--static", "--timeout=2")
        return "True" in ping.stdout

    def ask(self, *command):
        return self.fleet.json("salt", self.id, *command, "--static", "--timeout=50")[self.id]

    def sync(self):
        """Sync what is in the folder now; the file server looks into it every 20 s only."""
        self.fleet.run("salt-run", "fileserver.clear_file_list_cache")
        self.ask("saltutil.sync_all")

    def synced(self):
        extmods = self.home / "var/cache/salt/minion/extmods"
        return {path.name for path in extmods.rglob("*.*") if "__pycache__" not in path.parts}

    def version(self):
        """The version of what has made the last report."""
        return self.ask("cmdb.check")["version"]


@pytest.fixture
def roots(fleet):
    """A folder of the master's file_roots."""
    folder = fleet.hardware.parent / "states"
    (folder / "reporting.sls").write_text(REPORTING)
    yield folder
    (folder / "reporting.sls").unlink()
    for room in ("_grains", "_modules", "_utils"):
        shutil.rmtree(folder / room)


@pytest.fixture
def minion(fleet, roots, eventually):
    # Short, because a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="cmdb-") as home:
        one = Minion(fleet, roots, Path(home))
        try:
            eventually(one.answers)
            yield one
        finally:
            one.process.terminate()
            one.process.wait()
            fleet.run("salt-key", "--yes", f"--delete={one.id}")


def edition(version, directory, monkeypatch):
    """Point the tree at a copy of the package that has another version."""
    package = shutil.copytree(tree.PACKAGE, directory / "salt_ext")
    text = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(text.replace(__version__, version))
    monkeypatch.setattr(tree, "PACKAGE", package)


def test_from_nothing_to_a_report_without_pip_and_back_to_nothing(
    fleet, minion, roots, eventually, tmp_path, monkeypatch
):
    [first, *_] = tree.write(roots)
    minion.sync()
    states = minion.ask("state.apply", "reporting")
    assert [one["comment"] for one in states.values() if one["result"] is not True] == []
    eventually(lambda: fleet.asset(minion))
    assert first.name in minion.synced()
    assert minion.ask("grains.get", "cmdb_version") == minion.version()

    # A new version answers in what runs: the jobs, the schedule and the grains of the daemon.
    edition("99.0", tmp_path, monkeypatch)
    [second, *_] = tree.write(roots)
    minion.sync()
    eventually(lambda: minion.version() == "99.0")
    eventually(lambda: minion.ask("grains.get", "cmdb_version") == "99.0")
    assert [name for name in minion.synced() if name.endswith(".zip")] == [second.name]
    before = fleet.asset(minion)["collected_at"]
    eventually(lambda: fleet.asset(minion)["collected_at"] > before)

    minion.ask("schedule.delete", "cmdb_collect")
    for room in ("_grains", "_modules", "_utils"):
        for path in (roots / room).iterdir():
            path.unlink()
    minion.sync()
    assert minion.synced() == set()
    assert "not available" in minion.fleet.run("salt", minion.id, "cmdb.check").stdout
