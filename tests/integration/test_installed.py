"""A machine that is installed anew: opened by a command, compared and told by the real engine."""

import pytest
import salt.config
import salt.utils.event

from salt_ext import store


@pytest.fixture
def bus(fleet):
    """The master's event bus, from now on."""
    opts = salt.config.master_config(fleet.master.config_file)
    with salt.utils.event.get_master_event(opts, opts["sock_dir"]) as events:
        events.get_event(wait=0.1, tag="nothing")  # connects
        yield events


def test_the_first_report_after_an_installation_is_compared_and_told(fleet, bus, eventually):
    fleet.collect(fleet.web01)
    asset = eventually(lambda: fleet.asset(fleet.web01))
    try:
        for command in (
            ("cmdb.lifecycle", "web01", "staged", "reason=installed anew"),
            ("cmdb.expected", "set", "web01", "product_name=R5", "profile=debian12"),
            ("cmdb.provision", "web01", "reason=installed anew"),
        ):
            answer = fleet.json("salt-run", *command)["cmdb"]
            assert answer["result"], answer
        [opened] = answer["opened"]
        shown = store.Shown(opened["uuid"], opened["macs"][0])
        assert store.begin_installation(fleet.database, shown).state == "open"
        installed = store.serve_installation(fleet.database, opened["id"], shown).installation
        assert store.finish_installation(fleet.database, installed["id"], shown).state == "open"
        fleet.collect(fleet.web01)
        told = bus.get_event(wait=30, tag=f"salt/cmdb/installed/{asset['id']}")
        assert (told["minion_id"], told["profile"]) == ("web01", "debian12")
        [difference] = told["differences"]
        assert (difference["field"], difference["planned"]) == ("product_name", "R5")
        rows = fleet.json("salt-run", "cmdb.installations", "web01")["cmdb"]
        assert "R5 planned" in rows["rows"][0][rows["columns"].index("outcome")]
    finally:
        fleet.json("salt-run", "cmdb.expected", "remove", "web01")
        fleet.json("salt-run", "cmdb.lifecycle", "web01", "active", "reason=in service")
