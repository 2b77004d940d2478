"""Whom the engine answers, and how often."""

import uuid

import pytest

from salt_ext import store
from salt_ext.master import replies
from salt_ext.master.replies import Replies
from tests.machines import later, report

ASSET = uuid.uuid4()


@pytest.fixture
def clock():
    """A clock that a test sets."""
    return [1000.0]


@pytest.fixture
def master(clock):
    """The answers of an engine that has just begun."""
    return Replies(clock=lambda: clock[0])


def sent(minion_id="web01", previous=None, **fields):
    return report({}, minion_id, previous=previous, **fields)


def outcome(status, minion_id="web01", name=None, asset_id=ASSET):
    known = asset_id if status in replies.STORED else None
    return store.Outcome(minion_id, status, "not to be told", known, name)


def answers(master, said, became):
    """Note a report and what became of it; return the answers that are given then."""
    master.note([(became.minion_id, said, 5.0)], [became])
    if due := master.due():
        master.given(due)
    return due


@pytest.mark.parametrize("status", ["new", "changed", "unchanged"])
def test_most_reports_are_not_answered(master, status):
    assert answers(master, sent(), outcome(status)) == {}


@pytest.mark.parametrize("status", ["new", "changed", "unchanged"])
def test_a_renamed_machine_is_told_that_it_is_known_by_its_new_name(master, status):
    said = sent("db01", previous="web01")
    assert answers(master, said, outcome(status, "db01")) == {
        "db01": {"status": "stored", "name": "db01", "collected_at": said["collected_at"]}
    }


def test_a_machine_that_is_kept_under_its_old_name_is_told_that_name(master):
    told = answers(master, sent("db01"), outcome("changed", "db01", "web01"))
    assert (told["db01"]["status"], told["db01"]["name"]) == ("stored", "web01")


@pytest.mark.parametrize("status", ["held", "refused", "waiting"])
def test_what_is_not_stored_is_told_without_a_reason_and_once(master, clock, status):
    told = answers(master, sent(), outcome(status))
    assert told["web01"] == {
        **{"status": status, "name": "", "collected_at": sent()["collected_at"]}
    }
    clock[0] += 10 * replies.AGAIN_SECONDS
    assert answers(master, sent(), outcome(status)) == {}


def test_another_answer_than_before_is_told(master, clock):
    answers(master, sent(), outcome("held"))
    clock[0] += replies.SOONEST_SECONDS
    assert answers(master, sent(), outcome("refused"))["web01"]["status"] == "refused"
    clock[0] += replies.SOONEST_SECONDS
    assert answers(master, sent(), outcome("unchanged"))["web01"]["status"] == "stored"
    clock[0] += replies.SOONEST_SECONDS
    assert answers(master, sent(), outcome("changed")) == {}


def test_who_still_says_the_old_name_is_told_again_after_ten_minutes(master, clock):
    said = sent("db01", previous="web01")
    assert answers(master, said, outcome("changed", "db01"))
    clock[0] += 599
    assert not answers(master, said, outcome("unchanged", "db01"))
    clock[0] += 1
    assert answers(master, said, outcome("unchanged", "db01"))


def test_a_machine_that_is_not_yet_due_waits_and_gets_the_answer_to_its_last_report(master, clock):
    answers(master, sent(), outcome("held"))
    clock[0] += replies.SOONEST_SECONDS - 0.5
    assert answers(master, sent(at=later(minutes=1)), outcome("refused")) == {}
    last = sent(at=later(minutes=2))
    assert answers(master, last, outcome("waiting")) == {}
    clock[0] += 0.5
    assert master.due() == {
        "web01": {"status": "waiting", "name": "", "collected_at": last["collected_at"]}
    }


def test_what_could_not_be_published_stays_due(master):
    master.note([("web01", sent(), 5.0)], [outcome("held")])
    assert master.due() == master.due() != {}


def test_rounds_of_answers_are_a_second_apart(master, clock):
    assert answers(master, sent("web01"), outcome("held", "web01"))
    assert not answers(master, sent("web02"), outcome("held", "web02"))
    clock[0] += replies.PAUSE_SECONDS
    assert list(master.due()) == ["web02"]


@pytest.mark.parametrize(
    "said",
    [
        None,
        "rubbish",
        sent(mode="grains"),
        sent(mode="ssh"),
        sent(mode="return"),
        sent() | {"collected_at": "$(reboot)"},
        sent() | {"collected_at": 7},
        {key: value for key, value in sent().items() if key != "secret_hash"},
    ],
    ids=[
        "nothing",
        "rubbish",
        "grains",
        "ssh",
        "return",
        "an order as time",
        "a number as time",
        "without a secret",
    ],
)
def test_nobody_is_answered_who_cannot_hear(master, said):
    """Such as a minion of the first edition, which would answer that there is no such function."""
    assert answers(master, said, outcome("held")) == {}


@pytest.mark.parametrize("name", [None, "", "web01"])
def test_an_old_report_that_says_nothing_of_the_present_name_is_not_answered(master, name):
    said = sent("db01", previous="web01")
    no_asset = None if name is None else ASSET
    told = answers(master, said, outcome("unchanged", "db01", name, no_asset))
    assert [one["name"] for one in told.values()] == [name] * bool(name)


def test_a_report_without_an_outcome_is_not_answered(master):
    master.note([("web01", sent(previous="x"), 5.0)], [])
    assert master.due() == {}


def test_what_is_remembered_is_bounded(master, clock, monkeypatch):
    monkeypatch.setattr(replies, "MOST_MACHINES", 10)
    for number in range(30):
        name = f"web{number}"
        master.note([(name, sent(name), 5.0)], [outcome("held", name)])
    assert [*master.due()] == [f"web{number}" for number in range(20, 30)]
    for number in range(30):
        clock[0] += replies.PAUSE_SECONDS
        answers(master, sent(f"db{number}"), outcome("held", f"db{number}"))
    # Of the last ten it is known that they were told.
    assert not answers(master, sent("db20"), outcome("held", "db20"))
    clock[0] += replies.PAUSE_SECONDS
    assert answers(master, sent("db19"), outcome("held", "db19"))
