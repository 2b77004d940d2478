"""What the engine tells on the event bus: everything once, nothing too large."""

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.document import encode
from salt_ext.engines import cmdb as engine
from salt_ext.master import events
from salt_ext.settings import OPTIONS, SettingsError
from salt_ext.store import ingest
from tests.citus import one_server
from tests.machines import NOW, arrival, dimm, later, server
from tests.postgres import open_store

MIB = 1 << 20


class Bus(list):
    """An event bus that keeps what is fired, or is away."""

    is_away = False

    def fire(self, data, tag):
        if self.is_away:
            raise OSError("no bus")
        self.append((tag, data))


@pytest.fixture
def bus():
    return Bus()


@pytest.fixture
def sweep(database, bus):
    """What an engine does with each sweep; returns the events of it. Each time a new one."""

    def send(ours=("web01", "web02"), max_event_size=MIB, on=database):
        bus.clear()
        events.send(on, bus.fire, lambda: set(ours), max_event_size)
        return [*bus]

    return send


def kinds(found):
    return [(data["kind"], data.get("minion_id")) for _, data in found]


def without_dimm():
    facts = server(1)
    facts["memory"] = {
        "installed_bytes": 64 << 30,
        "devices": [dimm("A1", "4F0001A1"), {"locator": "A2", "present": False}],
    }
    return facts


def silent(database, minion_id, **ago):
    """Let the last report of a machine be so old."""
    asset_id = store.resolve(database, minion_id)
    with database.begin() as link:
        link.execute(
            sa.text(
                "UPDATE asset_seen SET last_seen = now() - CAST(:ago AS interval)"
                " WHERE asset_id = :id"
            ),
            {"ago": timedelta(**ago), "id": asset_id},
        )


def test_a_new_machine_and_a_change_in_words_and_data(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    asset_id = str(store.resolve(database, "web01"))
    [(tag, data)] = sweep()
    assert tag == f"salt/cmdb/new/{asset_id}"
    assert (data["sn"], data["lifecycle"], data["minion_id"]) == ("9XYZ001", "active", "web01")
    assert sweep() == []

    ingest(database, [arrival(without_dimm(), "web01", later(seconds=1))])
    [(tag, data)] = sweep()
    assert tag == f"salt/cmdb/changed/{asset_id}"
    [gone, size] = data["changes"]
    assert (gone["op"], gone["path"], gone["old"]["serial_number"]) == (
        "removed",
        "memory.devices",
        "4F0001A2",
    )
    assert gone["words"].startswith("removed Memory module A2: 64 GiB")
    assert (size["path"], size["old"], size["new"]) == (
        "memory.installed_bytes",
        128 << 30,
        64 << 30,
    )
    assert data["more"] == 0
    assert sweep() == []


def test_an_unchanged_report_is_no_news(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    ingest(database, [arrival(server(1), "web01", later(seconds=1))])
    assert sweep() == []


def test_what_could_not_be_sent_is_sent_later_and_stored_all_the_same(database, sweep, bus):
    bus.is_away = True
    [outcome] = ingest(database, [arrival(server(1), "web01")])
    assert outcome.status == "new"
    with pytest.raises(OSError, match="no bus"):
        sweep()
    ingest(database, [arrival(without_dimm(), "web01", later(seconds=1))])
    bus.is_away = False
    assert kinds(sweep()) == [("new", "web01")]
    assert sweep() == []


def test_silence_is_told_once_and_so_is_the_return(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    silent(database, "web01", hours=3)
    [(tag, data)] = sweep()
    assert tag == f"salt/cmdb/stale/{store.resolve(database, 'web01')}"
    assert data["was"] == "fresh"
    assert sweep() == []
    silent(database, "web01", days=8)
    assert kinds(sweep()) == [("missing", "web01")]
    assert sweep() == []
    # A report that is unchanged is touched, and one that changed is written: both return.
    ingest(database, [arrival(server(1), "web01", later(seconds=1))])
    [(_, data)] = sweep()
    assert (data["kind"], data["was"]) == ("returned", "missing")
    silent(database, "web01", hours=3)
    assert kinds(sweep()) == [("stale", "web01")]
    ingest(database, [arrival(without_dimm(), "web01", later(seconds=2))])
    assert kinds(sweep()) == [("changed", "web01"), ("returned", "web01")]
    assert sweep() == []


def test_a_rename_by_report_or_by_a_person_is_told_with_both_names(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    ingest(database, [arrival(server(1), "web02", later(seconds=1), previous="web01", last=NOW)])
    [(_, data)] = sweep()
    assert (data["kind"], data["old"], data["new"]) == ("renamed", "web01", "web02")
    act = store.Act("me", "because", test=False)
    store.rename(database, store.resolve(database, "web02"), "web01", act)
    assert kinds(sweep()) == [("renamed", "web01")]
    assert sweep() == []


def set_lifecycle(database, minion_id, state, **act):
    act = store.Act("ops", "broken board", **{"test": False, **act})
    store.set_lifecycle(database, store.resolve(database, minion_id), state, act)


def test_a_stage_of_life_is_told_once_with_who_set_it_and_why(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    set_lifecycle(database, "web01", "retired", test=True)
    set_lifecycle(database, "web01", "active")  # which it is
    assert sweep() == []
    set_lifecycle(database, "web01", "retired")
    [(tag, data)] = sweep()
    assert tag == f"salt/cmdb/lifecycle/{store.resolve(database, 'web01')}"
    assert (data["old"], data["new"], data["lifecycle"]) == ("active", "retired", "retired")
    assert (data["by"], data["reason"]) == ("ops", "active → retired: broken board")
    assert sweep() == []


def test_nobody_is_told_of_the_stage_of_an_asset_that_was_purged(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    set_lifecycle(database, "web01", "retired")
    with database.begin() as link:
        link.exec_driver_sql("DELETE FROM asset")
    assert sweep() == []
    with database.begin() as link:
        assert link.exec_driver_sql("SELECT count(*) FROM decision WHERE NOT told").scalar() == 0


def test_many_machines_that_are_retired_share_an_event_and_others_do_not(database, sweep):
    names = [f"web{number:03}" for number in range(102)]
    ingest(database, [arrival(server(number), name) for number, name in enumerate(names)])
    sweep(names)
    for name in names[1:]:
        set_lifecycle(database, name, "retired")
    set_lifecycle(database, names[0], "maintenance")
    (many, data), (_, alone) = sorted(sweep(names), key=lambda one: "many" not in one[0])
    assert (many, data["count"]) == ("salt/cmdb/many/lifecycle", 101)
    assert (data["old"], data["new"]) == ("active", "retired")
    assert (alone["minion_id"], alone["new"]) == ("web000", "maintenance")


def test_a_problem_is_told_once_until_it_is_over_and_there_again(database, sweep):
    def collect(seconds, *errors):
        report = arrival(server(1), "web01", later(seconds=seconds))
        failed = {"type": "OSError", "message": "gone", "traceback": ""}
        report.report["errors"] = dict.fromkeys(errors, failed)
        ingest(database, [report])

    collect(0, "smart")
    assert kinds(sweep()) == [("new", "web01"), ("problem", "web01")]
    collect(1, "smart")
    assert sweep() == []
    with database.begin() as link:
        link.execute(sa.text("UPDATE problem SET closed_at = now()"))
    assert sweep() == []
    collect(2, "smart")
    [(tag, data)] = sweep()
    assert tag == f"salt/cmdb/problem/{store.resolve(database, 'web01')}"
    assert (data["problem"], data["subject"], data["message"]) == (
        "collector",
        "smart",
        "OSError: gone",
    )


def test_another_failure_of_a_collector_is_told_and_the_same_one_is_not(database, sweep):
    def collect(seconds, message):
        report = arrival(server(1), "web01", later(seconds=seconds))
        report.report["errors"] = {"smart": {"type": "OSError", "message": message}}
        ingest(database, [report])
        return [data["message"] for _, data in sweep() if "problem" in data]

    assert collect(0, "no answer in 30 s") == ["OSError: no answer in 30 s"]
    assert collect(1, "no answer in 31 s") == []
    assert collect(2, "permission denied") == ["OSError: permission denied"]
    assert collect(3, "permission denied") == []


def test_a_held_report_is_told_once_by_the_name_of_its_machine(database, sweep):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    for second in (1, 2):
        ingest(database, [arrival(server(1), "web02", later(seconds=second))])
        expected = [("held", "web02")] if second == 1 else []
        found = sweep()
        assert kinds(found) == expected
        assert all(tag == "salt/cmdb/held/web02" for tag, _ in found)


def test_kinds_that_are_switched_off_are_not_sent_and_not_kept_for_later(database, sweep):
    quiet = open_store(database.url, events=["stale"])
    ingest(quiet, [arrival(server(1), "web01")])
    assert sweep(on=quiet) == []
    assert sweep() == []
    silent(database, "web01", hours=3)
    assert kinds(sweep(on=quiet)) == [("stale", "web01")]
    quiet.close()


def test_a_kind_that_does_not_exist_is_named_with_the_nearest():
    options = settings.resolve(("test", {"events": ["chaged"]}))
    with pytest.raises(SettingsError, match="did you mean 'changed'"):
        events.wanted(options)
    assert events.wanted(settings.resolve()) == set(OPTIONS["events"].default)


def test_another_master_waits_with_what_is_not_its_own(database, sweep):
    now = datetime.now(timezone.utc)  # another master waits a minute, which NOW may be ago
    ingest(database, [arrival(server(1), "web01", now), arrival(server(1), "web09", now)])
    assert sweep(ours=()) == []
    assert kinds(sweep()) == [("new", "web01")]
    assert sweep() == []  # web09 is held, and its key elsewhere
    with database.begin() as link:
        link.execute(sa.text("UPDATE problem SET last_seen = now() - interval '2 minutes'"))
    assert kinds(sweep()) == [("held", "web09")]


def test_a_storm_is_one_event_and_hides_nobody(database, sweep):
    numbers = range(1, events.ALIKE + 20)
    names = {number: f"web{number:02d}" for number in numbers}
    ingest(database, [arrival(server(number), name) for number, name in names.items()])
    [(tag, data)] = sweep(ours=names.values())
    assert (tag, data["count"]) == ("salt/cmdb/many/new", len(names))
    assert len(data["minion_ids"]) == events.NAMED

    def upgraded(number):
        facts = without_dimm() if number == 1 else server(number)
        facts["operating_system"] |= {"kernel_release": "6.12.0"}
        return arrival(facts, names[number], later(seconds=1))

    ingest(database, [upgraded(number) for number in numbers])
    found = sweep(ours=names.values())
    assert sorted(tag.rpartition("/")[0] for tag, _ in found) == [
        "salt/cmdb/changed",
        "salt/cmdb/many",
    ]
    [one] = [data for _, data in found if data.get("minion_id")]
    assert one["minion_id"] == "web01"
    assert "Memory module A2" in " ".join(change["words"] for change in one["changes"])
    [many] = [data for _, data in found if "count" in data]
    assert many["count"] == len(names) - 1
    assert many["changes"][0]["new"] == "6.12.0"
    assert sweep(ours=names.values()) == []


def test_one_sweep_takes_a_bounded_number_and_the_next_the_rest(database, sweep, monkeypatch):
    monkeypatch.setattr(store.news, "MOST", 2)
    names = [f"web{number:02d}" for number in range(5)]
    ingest(database, [arrival(server(number), name) for number, name in enumerate(names)])
    assert [len(sweep(ours=names)) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize("max_event_size", [4000, MIB])
def test_an_event_is_bounded_and_says_how_much_it_leaves_out(database, sweep, max_event_size):
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    huge = server(1)
    huge["pci"] = [
        {"slot": f"0000:{number:04x}", "class_id": "020000", "vendor_id": "x" * 100}
        for number in range(2000)
    ]
    huge["memory"]["devices"] = [dimm(f"B{number}", f"N{number}") for number in range(600)]
    ingest(database, [arrival(huge, "web01", later(seconds=1))])
    [(_, data)] = sweep(max_event_size=max_event_size)
    assert len(encode(data)) <= min(max_event_size // 2, events.MOST_BYTES)
    assert data["changes"]
    assert data["more"] >= 500
    total = store.count_changes(database, store.Wanted(store.resolve(database, "web01")))
    assert len(data["changes"]) + data["more"] == total


def test_two_engines_tell_nothing_twice(database, bus):
    """While one tells, another goes on without waiting."""
    ingest(database, [arrival(server(1), "web01")])
    other = Bus()

    def fire(data, tag):
        assert events.send(database, other.fire, lambda: {"web01"}, MIB) == 0
        bus.fire(data, tag)

    assert events.send(database, fire, lambda: {"web01"}, MIB) == 1
    assert (len(bus), other) == (1, [])


@one_server("how pages are updated is in the statistics of each worker")
def test_what_was_told_does_not_cost_the_page_of_a_touch(database, sweep):
    """Both columns have no index, so that touching and telling stay on their page."""
    ingest(database, [arrival(server(1), "web01")])
    sweep()
    silent(database, "web01", hours=3)
    sweep()
    ingest(database, [arrival(server(1), "web01", NOW)])
    with database.begin() as link:
        link.execute(sa.text("SELECT pg_stat_force_next_flush()"))
    with database.begin() as link:
        updates, hot = link.execute(
            sa.text(
                "SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables"
                " WHERE relname = 'asset_seen'"
            )
        ).one()
    assert (updates, hot) == (updates, updates)
    assert updates


def test_a_bus_that_is_away_is_tried_less_and_less_often_and_stops_nothing(caplog):
    calls = []

    def fail():
        calls.append(1)
        raise OSError("no bus")

    news = engine._Retried("Events wait in the store")
    news.attempt(fail)
    news.attempt(fail)  # a moment later
    assert len(calls) == 1
    news.not_before = 0
    news.attempt(fail)
    assert len(calls) == 2
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    assert record.getMessage() == "Events wait in the store: no bus"
    news.not_before = 0
    news.attempt(lambda: calls.append(1))
    assert (len(calls), news.failures) == (3, 0)
