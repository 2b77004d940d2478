"""A machine loses a part and gets it back, on a real master with the reactors of the manual."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from salt_ext import store
from tests.consumers.redfish import PASSWORD
from tests.integration.healing import Heard, running
from tests.machines import arrival, later, server
from tests.store.test_losses import without


@pytest.fixture(scope="module")
def site(salt_factories, new_database, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    settings = {"collect_timeout_seconds": 20, "reactions_per_hour": 100}
    with running(salt_factories, new_database(), folder, **settings) as site:
        for one in site.machines:
            site.cmdb("collect", one.name)
            site.cmdb("expected", "set", one.serial_number, "list.bmc=127.0.0.1")
        yield site


@pytest.fixture
def heard(site):
    with Heard(site.master) as heard:
        yield heard
    assert PASSWORD not in json.dumps(heard.events, default=str)


@pytest.fixture
def machines(site, eventually):
    """Both machines, whole and at work, and so they are afterwards."""
    yield site.machines
    for one in site.machines:
        one.pull()
        site.cmdb("collect", one.name)
        for command in (
            ("brake", one.name, "action=drain", "release=True"),
            ("lifecycle", one.name, "active", "reason=the next test"),
        ):
            site.run(f"cmdb.{command[0]}", *command[1:])
        one.drained.unlink(missing_ok=True)
        site.bmc.boot_from_disk(site.uuid(one))
    eventually(lambda: store.losses(site.database, state="lost")[1] == 0)


def pulled(site, machine, slot):
    """Take a module out, and let the machine report so."""
    machine.pull(slot)
    site.cmdb("collect", machine.name)


def test_a_lost_module_takes_the_machine_out_and_a_new_one_brings_it_back(
    site, machines, heard, eventually
):
    node, other = machines
    uuid, orders = site.uuid(node), len(site.bmc.orders())
    assert (site.bmc.boots_from(uuid), node.drained.exists()) == ("Hdd", False)

    pulled(site, node, "A3")
    [steps] = eventually(lambda: heard.orchestrations("lost", node))
    names = "is_active look_again may_drain to_maintenance drain boot_once"
    assert steps == dict.fromkeys(names.split(), True), steps
    assert site.asset(node)["lifecycle"] == "maintenance"
    assert node.drained.exists()
    assert site.bmc.boots_from(uuid) == "Pxe"
    assert [one.split()[0] for one in site.bmc.orders()[orders:]] == ["PATCH", "POST"]
    # The ticket: what is lost, and then what was done about it.
    [lost] = eventually(lambda: site.told("lost"))
    assert lost["changes"][0]["words"].startswith("removed Memory module A3: 16 GiB DDR4")
    [taken_out] = eventually(lambda: site.told("lifecycle"))
    assert (taken_out["new"], taken_out["minion_id"]) == ("maintenance", "node01")
    assert taken_out["reason"].endswith("it has lost a part")

    # Another one of the group is not drained meanwhile, and a person hears of it.
    pulled(site, other, "B1")
    [steps] = eventually(lambda: heard.orchestrations("lost", other))
    assert list(steps.values()) == [True, True, steps["may_drain"], None, None, None]
    assert "node01 of no known rack either" in steps["may_drain"]
    assert (site.asset(other)["lifecycle"], other.drained.exists()) == ("active", False)
    [problem] = eventually(lambda: [one for one in site.told("problem") if is_of_brake(one)])
    assert "drain of node02 was refused: node01 of no known rack" in problem["message"]

    # It is whole again.
    node.pull()
    site.cmdb("collect", node.name)
    [steps] = eventually(lambda: heard.orchestrations("found", node))
    assert set(steps.values()) == {True}, steps
    assert (site.asset(node)["lifecycle"], node.drained.exists()) == ("active", False)
    [found] = eventually(lambda: site.told("found"))
    assert (found["minion_id"], found["ending"]) == ("node01", "back")

    # Now the other one may be: a person lets it.
    status, steps = site.orchestrate("lost", other)
    assert (status, set(steps.values())) == (0, {True})
    assert other.drained.exists()

    # Somebody accepts it without that module, and lets it work: it is left alone.
    site.cmdb("baseline", "accept", other.name, "reason=seven modules are enough")
    site.cmdb("lifecycle", other.name, "active", "reason=seven modules are enough")
    site.cmdb("brake", other.name, "action=drain", "release=True")
    status, steps = site.orchestrate("lost", other)
    assert (status, steps["to_maintenance"]) == (1, None)
    assert "node02 has lost nothing that a later collection shows too" in steps["may_drain"]


def is_of_brake(told):
    return told["problem"] == "brake"


def test_two_of_a_group_and_many_events_at_a_time_take_one_machine_out_once(
    site, machines, heard, eventually
):
    node, other = machines
    orders = len(site.bmc.orders())
    for one, slot in ((node, "A3"), (other, "B1")):
        one.pull(slot)
    # Both in one job; each is asked again by the reactor, which confirms it.
    site.cmdb("collect", "node0*")
    eventually(lambda: store.losses(site.database, state="lost")[1] == 2)
    site.tell("lost", node, other, node, other)
    ran = lambda: [heard.orchestrations("lost", one) for one in machines]  # noqa: E731
    eventually(lambda: [len(one) for one in ran()] == [3, 3])
    stages = [site.asset(one)["lifecycle"] for one in machines]
    assert sorted(stages) == ["active", "maintenance"]
    assert [one.drained.exists() for one in machines] == [one == "maintenance" for one in stages]
    assert [one.split()[0] for one in site.bmc.orders()[orders:]] == ["PATCH", "POST"]
    done = [steps["boot_once"] for runs in ran() for steps in runs]
    assert done.count(True) == 1


def test_a_machine_that_does_not_answer_is_left_alone(site, machines):
    keys = Path(site.master.config["pki_dir"], "minions")
    (keys / "node03").write_text((keys / "node01").read_text())
    for seconds, facts in ((0, server(3)), (1, without("A2", 3)), (2, without("A2", 3))):
        store.ingest(site.database, [arrival(facts, "node03", later(seconds=seconds))])
    gone = machines[0]._replace(minion=SimpleNamespace(id="node03"))
    try:
        status, steps = site.orchestrate("lost", gone)
        assert "did not answer within 20 s" in steps["look_again"]
        assert (status, steps["may_drain"]) == (1, None)
        assert site.asset(gone)["lifecycle"] == "active"
    finally:
        (keys / "node03").unlink()
        site.cmdb("lifecycle", "node03", "retired", "reason=it is over")


def test_an_event_that_is_forged_or_comes_again_does_nothing(site, machines, heard, eventually):
    node, other = machines
    orders = site.bmc.orders()
    # Nothing is lost.
    site.tell("lost", node)
    [steps] = eventually(lambda: heard.orchestrations("lost", node))
    assert "node01 has lost nothing" in steps["may_drain"]
    assert steps["to_maintenance"] is None
    # Somebody works at it, and it was never lost.
    why = "reason=new cables"
    site.cmdb("lifecycle", other.name, "maintenance", why)
    site.tell("found", other)
    [steps] = eventually(lambda: heard.orchestrations("found", other))
    assert (set(steps.values()) - {steps["is_ours"]}, steps["is_ours"] is True) == ({None}, False)
    assert site.asset(other)["lifecycle"] == "maintenance"
    assert site.asset(node)["lifecycle"] == "active"
    assert site.bmc.orders() == orders
    assert store.reactions(site.database, state="permitted")[1] == 0
