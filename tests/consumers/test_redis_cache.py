"""A master whose cache is redis: what the engine reads, and how many questions that takes."""

import sys
import time
from pathlib import Path

import pytest
import salt.config

from salt_ext.master import intake
from salt_ext.master.cache import Cache
from salt_ext.report.envelope import MINE_FUNCTION
from tests.consumers import obtained, redis_server
from tests.machines import report, reporting, server

CLIENT = "redis>=6.1,<9"
"""What Salt's driver needs in the master's Python; the extension itself needs it only there."""

MACHINES = 30


@pytest.fixture(scope="module")
def client():
    """Let Salt's driver find its client."""
    programs = obtained.environment("redis-client", CLIENT)
    [packages] = programs.parent.glob("lib/python*/site-packages")
    sys.path.append(str(packages))
    yield
    sys.path.remove(str(packages))


@pytest.fixture
def redis_port(client, tmp_path):
    with redis_server.running(tmp_path) as port:
        yield port


@pytest.fixture
def opts(redis_port, tmp_path):
    """The options of a master that keeps its minions' data in redis, under names of its own."""
    opts = salt.config.master_config(None)
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = str(tmp_path / name)
    opts["cache"] = "redis"
    own = {"host": "127.0.0.1", "timestamp_prefix": "WHEN", "separator": ":"}
    for name, value in {**own, "port": redis_port}.items():
        opts[f"cache.redis.{name}"] = value
    return opts


@pytest.fixture
def cache(opts):
    keys = Path(opts["pki_dir"], "minions")
    keys.mkdir(parents=True)
    for number in range(MACHINES):
        (keys / f"web{number:02d}").write_text("a key")
    return Cache(opts)


def send(cache, number, name):
    cache.cache.store("mine", name, {MINE_FUNCTION: report(server(number), name)})


def test_reports_go_from_redis_into_the_store_once(cache, database):
    for number in range(MACHINES):
        send(cache, number, f"web{number:02d}")
    send(cache, 99, "stranger")
    feed = intake.feed(cache, database)
    feed.clock = lambda: time.time() + 5  # in its own second a report would be read again
    feed.look()
    assert feed.drain() == MACHINES
    assert len(reporting(database)) == MACHINES
    feed.look()
    assert not feed.due
    again = intake.feed(cache, database)
    again.clock = feed.clock
    again.look()
    assert not again.due


def test_a_look_asks_redis_for_no_machine_alone_and_tells_the_times_that_salt_tells(
    cache, monkeypatch
):
    for number in range(MACHINES):
        send(cache, number, f"web{number:02d}")
    cache.cache.store("grains", "web00", {"os": "Debian"})
    told = {name: float(cache.cache.updated("mine", name)) for name in cache.accepted()}
    grains_at = float(cache.cache.updated("grains", "web00"))
    asked = []
    for question in ("updated", "contains"):
        monkeypatch.setattr(cache.cache, question, lambda *place: asked.append(place))
    expected = {name: (at, 0.0) for name, at in told.items()}
    assert cache.versions() == {**expected, "web00": (told["web00"], grains_at)}
    assert asked == []


def test_where_redis_tells_no_times_at_once_salt_is_asked_for_each(cache, monkeypatch):
    send(cache, 1, "web01")
    monkeypatch.setattr(cache.redis, "_connect", lambda: None)
    [(name, version)] = cache.versions().items()
    assert (name, version) == ("web01", (float(cache.cache.updated("mine", "web01")), 0.0))


def test_a_hint_is_answered_from_redis(cache):
    send(cache, 1, "web01")
    assert cache.versions(["web01", "web02", "stranger"]).keys() == {"web01"}
