"""What is wrong, since when, and when it is over."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.database import REPORTS
from salt_ext.store.ingest.problems import Good, Problem, close, record
from tests.citus import ON_CITUS
from tests.machines import arrival, later, server
from tests.postgres import open_store

ERROR = {"type": "OSError", "message": "no", "traceback": "Traceback", "duration_ms": 1}


def ingest(database, facts, minutes, minion_id="web01", **fields):
    [outcome] = store.ingest(
        database, [arrival(facts, minion_id, later(minutes=minutes), **fields)]
    )
    return outcome.status


def without_disks(number=1, **sections):
    facts = server(number, **sections)
    del facts["disks"]
    return facts


def problems(database):
    """Every problem: (kind, subject, how often, minutes until it was over)."""
    rows, _ = store.problems(database, is_open=False)
    # A slow machine may be told that its reports take long.
    rows = [row for row in rows if row["subject"] != "pace"]
    return {
        (
            row["kind"],
            row["subject"],
            row["count"],
            row["closed_at"] and (row["closed_at"] - later()).total_seconds() / 60,
        )
        for row in rows
    }


def test_a_collector_that_works_again_closes_its_problem_and_opens_it_again(database):
    failed = {"errors": {"disks": ERROR}, "partial": ["disks"]}
    ingest(database, server(1), 0)
    ingest(database, without_disks(), 1, **failed)
    ingest(database, without_disks(), 2, **failed)
    assert problems(database) == {("collector", "disks", 2, None)}
    assert ingest(database, server(1), 3) == "unchanged"
    assert problems(database) == {("collector", "disks", 2, 3)}
    assert store.problems(database) == ([], 0)
    ingest(database, without_disks(), 4, **failed)
    assert problems(database) == {("collector", "disks", 3, None)}


def test_a_section_that_was_not_asked_for_closes_nothing(database):
    ingest(database, without_disks(), 0, errors={"disks": ERROR}, partial=["disks"])
    assert ingest(database, without_disks(), 1) == "unchanged"
    assert ingest(database, without_disks(firmware={"version": "3"}), 2) == "changed"
    assert problems(database) == {("collector", "disks", 1, None)}


def test_a_section_that_came_with_an_error_closes_nothing(database):
    ingest(database, server(1), 0, errors={"disks": ERROR}, partial=["disks"])
    ingest(database, server(1), 1, errors={"disks": ERROR}, partial=["disks"])
    assert problems(database) == {("collector", "disks", 2, None)}
    ingest(database, server(1), 2)
    assert problems(database) == {("collector", "disks", 2, 2)}


def test_a_good_report_closes_that_an_earlier_one_was_refused(database):
    assert ingest(database, server(1), 0) == "new"
    assert ingest(database, server(1), 1, mode="telepathy") == "refused"
    assert ingest(database, server(1), 2, schema=9) == "refused"
    assert {subject for _, subject, _, _ in problems(database)} == {"mode", "schema"}
    assert ingest(database, server(1), 3) == "unchanged"
    assert problems(database) == {("report", "mode", 1, 3), ("report", "schema", 1, 3)}
    assert ingest(database, server(1), 4, mode="telepathy") == "refused"
    assert problems(database) == {("report", "mode", 2, None), ("report", "schema", 1, 3)}


def test_a_report_of_another_machine_closes_nothing(database):
    ingest(database, server(1), 0, mode="telepathy")
    ingest(database, server(2), 1, "web02")
    assert problems(database) == {("report", "mode", 1, None)}


def test_a_report_that_was_held_is_a_problem_until_its_machine_has_its_own_name_again(database):
    ingest(database, server(1), -9, "a")
    ingest(database, server(2), -9, "b")
    assert ingest(database, server(1), -8, "b") == "held"
    assert ingest(database, server(2), -7, "b") == "unchanged"
    store.maintain(database)
    assert problems(database) == {("identity", "held", 1, None)}
    assert ingest(database, server(1), -6, "a") == "unchanged"
    store.maintain(database)
    assert problems(database) == {("identity", "held", 1, None)}  # it may claim it again
    store.maintain(open_store(database.url, rename_grace="0s"))
    assert store.held_reports(database)[0] == []
    assert store.problems(database) == ([], 0)


def test_a_held_report_closes_nothing(database):
    ingest(database, server(1), 0, "a")
    ingest(database, server(2), 0, "b", mode="telepathy")
    assert ingest(database, server(1), 1, "b") == "held"
    assert problems(database) == {("report", "mode", 1, None), ("identity", "held", 1, None)}


def test_a_key_on_two_machines_stays_a_problem(database):
    clone = server(2, system=server(1)["system"], baseboards=server(1)["baseboards"])
    ingest(database, server(1), 0, "a")
    ingest(database, clone, 0, "b")
    for minutes in (1, 2):
        ingest(database, server(1), minutes, "a")
        ingest(database, clone, minutes, "b")
    store.maintain(database)
    assert problems(database) == {("identity", "shared", 1, None)}
    assert {row["minion_id"] for row in store.problems(database)[0]} == {"a", "b"}
    ingest(database, server(2), 3, "b")
    [left] = {closed for *_, closed in problems(database)}
    assert left is None  # until the grace is over, b may show them again


def twins(*names):
    return [{"name": name, "model": "X", "serial_number": "SAME"} for name in names]


@pytest.mark.parametrize("changes", [False, True])
def test_a_doubt_that_is_repeated_stays_and_one_that_is_not_is_over(database, changes):
    def facts(minutes, *names):
        version = {"firmware": {"version": str(minutes)}} if changes else {}
        return server(1, disks=twins(*names), **version)

    ingest(database, facts(0, "sda", "sdb"), 0)
    ingest(database, facts(1, "sda", "sdb"), 1)
    [(kind, subject, _, closed)] = problems(database)
    assert (kind, subject, closed) == ("doubt", "facts.disks", None)
    ingest(database, facts(2, "sda"), 2)
    [(_, _, _, closed)] = problems(database)
    assert closed == 2


def test_problems_are_told_the_last_first_and_by_machine(database):
    for number in (1, 2, 3):
        ingest(database, server(number), number, f"web0{number}", mode="telepathy")
    rows, total = store.problems(database, limit=2)
    assert ([row["minion_id"] for row in rows], total) == (["web03", "web02"], 3)
    [row], _ = store.problems(database, minion_id="web01")
    assert store.problems(database, problem_id=row["id"]) == ([row], 1)
    assert store.problems(database, since=later(minutes=2))[1] == 2
    ingest(database, server(1), 9)
    # One that is over is still there for who knows its id.
    [closed], _ = store.problems(database, problem_id=row["id"])
    assert closed["closed_at"] == later(minutes=9)
    assert store.problems(database, minion_id="web01") == ([], 0)


def test_problems_are_told_by_kind(database):
    ingest(database, server(1), 1, "web01", mode="telepathy")
    ingest(database, server(2), 2, "web02", errors={"disks": ERROR})
    for kind, name in (("report", "web01"), ("collector", "web02")):
        [row], total = store.problems(database, kind=kind)
        assert (row["minion_id"], row["kind"], total) == (name, kind, 1)
        assert kind in store.PROBLEM_KINDS
    assert store.problems(database, kind="engine") == ([], 0)


@pytest.fixture
def statements(database):
    """The statements that write problems, as they are sent."""
    with database.within(REPORTS).begin() as link:
        engine = link.engine
    found = []

    def note(_link, _cursor, statement, *_):
        if "UPDATE problem" in statement:
            found.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    yield found
    sa.event.remove(engine, "before_cursor_execute", note)


def test_the_problems_of_a_whole_batch_are_closed_by_one_statement(database, statements):
    def batch(minutes, **fields):
        return [
            arrival(server(number), f"web{number:02d}", later(minutes=minutes), **fields)
            for number in range(1, 21)
        ]

    store.ingest(database, batch(0))
    store.ingest(database, batch(1, mode="telepathy"))
    assert store.problems(database)[1] == 20
    store.ingest(database, batch(2))
    assert store.problems(database)[1] == 0
    assert {minutes for _, _, _, minutes in problems(database)} == {2}
    assert len(statements) == 1


def failed(link, *numbers, minutes=1):
    """Two machines or more whose reports were refused."""
    record(
        link,
        [
            Problem("report", f"web{number:02d}", "mode", "telepathy", "", later(minutes=minutes))
            for number in numbers
        ],
    )


def good(*numbers):
    return {
        f"web{number:02d}": Good(arrival(server(number), f"web{number:02d}", later(hours=1)), set())
        for number in numbers
    }


@pytest.fixture
def closing(database):
    """A function that closes the problems of machines in a thread, and returns its future."""
    with ThreadPoolExecutor(1) as threads:

        def run(*numbers):
            with database.begin() as link:
                close(link, good(*numbers))

        yield lambda *numbers: threads.submit(run, *numbers)


def waits_for_a_lock(database):
    # On Citus it is a session of one of the servers that waits.
    sessions = "citus_stat_activity" if ON_CITUS else "pg_stat_activity"
    asked = sa.text(
        f"SELECT count(*) FROM {sessions}"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + 20
    while True:
        with database.begin() as link:
            if link.scalar(asked):
                return
        assert time.monotonic() < deadline, "nobody waits"
        time.sleep(0.01)


def test_what_another_writer_sees_again_meanwhile_stays_a_problem(database, closing):
    with database.begin() as link:
        failed(link, 1, 2)
    with database.begin() as other:
        failed(other, 1, minutes=2)
        done = closing(1, 2)
        waits_for_a_lock(database)
    done.result(20)
    assert problems(database) == {("report", "mode", 2, None), ("report", "mode", 1, 60)}


def test_problems_are_locked_in_the_order_in_which_they_are_recorded(database, closing):
    with database.begin() as link:
        for number in (3, 2, 1):
            failed(link, number)
    with database.begin() as other:
        failed(other, 1, minutes=2)
        done = closing(1, 2, 3)
        waits_for_a_lock(database)
        # Were the third locked already, this would be a deadlock.
        failed(other, 2, 3, minutes=2)
    done.result(20)
    assert store.problems(database)[1] == 3
