"""Reports in, against a real PostgreSQL."""

import threading
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import bulk, ingest
from salt_ext.store.ingest.changing import store_changed
from salt_ext.store.ingest.claiming import claimed
from salt_ext.store.ingest.findings import Findings
from salt_ext.store.ingest.touching import touch_unchanged
from tests.machines import NOW, arrival, dimm, later, revisions, server


def statuses(database, *arrivals):
    return [outcome.status for outcome in ingest(database, arrivals)]


def listed(database):
    page = store.assets(database, columns="minion_id,sn,freshness")
    return {(row["minion_id"], row["sn"]) for row in page.rows}


def test_a_first_report_makes_an_asset_with_its_list_columns(database):
    assert statuses(database, arrival(server(1))) == ["new"]
    page = store.assets(database)
    [row] = page.rows
    assert page.total == 1
    assert row["sn"] == "9XYZ001"
    assert row["manufacturer"] == "Dell Inc."
    assert row["memory_bytes"] == 128 << 30
    assert row["disk_bytes"] == 3_840_755_982_336
    assert row["address"] == "10.0.0.1"
    assert row["freshness"] == "fresh"


def test_an_unchanged_report_touches_one_row_and_writes_no_history(database):
    ingest(database, [arrival(server(1))])
    assert statuses(database, arrival(server(1), at=later(minutes=5))) == ["unchanged"]
    asset_id = store.resolve(database, "web01")
    assert store.overview(database, asset_id)["last_seen"] == later(minutes=5)
    assert len(revisions(database, asset_id)) == 1


def test_a_lost_dimm_is_one_change_and_the_past_is_still_there(database):
    ingest(database, [arrival(server(1))])
    facts = server(1)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    assert statuses(database, arrival(facts, at=later(minutes=5))) == ["changed"]
    asset_id = store.resolve(database, "9XYZ001")
    old, new, changes = store.compare(database, asset_id, None, None)
    assert (old["number"], new["number"]) == (1, 2)
    assert [(one.op, one.component or one.path) for one in changes] == [
        ("removed", "4F0001A2"),
        ("changed", "memory.installed_bytes"),
    ]
    _, _, nothing = store.compare(database, asset_id, later(minutes=1), later(minutes=2))
    assert nothing == []


def test_what_another_writer_stored_between_reading_and_locking_is_seen(database):
    grace = timedelta(minutes=5)
    ingest(database, [arrival(server(1))])
    as_before = server(1, system={**server(1)["system"], "version": "B"})
    with database.autocommit() as link:
        due, _ = touch_unchanged(link, [arrival(as_before, at=later(minutes=9))])
    meanwhile = server(1, firmware={"vendor": "Dell Inc.", "version": "2.0"})
    assert statuses(database, arrival(meanwhile, at=later(minutes=5))) == ["changed"]
    with database.begin() as link:
        reports = claimed(due, Findings())
        [outcome] = store_changed(link, reports, grace, locked=False).outcomes
    assert outcome.status == "changed"
    asset_id = store.resolve(database, "web01")
    overview = store.overview(database, asset_id)
    assert overview["facts"]["firmware"] == server(1)["firmware"]
    assert overview["facts"]["system"]["version"] == "B"
    assert len(revisions(database, asset_id)) == 3


def test_a_report_that_comes_twice_changes_nothing(database):
    first = arrival(server(1))
    ingest(database, [first])
    assert statuses(database, first) == ["unchanged"]
    assert len(revisions(database, store.resolve(database, "web01"))) == 1


def test_an_older_report_with_other_facts_is_refused_and_told(database):
    ingest(database, [arrival(server(1), at=later(minutes=5))])
    old = server(1, firmware={"vendor": "Dell Inc.", "version": "1.0"})
    [outcome] = ingest(database, [arrival(old)])
    assert outcome.status == "refused"
    assert "not newer" in outcome.detail
    [row], _ = store.problems(database)
    assert (row["minion_id"], row["subject"]) == ("web01", "collected_at")


def test_two_reports_of_one_machine_in_a_batch_are_taken_in_order(database):
    newer = server(1, firmware={"vendor": "Dell Inc.", "version": "2.0"})
    batch = [arrival(newer, at=later(minutes=5)), arrival(server(1))]
    assert sorted(statuses(database, *batch)) == ["changed", "new"]
    facts = store.overview(database, store.resolve(database, "web01"))["facts"]
    assert facts["firmware"]["version"] == "2.0"


def test_a_section_that_failed_leaves_what_is_known_and_keeps_its_traceback(database):
    ingest(database, [arrival(server(1))])
    facts = server(1)
    del facts["disks"]
    error = {"type": "OSError", "message": "no", "traceback": "Traceback: here", "duration_ms": 1}
    failed = arrival(facts, at=later(minutes=5))
    failed.report.update(errors={"disks": error}, partial=["disks"])
    assert statuses(database, failed) == ["unchanged"]
    asset_id = store.resolve(database, "web01")
    assert store.overview(database, asset_id)["facts"]["disks"][0]["model"] == "PM9A3"
    [row], _ = store.problems(database)
    assert (row["kind"], row["subject"], row["traceback"]) == (
        "collector",
        "disks",
        "Traceback: here",
    )


def test_a_problem_that_goes_on_is_counted_even_when_the_facts_do_not_change(database):
    error = {"type": "OSError", "message": "no", "traceback": "", "duration_ms": 1}
    for minutes in range(3):
        one = arrival(server(1), at=later(minutes=minutes))
        one.report.update(errors={"smart": error}, partial=["smart"])
        ingest(database, [one])
    [row], _ = store.problems(database)
    assert row["count"] == 3


def test_volatile_values_are_kept_and_make_no_history(database):
    facts = server(1)
    facts["network"][0]["volatile"] = {"speed_mbps": 1000}
    ingest(database, [arrival(facts)])
    facts["network"][0]["volatile"] = {"speed_mbps": 10}
    assert statuses(database, arrival(facts, at=later(hours=25))) == ["unchanged"]
    row = store.overview(database, store.resolve(database, "web01"))
    assert row["volatile"] == {"network": {"52:54:00:00:00:01": {"speed_mbps": 10}}}
    assert "volatile" not in row["facts"]["network"][0]


def test_volatile_values_of_an_unchanged_report_are_kept_once_in_24_hours(database):
    facts = server(1)

    def speed_after(speed, age):
        facts["network"][0]["volatile"] = {"speed_mbps": speed}
        assert statuses(database, arrival(facts, at=later() + age)) == ["unchanged"]
        row = store.overview(database, store.resolve(database, "web01"))
        return row["volatile"]["network"]["52:54:00:00:00:01"]["speed_mbps"]

    facts["network"][0]["volatile"] = {"speed_mbps": 1000}
    ingest(database, [arrival(facts)])
    day, instant = timedelta(hours=24), timedelta(milliseconds=1)
    assert speed_after(100, day - instant) == 1000
    assert speed_after(10, day) == 10


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("schema", 2),
        ("schema", True),
        ("mode", "telepathy"),
        ("digest", "short"),
        ("digest", "0" * 64),
        ("digest", 7),
        ("collected_at", "yesterday"),
        ("collected_at", None),
        ("collected_at", "2999-01-01T00:00:00.000Z"),
        ("facts", []),
        ("facts", {"disks": "none"}),
        ("facts", {"system": {"a": "nul\0"}}),
        ("facts", {"system": {"a": "\ud800"}}),
        ("facts", {"system": {"a": float("nan")}}),
        ("facts", {"system": {"a": 2**70}}),
        ("facts", {"system": {"a": b"bytes"}}),
        ("facts", {"system": {"": None}}),
        ("facts", {"system": {"a": {"b": "x" * 5_000_000}}}),
        ("volatile", None),
        ("errors", []),
        ("errors", {"disks": "broken"}),
        ("partial", "disks"),
        ("partial", [None]),
        ("previous_minion_id", ["x"]),
    ],
)
def test_a_malformed_report_is_refused_by_field_and_never_blocks_its_batch(database, field, value):
    bad = arrival(server(2), "web02")
    bad.report[field] = value
    outcomes = {one.minion_id: one for one in ingest(database, [arrival(server(1)), bad])}
    assert outcomes["web01"].status == "new"
    assert outcomes["web02"].status == "refused"
    [row], _ = store.problems(database)
    assert row["minion_id"] == "web02"
    assert row["message"]
    assert listed(database) == {("web01", "9XYZ001")}


@pytest.mark.parametrize("report", [None, "text", [], 7, {}])
def test_what_is_no_report_at_all_is_refused(database, report):
    [outcome] = ingest(database, [store.Arrival("web01", report, NOW)])
    assert outcome.status == "refused"


def test_a_deeply_nested_report_is_refused(database):
    deep = "x"
    for _ in range(40):
        deep = {"a": deep}
    bad = arrival(server(1))
    bad.report["facts"] = {"system": deep}
    assert statuses(database, bad) == ["refused"]


def test_a_serial_does_not_move_to_another_live_minion(database):
    ingest(database, [arrival(server(1), "m1"), arrival(server(2), "m2")])
    before = store.overview(database, store.resolve(database, "m1"))
    stolen = arrival(server(1), "m2", at=later(minutes=5))
    [outcome] = ingest(database, [stolen])
    assert outcome.status == "held"
    assert store.overview(database, store.resolve(database, "m1")) == before
    [row] = store.held_reports(database)[0]
    assert row["minion_id"] == "m2"
    [problem], _ = store.problems(database)
    assert "m1" in problem["message"]
    assert "dell/9xyz001" in problem["message"]


def test_a_rename_keeps_the_asset_its_history_and_its_old_name(database):
    ingest(database, [arrival(server(1), "old")])
    asset_id = store.resolve(database, "old")
    [outcome] = ingest(database, [arrival(server(1), "new", later(minutes=5), "old", last=NOW)])
    assert outcome.asset_id == asset_id
    assert store.resolve(database, "new") == asset_id
    assert store.resolve(database, "old") == asset_id  # a former name is still an answer
    [row] = store.changes(database, store.Wanted(asset_id))
    assert (row["op"], row["old"], row["new"]) == ("renamed", "old", "new")
    assert store.compare(database, asset_id, None, None)[2] == []


def test_other_hardware_under_a_silent_name_detaches_the_old_asset(database):
    ingest(database, [arrival(server(1), "web")])
    first = store.resolve(database, "web")
    [outcome] = ingest(database, [arrival(server(2), "web", later(days=3))])
    assert outcome.status == "new"
    assert store.resolve(database, "web") == outcome.asset_id != first
    assert store.overview(database, first)["freshness"] == "detached"
    assert listed(database) == {("web", "9XYZ002"), (None, "9XYZ001")}
    names = [
        one["is_current"]
        for one in store.overview(database, first)["identifiers"]
        if one["kind"] == "minion_id"
    ]
    assert names == [False]
    # And it comes back to life under another name, with its history.
    [outcome] = ingest(database, [arrival(server(1), "spare", later(days=4))])
    assert outcome.asset_id == first
    assert store.overview(database, first)["freshness"] != "detached"


def test_two_clones_in_one_batch_stay_two_assets_with_a_problem(database):
    clone = server(2, system=server(1)["system"], baseboards=server(1)["baseboards"])
    batch = [arrival(server(1), "a"), arrival(clone, "b")]
    assert statuses(database, *batch) == ["new", "new"]
    assert len(listed(database)) == 2
    rows, _ = store.problems(database)
    assert {row["minion_id"] for row in rows} == {"a", "b"}
    told = {row["message"].partition(" show")[0] for row in rows if row["subject"] == "shared"}
    assert told == {"duplicate identity: a, b"}
    # And they stay apart, without a person, whatever they report later.
    clone["firmware"] = {"version": "3"}
    later_batch = [arrival(clone, "b", later(minutes=5)), arrival(server(1), "a", later(minutes=5))]
    assert sorted(statuses(database, *later_batch)) == ["changed", "unchanged"]


def test_many_writers_of_the_same_machines_make_each_asset_once(database):
    batches = [[arrival(server(n), f"web{n:02d}") for n in range(20)] for _ in range(4)]
    failures = []

    def write(batch):
        try:
            ingest(database, batch)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(listed(database)) == 20
    assert store.problems(database) == ([], 0)


def test_two_writers_of_different_changes_keep_a_history_that_can_be_undone(database):
    ingest(database, [arrival(server(n), f"web{n:02d}") for n in range(10)])

    def write(offset):
        for step in range(5):
            at = later(minutes=1 + 2 * step + offset)
            batch = []
            for n in range(10):
                facts = server(n, firmware={"version": f"{offset}.{step}"})
                batch.append(arrival(facts, f"web{n:02d}", at))
            ingest(database, batch)

    threads = [threading.Thread(target=write, args=(offset,)) for offset in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(10):
        asset_id = store.resolve(database, f"web{n:02d}")
        old, _, changes = store.compare(database, asset_id, NOW, None)
        assert old["number"] == 1
        assert {(one.path, one.new) for one in changes} >= {("firmware.version", "1.4")}


def test_a_dimm_moved_between_slots_is_moved(database):
    ingest(database, [arrival(server(1))])
    facts = server(1)
    facts["memory"]["devices"] = [dimm("B1", "4F0001A1"), dimm("A2", "4F0001A2")]
    ingest(database, [arrival(facts, at=later(minutes=1))])
    [row] = store.changes(database)
    assert (row["op"], row["old"], row["new"]) == ("moved", "A1", "B1")


def test_a_machine_under_its_old_name_and_its_new_one_in_one_batch_is_renamed(database):
    ingest(database, [arrival(server(1), "zz-old")])
    changed = server(1, firmware={"version": "2.0"})
    old = arrival(changed, "zz-old", later(minutes=5))
    new = arrival(
        server(1, firmware={"version": "3.0"}),
        "aa-new",
        later(minutes=9),
        "zz-old",
        last=later(minutes=5),
    )
    assert statuses(database, new, old) == ["changed", "changed"]
    assert listed(database) == {("aa-new", "9XYZ001")}
    asset_id = store.resolve(database, "aa-new")
    assert [one["number"] for one in revisions(database, asset_id)] == [3, 2, 1]


def test_the_last_report_under_the_old_name_is_no_other_machine(database):
    ingest(database, [arrival(server(1), "old")])
    last = arrival(server(1), "old", later(minutes=5))
    renamed = arrival(server(1), "new", later(minutes=9), "old", last=later(minutes=5))
    ingest(database, [last, renamed])
    # It lies in the master's cache until the old key is deleted.
    assert statuses(database, last) == ["unchanged"]
    assert store.held_reports(database)[0] == []
    assert store.problems(database) == ([], 0)
    # A newer one is somebody else's, or the machine did not change its name after all.
    assert statuses(database, arrival(server(1), "old", later(minutes=15))) == ["held"]


def test_what_was_never_stored_under_the_old_name_is_held_however_old_it_says_it_is(database):
    ingest(database, [arrival(server(1), "old")])
    ingest(database, [arrival(server(1), "new", later(minutes=9), "old", last=NOW)])
    changed = arrival(server(1, firmware={"version": "2.0"}), "old", later(minutes=5))
    assert statuses(database, changed) == ["held"]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["", "NULL", None, 'a "b"', "a\\b", "{a,b}", " a ", "'", "%s :x", "ü\n\t"]),
        ("bytea", [b"", b"\x00\\x", None]),
        ("boolean", [True, False, None]),
        ("bigint", [0, -(2**63), None]),
        ("timestamptz", [NOW, NOW + timedelta(microseconds=1), None]),
        # All of one kind, and none.
        ("text", ["web01", "", "NULL", "{a,b}", "ü\n\t", "%s :x", "'", "back\x08space"]),
        ("text", ["plain", 'a","b', "c"]),
        ("text", ["plain", "a\\", "c"]),
        ("bigint", [0, 2**63 - 1, -(2**63)]),
        ("timestamptz", [NOW, NOW + timedelta(microseconds=1)]),
        ("uuid", [UUID(int=0), UUID(int=1)]),
        ("text", []),
    ],
)
def test_an_array_holds_what_was_put_into_it(database, kind, values):
    statement = sa.text(f"SELECT i FROM unnest(CAST(:values AS {kind}[])) AS i")
    with database.begin() as link:
        found = [*link.scalars(statement, {"values": bulk.array(values)})]
    assert [bytes(one) if kind == "bytea" and one is not None else one for one in found] == values
