"""What a real minion has in its pillar, and whom `salt -I` and `salt -N` mean by it."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def web01(fleet, eventually):
    """A machine whose last report is stored."""
    version = fleet.flash("8.0.0")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == version)
    return fleet.web01


@pytest.fixture
def outage(fleet):
    """A function that cuts the master off from the database until the end of the test."""
    yield fleet.gate.close
    if fleet.gate.listener.fileno() < 0:
        fleet.gate.open()


def answer_of(fleet, minion):
    """What `salt-call pillar.items` shows of ours, with the values: Salt 3008 masks them there."""
    assert "cmdb_asset" in fleet.json("salt-call", "pillar.items", on=minion)["local"]
    template = "string={{ pillar['cmdb_asset'] | json }}"
    command = ("slsutil.renderer", template, "default_renderer=jinja")
    return json.loads(fleet.json("salt-call", *command, on=minion)["local"])


def test_a_minion_has_its_asset_in_its_pillar_and_its_last_answer_in_an_outage(
    fleet, web01, outage
):
    before = answer_of(fleet, web01)
    assert before["id"] == str(fleet.asset(web01)["id"])
    assert before["sn"] == fleet.asset(web01)["sn"]
    assert before["lifecycle"] == "active"
    outage()
    during = answer_of(fleet, web01)
    assert during.pop("as_of")
    assert during == before


def test_machines_are_targeted_by_pillar_and_by_node_groups(fleet, web01, eventually):
    eventually(lambda: fleet.asset(fleet.web02))
    refreshed = fleet.json("salt", "*", "saltutil.refresh_pillar", "wait=True", "--static")
    assert refreshed == {"web01": True, "web02": True}
    sn = fleet.asset(web01)["sn"]
    by_pillar = fleet.json("salt", "-I", f"cmdb_asset:sn:{sn}", "test.ping", "--static")
    assert by_pillar == {"web01": True}

    file = Path(fleet.master.config_dir, "master.d/cmdb_groups.conf")
    file.parent.mkdir(exist_ok=True)
    command = ("cmdb.inventory", "nodegroups", f"out_file={file}")
    assert fleet.json("salt-run", *command)["cmdb"]["is_new"] is True
    # No restart: each command reads the master's configuration itself.
    assert fleet.json("salt", "-N", "second", "test.ping", "--static") == {"web02": True}
    assert set(fleet.json("salt", "-N", "web", "test.ping", "--static")) == {"web01", "web02"}
    # And without a file, as `salt -L` takes them.
    command = ("cmdb.inventory", "targets", "minion_id__in=web01,web02")
    listed = fleet.run("salt-run", *command).stdout.split()
    assert set(listed) == {"web01", "web02"}
    found = fleet.json("salt", "-L", ",".join(listed), "test.ping", "--static")
    assert json.dumps(found, sort_keys=True) == '{"web01": true, "web02": true}'
    file.unlink()
