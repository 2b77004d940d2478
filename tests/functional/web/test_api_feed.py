"""The feed of changes: every change once and in order, whoever waits, and as Atom."""

from datetime import datetime, timedelta, timezone
from xml.etree import ElementTree

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, in_time, server

ATOM = "{http://www.w3.org/2005/Atom}"


def ago(**span):
    return datetime.now(timezone.utc) - timedelta(**span)


def without(slots, number=1):
    facts = server(number)
    for slot in range(slots):
        facts["memory"]["devices"][slot] = {
            "locator": facts["memory"]["devices"][slot]["locator"],
            "present": False,
        }
    return facts


@pytest.fixture
def history(database):
    """Two machines that lose a module each, an hour apart; and one that has just lost another."""
    ingest(
        database, [arrival(server(1), at=ago(hours=5)), arrival(server(2), "web02", ago(hours=5))]
    )
    ingest(database, [arrival(without(1), at=ago(hours=4))])
    ingest(database, [arrival(without(1, 2), "web02", ago(hours=3))])
    ingest(database, [arrival(without(2), at=ago(seconds=5))])
    in_time(database)


def told(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_program_that_follows_the_cursor_is_told_each_change_once_in_its_order(history, client):
    seen, address = [], "/api/v1/changes/feed?since=10h&_limit=1"
    while True:
        answer = told(client, address)
        seen += [(one["minion_id"], one["op"], one["path"]) for one in answer["rows"]]
        address = f"/api/v1/changes/feed?_limit=1&_from={answer['cursor']}"
        if not answer["more"]:
            break
    assert seen == [
        ("web01", "removed", "memory.devices"),
        ("web02", "removed", "memory.devices"),
    ]
    assert told(client, address)["rows"] == []


def test_what_may_still_be_passed_over_is_told_only_a_minute_later(history, client, database):
    assert len(store.changes(database)) > len(
        told(client, "/api/v1/changes/feed?since=10h")["rows"]
    )
    assert store.SETTLED_SECONDS == 60


def test_a_cursor_of_an_empty_feed_leads_to_what_comes_then(database, client):
    cursor = told(client, "/api/v1/changes/feed")["cursor"]
    ingest(database, [arrival(server(1), at=ago(hours=2))])
    ingest(database, [arrival(without(1), at=ago(hours=1))])
    in_time(database)
    assert told(client, f"/api/v1/changes/feed?_from={cursor}")["rows"] == []
    since = told(client, "/api/v1/changes/feed?since=3h")["rows"]
    assert [one["class"] for one in since] == ["loss"]


def test_a_cursor_leads_on_however_long_a_program_was_away(history, client):
    began = told(client, "/api/v1/changes/feed?since=10h&_limit=1")
    following = told(client, f"/api/v1/changes/feed?since=1h&_from={began['cursor']}")
    assert [one["minion_id"] for one in following["rows"]] == ["web02"]


def test_an_empty_answer_leads_on_to_where_it_ended(history, client):
    empty = told(client, "/api/v1/changes/feed?since=10h&class=firmware")
    assert empty["rows"] == []
    assert told(client, f"/api/v1/changes/feed?_from={empty['cursor']}")["rows"] == []


def test_a_reader_of_feeds_is_told_that_there_is_neither_a_cursor_nor_a_wait(client):
    for option in ("_from=x", "_wait=1"):
        assert client.get(f"/api/v1/changes.atom?{option}").status_code == 400


def test_the_feed_takes_filters_classes_and_sections(history, client):
    feed = "/api/v1/changes/feed?since=10h"
    assert len(told(client, f"{feed}&minion_id=web02")["rows"]) == 1
    assert told(client, f"{feed}&class=firmware")["rows"] == []
    assert told(client, f"{feed}&section=disks")["rows"] == []
    assert len(told(client, f"{feed}&section=memory&op=removed")["rows"]) == 2


@pytest.mark.parametrize(
    "query", ["_from=nonsense", "since=never", "class=nonsense", "section=nope", "_wait=21", "x=1"]
)
def test_what_the_feed_cannot_answer_is_refused(history, client, query):
    assert client.get(f"/api/v1/changes/feed?{query}").status_code in (400, 404)


def test_who_waits_is_answered_when_the_time_is_over(database, client):
    began = datetime.now(timezone.utc)
    assert told(client, "/api/v1/changes/feed?_wait=1")["rows"] == []
    assert datetime.now(timezone.utc) - began >= timedelta(seconds=1)


def test_a_reader_of_feeds_gets_entries_with_ids_that_stay_and_no_markup_of_machines(
    database, client
):
    ingest(database, [arrival(server(1), "<b>web\u202e", ago(hours=2))])
    ingest(database, [arrival(without(1), "<b>web\u202e", ago(hours=1))])
    first = client.get("/api/v1/changes.atom")
    assert first.mimetype == "application/atom+xml"
    root = ElementTree.fromstring(first.data)
    [entry] = root.findall(f"{ATOM}entry")
    assert entry.find(f"{ATOM}title").text.startswith("<b>web<U+202E>: Memory module")
    assert entry.find(f"{ATOM}category").get("term") == "loss"
    again = ElementTree.fromstring(client.get("/api/v1/changes.atom").data)
    assert entry.find(f"{ATOM}id").text == again.find(f"{ATOM}entry/{ATOM}id").text
