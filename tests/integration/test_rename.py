"""A machine gets another name, on real minions: what it proves, and what it is answered."""

import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest

import demo_machine
from salt_ext.report import name_file
from tests.integration.conftest import _start

OF_ITS_OWN = [
    (b"DEMO8K2", b"DEMO9Z9"),
    (b"OK2", b"9Z9"),  # the end of the UUID
    (b"CNIVC0018800DM", b"CNIVC0018800ZZ"),
    (b"PHAB9450DEMO3P2", b"PHAB9450DEMO9Z9"),
    (b"00:00:5e:00:53:0", b"00:00:5e:00:53:9"),
    (b"d3300000000000000000000000005e12", b"d3300000000000000000000000005e99"),
]


class Machine:
    """A machine that this test owns: its hardware, its name file and its minion."""

    def __init__(self, fleet, home):
        """Write the hardware, which is that of no other machine of the fleet."""
        self.fleet = fleet
        self.home = home
        hardware = home / "hardware"
        self.name_file = home / "name"
        self.minion = None
        self.begun = []
        demo_machine.write(hardware, "1.0.0")
        for path in [one for one in hardware.rglob("*") if one.is_file()]:
            data = path.read_bytes()
            for old, new in OF_ITS_OWN:
                data = data.replace(old, new)
            path.write_bytes(data)

    def stop(self):
        """End the minion."""
        if self.minion:
            self.minion.terminate()

    def forget(self):
        """Delete the keys of the minion, under all names."""
        for name in self.begun:
            self.fleet.run("salt-key", "--yes", "--delete", name)

    def start(self, name):
        """Start the minion under a name, as after its id was changed."""
        self.stop()
        self.minion = self.fleet.master.salt_minion_daemon(
            name,
            overrides={
                "cmdb": {"root": str(self.home / "hardware"), "name_file": str(self.name_file)},
                "log_level_logfile": "info",
            },
        )
        self.begun.append(name)
        _start(self.minion)

    def collect(self):
        """Report; return the summary."""
        answer = self.fleet.json("salt", self.minion.id, "cmdb.collect", "--static")
        assert answer[self.minion.id]["sent"] is True
        return answer[self.minion.id]

    def names(self):
        """Return the names in the name file."""
        return [one.name for one in name_file.read(str(self.name_file)).names]

    def asset_id(self):
        """Return the id of the asset of the present name, or None."""
        found = self.fleet.asset(self.minion)
        return found and found["id"]

    def log(self):
        """Return the log of the minion."""
        return Path(self.minion.config["log_file"]).read_text()


@pytest.fixture(scope="module")
def machine(fleet, tmp_path_factory):
    machine = Machine(fleet, tmp_path_factory.mktemp("renamed"))
    yield machine
    machine.stop()
    machine.forget()


def test_a_renamed_machine_proves_it_and_writes_its_name_when_the_master_answers(
    machine, eventually
):
    machine.start("renamed-a")
    assert "previous_minion_id" not in machine.collect()
    asset_id = eventually(machine.asset_id)  # the engine may not be up yet
    machine.start("renamed-b")
    assert machine.names() == ["renamed-a"]
    assert machine.collect()["previous_minion_id"] == "renamed-a"
    eventually(lambda: machine.names() == ["renamed-b"])
    assert machine.asset_id() == asset_id
    assert "the master knows this machine as renamed-b" in machine.log()
    # The next rename can be proved too, by another secret and by the moment of the last report.
    assert "previous_minion_id" not in machine.collect()
    assert machine.names() == ["renamed-b"]


def test_a_clone_that_has_the_name_file_too_proves_nothing_by_it(
    machine, fleet, tmp_path, eventually
):
    asset_id = machine.asset_id()
    clone = Machine(fleet, tmp_path)  # of the same hardware
    shutil.copy(machine.name_file, clone.name_file)
    machine.collect()
    said = name_file.read(str(machine.name_file)).names[0].collected_at
    eventually(lambda: fleet.asset(machine.minion)["collected_at"] == moment(said))
    try:
        clone.start("renamed-c")
        assert clone.collect()["previous_minion_id"] == "renamed-b"
        eventually(lambda: "The master answers: " in clone.log())
        [answer] = [line for line in clone.log().splitlines() if "The master answers: " in line]
        assert answer.endswith(
            "the report is held: see on the master: salt-run cmdb.quarantine show renamed-c"
        )
        # All minions could read it.
        assert "renamed-b" not in answer
        assert clone.asset_id() is None
        assert machine.asset_id() == asset_id
        assert clone.names() == ["renamed-c", "renamed-b"]
    finally:
        clone.stop()
        machine.begun += clone.begun


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_a_secret_that_was_shown_is_in_the_mine_and_in_no_log_and_no_job(machine, fleet):
    """Salt gives a mine to the master and, as it is sent, to that minion alone."""
    [one] = name_file.read(str(machine.name_file)).names  # the clone has shown it
    cache = Path(fleet.master.config["cachedir"])
    places = [Path(machine.minion.config["log_file"]), Path(fleet.master.config["log_file"])]
    places += [path for path in cache.rglob("*") if path.is_file()]
    found = {path for path in places if one.secret.encode() in path.read_bytes()}
    assert found == {cache / "mine/renamed-c.p"}


def test_only_the_master_can_answer(machine, fleet):
    machine.collect()
    before = name_file.read(str(machine.name_file))
    forged = {"status": "stored", "name": "mallory", "collected_at": before.asked}
    answer = json.dumps({"renamed-b": forged})
    fleet.run("salt", "web02", "publish.publish", "renamed-b", "cmdb.answered", answer)
    fleet.run("salt", "web02", "publish.full_data", "*", "cmdb.answered", answer)
    # Other jobs of the minion come after the forged one.
    assert fleet.json("salt", "renamed-b", "test.ping", "--static") == {"renamed-b": True}
    assert name_file.read(str(machine.name_file)) == before
    # From the master the same words would have been noted.
    fleet.json("salt", "renamed-b", "cmdb.answered", answer, "--static")
    assert machine.names() == ["mallory"]
    name_file.write(str(machine.name_file), before)
