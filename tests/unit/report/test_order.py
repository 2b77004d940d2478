"""Which of two reports of a machine is the newer one."""

import uuid
from datetime import timedelta

import pytest

from salt_ext.report.order import Age, Order, compare
from tests.machines import NOW, later

ONE, OTHER, THIRD = (str(uuid.UUID(int=number)) for number in (1, 2, 3))
HOUR_MS = 3_600_000
STORED = Order(NOW, ONE, HOUR_MS)


def made(boot=None, since_boot_ms=None, **ahead):
    return Order(later(**ahead), boot, since_boot_ms)


def age(report, stored=STORED, doubted=None, *, is_set_back=False):
    return compare(report, stored, doubted, is_set_back=is_set_back)


@pytest.mark.parametrize("ahead", [-60, -9, 0, 9])
def test_within_a_boot_the_time_since_it_decides_whatever_the_clock_says(ahead):
    assert age(made(ONE, HOUR_MS + 1, minutes=ahead)) is Age.NEWER
    assert age(made(ONE, HOUR_MS - 1, minutes=min(ahead, 0))) is Age.OLDER


def test_the_same_report_is_not_newer_than_itself():
    assert age(STORED) is Age.OLDER


def test_after_another_boot_the_clock_decides():
    assert age(made(OTHER, 5, minutes=1)) is Age.NEWER
    assert age(made(OTHER, 5, minutes=-1)) is Age.DOUBTFUL
    assert age(made(OTHER, 5)) is Age.DOUBTFUL


def test_a_virtual_machine_that_goes_on_from_a_snapshot_is_newer():
    assert age(made(ONE, HOUR_MS // 2, minutes=20)) is Age.NEWER


def test_a_report_of_when_the_clock_ran_ahead_is_not_newer():
    """Made half an hour before the stored one, when the clock was nine minutes fast."""
    stored = Order(NOW, ONE, 2 * HOUR_MS)
    assert age(made(ONE, 2 * HOUR_MS - 60_000, minutes=8), stored) is Age.DOUBTFUL


@pytest.mark.parametrize("boot", [ONE, OTHER])
def test_a_doubtful_report_is_proven_by_a_later_one_of_its_boot(boot):
    stored = Order(NOW, ONE, 2 * HOUR_MS)
    ahead = {"minutes": 8 if boot is ONE else -30}
    first = made(boot, HOUR_MS + 59 * 60_000, **ahead)
    assert age(first, stored) is Age.DOUBTFUL
    assert age(first, stored, first) is Age.DOUBTFUL  # a copy that comes again
    assert age(first._replace(since_boot_ms=first.since_boot_ms + 1), stored, first) is Age.NEWER
    assert age(first, stored, made(THIRD, 1)) is Age.DOUBTFUL


@pytest.mark.parametrize("report", [made(), made(OTHER, 5)])
@pytest.mark.parametrize("stored", [made(), made(ONE, 7)])
def test_where_a_boot_is_not_known_the_clock_and_the_arrival_decide(report, stored):
    if report.boot_id and stored.boot_id:
        return
    assert age(report, stored) is Age.OLDER
    assert age(report, stored, is_set_back=True) is Age.NEWER
    assert age(report._replace(collected_at=NOW + timedelta(0, 1)), stored) is Age.NEWER


def test_moments_at_the_ends_of_the_calendar_can_be_compared():
    first = Order(NOW.replace(year=1, month=1, day=1), ONE, 100 * 366 * 86_400_000)
    last = Order(NOW.replace(year=9999), ONE, 0)
    assert age(last, first) is Age.NEWER
    assert age(first._replace(since_boot_ms=0), last) is Age.OLDER
