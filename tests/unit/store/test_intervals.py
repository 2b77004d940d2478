"""Intervals of shares and rates, beside tables and sums that anybody can check."""

from math import comb, inf, isclose

import pytest

from salt_ext.store.intervals import TAIL, share, times


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [
        # As R's binom.test has them.
        (0, 10, 0.0, 0.3084971),
        (1, 10, 0.0025286, 0.4450161),
        (3, 4, 0.1941204, 0.9936905),
        (12, 41, 0.1612573, 0.4553960),
        (10, 10, 0.6915029, 1.0),
    ],
)
def test_a_share_has_the_interval_of_the_tables(hits, of, low, high):
    found = share(hits, of)
    assert isclose(found.low, low, abs_tol=1e-4)
    assert isclose(found.high, high, abs_tol=1e-4)
    assert found.best == hits / of


@pytest.mark.parametrize(("hits", "of"), [(1, 3), (5, 9), (40, 1000), (999, 1000), (70, 150)])
def test_at_its_lower_end_what_was_seen_is_as_likely_as_the_tail(hits, of):
    low = share(hits, of).low
    chance = sum(comb(of, k) * low**k * (1 - low) ** (of - k) for k in range(hits, of + 1))
    assert isclose(chance, TAIL, rel_tol=1e-6)


def test_of_nothing_nothing_is_known():
    assert share(0, 0) == (0.0, 0.0, 1.0)
    assert times(0, 1.0, 0, 1.0) is None
    assert times(3, 0.0, 5, 9.0) is None
    assert times(3, 4.0, 0, 0.0) is None


def test_so_many_as_a_large_fleet_has_are_no_work_and_no_overflow():
    found = share(40_000, 1_000_000)
    assert 0.0396 < found.low < 0.04 < found.high < 0.0404


def test_three_of_four_are_no_seventy_five_percent():
    # Four new disks of a fleet that loses one in a hundred a year; three are gone in a month.
    few = times(3, 4 / 12, 100, 10_000.0)
    assert few.low < few.best / 4
    # Half of all failures may be of those that are half of the fleet.
    assert times(3, 5.0, 3, 5.0).low < 1 < times(3, 5.0, 3, 5.0).high
    assert times(2, 5.0, 0, 5.0).low < 1
    assert times(2, 5.0, 0, 5.0).high == inf


def test_a_batch_is_named_by_chance_once_in_forty_times_at_most():
    """Of parts that fail as all do, so many or more fail no oftener than the tail is large."""
    others, their_years, years = 1000, 10_000.0, 20.0
    expected = others / their_years * years
    chance, term, failed = 0.0, 2.718281828**-expected, 0
    while failed < 40:
        found = times(failed, years, others, their_years)
        chance += term if found.low > 1 else 0
        failed += 1
        term *= expected / failed
    assert 0 < chance <= TAIL + 0.005
