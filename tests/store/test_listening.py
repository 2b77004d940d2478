"""Silence counts only while somebody listened."""

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from salt_ext.store.schema import asset_seen, master
from tests.machines import arrival, server
from tests.postgres import earlier

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def now():
    return datetime.now(timezone.utc)


def passes(database, time):
    """Let time pass: everything that was noted by the clock lies that much further back."""
    with database.begin() as link:
        for table, columns in {
            "master": ("started_at", "beat_at"),
            "listening": ("since", "until"),
            "asset_seen": ("last_seen", "collected_at", "changed_at", "volatile_at"),
            "revision": ("recorded_at", "collected_at", "last_before"),
        }.items():
            moved = (f"{one} = {earlier(one, 'CAST(:time AS interval)')}" for one in columns)
            link.execute(sa.text(f"UPDATE {table} SET {', '.join(moved)}"), {"time": time})


def listens(database, time, name="salt", pause=4 * MINUTE):
    """Let a master listen for some time: it beats, and time passes."""
    beat(database, name)
    while time > timedelta(0):
        passes(database, min(time, pause))
        time -= pause
        beat(database, name)


def beat(database, name="salt", **fields):
    return store.beat(database, name, "1.0", **fields)


def report(database, minion_id, number=1, listener=None):
    [outcome] = ingest(
        database, [arrival(server(number), minion_id, now().replace(microsecond=0))], listener
    )
    return outcome


def by(database, name):
    return store.Listener(beat(database, name), set)


def freshness(database):
    rows = store.assets(database, columns="minion_id,freshness").rows
    return {row["minion_id"]: row["freshness"] for row in rows}


def intervals(database):
    with database.begin() as link:
        return link.scalar(sa.text("SELECT count(*) FROM listening WHERE master > 0"))


def test_as_long_as_no_master_was_heard_all_the_time_counts(database):
    report(database, "web01")
    passes(database, 3 * HOUR)
    assert freshness(database) == {"web01": "stale"}
    passes(database, 8 * DAY)
    assert freshness(database) == {"web01": "missing"}


def test_after_an_outage_of_eight_days_nobody_is_missing(database):
    salt = by(database, "salt")
    report(database, "web01", 1, salt)
    report(database, "web02", 2, salt)
    passes(database, 8 * DAY)
    assert freshness(database) == {"web01": "fresh", "web02": "fresh"}
    listens(database, MINUTE)
    assert freshness(database) == {"web01": "fresh", "web02": "fresh"}
    report(database, "web02", 2, salt)
    listens(database, 2 * HOUR)
    assert freshness(database)["web01"] == "stale"


def test_what_is_silent_while_the_engine_listens_becomes_stale_and_missing(database):
    report(database, "web01", 1, by(database, "salt"))
    listens(database, 2 * HOUR + MINUTE)
    assert freshness(database) == {"web01": "stale"}
    passes(database, 30 * DAY - HOUR)
    listens(database, 7 * DAY - 3 * HOUR, pause=5 * MINUTE - timedelta(seconds=1))
    assert freshness(database) == {"web01": "stale"}
    listens(database, HOUR)
    assert freshness(database) == {"web01": "missing"}


def test_a_restart_of_the_engine_is_no_interruption(database):
    beat(database)
    for pause in (HOUR / 60, 4 * MINUTE):
        passes(database, pause)
        beat(database)
    assert intervals(database) == 1
    passes(database, 5 * MINUTE + timedelta(seconds=5))
    beat(database)
    assert intervals(database) == 2


def test_while_nothing_can_be_stored_nobody_listens(database):
    report(database, "web01", 1, by(database, "salt"))
    for _ in range(40):
        passes(database, 4 * MINUTE)
        beat(database, failure="the disk is full")
    assert freshness(database) == {"web01": "fresh"}
    with database.begin() as link:
        row = link.execute(sa.select(master)).one()
    assert row.failure == "the disk is full"
    assert now() - row.beat_at < MINUTE
    beat(database)
    assert intervals(database) == 2


def test_of_two_masters_each_judges_its_own_machines(database):
    report(database, "web01", 1, by(database, "one"))
    report(database, "web02", 2, by(database, "other"))
    listens(database, 3 * HOUR, "one")
    assert freshness(database) == {"web01": "stale", "web02": "fresh"}


def test_a_machine_without_a_master_is_judged_by_all_of_them(database):
    beat(database, "one")
    report(database, "web01")
    listens(database, HOUR, "one")
    passes(database, DAY)
    listens(database, HOUR - MINUTE, "other")
    assert freshness(database) == {"web01": "fresh"}
    listens(database, 2 * MINUTE, "one")
    assert freshness(database) == {"web01": "stale"}


def test_two_masters_that_listen_at_the_same_time_count_once(database):
    beat(database, "one")
    beat(database, "other")
    report(database, "web01")
    for _ in range(20):
        passes(database, 4 * MINUTE)
        beat(database, "one")
        beat(database, "other")
    assert freshness(database) == {"web01": "fresh"}


def test_the_machines_of_a_master_that_is_gone_for_good_are_judged_by_the_others(database):
    report(database, "web01", 1, by(database, "one"))
    passes(database, 20 * DAY)
    listens(database, 3 * HOUR, "other")
    assert freshness(database) == {"web01": "fresh"}
    passes(database, 11 * DAY)
    beat(database, "other")
    assert freshness(database) == {"web01": "stale"}
    beat(database, "one")
    assert freshness(database) == {"web01": "fresh"}


def test_a_machine_that_goes_to_another_master_is_judged_by_that(database):
    report(database, "web01", 1, by(database, "one"))
    passes(database, MINUTE)
    report(database, "web01", 1, by(database, "other"))
    listens(database, 3 * HOUR, "one")
    assert freshness(database) == {"web01": "fresh"}


def test_an_outage_longer_than_the_grace_gives_no_name_away(database):
    salt = by(database, "salt")
    report(database, "web", 1, salt)
    passes(database, 3 * DAY)
    beat(database)
    assert report(database, "web", 2, salt).status == "held"
    listens(database, DAY + MINUTE)
    assert report(database, "web", 2, salt).status == "new"


def test_a_report_that_waited_in_the_cache_is_judged_by_when_it_came(database):
    """Written two hours after the last one, and read two days later: it was not silent then."""
    salt = by(database, "salt")
    report(database, "web", 1, salt)
    listens(database, 2 * DAY)
    came = (now() - 2 * DAY + 2 * HOUR).replace(microsecond=0)
    late = arrival(server(2), "web", came)
    assert [one.status for one in ingest(database, [late], salt)] == ["held"]


def test_the_totals_and_the_machines_that_are_due_count_the_same(database):
    salt = by(database, "salt")
    report(database, "web01", 1, salt)
    passes(database, 8 * DAY)
    beat(database)
    assert store.due(database) == {}
    assert store.totals(database)[0]["fresh"] == 1
    listens(database, 2 * HOUR + MINUTE)
    assert store.due(database) == {"web01": "agent"}
    total, _ = store.totals(database)
    assert (total["fresh"], total["stale"], total["missing"]) == (0, 1, 0)
    [row] = store.standing(database)
    assert row["freshness"] == "stale"


def news(database):
    found = []
    store.tell(database, found.extend, lambda: {"web01"})
    return [(one.kind, one.at) for one in found]


def test_the_event_of_a_silence_tells_when_it_became_so_while_somebody_listened(database):
    report(database, "web01", 1, by(database, "salt"))
    assert [kind for kind, _ in news(database)] == ["new"]
    listens(database, HOUR)
    passes(database, 8 * DAY)
    listens(database, 3 * HOUR, "other")
    beat(database)
    assert news(database) == []
    listens(database, HOUR + 30 * MINUTE)
    [(kind, at)] = news(database)
    assert kind == "stale"
    assert abs(now() - 30 * MINUTE - at) < MINUTE
    report(database, "web01", 1, by(database, "salt"))
    assert [kind for kind, _ in news(database)] == ["returned"]


def test_a_clock_of_the_store_that_jumps_back_begins_no_end_of_times(database):
    beat(database)
    passes(database, -HOUR)  # what is noted lies in the future now
    number = beat(database)
    listens(database, 10 * MINUTE)
    with database.begin() as link:
        assert link.scalar(
            sa.text(
                "SELECT max(until) > now() - interval '1 minute' FROM listening"
                " WHERE master = :number AND since <= now()"
            ),
            {"number": number},
        )
    assert intervals(database) == 2


def test_many_beats_use_up_no_numbers(database):
    first = beat(database, "one")
    for _ in range(50):
        beat(database, "one")
    assert beat(database, "other") == first + 1
    assert store.number_of(database, "one") == first
    assert store.number_of(database, "nobody") is None


def test_a_heartbeat_tells_how_the_master_does(database):
    since = now().replace(microsecond=0)
    beat(database, waiting=7, waiting_since=since)
    with database.begin() as link:
        row = link.execute(sa.select(master)).one()
    assert (row.name, row.version, row.waiting, row.waiting_since, row.failure) == (
        *("salt", "1.0", 7, since, None),
    )


def test_old_times_are_forgotten_and_what_counts_is_kept(database):
    report(database, "web01", 1, by(database, "salt"))
    for _ in range(3):
        passes(database, 300 * DAY)
        beat(database, bridge=301 * DAY)
        passes(database, DAY)
        beat(database)
    assert intervals(database) == 4
    steps = {one["step"]: one["rows"] for one in store.maintain(database)}
    assert steps["times that masters listened, too old to count, removed"] == 1
    assert intervals(database) == 3
    assert freshness(database) == {"web01": "missing"}


def test_an_asset_of_an_unknown_master_is_judged_by_all(database):
    report(database, "web01", 1, by(database, "salt"))
    with database.begin() as link:
        link.execute(sa.update(asset_seen).values(master=99))
    assert freshness(database) == {"web01": "fresh"}
    listens(database, 3 * HOUR)
    assert freshness(database) == {"web01": "stale"}
