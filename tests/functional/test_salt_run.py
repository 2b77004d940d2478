"""The commands a day depends on, through ``salt-run`` itself: what is typed and what comes back."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from salt_ext.store import ingest
from tests.machines import NOW, arrival, later, server

SALT_RUN = Path(sysconfig.get_path("scripts")) / "salt-run"


@pytest.fixture
def salt_run(tmp_path, database_url):
    """Run salt-run as an operator does; return its exit status and what it printed."""
    root = tmp_path / "root"
    for name in ("var/cache/salt/master/proc", "var/cache/salt/master/jobs", "var/run/salt/master"):
        (root / name).mkdir(parents=True)
    # Every master has it; Salt 3006 lists no keys without it.
    (root / "etc/salt/pki/master/minions").mkdir(parents=True)
    options = {
        "root_dir": str(root),
        "interface": "127.0.0.1",
        "cmdb": {"database_url": database_url},
    }
    # JSON is YAML.
    (tmp_path / "master").write_text(json.dumps(options))

    def run(*words):
        done = subprocess.run(
            [sys.executable, SALT_RUN, "--config-dir", tmp_path, *words],
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.returncode, done.stdout

    yield run
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def fleet(database):
    system = {**server(3)["system"], "serial_number": "0012345"}
    zeros = server(3, system=system, baseboards=[])
    ingest(database, [arrival(server(1), "web01"), arrival(zeros, "web03")])
    facts = server(1)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    ingest(database, [arrival(facts, "web01", later(seconds=1))])


TYPED = {
    "list": ("cmdb.list", "sn=9XYZ001", "columns=minion_id,sn"),
    "status": ("cmdb.status", "--out=json"),
    "show": ("cmdb.show", "0012345"),
    "get": ("cmdb.get", '"0012345"', "minion_id"),
    "diff": ("cmdb.diff", "web01", f"from={NOW:%Y-%m-%d %H:%M:%S}", "exit_code=True"),
    "find": ("cmdb.find", "nobody-at-all", "--out=json"),
}


def test_what_an_operator_types_all_day(salt_run, fleet):
    # Each starts a whole Salt, and waits for itself alone.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = pool.map(lambda words: salt_run(*words), TYPED.values())
        said = dict(zip(TYPED, answers, strict=True))
    status, text = said["list"]
    assert (status, text.splitlines()) == (0, ["MINION ID  SN", "web01      9XYZ001", "1 asset"])
    status, text = said["status"]
    assert status == 0
    assert json.loads(text)["cmdb"]["fresh"] == ["web01", "web03"]
    status, text = said["show"]
    assert status == 2
    assert """write '"0012345"' with both pairs of quotes""" in text
    assert said["get"] == (0, "web03\n")
    status, text = said["diff"]
    assert status == 1
    assert "Memory module A2" in text
    status, text = said["find"]
    assert status == 3
    assert json.loads(text)["cmdb"]["result"] is False
    assert "Traceback" not in text
