"""An accepted minion that lies: nothing it sends changes what is known of another one."""

import json
import time
from datetime import datetime, timezone

import pytest

from salt_ext import store
from tests.machines import report

JID = "20260101000000000000"
VICTIM = "web01"
TAG = f"salt/job/{JID}/ret/{VICTIM}"


def returned(**fields):
    return {"jid": JID, "fun": "cmdb.collect", "success": True, "retcode": 0} | fields


def an_event(fake):
    data = returned(id=VICTIM, **{"return": fake})
    return {"cmd": "_minion_event", "id": "web02", "events": [{"tag": TAG, "data": data}]}


def a_return_for_a_resource(fake):
    return returned(cmd="_return", id="web02", resource_id=VICTIM, **{"return": fake})


def a_return_from_a_syndic(fake):
    returns = {VICTIM: {"return": fake, "success": True, "retcode": 0}}
    return returned(cmd="_syndic_return", id="web02", **{"return": returns})


def the_mine_of_another(fake):
    return {"cmd": "_mine", "id": VICTIM, "data": {"cmdb.report": fake}}


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
        (a_return_for_a_resource, True),
        (a_return_from_a_syndic, True),
        (the_mine_of_another, False),
    ],
)
def test_a_forgery_changes_nothing(
    fleet, eventually, event_listener, victim, forge, reaches_the_bus
):
    facts = victim["facts"] | {"firmware": {"vendor": "Mallory", "version": "6.6.6"}}
    # The newest of all, or it would be refused as an old one.
    load = forge(report(facts, VICTIM, at=datetime.now(timezone.utc)))
    before = time.time()
    answer = fleet.json("salt", "web02", "forge.send", json.dumps(load), "--static")
    assert answer["web02"].startswith("refused") is not reaches_the_bus, answer
    if reaches_the_bus:
        # Without this the test would pass for a forgery that never arrived.
        patterns = [(fleet.master.id, TAG)]
        seen = event_listener.wait_for_events(patterns, after_time=before, timeout=10)
        assert seen.found_all_events

    # The engine takes events in their order: after this report it has seen the forged one.
    collected_at = fleet.asset(fleet.web02)["collected_at"]
    fleet.collect(fleet.web02)
    eventually(lambda: fleet.asset(fleet.web02)["collected_at"] > collected_at)
    after = fleet.asset(fleet.web01)
    for field in ("facts", "volatile", "revision", "collected_at", "mode", "identifiers"):
        assert after[field] == victim[field]
    problems, _ = store.problems(fleet.database, minion_id=VICTIM)
    assert {one["kind"] for one in problems} <= {"collector"}  # of its own, not of the forgery
