"""What machines call things writes no line of its own into the log of the master, or an event."""

import copy
import logging

import pytest
import salt.loader

from salt_ext import store
from salt_ext.master import events, intake
from salt_ext.words.visible import INDENT
from tests.machines import arrival, later, server

HOSTILE = "x\n2026-01-01 00:00:00 [ERROR] forged\r\x1b[2J\x9b\u202e\u200b\u2028"


def deep(levels):
    value = {HOSTILE: 1}
    for _ in range(levels):
        value = {HOSTILE: value}
    return value


def reports():
    """Reports that are refused, doubted or told of, each for another of its parts."""
    for name in ("schema", "mode", "digest", "collected_at", "minion_id", "previous_minion_id"):
        one = arrival(server(1), "web01")
        one.report[name] = HOSTILE
        yield name, one
    for name, facts in {
        "a key too deep": {HOSTILE: deep(200)},
        "a section that is none": {HOSTILE: HOSTILE},
        "a value of a wrong type": {**server(1), "memory": HOSTILE},
        "a number too large": {**server(1), HOSTILE: {HOSTILE: 1 << 80}},
    }.items():
        yield name, arrival(facts, "web01")
    one = arrival(server(1), "web01")
    one.report["errors"] = {HOSTILE: {"type": HOSTILE, "message": HOSTILE, "traceback": HOSTILE}}
    yield "an error", one
    one = arrival(server(1), HOSTILE)
    yield "its name", one
    yield "its name and no report", one._replace(report=HOSTILE)
    yield "its name and a list", one._replace(report=[HOSTILE])


CASES = dict(reports())


@pytest.fixture(params=CASES)
def one(request):
    return copy.deepcopy(CASES[request.param])


def is_one_line(text):
    first, *rest = text.split("\n")
    return first.isprintable() and all(
        line.startswith(INDENT) and line.isprintable() for line in rest
    )


def test_the_log_keeps_to_its_lines(database, caplog, one):
    caplog.set_level(logging.DEBUG, logger="salt_ext")
    intake.say(store.ingest(database, [one]))
    again = one._replace(received_at=later(minutes=5))
    intake.say(store.ingest(database, [again]))
    said = [record.getMessage() for record in caplog.records if "salt_ext" in record.name]
    assert said
    assert all(map(is_one_line, said)), said


def test_an_event_has_one_tag(database, one):
    store.ingest(database, [one])
    fired = []
    events.send(database, lambda data, tag: fired.append(tag), lambda: [one.minion_id], 1 << 20)
    assert fired
    assert all(tag.isprintable() for tag in fired), fired


def test_what_salt_logs_of_the_returner_keeps_to_its_line(minion_opts, database_url, one):
    minion_opts["cmdb"] = {**minion_opts["cmdb"], "database_url": database_url}
    returner = salt.loader.returners(minion_opts, {})["cmdb.returner"]
    calls = (
        {"id": one.minion_id, "fun": "cmdb.collect", "return": one.report, "jid": "1"},
        {"id": one.minion_id, "fun": HOSTILE, "return": one.report, "jid": "1"},
        {"id": one.minion_id, "fun": "cmdb.collect", "return": {"sent": True}, "jid": "1"},
    )
    said = []
    for call in calls:
        try:
            returner(call)
        except (RuntimeError, ValueError) as error:
            said.append((str(error).isprintable(), error.__cause__))
    assert (True, None) in said
    assert set(said) == {(True, None)}
