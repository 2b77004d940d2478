"""Names for moments."""

from datetime import datetime, timezone

import pytest

from salt_ext import store
from tests.machines import NOW, arrival, later, server


def test_a_list_as_of_a_snapshot_is_the_list_of_that_moment(database):
    now = datetime.now(timezone.utc)
    store.ingest(database, [arrival(server(1), "a")])
    taken = store.take_snapshot(database, "before-move", by="root", comment="the racks move")
    assert now <= taken["taken_at"] <= datetime.now(timezone.utc)
    store.ingest(database, [arrival(server(2), "b", later(days=1))])
    at = store.moment_of(database, "before-move", now)
    assert at == taken["taken_at"]
    assert [row["minion_id"] for row in store.assets(database, at=at).rows] == ["a"]
    assert store.assets(database).total == 2


def test_snapshots_are_told_the_last_first_with_who_and_what_about(database):
    store.take_snapshot(database, "one", by="alice", filters={"site": "dc1"})
    store.take_snapshot(database, "two", by="bob")
    rows = store.snapshots(database)
    assert [(row["name"], row["taken_by"], row["filters"]) for row in rows] == [
        ("two", "bob", {}),
        ("one", "alice", {"site": "dc1"}),
    ]
    assert store.snapshots(database, limit=1) == rows[:1]


@pytest.mark.parametrize(
    "name",
    ["", "7d", "2026-11-01", "-a", "1st", "a b", "a\n", "a\0", "é", "\ud800", "a/b", "a" * 101],
)
def test_a_name_that_could_be_a_time_or_needs_quotes_is_refused(database, name):
    with pytest.raises(store.StoreError, match=r"cannot name a snapshot") as error:
        store.take_snapshot(database, name, by="root")
    assert "letter" in error.value.hint
    assert store.snapshots(database) == []


def test_a_name_is_given_once(database):
    store.take_snapshot(database, "audit", by="root")
    with pytest.raises(store.StoreError, match=r"there is a snapshot 'audit' already, of"):
        store.take_snapshot(database, "audit", by="root")
    assert len(store.snapshots(database)) == 1


def test_a_snapshot_about_what_there_is_not_is_refused(database):
    with pytest.raises(store.FilterError, match=r"no field 'sit'.*'site'"):
        store.take_snapshot(database, "audit", by="root", filters={"sit": "dc1"})
    assert store.snapshots(database) == []


def test_a_moment_that_is_none_is_told_with_the_nearest_name(database):
    store.take_snapshot(database, "audit-2026", by="root")
    with pytest.raises(store.NotFound, match=r"is no time, and there is no snapshot.*'audit-2026'"):
        store.moment_of(database, "audit-2025", NOW)
    with pytest.raises(store.NotFound, match=r"there is no snapshot .zzz."):
        store.moment_of(database, "zzz", NOW)


@pytest.mark.parametrize("text", ["yesterday 10:00", "2026-13-01", "", "7", "a\0", "\ud800", None])
def test_what_can_be_neither_a_name_nor_a_time_is_refused(database, text):
    with pytest.raises((ValueError, store.NotFound), match=r"is not a time|neither a time"):
        store.moment_of(database, text, NOW)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("24h", later(hours=-24)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=timezone.utc)),
        ("2026-11-01 10:30", datetime(2026, 11, 1, 10, 30, tzinfo=timezone.utc)),
        ("2026-11-01T10:30:05Z", datetime(2026, 11, 1, 10, 30, 5, tzinfo=timezone.utc)),
    ],
)
def test_a_time_is_a_moment_without_any_snapshot(database, text, moment):
    assert store.moment_of(database, text, NOW) == moment
