"""What one machine may cost: sizes of a report, rows and bytes of an hour, problems, decisions."""

import itertools
import json

import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.store import schema
from tests.machines import NOW, arrival, later, revisions, server


def limited(database, **limits):
    """The same store with other limits."""
    return store.Database(
        settings.resolve(("test", {"database_url": database.settings["database_url"], **limits}))
    )


def ingest(database, *arrivals):
    return [(one.minion_id, one.status) for one in store.ingest(database, arrivals)]


def problems_of(database, name="web01", **wanted):
    """The messages by subject, but for how long it took: that is of the machine of the tests."""
    rows, _ = store.problems(database, minion_id=name, limit=1000, **wanted)
    return {row["subject"]: row["message"] for row in rows if row["subject"] != "pace"}


def count(database, table, **where):
    with database.begin() as link:
        statement = sa.select(sa.func.count()).select_from(table)
        return link.scalar(statement.filter_by(**where))


def an_hour_passes(database):
    with database.begin() as link:
        link.execute(sa.text("UPDATE spent SET since = since - interval '1 hour'"))


def disks(number, first=0):
    return [
        {"name": f"sd{one:05d}", "model": "M", "serial_number": f"S{one:06d}"}
        for one in range(first, first + number)
    ]


def cards(number, first=0):
    return [
        {
            "name": f"e{one:05d}",
            "kind": "physical",
            "permanent_mac": f"00:1b:21:{one >> 16 & 255:02x}:{one >> 8 & 255:02x}:{one & 255:02x}",
        }
        for one in range(first, first + number)
    ]


TOO_MUCH = {
    "bytes": (server(1, own={"text": "x" * 70_000}), "max_report_bytes", 64 << 10),
    "components": (server(1, disks=disks(300)), "max_components", 200),
    "identifiers": (server(1, network=cards(40)), "max_identifiers", 30),
    "changes": (server(1, disks=disks(150)), "max_changes", 100),
}


@pytest.mark.parametrize(("facts", "name", "most"), TOO_MUCH.values(), ids=TOO_MUCH)
def test_a_report_of_too_much_is_refused_whole_and_its_machine_was_heard(
    database, facts, name, most
):
    few = limited(database, **{name: most})
    ingest(few, arrival(server(1), at=later(minutes=-9)))
    neighbour = arrival(server(2), "web02")
    assert ingest(few, arrival(facts, at=NOW), neighbour) == [
        ("web01", "refused"),
        ("web02", "new"),
    ]
    [message] = problems_of(few).values()
    assert f"({name})" in message
    assert str(most) in message
    assert f"at most {most} are stored" in message
    asset_id = store.resolve(few, "web01")
    assert len(revisions(few, asset_id)) == 1
    assert store.overview(few, asset_id)["last_seen"] == NOW
    assert ingest(few, arrival(server(1), at=later(minutes=1))) == [("web01", "unchanged")]
    assert problems_of(few) == {}


def test_reports_in_part_cannot_add_up_to_more_than_one_report_may_be(database):
    few = limited(database, max_report_bytes=64 << 10)
    said = []
    for step in range(12):
        one = arrival(
            server(1, own=[{"id": f"{step}-{n}", "text": "x" * 1000} for n in range(10)]),
            at=later(minutes=step),
            partial=["own"],
        )
        said += store.ingest(few, [one])
    refused = [one.detail for one in said if one.status == "refused"]
    assert "all that is known" in refused[0]
    assert [one.status for one in said].count("changed") == 4
    facts = store.overview(few, store.resolve(few, "web01"))["facts"]
    assert len(str(facts)) < 70_000


def noisy(step, size=20_000):
    return arrival(server(1, own={"text": f"{step}-" + "x" * size}), at=later(seconds=step))


def test_over_its_rate_a_machine_waits_and_the_latest_is_stored_when_its_hour_is_over(database):
    few = limited(database, bytes_per_hour=200 << 10)
    statuses = [store.ingest(few, [noisy(step)])[0] for step in range(12)]
    waiting = [one for one in statuses if one.status == "waiting"]
    assert waiting
    assert [one.status for one in statuses] == sorted(
        (one.status for one in statuses), key=["new", "changed", "waiting"].index
    )
    assert 3500 < waiting[0].wait_seconds <= 3600
    assert "bytes_per_hour is 204800" in problems_of(few)["rate"]
    assert ingest(few, arrival(server(2), "web02")) == [("web02", "new")]
    an_hour_passes(few)
    assert ingest(few, noisy(99)) == [("web01", "changed")]
    assert "rate" not in problems_of(few)
    facts = store.overview(few, store.resolve(few, "web01"))["facts"]
    assert facts["own"]["text"].startswith("99-")


def test_rows_of_history_have_a_rate_too(database):
    few = limited(database, changes_per_hour=150)
    assert ingest(few, arrival(server(1))) == [("web01", "new")]
    assert ingest(few, arrival(server(1, disks=disks(200)), at=later(seconds=1))) == [
        ("web01", "changed")
    ]
    assert ingest(few, arrival(server(1), at=later(seconds=2))) == [("web01", "waiting")]
    assert "changes_per_hour is 150" in problems_of(few)["rate"]


def test_an_unchanged_report_is_taken_whatever_was_spent(database):
    few = limited(database, bytes_per_hour=64 << 10)
    for step in range(6):
        store.ingest(few, [noisy(step)])
    last = store.overview(few, store.resolve(few, "web01"))["facts"]
    assert ingest(few, arrival(last, at=later(minutes=5))) == [("web01", "unchanged")]


def test_a_machine_that_is_another_one_each_time_pays_for_all_of_them(database):
    few = limited(database, bytes_per_hour=64 << 10)
    statuses = []
    for step in range(30):
        facts = server(100 + step)
        [outcome] = store.ingest(few, [arrival(facts, "web01", later(seconds=step))])
        statuses.append(outcome.status)
    assert statuses[-1] == "waiting"
    assert count(database, schema.asset) < 20


def failing(step, names, size=10, **fields):
    error = {"type": "OSError", "message": "m" * size, "traceback": "t" * size}
    one = arrival(server(1), at=later(seconds=step), **fields)
    one.report["errors"] = dict.fromkeys(names, error)
    return one


def test_of_many_errors_so_many_are_kept_as_the_limits_say(database):
    few = limited(database, max_errors=5, max_error_bytes=2048)
    store.ingest(few, [failing(0, [f"c{number}" for number in range(50)], size=300)])
    rows, total = store.problems(database, minion_id="web01")
    assert total == 5
    assert sum(len(row["message"]) + len(row["traceback"]) for row in rows) == 2048


def test_what_is_kept_of_errors_is_measured_in_bytes_and_not_in_characters(database):
    few = limited(database, max_error_bytes=2048)
    one = failing(0, ["disks"])
    one.report["errors"]["disks"] |= {"message": "内存" * 200, "traceback": "硬盘" * 500}
    store.ingest(few, [one])
    [row], _ = store.problems(database, minion_id="web01")
    assert row["traceback"]
    assert 2045 < len((row["message"] + row["traceback"]).encode()) <= 2048


def test_ever_new_errors_of_an_unchanged_machine_end_in_waiting_and_leave_few_rows(database):
    ingest(database, arrival(server(1), at=later(minutes=-1)))
    names = itertools.count()
    for step in range(60):
        outcomes = store.ingest(
            database, [failing(step, [f"c{next(names)}" for _ in range(100)], size=3000)]
        )
        assert [one.status for one in outcomes] == ["unchanged"]
    assert count(database, schema.problem, minion_id="web01") <= 301
    with database.begin() as link:
        assert link.scalar(sa.select(schema.spent.c.bytes)) > 8 << 20
    assert "bytes_per_hour" in problems_of(database)["rate"]


def test_what_a_machine_makes_up_pushes_no_identity_problem_out(database):
    store.record_failure(database, "identity", "web01", "known", RuntimeError("two of it"))
    names = itertools.count()
    for step in range(8):
        store.ingest(database, [failing(step, [f"c{next(names)}" for _ in range(100)])])
    assert "known" in problems_of(database)
    assert count(database, schema.problem, minion_id="web01") == 300


def test_a_decision_is_kept_once_while_the_same_is_decided(database):
    """It shows other cards each time, and one of the keys of a machine that lives."""
    ingest(database, arrival(server(1), "web01"), arrival(server(2), "web02"))
    for step in range(1, 9):
        facts = server(2, network=cards(20, first=100 * step))
        facts["system"]["serial_number"] = server(1)["system"]["serial_number"]
        facts["system"]["uuid"] = server(1)["system"]["uuid"]
        facts["operating_system"]["machine_id"] = "0" * 31 + "7"
        [outcome] = store.ingest(database, [arrival(facts, "web02", later(minutes=step))])
        assert outcome.status == "held", outcome
    assert count(database, schema.decision, minion_id="web02", action="held") == 1
    assert count(database, schema.held) == 1


def test_a_machine_waits_eighty_times_what_its_report_took(database):
    facts = server(1, own=[{"id": f"{number:05d}", "text": "x" * 190} for number in range(15_000)])
    [outcome] = store.ingest(database, [arrival(facts)])
    assert outcome.status == "new"
    assert 1 < outcome.wait_seconds < 600


def put_into_inbox(database, minion_id, *facts_and_moments):
    with database.begin() as link:
        for facts, at in facts_and_moments:
            said = {**arrival(facts, minion_id, at).report, "mode": "return"}
            row = {"minion_id": minion_id, "report": json.dumps(said), "received_at": at}
            link.execute(sa.insert(schema.inbox).inline(), row)


def test_in_the_inbox_the_latest_of_who_is_over_its_rate_stays_and_the_others_go_on(database):
    few = limited(database, bytes_per_hour=64 << 10)
    loud = [(noisy(step).report["facts"], later(seconds=step)) for step in range(10)]
    put_into_inbox(database, "loud", *loud)
    put_into_inbox(database, "quiet", (server(2), later(minutes=1)))
    outcomes = store.take_inbox(few, minions=())
    assert {one.status for one in outcomes if one.minion_id == "quiet"} == {"new"}
    assert [one.status for one in outcomes if one.minion_id == "loud"][-1] == "waiting"
    assert count(database, schema.inbox) == 1
    assert store.take_inbox(few, minions=(), waiting=["loud"]) == []
    an_hour_passes(database)
    [outcome] = store.take_inbox(few, minions=())
    assert outcome.status == "changed"
    facts = store.overview(few, store.resolve(few, "loud"))["facts"]
    assert facts["own"]["text"].startswith("9-")
    assert count(database, schema.inbox) == 0


def test_a_role_whose_report_is_refused_does_not_get_the_machine(database):
    put_into_inbox(database, "web01", ({"own": {"a": "b" * (5 << 20)}}, NOW))
    [outcome] = store.take_inbox(database, minions=())
    assert outcome.status == "refused"
    assert count(database, schema.reporter) == 0
    put_into_inbox(database, "web01", (server(1), later(minutes=1)))
    assert [one.status for one in store.take_inbox(database, minions=())] == ["new"]
    assert count(database, schema.reporter, minion_id="web01") == 1
