"""PostgreSQL ends or the connection is cut while reports are written: nothing lost or twice."""

import itertools
import random
import socket
import time

import pytest

from salt_ext import store
from tests import postgres, writers
from tests.integration.conftest import Gate
from tests.patience import PATIENCE_SECONDS

KILLS = 20
STEPS = 400


@pytest.fixture(scope="module")
def primary(server_home):
    server = postgres.Server(server_home() / "primary").initialise()
    yield server.start()
    server.stop()


def undisturbed(primary, name, **length):
    """Return what one writer makes of the story when nothing happens."""
    database = primary.new_store(name)
    writers.write(primary.url(name), writers.story(**length))
    return writers.dump(database)


def others(primary, name):
    """Return the locks of whoever else is in a database."""
    return postgres.execute(
        primary.uri,
        "SELECT pid, mode, state FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE datname = %s AND pid <> pg_backend_pid()",
        name,
    )


@pytest.mark.parametrize("masters", [1, 2])
def test_what_was_acknowledged_outlives_twenty_kills(primary, eventually, masters):
    name, length = f"killed_{masters}", {"machines": 4, "steps": STEPS}
    database = primary.new_store(name)
    story, chance = writers.story(**length), random.Random(masters)
    counts = [writers.FORK.Value("i", 0) for _ in range(masters)]
    processes = [
        writers.FORK.Process(
            target=writers.write, args=(primary.url(name), story, PATIENCE_SECONDS, count)
        )
        for count in counts
    ]
    for one in processes:
        one.start()
    for kill in range(KILLS):
        # Each time some reports have been stored since the last, so it is in the midst of it.
        for count in counts:
            eventually(lambda count=count, seen=count.value: count.value > seen)
        time.sleep(chance.uniform(0, 0.02))  # anywhere in a transaction
        assert all(one.is_alive() for one in processes), f"done before kill {kill}"
        primary.kill()
        primary.start()
    for one in processes:
        one.join(PATIENCE_SECONDS)
        assert one.exitcode == 0
    assert [count.value for count in counts] == [STEPS] * masters
    database.close()
    database = postgres.open_store(primary.url(name))
    assert writers.dump(database) == undisturbed(primary, f"quiet_{masters}", **length)
    writers.check_history(database)
    database.close()
    assert others(primary, name) == []
    assert "deadlock detected" not in primary.log.read_text()


class Scissors(Gate):
    """A gate that cuts the connection at one of the client's messages, before or after it."""

    def __init__(self, target):
        self.messages, self.cut_at, self.lets_pass = 0, None, False
        super().__init__(target)

    def cut(self, at, lets_pass):
        self.messages, self.cut_at, self.lets_pass = 0, at, lets_pass

    def _copy(self, source, sink):
        if source.family == socket.AF_UNIX:
            super()._copy(source, sink)
            return
        while data := source.recv(1 << 16):
            self.messages += 1
            is_cut = self.messages == self.cut_at
            if not is_cut or self.lets_pass:
                sink.sendall(data)
            if is_cut:
                # PostgreSQL still does what it was told, and cannot say so.
                source.shutdown(socket.SHUT_RDWR)
                break
        sink.shutdown(socket.SHUT_WR)


def test_a_connection_cut_at_any_message_loses_nothing_and_leaves_no_lock(primary, eventually):
    database = primary.new_store("cut")
    gate = Scissors(primary.socket)
    story = writers.story(machines=4, steps=200)
    through = postgres.open_store(f"postgresql+psycopg2://postgres@127.0.0.1:{gate.port}/cut")
    cuts, steps = 0, iter(story)
    for at in itertools.count(1):
        for lets_pass in (False, True):
            batch = next(steps)
            gate.cut(at, lets_pass)
            try:
                store.ingest(through, batch)  # mostly it goes on by itself
                cuts += gate.messages >= at
            except store.StoreUnreachable:
                cuts += 1
                gate.cut(None, False)
                store.ingest(through, batch)
        if gate.messages < at:
            break  # past the last message of the batch
    assert cuts > 30
    through.close()
    gate.close()
    done = len(story) - len(list(steps))
    # The rename and its time are part of the story, whatever its length.
    quiet = primary.new_store("uncut")
    writers.write(primary.url("uncut"), story[:done])
    assert writers.dump(database) == writers.dump(quiet)
    writers.check_history(database)
    database.close()
    quiet.close()
    eventually(lambda: not others(primary, "cut"))
