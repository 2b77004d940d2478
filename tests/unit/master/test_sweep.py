"""When the engine looks through the whole cache, however large that is."""

import pytest

from salt_ext.master.sweep import SHARE, Sweep


class Feed:
    """A feed whose look takes so many steps of a second."""

    def __init__(self, clock, steps):
        self.clock, self.steps = clock, steps

    def looks(self):
        for _ in range(self.steps):
            self.clock[0] += 1
            yield


@pytest.fixture
def clock():
    """A clock that goes on with each step."""
    return [100.0]


@pytest.fixture
def sweep(clock):
    return Sweep(5, lambda: clock[0])


def look(sweep, feed):
    """Go on until a look is over; return the steps that it took."""
    steps = 1
    while not sweep.go_on(feed):
        assert sweep.is_under_way
        steps += 1
    return steps


def test_a_look_is_taken_in_steps_and_the_next_one_after_a_pause(sweep, clock):
    feed = Feed(clock, 0)
    assert look(sweep, feed) == 1
    assert sweep.next_at == 105
    assert not sweep.go_on(feed)
    assert not sweep.is_under_way
    clock[0] = 105
    assert look(sweep, feed) == 1


def test_a_long_look_makes_the_pause_longer_and_time_between_its_steps_does_not(sweep, clock):
    feed = Feed(clock, 3)
    sweep.go_on(feed)
    clock[0] += 1000  # reports were stored meanwhile
    assert look(sweep, feed) == 3
    assert sweep.next_at == 100 + SHARE * 3
    assert clock[0] > sweep.next_at  # so the next one begins at once
    sweep.go_on(feed)
    assert sweep.is_under_way


def test_after_a_failure_a_look_begins_again(sweep, clock):
    feed = Feed(clock, 3)
    sweep.go_on(feed)
    sweep.begin()
    assert look(sweep, feed) == 4


def test_a_pause_holds_up_a_look_that_is_under_way(sweep, clock):
    feed = Feed(clock, 3)
    sweep.go_on(feed)
    sweep.pause(1)
    assert not sweep.go_on(feed)
    assert clock[0] == 101
    clock[0] += 1
    assert look(sweep, feed) == 3
