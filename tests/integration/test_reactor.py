"""Events on a real bus, and the reactors of docs/examples that act upon them."""

import contextlib
import json
from pathlib import Path

import pytest
import salt.config
import salt.utils.event

from tests.integration.conftest import EXAMPLES


@pytest.fixture
def bus(fleet):
    """The master's event bus, from now on."""
    opts = salt.config.master_config(fleet.master.config_file)
    with salt.utils.event.get_master_event(opts, opts["sock_dir"]) as events:
        events.get_event(wait=0.1, tag="nothing")  # connects
        yield events


def test_silence_and_return_come_over_the_bus_once(fleet, bus, eventually):
    before = eventually(lambda: fleet.asset(fleet.web02))
    asset_id = before["id"]
    fleet.collect(fleet.web02)

    def is_settled():
        # A report is read once more when the second in which it was written is over.
        with fleet.database.autocommit() as link:
            position = link.exec_driver_sql(
                "SELECT position FROM asset_seen WHERE asset_id = %s", (asset_id,)
            ).scalar()
        row = fleet.asset(fleet.web02)
        return position.microsecond == 500_000 and row["collected_at"] > before["collected_at"]

    eventually(is_settled)
    with fleet.database.begin() as link:
        link.exec_driver_sql(
            "UPDATE asset_seen SET last_seen = now() - interval '3 hours' WHERE asset_id = %s",
            (asset_id,),
        )
        # Silence counts only while somebody listened.
        link.exec_driver_sql("UPDATE listening SET since = since - interval '4 hours'")
    event = bus.get_event(wait=20, tag=f"salt/cmdb/stale/{asset_id}")
    assert (event["minion_id"], event["was"]) == ("web02", "fresh")
    fleet.collect(fleet.web02)
    event = bus.get_event(wait=20, tag=f"salt/cmdb/returned/{asset_id}")
    assert event["was"] == "stale"


@contextlib.contextmanager
def reacting(fleet, kind, example):
    """Let the master act upon events of a kind by an example of the manual, for a while."""
    reactor = fleet.hardware.parent / kind / "example.sls"
    reactor.symlink_to(EXAMPLES / example)
    try:
        yield
    finally:
        reactor.unlink()


@pytest.fixture
def marker(fleet):
    """A file that is there when web02 is in its highstate."""
    states = fleet.hardware.parent / "states"
    file = states / "marker"
    (states / "top.sls").write_text("base: {web02: [marker]}")
    (states / "marker.sls").write_text(json.dumps({str(file): {"file.managed": [{"replace": 0}]}}))
    yield file
    (states / "top.sls").unlink()


def test_a_new_machine_is_brought_into_its_state_and_looked_at_again(
    fleet, bus, marker, eventually
):
    eventually(lambda: fleet.asset(fleet.web02))
    with reacting(fleet, "new", "new_machine_reactor.sls"):
        with fleet.database.begin() as link:
            link.exec_driver_sql("DELETE FROM asset WHERE minion_id = 'web02'")
        fleet.collect(fleet.web02)
        eventually(marker.exists)
        # The first one is ours.
        for _ in range(2):
            eventually(lambda: collected(bus, "web02"))


def collected(bus, minion_id):
    """Whether the next return on the bus is of this minion's collection."""
    event = bus.get_event(wait=20, tag="salt/job/", full=True)
    return event["tag"].endswith(f"/ret/{minion_id}") and event["data"]["fun"] == "cmdb.collect"


def test_a_retirement_comes_over_the_bus_and_out_of_the_node_groups(fleet, bus, eventually):
    before = eventually(lambda: fleet.asset(fleet.web02))
    file = Path(fleet.master.config_dir, "master.d/cmdb_groups.conf")
    file.parent.mkdir(exist_ok=True)
    with reacting(fleet, "lifecycle", "lifecycle_reactor.sls"):
        try:
            for state, members in (("retired", ""), ("active", "web02")):
                command = ("cmdb.lifecycle", "web02", state, "reason=a broken board")
                fleet.json("salt-run", *command)
                told = bus.get_event(wait=20, tag=f"salt/cmdb/lifecycle/{before['id']}")
                assert (told["new"], told["minion_id"]) == (state, "web02")
                assert told["reason"].endswith("a broken board")
                line = f'"second": "L@{members}"'
                eventually(lambda line=line: file.exists() and line in file.read_text())
        finally:
            file.unlink(missing_ok=True)
