"""Master and minions of different editions: what the first one's wheel sends and reads."""

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import demo_machine
from salt_ext import settings, store
from salt_ext.master import intake
from salt_ext.report import agent

ROOT = Path(__file__).parents[2]
COMMIT = "df509965d508a04376b0e31ab6b3137b8c362ab3"

ROUTE = "Iface Destination Gateway Flags\neno1 00000000 0100000A 0003 0 0 100 00000000 0 0 0\n"
MINION = """
import json, sys
from salt_ext import agent
print(json.dumps(agent.report(json.loads(sys.argv[1]), "agent")))
"""
MASTER = """
import json, sys, time
from salt_ext import intake, settings, store
database = store.Database(settings.resolve(("test", {"database_url": sys.argv[1]})))
store.migrate(database)
said = []
for report in json.load(sys.stdin):
    [outcome] = intake.take(database, [(report["minion_id"], report, time.time())])

    found = store.overview(database, outcome.asset_id)
    said.append([outcome.status, found["sn"], found["facts"]["firmware"]["version"]])
print(json.dumps(said))
"""


@pytest.fixture(scope="module")
def edition(tmp_path_factory):
    """A function that runs a program with the first edition's wheel."""
    git = ("git", "-C", ROOT)
    if subprocess.run([*git, "cat-file", "-e", COMMIT], capture_output=True).returncode:
        pytest.skip(f"the history has no {COMMIT}: a shallow clone, or no clone of git")
    home = tmp_path_factory.mktemp("first")
    source = subprocess.run([*git, "archive", COMMIT], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x"], input=source, cwd=home, check=True)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=home, check=True, capture_output=True)
    [wheel] = home.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home / "site")

    def run(program, *arguments, given=None):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            input=json.dumps(given),
            env={**os.environ, "PYTHONPATH": str(home / "site")},
            cwd=home / "site",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


class Machine:
    """A server whose reports are made by either edition."""

    def __init__(self, edition, home):
        self.edition, self.home = edition, home
        self.opts = {
            "id": "web01",
            "cachedir": str(home),
            "cmdb": {"root": str(home / "hardware")},
        }
        self.flash("1.0.0")

    def flash(self, version):
        demo_machine.write(self.home / "hardware", version)
        # Of which the first edition tells nothing, and this one the address of the machine.
        (self.home / "hardware/proc/net/route").write_text(ROUTE)

    def first(self):
        return self.edition(MINION, json.dumps(self.opts))

    def present(self):
        report, trouble = agent.report_to_send(self.opts, "agent")
        assert trouble is None
        assert agent.note_taken(self.opts, report) is None
        return report


@pytest.fixture
def machine(edition, tmp_path):
    return Machine(edition, tmp_path)


def take(database, report):
    [outcome] = intake.take(database, [(report["minion_id"], report, time.time())], is_cached=False)
    return outcome


def told(database):
    return [(one["path"], one["old"], one["new"]) for one in store.changes(database, limit=1000)]


FLASHED = [("firmware.version", "1.0.0", "2.0.0")]


def test_a_new_master_reads_what_old_minions_report(machine, database):
    assert take(database, machine.first()).status == "new"
    assert take(database, machine.first()).status == "unchanged"
    machine.flash("2.0.0")
    outcome = take(database, machine.first())
    assert outcome.status == "changed"
    assert store.overview(database, outcome.asset_id)["sn"] == demo_machine.SERIAL_NUMBER
    assert told(database) == FLASHED
    assert store.problems(database)[0] == []


def test_a_minion_goes_to_the_new_edition_and_back_and_only_what_happened_is_told(
    machine, database
):
    asset = take(database, machine.first()).asset_id
    assert machine.first()["facts"] != machine.present()["facts"]
    assert take(database, machine.present()).asset_id == asset
    assert told(database) == []
    machine.flash("2.0.0")
    assert take(database, machine.present()).status == "changed"
    assert take(database, machine.first()).asset_id == asset
    assert told(database) == FLASHED
    assert store.assets(database).total == 1
    assert store.problems(database)[0] == []


def test_an_old_master_reads_what_new_minions_report_and_its_store_is_upgraded(
    machine, edition, new_database
):
    url = new_database(empty=True)
    reports = [machine.first(), machine.present()]
    machine.flash("2.0.0")
    said = edition(MASTER, url, given=[*reports, machine.present()])
    # It knows nothing of versions of collectors: a field more is a change to it.
    assert said == [
        ["new", demo_machine.SERIAL_NUMBER, "1.0.0"],
        ["changed", demo_machine.SERIAL_NUMBER, "1.0.0"],
        ["changed", demo_machine.SERIAL_NUMBER, "2.0.0"],
    ]
    database = store.Database(settings.resolve(("test", {"database_url": url})))
    store.migrate(database)
    outcome = take(database, machine.present())
    assert outcome.status in ("unchanged", "changed")
    assert FLASHED[0] in told(database)
    machine.flash("3.0.0")
    assert take(database, machine.present()).asset_id == outcome.asset_id
    assert told(database)[0] == ("firmware.version", "2.0.0", "3.0.0")
    assert store.assets(database).total == 1
    database.close()
