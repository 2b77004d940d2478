"""Several writers of the same machines: order, replays, forks."""

import os
import re

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests import postgres, writers
from tests.machines import arrival, later, server


@pytest.fixture(scope="module")
def primary(server_home):
    """A server whose log is ours alone."""
    server = postgres.Server(server_home() / "primary").initialise()
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def undisturbed(primary):
    """What one writer makes of the story, told in its order."""
    database = primary.new_store("undisturbed")
    writers.write(primary.url("undisturbed"), writers.story())
    return database


@pytest.mark.parametrize("seed", range(4))
def test_two_writers_in_any_order_with_replays_end_as_one_writer_does(primary, undisturbed, seed):
    name = f"any_order_{seed}"
    database = primary.new_store(name)
    stories = [
        writers.shuffled(writers.story(), seed),
        writers.shuffled(writers.story(), -seed - 1),
    ]
    with writers.forked(2) as pool:
        pool.starmap(writers.write, [(primary.url(name), one) for one in stories])
    assert writers.dump(database, writers.NOW_KNOWN) == writers.dump(undisturbed, writers.NOW_KNOWN)
    writers.check_history(database)
    assert "deadlock detected" not in primary.log.read_text()


def test_two_writers_in_order_leave_the_same_history_and_nothing_twice(primary, undisturbed):
    database = primary.new_store("in_order")
    url = primary.url("in_order")
    with writers.forked(2) as pool:
        pool.starmap(writers.write, [(url, writers.story()), (url, writers.story())])
    assert writers.dump(database) == writers.dump(undisturbed)
    assert "deadlock detected" not in primary.log.read_text()


def test_a_replay_of_everything_changes_nothing(primary, undisturbed):
    before = writers.dump(undisturbed)
    outcomes = writers.write(primary.url("undisturbed"), reversed(writers.story()))
    assert {status for _, status, _ in outcomes} <= {"unchanged", "refused", "held"}
    assert writers.dump(undisturbed) == before


def test_a_batch_with_one_bad_report_stores_the_others_beside_another_writer(primary):
    database = primary.new_store("one_bad")
    bad = arrival(server(99), "bad")
    bad.report["facts"]["system"]["family"] = "a\0b"
    stories = [[[*batch, bad] for batch in writers.story()] for _ in range(2)]
    with writers.forked(2) as pool:
        outcomes = pool.starmap(writers.write, [(primary.url("one_bad"), one) for one in stories])
    assert {status for one in outcomes for name, status, _ in one if name == "bad"} == {"refused"}
    rows = store.assets(database, columns="minion_id").rows
    assert len(rows) == 8


def test_parent_and_child_of_a_fork_both_go_on_with_connections_of_their_own(primary):
    database = primary.new_store("forks")
    store.ingest(database, [arrival(server(1), "web01")])

    def work(offset):
        pids = set()
        for step in range(20):
            number = 1 + offset
            facts = server(number, firmware={"version": str(step)})
            store.ingest(database, [arrival(facts, f"web{number:02d}", later(minutes=1 + step))])
            with database.begin() as link:
                pids.add(link.scalar(sa.text("SELECT pg_backend_pid()")))
        return pids

    with database.begin() as link:  # a connection is busy while we fork
        mine = link.scalar(sa.text("SELECT pg_backend_pid()"))
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writer, repr(sorted(work(1))).encode())
            finally:
                os._exit(0)
        os.close(writer)
        ours = work(0)
        assert link.scalar(sa.text("SELECT pg_backend_pid()")) == mine
    with os.fdopen(reader) as pipe:
        theirs = {int(one) for one in re.findall(r"\d+", pipe.read())}
    assert os.waitpid(child, 0)[1] == 0
    assert theirs
    assert not theirs & (ours | {mine})
    writers.check_history(database)
    rows = store.assets(database, columns="minion_id").rows
    assert [row["minion_id"] for row in rows] == ["web01", "web02"]
