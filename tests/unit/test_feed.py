"""What the engine remembers between two looks at the cache."""

import pytest

from salt_ext.feed import Feed


class Cache:
    """Reports with the whole second they were written in, as caches tell it."""

    def __init__(self):
        self.reports = {}
        self.times = {}

    def put(self, minion_id, report, at):
        self.reports[minion_id] = report
        self.times[minion_id] = (float(at), 0.0)

    def versions(self, minion_ids=None):
        return {
            minion_id: version
            for minion_id, version in self.times.items()
            if minion_ids is None or minion_id in minion_ids
        }

    def report(self, minion_id, version):
        report = self.reports.get(minion_id)
        return None if report is None else (report, version[0])


@pytest.fixture
def cache():
    return Cache()


@pytest.fixture
def clock():
    """A clock that a test sets."""
    return [100.0]


@pytest.fixture
def stored():
    """The batches that the sink took."""
    return []


@pytest.fixture
def feed(cache, stored, clock):
    return Feed(cache, stored.append, batch_size=2, clock=lambda: clock[0])


def test_a_report_is_stored_once(feed, cache, stored):
    cache.put("web01", "a", at=50)
    for _ in range(3):
        feed.look()
        feed.drain()
    assert stored == [[("web01", "a", 50.0)]]


def test_reports_come_in_batches(feed, cache, stored):
    for name in ("web01", "web02", "web03"):
        cache.put(name, name, at=50)
    feed.look()
    assert feed.drain() == 3
    assert [len(batch) for batch in stored] == [2, 1]


def test_a_report_stays_due_while_the_sink_fails(feed, cache, stored):
    def away(batch):
        raise ConnectionError

    cache.put("web01", "a", at=50)
    feed.sink, sink = away, feed.sink
    feed.look()
    for _ in range(2):
        with pytest.raises(ConnectionError):
            feed.drain()
        assert list(feed.due) == ["web01"]
    cache.put("web01", "b", at=60)
    feed.sink = sink
    feed.look()
    feed.drain()
    assert stored == [[("web01", "b", 60.0)]]
    assert not feed.due


def test_a_report_written_in_the_same_second_is_seen(feed, cache, stored, clock):
    clock[0] = 100.2
    cache.put("web01", "a", at=100)
    feed.look()
    feed.drain()
    cache.put("web01", "b", at=100)  # at 100.7 and in one version with the first
    clock[0] = 105.0
    for _ in range(3):
        feed.look()
        feed.drain()
    assert [batch[0][1] for batch in stored] == ["a", "b"]


def test_a_hint_looks_at_one_minion_only(feed, cache, stored):
    cache.put("web01", "a", at=50)
    cache.put("web02", "b", at=50)
    feed.look(["web02", "stranger"])
    feed.drain()
    assert stored == [[("web02", "b", 50.0)]]


def test_who_is_trusted_no_longer_is_forgotten(feed, cache, stored):
    cache.put("web01", "a", at=50)
    feed.look()
    del cache.times["web01"]
    feed.look()
    feed.drain()
    assert stored == []
    cache.put("web01", "a", at=50)  # the key was accepted again
    feed.look()
    feed.drain()
    assert stored == [[("web01", "a", 50.0)]]


def test_an_entry_without_a_report_is_not_looked_at_again(feed, cache, stored):
    cache.put("web01", None, at=50)
    feed.look()
    assert feed.drain() == 0
    feed.look()
    assert not feed.due
    assert stored == []
