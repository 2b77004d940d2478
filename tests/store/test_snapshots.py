"""Names for moments."""

from datetime import datetime, timezone

import pytest

from salt_ext import store
from tests.machines import NOW, arrival, later, server
from tests.postgres import open_store


@pytest.fixture(scope="module")
def moments(new_database):
    """A store with a machine, and one more that reports after the first of two snapshots."""
    # To take one lasts until the end of the second.
    database = open_store(new_database())
    store.ingest(database, [arrival(server(1), "a")])
    began = datetime.now(timezone.utc)
    taken = store.take_snapshot(database, "before-move", by="alice", filters={"site": "dc1"})
    assert began <= taken["taken_at"] <= datetime.now(timezone.utc)
    store.ingest(database, [arrival(server(2), "b", later(days=1))])
    store.take_snapshot(database, "audit-2026", by="bob", comment="the racks have moved")
    yield database
    database.close()


@pytest.fixture
def database(moments):
    """The store, in which each test leaves the two snapshots as they are."""
    yield moments
    assert [one["name"] for one in store.snapshots(moments)[0]] == ["audit-2026", "before-move"]


def test_a_list_as_of_a_snapshot_is_the_list_of_that_moment(database):
    at = store.moment_of(database, "before-move", NOW)
    assert at == store.snapshots(database)[0][1]["taken_at"]
    assert [row["minion_id"] for row in store.assets(database, at=at).rows] == ["a"]
    assert store.assets(database).total == 2


def test_snapshots_are_told_the_last_first_with_who_and_what_about(database):
    rows, total = store.snapshots(database)
    assert total == len(rows)
    assert [(row["name"], row["taken_by"], row["comment"], row["filters"]) for row in rows] == [
        ("audit-2026", "bob", "the racks have moved", {}),
        ("before-move", "alice", "", {"site": "dc1"}),
    ]
    assert store.snapshots(database, limit=1) == (rows[:1], total)


@pytest.mark.parametrize(
    "name",
    ["", "7d", "2026-11-01", "-a", "1st", "a b", "a\n", "a\0", "é", "\ud800", "a/b", "a" * 101],
)
def test_a_name_that_could_be_a_time_or_needs_quotes_is_refused(database, name):
    with pytest.raises(store.StoreError, match=r"cannot name a snapshot") as error:
        store.take_snapshot(database, name, by="root")
    assert "letter" in error.value.hint


def test_a_name_is_given_once(database):
    with pytest.raises(store.StoreError, match=r"there is a snapshot 'audit-2026' already, of"):
        store.take_snapshot(database, "audit-2026", by="root")


def test_a_snapshot_about_what_there_is_not_is_refused(database):
    with pytest.raises(store.FilterError, match=r"no field 'sit'.*'site'"):
        store.take_snapshot(database, "audit", by="root", filters={"sit": "dc1"})


def test_a_moment_that_is_none_is_told_with_the_nearest_name(database):
    with pytest.raises(store.NotFound, match=r"is no time, and there is no snapshot.*'audit-2026'"):
        store.moment_of(database, "audit-2025", NOW)
    with pytest.raises(store.NotFound, match=r"there is no snapshot .zzz."):
        store.moment_of(database, "zzz", NOW)


@pytest.mark.parametrize("text", ["yesterday 10:00", "2026-13-01", "", "7", "a\0", "\ud800", None])
def test_what_can_be_neither_a_name_nor_a_time_is_refused(database, text):
    with pytest.raises((ValueError, store.NotFound), match=r"is not a time|there is no snapshot"):
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
