"""
A server of Citus is killed while two masters write: nothing acknowledged is lost or twice.

``CMDB_CITUS_PROGRAMS`` names the programs (see tests/citus.py); without them nothing is tried.
"""

import os
import random
import signal
import time

import psutil
import pytest

from salt_ext import store
from tests import citus, postgres, writers

pytestmark = pytest.mark.skipif(
    "CMDB_CITUS_PROGRAMS" not in os.environ, reason="there is no PostgreSQL with Citus here"
)

OPTIONS = {**citus.QUICK, "synchronous_commit": "on"}
"""What was acknowledged is in the files of the system, which outlive a process."""

STEPS, KILLS = 150, 8


@pytest.fixture(scope="module")
def servers():
    with citus.cluster(**OPTIONS) as running:
        yield running


@pytest.fixture(scope="module")
def new_store(servers):
    """A function that returns the URL of a new store that is spread over the servers."""

    def create(name):
        url = citus.Databases(servers[0].uri).create(name)
        database = postgres.open_store(url)
        store.migrate(database, distribute=True)
        database.close()
        return url

    return create


def end_a_session(server):
    """Kill one session as the kernel does where memory is short: the server then ends them all."""
    sessions = psutil.Process(server.process.pid).children()
    of_citus = [one for one in sessions if "citus_internal" in " ".join(one.cmdline())]
    for one in of_citus or sessions[-1:]:
        one.send_signal(signal.SIGKILL)
        break


def kill(server):
    server.kill()
    server.start(**OPTIONS)


def left_prepared(servers, name):
    return [
        row
        for server in servers
        for row in postgres.execute(
            server.uri, "SELECT gid FROM pg_prepared_xacts WHERE database = %s", name
        )
    ]


def test_what_was_acknowledged_outlives_the_end_of_any_server(servers, new_store, eventually):
    length = {"machines": 4, "steps": STEPS}
    url, quiet = new_store("killed"), new_store("quiet")
    story, chance = writers.story(**length), random.Random(17)
    counts = [writers.FORK.Value("i", 0) for _ in range(2)]
    processes = [
        writers.FORK.Process(target=writers.write, args=(url, story, 120, count))
        for count in counts
    ]
    for one in processes:
        one.start()
    for number in range(KILLS):
        # Each time some reports have been stored since the last, so it is in the midst of it.
        for count in counts:
            eventually(lambda count=count, seen=count.value: count.value > seen)
        time.sleep(chance.uniform(0, 0.1))  # anywhere in a transaction
        assert any(one.is_alive() for one in processes), f"done before kill {number}"
        (end_a_session if number % 4 == 3 else kill)(servers[number % len(servers)])
    for one in processes:
        one.join(300)
        assert one.exitcode == 0
    assert [count.value for count in counts] == [STEPS] * 2
    database = postgres.open_store(url)
    # Every minute Citus itself ends what a transaction has left behind on a worker.
    coordinator = f"{servers[0].uri.rpartition('/')[0]}/killed"
    postgres.execute(coordinator, "SELECT recover_prepared_transactions()")
    assert left_prepared(servers, "killed") == []
    writers.write(quiet, story)
    undisturbed = postgres.open_store(quiet)
    assert writers.dump(database) == writers.dump(undisturbed)
    writers.check_history(database)
    database.close()
    undisturbed.close()


def test_while_a_worker_is_away_the_operator_is_told_so_and_what_is_due_is_stored_later(
    servers, new_store
):
    database = postgres.open_store(new_store("away"))
    first, second = writers.story(machines=8, steps=2)
    store.ingest(database, first)
    servers[2].kill()
    try:
        with pytest.raises(store.StoreUnreachable, match="remote node"):
            store.ingest(database, second)
    finally:
        servers[2].start(**OPTIONS)
    assert {one.status for one in store.ingest(database, second)} == {"changed"}
    database.close()
