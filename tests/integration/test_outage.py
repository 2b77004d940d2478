"""PostgreSQL is away: who says what, and what is lost."""

import json
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


def test_what_a_minion_reports_meanwhile_is_stored_when_the_database_is_back(
    fleet, eventually, outage
):
    new = fleet.flash("2.0.0")
    fleet.collect(fleet.web01)
    assert fleet.json("salt", "*", "test.ping", "--static") == {"web01": True, "web02": True}
    assert fleet.bios_version(fleet.web01) != new
    fleet.gate.open()
    eventually(lambda: fleet.bios_version(fleet.web01) == new, seconds=10)


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
