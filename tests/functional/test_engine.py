"""What the engine reads from the master's cache and does with it, in one process."""

import os
import sys
import textwrap
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import salt.cache
import salt.loader
import salt.payload
from salt.exceptions import SaltClientError

from salt_ext import store
from salt_ext.master import intake, replies
from salt_ext.master.cache import Cache
from salt_ext.master.feed import Unreadable
from salt_ext.report import checking
from salt_ext.report.envelope import MINE_FUNCTION
from tests.machines import later, now, report, reporting, server
from tests.master_cache import keep


@pytest.fixture
def keys(tmp_path):
    """The directory of accepted keys."""
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True, exist_ok=True)
    for name in ("web01", "web02"):
        (accepted / name).write_text("a key")
    return accepted


@pytest.fixture
def engine(master_opts):
    """The engine's module as Salt loads it."""
    loaded = salt.loader.engines(master_opts, {}, {}, {})
    return sys.modules[loaded["cmdb.start"].__module__]


@pytest.fixture(params=[False, True], ids=["bank for each kind", "bank for each minion"])
def cache(master_opts, keys, request):
    """The engine's view of a real cache, as Salt 3008 and as Salt 3006 lays it out."""
    return Cache(master_opts, one_bank_each=request.param)


def test_the_engine_reads_the_mine_and_else_the_grain(cache):
    sent = report(server(1))
    grain = {"schema": 1, "collected_at": sent["collected_at"], "duration_ms": 1}
    grain |= {"errors": {}, "partial": [], **server(2)}
    keep(cache, "mine", "web01", {MINE_FUNCTION: {"__data__": sent, "__saltmine_acl__": 1}})
    keep(cache, "grains", "web01", {"cmdb": {"anything": "older"}})
    keep(cache, "grains", "web02", {"cmdb": grain, "os": "Debian"})
    assert set(cache.versions()) == {"web01", "web02"}
    assert cache.report("web01", (5.0, 9.0)) == (sent, 5.0)
    from_grain, at = cache.report("web02", (0.0, 9.0))
    assert at == 9.0
    assert (from_grain["mode"], from_grain["minion_id"]) == ("cmdb_grain", "web02")
    checking.check_body(from_grain)


def test_a_minion_without_an_accepted_key_is_not_read(cache):
    keep(cache, "grains", "stranger", {"cmdb": {}})
    assert cache.versions() == {}
    assert cache.versions(["stranger", "../web01"]) == {}


def test_a_minion_that_has_sent_nothing_of_ours_has_no_report(cache):
    keep(cache, "mine", "web01", {"network.ip_addrs": ["10.0.0.1"]})
    assert cache.report("web01", (5.0, 0.0)) is None


@pytest.mark.parametrize("grain", [{}, {"errors": []}, {"collected_at": 5, "system": "text"}])
def test_a_malformed_grain_is_refused_with_a_reason(cache, database, grain):
    keep(cache, "grains", "web01", {"cmdb": grain})
    found, _ = cache.report("web01", (0.0, 9.0))
    arrival = store.Arrival("web01", found, datetime.now(timezone.utc))
    [outcome] = store.ingest(database, [arrival])
    assert outcome.status == "refused"
    [problem], _ = store.problems(database)
    assert problem["minion_id"] == "web01"
    assert problem["message"]


def test_a_damaged_entry_is_a_problem_of_its_minion_and_blocks_no_other(
    cache, master_opts, database
):
    keep(cache, "mine", "web02", {MINE_FUNCTION: report(server(2), "web02", now())})
    keep(cache, "mine", "web01", {})
    damaged = {path.stem: path for path in cache_files(master_opts)}
    damaged["mine" if cache.one_bank_each else "web01"].write_bytes(b"\xc1rubbish")
    with pytest.raises(Unreadable, match="the mine of web01 in the master's cache is damaged"):
        cache.report("web01", (5.0, 0.0))
    outcomes = []
    feed = intake.feed(cache, database, outcomes.extend)
    feed.look()
    feed.drain()
    assert {one.minion_id: one.status for one in outcomes} == {"web01": "refused", "web02": "new"}
    [problem], _ = store.problems(database)
    assert (problem["minion_id"], problem["subject"]) == ("web01", "cache")
    assert "salt web01 cmdb.collect" in problem["message"]


def cache_files(opts):
    return sorted(Path(opts["cachedir"]).rglob("web01*.p")) or sorted(
        Path(opts["cachedir"]).rglob("minions/web01/*.p")
    )


def test_a_report_is_stored_under_the_id_of_the_cache(database):
    liar = report(server(1), minion_id="web02", at=later(minutes=-1))
    intake.take(database, [("web01", liar, time.time())])
    assert sorted(reporting(database)) == ["web01"]


@pytest.mark.parametrize("ahead", [-86_400, 0, 86_400])
def test_a_clock_of_the_master_that_was_set_leaves_no_time_in_the_future(database, ahead):
    """The entry was written, then the clock was set forward or back by a day."""
    written = time.time() + ahead
    sent = report(server(1), at=datetime.fromtimestamp(min(written, time.time()), timezone.utc))
    [outcome] = intake.take(database, [("web01", sent, written)])
    assert outcome.status == "new"
    row = store.overview(database, store.resolve(database, "web01"))
    age = datetime.now(timezone.utc) - row["last_seen"]
    assert 0 <= age.total_seconds() - max(0, -ahead) < 60
    assert row["first_seen"] == row["last_seen"]


def test_a_new_feed_begins_where_the_store_is(cache, database):
    yesterday = later(days=-1)
    for number, name in enumerate(("web01", "web02")):
        sent = report(server(number), name, at=yesterday)
        keep(cache, "mine", name, {MINE_FUNCTION: sent})
    long_ago(cache)
    feed = intake.feed(cache, database)
    feed.look()
    assert feed.drain() == 2
    feed = intake.feed(cache, database)
    feed.look()
    assert not feed.due


def long_ago(cache):
    """Let every entry be an hour old, so that its second is over."""
    for path in Path(cache.opts["cachedir"]).rglob("*.p"):
        then = time.time() - 3600
        os.utime(path, (then, then))


@pytest.mark.parametrize("leave", ["minions_rejected", None], ids=["rejected", "deleted"])
def test_a_key_that_goes_takes_its_pending_report_with_it(cache, keys, database, leave):
    keep(cache, "mine", "web01", {MINE_FUNCTION: report(server(1), "web01")})
    feed = intake.feed(cache, database)
    feed.look(["web01"])
    assert set(feed.due) == {"web01"}
    if leave:
        (keys.parent / leave).mkdir()
        (keys / "web01").rename(keys.parent / leave / "web01")
    else:
        (keys / "web01").unlink()
    assert feed.drain() == 0
    feed.look()
    assert not feed.due
    assert reporting(database) == set()


@pytest.mark.parametrize("other", ["minions_rejected", "minions_pre"])
def test_keys_that_come_and_go_are_known_at_once_though_salt_is_asked_about_new_ones_only(
    master_opts, keys, other, monkeypatch
):
    ours = Cache(master_opts)
    assert ours.accepted() == {"web01", "web02"}
    is_asked_for_one = hasattr(ours.keys.keys, "cache")  # since Salt 3008
    if is_asked_for_one:
        monkeypatch.setattr(ours.keys.keys, "list_status", None)  # all are never listed again
    (keys / "web03").write_text("a key")
    (keys / "web01").unlink()
    assert ours.trusted(["web01", "web02", "web03"]) == {"web02", "web03"}
    assert ours.accepted() == {"web02", "web03"}
    (keys.parent / other).mkdir()
    (keys.parent / other / "web02").write_text("another key of that name")
    is_still = Cache(master_opts).trusted(["web02"])
    assert ours.trusted(["web02"]) == is_still
    assert not (is_still and is_asked_for_one)
    assert ours.accepted() == {"web03"}


@pytest.mark.parametrize("name", ["a" * 300, ".key_cache", "..", "", "a\0b", "\ud800", "../web01"])
def test_a_forged_hint_at_what_is_no_minion_id_harms_nothing(cache, name):
    keep(cache, "mine", "web01", {MINE_FUNCTION: report(server(1), "web01")})
    assert set(cache.versions([name, "web01"])) == {"web01"}
    assert cache.trusted([name, "web01"]) == {"web01"}


def test_times_are_those_that_salt_tells(master_opts, keys):
    for one_bank_each in (False, True):
        cache = Cache(master_opts, one_bank_each=one_bank_each)
        keep(cache, "mine", "web01", {MINE_FUNCTION: "a"})
        keep(cache, "grains", "web02", {"cmdb": "b"})
        versions = cache.versions()
        for kind, name, place in (("mine", "web01", 0), ("grains", "web02", 1)):
            assert versions[name][place] == cache.cache.updated(*cache._place(kind, name))
            assert versions[name][1 - place] == 0
        for path in cache_files(master_opts):
            path.unlink()


def test_salts_own_memory_of_the_cache_is_not_asked(master_opts, keys):
    """With memcache_expire_seconds Salt answers what it read before, whoever wrote since."""
    master_opts["memcache_expire_seconds"] = 600
    salts = salt.cache.factory(master_opts)
    salts.store("mine", "web01", {MINE_FUNCTION: "old"})
    ours = Cache(master_opts, one_bank_each=False)
    assert ours.report("web01", (1.0, 0.0)) == ("old", 1.0)
    another = salt.cache.Cache(master_opts)  # as another process of the master does
    another.store("mine", "web01", {MINE_FUNCTION: "new"})
    assert salts.fetch("mine", "web01") == {MINE_FUNCTION: "old"}
    assert ours.report("web01", (1.0, 0.0)) == ("new", 1.0)


def test_a_list_of_keys_that_salt_has_kept_is_not_asked(master_opts, keys):
    master_opts["key_cache"] = "sched"
    (keys / ".key_cache").write_bytes(salt.payload.dumps(["web01", "web02", "web99"]))
    assert Cache(master_opts).accepted() == {"web01", "web02"}


DRIVER = """
    import time

    TABLE = {}

    def store(bank, key, data):
        TABLE[bank, key] = (data, time.time() - 60)

    def fetch(bank, key):
        return TABLE.get((bank, key), ({}, 0))[0]

    def updated(bank, key):
        found = TABLE.get((bank, key))
        return found and int(found[1])

    def list(bank):
        return [key for one, key in TABLE if one == bank]

    def contains(bank, key):
        return (bank, key) in TABLE

    def flush(bank, key=None):
        for one in [one for one in TABLE if one[0] == bank and key in (None, one[1])]:
            del TABLE[one]
"""


def test_any_driver_of_the_cache_will_do(master_opts, keys, tmp_path, database):
    directory = tmp_path / "extension_modules/cache"
    directory.mkdir(parents=True)
    (directory / "drawer.py").write_text(textwrap.dedent(DRIVER))
    master_opts["cache"] = "drawer"
    cache = Cache(master_opts)
    keep(cache, "mine", "web01", {MINE_FUNCTION: report(server(1), "web01")})
    keep(cache, "mine", "stranger", {MINE_FUNCTION: report(server(3), "stranger")})
    feed = intake.feed(cache, database)
    feed.look()
    assert feed.drain() == 1
    assert sorted(reporting(database)) == ["web01"]
    again = intake.feed(cache, database)
    again.look()
    assert not again.due
    assert not list(tmp_path.rglob("*.p"))  # nothing beside the driver


def test_pauses_grow_from_a_second_to_a_minute(engine):
    assert [engine._pause(failures) for failures in (1, 2, 3, 6, 7, 8, 5000)] == [
        *(1, 2, 4, 32, 60, 60, 60)
    ]


class Bus:
    """An event bus with these events and no more."""

    def __init__(self, events, cpub=True):
        self.events, self.cpub = list(events), cpub

    def get_event(self, **how):
        return self.events.pop(0) if self.events else None


def test_hints_are_taken_from_among_other_events_and_not_too_many_at_once(engine):
    def returned(number):
        return {"tag": f"salt/job/1/ret/web{number}", "data": {"fun": "cmdb.collect"}}

    other = {"tag": "salt/auth", "data": {}}
    bus = Bus([other, returned(1), other, returned(2), returned(3)])
    assert engine._hinted(bus, 0, 2) == ["web1", "web2"]
    assert engine._hinted(bus, 5, 2) == ["web3"]
    assert engine._hinted(Bus([other] * 5000), 0, 2) == []
    assert engine._hinted(Bus([returned(1)], cpub=False), 0, 2) == [], "it is not connected to yet"


def test_events_hint_at_minions_that_returned_cmdb_collect(engine):
    def event(tag, **data):
        return {"tag": tag, "data": data}

    assert engine._hint(event("salt/job/1/ret/web01", fun="cmdb.collect")) == ["web01"]
    assert engine._hint(event("salt/job/1/ret/web01", fun="test.ping")) == []
    assert engine._hint(event("salt/job/1/new", fun="cmdb.collect")) == []
    assert engine._hint({"tag": "salt/job/1/ret/web01", "data": None}) == []


def test_machines_are_answered_about_what_a_feed_has_stored(cache, database):
    renamed = report(server(1), "web01", previous="old01")
    keep(cache, "mine", "web01", {MINE_FUNCTION: renamed})
    keep(cache, "mine", "web02", {MINE_FUNCTION: report(server(2), "web02")})
    answers = replies.Replies()
    feed = intake.feed(cache, database, answer=answers.note)
    feed.look()
    feed.drain()
    assert answers.due() == {
        "web01": {"status": "stored", "name": "web01", "collected_at": renamed["collected_at"]}
    }


def test_answers_wait_while_nothing_can_be_published(master_opts):
    answers = replies.Replies()
    outcome = store.Outcome("web01", "held", "because")
    answers.note([("web01", report(server(1)), 5.0)], [outcome])
    with pytest.raises(SaltClientError):
        replies.send(answers, master_opts)
    assert set(answers.due()) == {"web01"}


@pytest.mark.parametrize(
    "grains",
    [
        {"cmdb": {"facts": [{"a": 1}] * 400_000}},
        {"manufacturer": "x" * (5 << 20)},
        {"hwaddr_interfaces": {f"e{number}": "00:00:00:00:00:01" for number in range(200_000)}},
    ],
    ids=["ours", "a text", "many cards"],
)
def test_grains_that_are_too_large_are_refused_before_anything_is_built_of_them(
    cache, database, grains
):
    keep(cache, "grains", "web01", grains)
    found, _ = cache.report("web01", (0.0, 9.0))
    assert "facts" not in found
    arrival = store.Arrival("web01", found, datetime.now(timezone.utc))
    [outcome] = store.ingest(database, [arrival])
    assert outcome.status == "refused"
    [problem], _ = store.problems(database)
    assert (
        "of web01 would make a report larger than max_report_bytes (4194304)"
        in (problem["message"])
    )


def test_large_grains_that_no_report_is_made_of_do_no_harm(cache):
    keep(cache, "grains", "web01", {"os": "Debian", "site_data": "x" * (5 << 20)})
    found, _ = cache.report("web01", (0.0, 9.0))
    assert found["facts"]["operating_system"]["name"] == "Debian"
