"""The formula from nothing to nothing: on a Salt of pip's, and on the onedir of its packages."""

import hashlib
import json
import re
import shutil
import tempfile
import threading
from pathlib import Path

import pytest

from salt_ext import tree
from tests import wheels
from tests.bare_salt import BareSalt, OnedirSalt

NEWER = "99.0"
RESTART = "kill $(cat ${MACHINE:?}/var/run/salt-minion.pid)"


class Machine:
    """A minion in a Python of its own, which somebody starts again whenever it ends."""

    def __init__(self, home, name, master, kind):
        self.home, self.id = home / name, name
        self.salt = kind(self.home / "salt")
        machine_id = self.home / "hardware/etc/machine-id"
        machine_id.parent.mkdir(parents=True)
        machine_id.write_text(hashlib.md5(name.encode()).hexdigest())
        config = {
            "id": name,
            "master": "127.0.0.1",
            "master_port": master.config["ret_port"],
            "root_dir": str(self.home),
            "user": master.config["user"],
            "cmdb": {"root": str(self.home / "hardware")},
        }
        (self.home / "minion").write_text(json.dumps(config))
        (self.home / "var/log/salt").mkdir(parents=True)
        self.is_over, self.starts = False, 0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        options = {"env": {"MACHINE": str(self.home)}, "stdout": -3, "stderr": -3}
        while not self.is_over:
            self.process = self.salt.start("salt-minion", f"--config-dir={self.home}", **options)
            self.starts += 1
            self.process.wait()

    def end(self):
        self.is_over = True
        self.process.terminate()
        self.thread.join()

    def files(self):
        """Return all files, except what Salt writes for itself and what Python compiles."""
        own = re.compile(
            r"var/(?!cache/salt/minion/(cmdb|extmods|files/base/(cmdb/wheels|_)))|etc/salt/pki|.*__pycache__"
        )
        paths = (str(one.relative_to(self.home)) for one in self.home.rglob("*") if one.is_file())
        return {path for path in paths if not own.match(path)}


@pytest.fixture(scope="module")
def place(fleet):
    """Where the master's file server has our wheels."""
    place = fleet.hardware.parent / "states/cmdb/wheels"
    place.mkdir(parents=True)
    (place.parents[1] / "top.sls").write_text(json.dumps({"base": {"bare-*": ["cmdb"]}}))
    yield place
    (place.parents[1] / "top.sls").unlink()
    shutil.rmtree(place)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return wheels.build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def machines(fleet, eventually):
    pytest.importorskip("relenv")
    # Short, because a socket's path has at most 107 characters.
    home = Path(tempfile.mkdtemp(prefix="cmdb-"))
    kinds = {"bare-pip": BareSalt, "bare-onedir": OnedirSalt}
    found = [Machine(home, name, fleet.master, kind) for name, kind in kinds.items()]
    try:
        eventually(lambda: ping(fleet) == set(kinds))
        yield found
    finally:
        for one in found:
            one.end()
        shutil.rmtree(home)


def versions(fleet):
    """Return what the minions say the version of ours is that answers."""
    answer = fleet.run("salt", "bare-*", "cmdb.check", "--static", "--out=json", "--timeout=5")
    return [one["version"] for one in json.loads(answer.stdout).values()] if answer.stdout else []


def ping(fleet):
    """Return which of them answer; a master that knows none yet refuses."""
    answer = fleet.run("salt", "bare-*", "test.ping", "--static", "--out=json", "--timeout=2")
    return set(json.loads(answer.stdout)) if answer.returncode == 0 else set()


@pytest.fixture
def apply(fleet, machines):
    """A function that runs a function of the states on both; returns the steps of each."""

    def run(*command, **minion):
        pillar = {"cmdb_formula": {"minion": {"restart": RESTART, **minion}}}
        options = (f"pillar={json.dumps(pillar)}", "--static", "--timeout=180")
        answers = fleet.json("salt", "bare-*", *command, *options, seconds=600)
        assert set(answers) == {one.id for one in machines}
        for answer in answers.values():
            assert isinstance(answer, dict), answer
        return {
            name: {step["__id__"]: step for step in answer.values()}
            for name, answer in answers.items()
        }

    return run


def bad(answers):
    return [
        (name, id_, step["comment"])
        for name, steps in answers.items()
        for id_, step in steps.items()
        if step["result"] is False
    ]


def changed(answers):
    return [
        (name, id_, step["changes"])
        for name, steps in answers.items()
        for id_, step in steps.items()
        if step["changes"]
    ]


def test_from_nothing_to_a_report_and_back_to_nothing(
    fleet, place, wheel, machines, apply, eventually
):
    shutil.copy(wheel, place)
    before = {one.id: one.files() for one in machines}

    planned = apply("state.highstate", "test=True")
    assert bad(planned) == []
    for steps in planned.values():
        assert steps["cmdb_first_report"]["result"] is None
    assert [one.files() - before[one.id] for one in machines] == [set(), set()]

    done = apply("state.highstate")
    assert bad(done) == []
    for one in machines:
        eventually(lambda one=one: fleet.asset(one))
    again = apply("state.highstate")
    assert (bad(again), changed(again)) == ([], [])
    # Nothing was restarted: what was not there before needs no restart.
    assert [one.starts for one in machines] == [1, 1]

    (place / wheel.name).unlink()
    wheels.with_version(wheel, NEWER, place)
    planned = apply("state.highstate", "test=True")
    for steps in planned.values():
        assert steps["cmdb_extension"]["result"] is None
        assert steps["cmdb_extension_restart"]["result"] is None
    upgraded = apply("state.highstate")
    assert bad(upgraded) == []
    eventually(lambda: [one.starts for one in machines] == [2, 2])
    eventually(lambda: versions(fleet) == [NEWER, NEWER])
    again = apply("state.highstate")
    assert (bad(again), changed(again)) == ([], [])

    assert bad(apply("state.apply", "cmdb.minion.clean", "test=True")) == []
    assert bad(apply("state.apply", "cmdb.minion.clean")) == []
    assert [one.files() - before[one.id] for one in machines] == [set(), set()]
    mine = fleet.json("salt", "bare-*", "mine.get", "bare-*", "cmdb.report", "--static")
    assert mine == {one.id: {} for one in machines}
    again = apply("state.apply", "cmdb.minion.clean")
    assert (bad(again), changed(again)) == ([], [])


def test_the_same_without_pip(place, machines, apply):
    tree.write(place.parents[1])
    before = {one.id: one.files() for one in machines}
    formula = {"delivery": "sync"}
    assert bad(apply("state.apply", "cmdb", "test=True", **formula)) == []
    done = apply("state.apply", "cmdb", **formula)
    assert bad(done) == []
    assert all(steps["cmdb_first_report"]["changes"] for steps in done.values())
    again = apply("state.apply", "cmdb", **formula)
    assert (bad(again), changed(again)) == ([], [])

    shutil.rmtree(place.parents[1] / "_utils")
    for room in tree.LOADED:
        shutil.rmtree(place.parents[1] / f"_{room}")
    assert bad(apply("state.apply", "cmdb.minion.clean")) == []
    assert [one.files() - before[one.id] for one in machines] == [set(), set()]
