"""The feed of changes: what is stored late is told too, once and in its place."""

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.reads import cursors
from salt_ext.store.reads.feed import KINDS
from tests.machines import arrival, in_time, server

MACHINES = 3
WANTED = store.Wanted(classes=["software"])


def ago(**span):
    return datetime.now(timezone.utc) - timedelta(**span)


def pass_by(database, cursor=""):
    """Let two minutes pass, by dating back what is stored; return the cursor of that time."""
    by = timedelta(minutes=2)
    with database.begin() as link:
        link.execute(
            sa.text(
                "UPDATE change SET recorded_at = recorded_at - :by, stored_at = stored_at - :by"
            ),
            {"by": by},
        )
    if cursor:
        moment, *others = cursors.read(cursor, KINDS)
        return cursors.write([moment - by, *others])
    return ""


def changed(kernel, number, minutes_ago):
    facts = server(number)
    facts["operating_system"]["kernel_release"] = kernel
    return arrival(facts, f"web{number:02d}", ago(minutes=minutes_ago))


@pytest.fixture
def fleet(database):
    """Machines of which each has had a new kernel, whose reports came in time."""
    numbers = range(1, MACHINES + 1)
    store.ingest(database, [arrival(server(one), f"web{one:02d}", ago(hours=9)) for one in numbers])
    store.ingest(database, [changed("6.1.0", one, 300) for one in numbers])
    in_time(database)
    return database


def follow(database, limit, cursor="", wanted=WANTED):
    """Read page by page to the end; return what was told, and the cursor behind it."""
    told, places = [], [cursor] if cursor else []
    while True:
        rows, cursor, more = store.feed(database, wanted, limit, cursor)
        assert len(rows) <= limit
        told += [(row["minion_id"], row["new"]) for row in rows]
        places.append(cursor)
        if not more:
            break
    positions = [tuple(cursors.read(one, KINDS)) for one in places]
    assert positions == sorted(positions), "a cursor went back"
    return told, cursor


@pytest.mark.parametrize("limit", [1, 2, 99])
def test_who_had_read_on_is_told_once_of_a_report_that_was_stored_an_hour_late(fleet, limit):
    first = store.Wanted(since=ago(hours=10), classes=WANTED.classes)
    told, cursor = follow(fleet, limit, wanted=first)
    assert [name for name, new in told if new == "6.1.0"]
    store.ingest(fleet, [changed("6.2.0", one, 60) for one in range(1, MACHINES + 1)])
    nothing, cursor = follow(fleet, limit, cursor)
    assert nothing == []  # it was stored just now
    told, cursor = follow(fleet, limit, pass_by(fleet, cursor))
    assert sorted(told) == [(f"web{one:02d}", "6.2.0") for one in range(1, MACHINES + 1)]
    assert follow(fleet, limit, cursor)[0] == []


@pytest.mark.parametrize("limit", [1, 2, 99])
def test_who_begins_anew_is_told_all_once_in_the_order_of_storing(fleet, limit):
    store.ingest(fleet, [changed("6.2.0", 1, 60), changed("6.2.0", 2, 200)])
    store.ingest(fleet, [changed("6.2.0", 3, 0)])
    pass_by(fleet)
    first = store.Wanted(since=ago(hours=10), classes=WANTED.classes)
    told, _ = follow(fleet, limit, wanted=first)
    assert len(told) == len(set(told)) == 2 * MACHINES
    assert [new for _, new in told] == ["6.1.0"] * MACHINES + ["6.2.0"] * MACHINES


def test_only_what_is_late_has_the_moment_at_which_it_was_stored(fleet):
    store.ingest(fleet, [changed("6.2.0", 1, 1), changed("6.2.0", 2, 0)])
    late = {
        row["minion_id"]: row["stored_at"] is not None
        for row in store.changes(fleet, WANTED)
        if row["new"] == "6.2.0"
    }
    assert late == {"web01": True, "web02": False}


def test_the_history_keeps_the_moment_at_which_a_report_came(fleet):
    late = changed("6.2.0", 1, 60)
    store.ingest(fleet, [late])
    [newest] = store.changes(fleet, WANTED, limit=1)
    assert newest["recorded_at"] == late.received_at


@pytest.mark.parametrize(
    "wanted",
    [
        store.Wanted(filters={"minion_id": "web02"}),
        store.Wanted(section="operating_system"),
        store.Wanted(classes=["software"], op="changed"),
    ],
)
def test_what_is_late_is_found_by_every_filter(fleet, wanted):
    store.ingest(fleet, [changed("6.2.0", 2, 60)])
    pass_by(fleet)
    told, _ = follow(fleet, 1, wanted=wanted._replace(since=ago(minutes=30)))
    assert told == [("web02", "6.2.0")]


def test_what_a_person_does_is_not_late(fleet):
    [row] = store.assets(fleet, filters={"minion_id": "web01"}).rows
    store.rename(fleet, row["id"], "web77", store.Act("alice", "moved", test=False))
    [renamed] = store.changes(fleet, store.Wanted(classes=["renamed"]))
    assert (renamed["new"], renamed["stored_at"]) == ("web77", None)
