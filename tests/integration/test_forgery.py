"""An accepted minion that lies: nothing it sends changes what is known of another one."""

import json
import re
import socket
import time
from datetime import datetime, timezone

import pytest

from salt_ext import store
from tests.machines import report
from tests.patience import PATIENCE_SECONDS

JID = "20260101000000000000"
VICTIM = "web01"
TAG = f"salt/job/{JID}/ret/{VICTIM}"


def returned(**fields):
    return {"jid": JID, "fun": "cmdb.collect", "success": True, "retcode": 0} | fields


def answered(fake, **fields):
    return returned(id=VICTIM, **{"return": fake}, **fields)


def an_event(fake):
    return {"cmd": "_minion_event", "id": "web02", "tag": TAG, "data": answered(fake)}


def a_list_of_events(fake):
    events = [{"tag": TAG, "data": answered(fake)}]
    return {"cmd": "_minion_event", "id": "web02", "events": events}


def an_event_with_a_tag_before_its_tag(fake):
    events = [{"tag": f"{JID}/ret/{VICTIM}", "data": answered(fake)}]
    return {"cmd": "_minion_event", "id": "web02", "events": events, "pretag": "salt/job"}


def a_return_for_a_resource(fake):
    return returned(cmd="_return", id="web02", resource_id=VICTIM, **{"return": fake})


def a_return_from_a_syndic(fake):
    returns = {VICTIM: {"return": fake, "success": True, "retcode": 0}}
    return returned(cmd="_syndic_return", id="web02", **{"return": returns})


def the_mine_of_another(fake):
    return {"cmd": "_mine", "id": VICTIM, "data": {"cmdb.report": fake}}


def the_grains_of_another(fake):
    grains = {"id": VICTIM, "cmdb": {**fake["facts"], "collected_at": fake["collected_at"]}}
    return {"cmd": "_pillar", "id": "web02", "grains": grains, "saltenv": "base", "ver": "2"}


@pytest.fixture
def victim(fleet, eventually):
    version = fleet.flash(f"1.0.{time.time_ns()}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == version)
    return fleet.asset(fleet.web01)


@pytest.mark.parametrize(
    ("forge", "reaches_the_bus"),
    [
        (an_event, True),
        (a_list_of_events, True),
        (an_event_with_a_tag_before_its_tag, True),
        (a_return_for_a_resource, True),
        (a_return_from_a_syndic, True),
        (the_mine_of_another, False),
        (the_grains_of_another, False),
    ],
)
def test_a_forgery_changes_nothing(fleet, event_listener, victim, forge, reaches_the_bus, nothing):
    # The newest of all, or it would be refused as an old one.
    load = forge(report(lie(victim), VICTIM, at=datetime.now(timezone.utc)))
    before = time.time()
    answer = fleet.json("salt", "web02", "forge.send", json.dumps(load), "--static")
    if reaches_the_bus:
        # Without this the test would pass for a forgery that never arrived.
        assert not answer["web02"].startswith("refused"), answer
        patterns = [(fleet.master.id, TAG)]
        seen = event_listener.wait_for_events(patterns, after_time=before, timeout=PATIENCE_SECONDS)
        assert seen.found_all_events
    nothing()


@pytest.mark.parametrize(
    "forge", [a_list_of_events, a_return_for_a_resource, a_return_from_a_syndic]
)
def test_an_answer_to_a_running_job_changes_nothing(fleet, victim, forge, nothing):
    said = fleet.run("salt", "web01", "test.sleep", "3", "--async").stdout
    jid = re.search(r"\d{20}", said).group()
    load = forge(report(lie(victim), VICTIM, at=datetime.now(timezone.utc)))
    text = json.dumps(load).replace(JID, jid)
    answer = fleet.json("salt", "web02", "forge.send", text, "--static")
    assert not answer["web02"].startswith("refused"), answer
    nothing()


def test_a_database_that_a_return_names_is_never_asked(fleet, victim, nothing):
    with socket.create_server(("127.0.0.1", 0)) as attacker:
        attacker.setblocking(False)
        url = f"postgresql+psycopg2://x@127.0.0.1:{attacker.getsockname()[1]}/x"
        options = {"ret": "cmdb", "ret_config": "attacker", "ret_kwargs": {"database_url": url}}
        load = a_return_for_a_resource(report(lie(victim), VICTIM, at=datetime.now(timezone.utc)))
        fleet.json("salt", "web02", "forge.send", json.dumps(load | options), "--static")
        nothing()
        with pytest.raises(BlockingIOError):
            attacker.accept()


@pytest.mark.parametrize("previous", [None, VICTIM], ids=["the same machine", "a rename"])
def test_a_minion_that_pretends_to_be_another_machine_is_held(
    fleet, eventually, victim, nothing, previous
):
    stolen = report(victim["facts"], VICTIM, at=datetime.now(timezone.utc), previous=previous)
    load = {"cmd": "_mine", "id": "web02", "data": {"cmdb.report": stolen}}
    fleet.json("salt", "web02", "forge.send", json.dumps(load), "--static")

    def told():
        problems, _ = store.problems(fleet.database, minion_id="web02")
        return [one for one in problems if one["kind"] == "identity"]

    [problem] = eventually(told)
    assert "web01" in problem["message"]
    nothing()


def keys(asset):
    """Return what an asset is known by; when it was last seen may go on."""
    return [(one["kind"], one["value"], one["shared"]) for one in asset["identifiers"]]


def lie(victim):
    return victim["facts"] | {"firmware": {"vendor": "Mallory", "version": "6.6.6"}}


@pytest.fixture
def nothing(fleet, eventually, victim):
    """Assert that the engine has gone on, and that the victim is as it was."""

    def check():
        # The engine takes events in their order: after this report it has seen the forged one.
        collected_at = fleet.asset(fleet.web02)["collected_at"]
        fleet.collect(fleet.web02)
        eventually(lambda: fleet.asset(fleet.web02)["collected_at"] > collected_at)
        after = fleet.asset(fleet.web01)
        for field in ("facts", "volatile", "revision", "collected_at", "mode"):
            assert after[field] == victim[field]
        assert keys(after) == keys(victim)
        problems, _ = store.problems(fleet.database, minion_id=VICTIM)
        assert {one["kind"] for one in problems} <= {"collector"}  # its own, not the forgery's

    return check
