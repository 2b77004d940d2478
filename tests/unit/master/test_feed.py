"""What the engine remembers between two looks at the cache."""

from itertools import islice

import pytest

from salt_ext.master.feed import IN_ITS_SECOND, Feed, Unreadable
from salt_ext.master.waits import Waits
from salt_ext.report.limits import PACE


class Cache:
    """Reports with the whole second they were written in, as caches tell it."""

    def __init__(self):
        self.reports = {}
        self.times = {}
        self.fetched = []

    def put(self, minion_id, report, at):
        self.reports[minion_id] = report
        self.times[minion_id] = (float(at), 0.0)

    def versions(self, minion_ids):
        return {one: self.times[one] for one in minion_ids if one in self.times}

    def pages(self, size):
        names = iter([*self.times])
        while page := [*islice(names, size)]:
            yield self.versions(page)

    def trusted(self, minion_ids):
        return self.times.keys() & set(minion_ids)

    def report(self, minion_id, version):
        self.fetched.append(minion_id)
        report = self.reports.get(minion_id)
        if isinstance(report, Exception):
            raise report
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
def positions(stored):
    """Where a store would say that it is, after these batches."""
    return lambda: {minion_id: at for batch in stored for minion_id, _, at in batch}


@pytest.fixture
def new_feed(cache, stored, clock, positions):
    """A function that returns the feed of a process that has just begun."""
    return lambda: Feed(
        cache, stored.append, batch_size=2, positions=positions(), clock=lambda: clock[0]
    )


@pytest.fixture
def feed(new_feed):
    return new_feed()


def run(feed):
    feed.look()
    return feed.drain()


def test_a_report_is_stored_once(feed, cache, stored):
    cache.put("web01", "a", at=50)
    for _ in range(3):
        feed.look()
        feed.drain()
    assert stored == [[("web01", "a", 50.5)]]


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
    assert stored == [[("web01", "b", 60.5)]]
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
    assert stored == [[("web02", "b", 50.5)]]


def test_a_hint_comes_before_all_that_is_due(feed, cache, stored):
    for number in range(6):
        cache.put(f"web{number:02d}", "a", at=50)
    feed.look()
    feed.look(["web04"])
    assert feed.drain(most=1) == 2  # one batch
    assert names_of(stored) == ["web04", "web00"]
    assert feed.drain() == 4
    assert sorted(names_of(stored)) == [f"web{number:02d}" for number in range(6)]


def test_between_two_pages_of_a_look_reports_are_stored_and_hints_are_taken(
    feed, cache, stored, monkeypatch
):
    monkeypatch.setattr("salt_ext.master.feed.PAGE", 2)
    for number in range(4):
        cache.put(f"web{number:02d}", "a", at=50)
    looks = feed.looks()
    next(looks)
    cache.put("web99", "new", at=60)
    feed.look(["web99"])
    assert feed.drain(most=1) == 2
    assert names_of(stored) == ["web99", "web00"]
    assert list(looks) == [None]
    run(feed)
    assert sorted(names_of(stored)) == ["web00", "web01", "web02", "web03", "web99"]


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
    assert stored == [[("web01", "a", 50.5)]]


def test_an_entry_without_a_report_is_not_looked_at_again(feed, cache, stored):
    cache.put("web01", None, at=50)
    feed.look()
    assert feed.drain() == 0
    feed.look()
    assert not feed.due
    assert stored == []


def test_a_new_process_reads_only_what_is_new(new_feed, cache, stored):
    for number in range(10):
        cache.put(f"web{number:02d}", "a", at=50 + number)
    assert run(new_feed()) == 10
    cache.put("web03", "b", at=70)
    cache.put("web99", "c", at=40)
    cache.fetched.clear()
    assert run(new_feed()) == 2
    assert cache.fetched == ["web03", "web99"]
    cache.fetched.clear()
    assert run(new_feed()) == 0
    assert cache.fetched == []


def test_a_new_process_sees_what_was_written_in_the_second_the_one_before_it_ended(
    new_feed, cache, stored, clock
):
    clock[0] = 100.2
    cache.put("web01", "a", at=100)
    run(new_feed())
    cache.put("web01", "b", at=100)  # at 100.7, and the process is gone
    cache.put("web02", "c", at=300)
    clock[0] = 305.0
    run(new_feed())
    assert [report for batch in stored for _, report, _ in batch] == ["a", "b", "c"]
    cache.fetched.clear()
    run(new_feed())
    assert cache.fetched == []


def test_a_report_that_was_read_after_its_second_says_so_by_its_time(feed, cache, stored, clock):
    clock[0] = 100.2
    cache.put("web01", "a", at=100)
    cache.put("web02", "b", at=99)
    run(feed)
    assert stored == [[("web01", "a", 100.0), ("web02", "b", 99 + IN_ITS_SECOND)]]


def test_a_position_in_the_future_does_not_hide_a_report(cache, stored, clock):
    cache.put("web01", "a", at=50)
    feed = Feed(cache, stored.append, 2, positions={"web01": 5000.5}, clock=lambda: clock[0])
    assert run(feed) == 1


def test_a_report_is_dropped_when_its_key_goes_between_look_and_read(feed, cache, stored, clock):
    cache.put("web01", "a", at=50)
    cache.put("web02", "b", at=50)
    feed.look()
    del cache.times["web01"]
    clock[0] += 2
    feed.drain()
    assert stored == [[("web02", "b", 50.5)]]
    assert not feed.due


def test_a_hinted_report_is_dropped_when_its_key_is_gone(feed, cache, stored):
    cache.put("web01", "a", at=50)
    feed.look(["web01"])
    del cache.times["web01"]
    feed.drain()
    assert stored == []


def test_an_unreadable_report_is_told_and_tried_again_and_blocks_no_other(feed, cache, stored):
    damaged = Unreadable("rubbish")
    cache.put("web01", damaged, at=50)
    cache.put("web02", "b", at=50)
    run(feed)
    assert stored == [[("web01", damaged, 100.0), ("web02", "b", 50.5)]]
    cache.put("web01", "a", at=50)
    run(feed)
    assert stored[1:] == [[("web01", "a", 50.5)]]


def test_what_is_due_is_ids_and_numbers(feed, cache, stored):
    """However much waits, one batch of documents is in memory."""
    in_memory = []
    feed.sink = lambda batch: in_memory.append(len(batch))
    for number in range(1000):
        cache.put(f"web{number:04d}", "a" * 10_000, at=50)
    feed.look()
    assert feed.due["web0007"] == (50.0, 0.0)
    feed.drain()
    assert set(in_memory) == {2}


class Told:
    """What a sink says of a report."""

    def __init__(self, minion_id, status="changed", wait_seconds=0):
        self.minion_id, self.status, self.wait_seconds = minion_id, status, wait_seconds


@pytest.fixture
def since():
    """A clock that never goes back, which a test sets."""
    return [1000.0]


@pytest.fixture
def telling(cache, stored, clock, since):
    """A function that returns a feed whose sink tells something of each report."""

    def make(**said):
        def sink(batch):
            stored.append(batch)
            return [said.get(name, Told(name)) for name, _, _ in batch]

        waits = Waits(lambda: since[0])
        return Feed(cache, sink, 100, clock=lambda: clock[0], waits=waits), said

    return make


def names_of(stored):
    return [name for batch in stored for name, _, _ in batch]


def test_a_machine_whose_report_was_dear_waits_and_the_others_do_not(
    telling, cache, stored, clock, since
):
    feed, _ = telling(dear=Told("dear", wait_seconds=120))
    for at in (50, 60):
        cache.put("dear", f"a{at}", at=at)
        cache.put("web01", f"b{at}", at=at)
        run(feed)
    assert names_of(stored) == ["dear", "web01", "web01"]
    feed.look(["dear"])  # a hint does not help it
    assert feed.drain() == 0
    since[0] += 121
    cache.put("dear", "the latest", at=70)
    run(feed)
    assert stored[-1] == [("dear", "the latest", 70.5)]


def test_a_report_that_waits_stays_due_until_its_time(telling, cache, stored, since):
    feed, said = telling(web01=Told("web01", "waiting", 1800))
    cache.put("web01", "a", at=50)
    run(feed)
    assert run(feed) == 0
    assert list(feed.due) == ["web01"]
    since[0] += 1900
    said.clear()
    assert run(feed) == 1
    assert not feed.due


def test_what_was_set_aside_is_read_again_when_it_is_another_report_and_not_before_its_time(
    telling, cache, stored, since
):
    feed, _ = telling(web01=Told("web01", "refused", 600))
    cache.put("web01", "a", at=50)
    run(feed)
    since[0] += 3600
    assert run(feed) == 0, "it is the same report"
    cache.put("web01", "b", at=60)
    assert run(feed) == 1
    cache.put("web01", "c", at=70)
    assert run(feed) == 0, "ten minutes are not over"


def test_two_reports_of_one_machine_after_one_another_are_nothing_unusual(telling, cache, stored):
    feed, _ = telling(web01=Told("web01", wait_seconds=4))
    for at in (50, 60):
        cache.put("web01", at, at=at)
        run(feed)
    assert names_of(stored) == ["web01", "web01"]


def test_one_machine_gets_less_than_a_minute_of_each_hour(telling, cache, stored, since):
    """Each report takes a second, and another one is there every second."""
    feed, _ = telling(dear=Told("dear", wait_seconds=PACE))
    for second in range(3600):
        cache.put("dear", second, at=second)
        since[0] += 1
        run(feed)
    assert 40 <= len(stored) <= 46
