"""PostgreSQL is away: who says what, and what is lost."""

import json
import time
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import PASSWORD


@pytest.fixture
def outage(fleet):
    fleet.gate.close()
    yield
    if fleet.gate.listener.fileno() < 0:
        fleet.gate.open()


@pytest.mark.parametrize("options", [(), ("--out=json",)])
def test_a_command_says_which_database_it_could_not_reach_and_what_to_do(fleet, outage, options):
    result = fleet.run("salt-run", "cmdb.report", *options)
    assert result.returncode == 2
    assert f"127.0.0.1:{fleet.gate.port}" in result.stdout
    assert "start PostgreSQL" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert PASSWORD not in result.stdout + result.stderr


@pytest.fixture
def engine_log(fleet, eventually):
    """What the engine says from now on; it works now, whatever tests before this one did."""
    version = fleet.flash(f"1.9.{time.time_ns()}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == version, seconds=60)
    log = Path(fleet.master.config["log_file"])
    begin = log.stat().st_size

    def lines():
        new = log.read_bytes()[begin:].decode(errors="replace").splitlines()
        return [one for one in new if "Reports wait" in one or "works again" in one]

    return lines


def test_what_a_minion_reports_meanwhile_is_stored_when_the_database_is_back(
    fleet, eventually, engine_log, outage
):
    new = fleet.flash("2.0.0")
    fleet.collect(fleet.web01)
    assert fleet.json("salt", "*", "test.ping", "--static") == {"web01": True, "web02": True}
    assert fleet.bios_version(fleet.web01) != new
    fleet.gate.open()
    # The engine's pauses double: it is back at the latest after as long again as it was away.
    eventually(lambda: fleet.bios_version(fleet.web01) == new, seconds=60)
    # One line when it went, with what to do, and one when it was back.
    [away, back] = eventually(lambda: len(engine_log()) > 1 and engine_log())
    assert "start PostgreSQL" in away
    assert "works again" in back
    assert PASSWORD not in away


def test_a_command_on_a_database_without_a_schema_says_how_to_make_it(
    fleet, new_database, tmp_path
):
    config = yaml.safe_load(Path(fleet.master.config_file).read_text())
    config["cmdb"] = {"database_url": new_database(empty=True)}
    (tmp_path / "master").write_text(json.dumps(config))
    stranger = type("Master", (), {"config_dir": tmp_path})
    result = fleet.run("salt-run", "cmdb.list", on=stranger)
    assert result.returncode == 2
    assert "salt-run cmdb.migrate" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert fleet.json("salt-run", "cmdb.migrate", on=stranger)["cmdb"]["steps"]
    assert fleet.json("salt-run", "cmdb.list", on=stranger)["cmdb"]["rows"] == []
