"""Events on a real bus, and the reactor of docs/examples: a memory module is lost."""

import json

import pytest
import salt.config
import salt.utils.event

import demo_machine
from salt_ext import store


@pytest.fixture
def bus(fleet):
    """The master's event bus, from now on."""
    opts = salt.config.master_config(fleet.master.config_file)
    with salt.utils.event.get_master_event(opts, opts["sock_dir"]) as events:
        events.get_event(wait=0.1, tag="nothing")  # connects
        yield events


@pytest.fixture
def web01(fleet, eventually):
    """A machine with eight modules and an accepted baseline; it is active again afterwards."""
    version = fleet.flash("6.0.0")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == version)
    command = ("cmdb.baseline", "accept", "web01", "reason=as delivered")
    assert fleet.json("salt-run", *command)["cmdb"]["result"]
    yield fleet.web01
    fleet.flash(version)
    fleet.collect(fleet.web01)
    eventually(lambda: modules(fleet) == 8)
    fleet.json("salt-run", "cmdb.lifecycle", "web01", "active", "reason=repaired")


def modules(fleet):
    devices = fleet.asset(fleet.web01)["facts"]["memory"]["devices"]
    return sum(one["present"] for one in devices)


def pull(fleet, *slots):
    demo_machine.write(fleet.hardware, "6.0.0", slots)
    fleet.collect(fleet.web01)


def next_loss(bus, asset_id):
    event = bus.get_event(wait=20, tag=f"salt/cmdb/changed/{asset_id}")
    words = " ".join(one["words"] for one in event["changes"]) if event else ""
    return event if "removed Memory module A3: 16 GiB" in words else None


def test_a_lost_module_is_looked_for_again_and_then_acted_upon(fleet, bus, web01, eventually):
    asset_id = fleet.asset(web01)["id"]
    pull(fleet, "A3")
    # Changes of before may be told only now.
    event = eventually(lambda: next_loss(bus, asset_id))
    assert event["minion_id"] == "web01"

    told = bus.get_event(wait=60, tag="operations/lost-dimm/web01")
    assert told["minion_id"] == "web01"
    [lost] = told["lost"]
    assert "Memory module A3" in lost
    assert fleet.asset(web01)["lifecycle"] == "maintenance"
    [made, *_] = store.decisions(fleet.database, asset_id=asset_id)
    assert (made["action"], made["reason"]) == ("lifecycle", f"active → maintenance: {lost}")


def test_a_module_that_is_back_at_the_second_look_is_not_acted_upon(fleet, web01, eventually):
    # What the reactor starts, when it comes late: the module is there again.
    pillar = json.dumps({"minion_id": "web01", "lost": ["removed Memory module A3"]})
    command = ("state.orchestrate", "lost_dimm", f"pillar={pillar}", "--out=json")
    result = fleet.run("salt-run", *command)
    assert result.returncode == 0, result.stdout + result.stderr
    assert fleet.asset(web01)["lifecycle"] == "active"


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
