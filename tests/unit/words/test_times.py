"""Times as people write them, in their zone and in others."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from salt_ext.words.times import moment, past, zone_of
from salt_ext.words.values import moment as shown

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2025, 11, 21, 12, tzinfo=BERLIN)


def utc(*parts):
    return datetime(*parts, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2025-11-01", utc(2025, 10, 31, 23)),
        ("2025-07-01", utc(2025, 6, 30, 22)),
        ("2025-11-01 10:00", utc(2025, 11, 1, 9)),
        ("2025-11-01T10:00:30", utc(2025, 11, 1, 9, 0, 30)),
        ("2025-11-01T10:00:30Z", utc(2025, 11, 1, 10, 0, 30)),
        ("2025-11-01T10:00:30.000250+00:00", utc(2025, 11, 1, 10, 0, 30, 250)),
        ("2025-11-01 10:00 UTC", utc(2025, 11, 1, 10)),
        ("2025-11-01 10:00+05:30", utc(2025, 11, 1, 4, 30)),
        ("2025-11-01 10:00-0800", utc(2025, 11, 1, 18)),
        (" 24h ", utc(2025, 11, 20, 11)),
        ("7d", utc(2025, 11, 14, 11)),
    ],
)
def test_a_time_is_in_the_zone_of_now_unless_it_says_another(text, found):
    assert moment(text, NOON) == found


def test_a_duration_counts_hours_and_not_what_clocks_show():
    morning = datetime(2025, 10, 26, 12, tzinfo=BERLIN)  # an hour had come twice
    assert morning - moment("24h", morning) == timedelta(hours=24)
    assert moment("24h", morning).astimezone(BERLIN).hour == 13


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2025-13-01", "2025-11-01 25:00", "2025-11-01Z", "1", "0001-01-01"]
)
def test_what_is_no_time_is_refused_with_the_zone_in_which_times_are_read(text):
    with pytest.raises(ValueError, match=r"is not a time; write 24h, .* \(CET\)"):
        moment(text, NOON)


def test_a_time_is_shown_with_its_zone():
    assert shown(utc(2025, 7, 1, 8)) == "2025-07-01 08:00 UTC"
    assert shown(utc(2025, 7, 1, 8), BERLIN) == "2025-07-01 10:00 CEST"
    assert shown(utc(2025, 11, 1, 8), ZoneInfo("Asia/Dubai")) == "2025-11-01 12:00 +04"


def test_utc_needs_no_list_of_zones():
    assert zone_of("UTC") is timezone.utc
    assert zone_of("Europe/Berlin") == BERLIN


@pytest.mark.parametrize("offset", ["+99:00", "-25:00", "+01:75", "+2400"])
def test_an_offset_of_no_place_gets_a_sentence(offset):
    with pytest.raises(ValueError, match="is no offset from UTC: write one from -14:00"):
        moment(f"2026-11-01 10:00{offset}", utc(2026, 11, 20))


def test_what_is_to_come_is_not_past():
    now = utc(2026, 11, 20)
    assert past(now, "0s", now) == now
    with pytest.raises(ValueError, match="'2031-01-01' is in the future, of which"):
        past(utc(2031, 1, 1), "2031-01-01", now)
