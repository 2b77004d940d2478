"""gunicorn as the manual's unit file starts it: several workers, one log, one sum of numbers."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.machines import arrival, server
from tests.patience import PATIENCE_SECONDS
from webui import heavy
from webui import server as configuration

ROOT = Path(__file__).parents[3]
GUNICORN = Path(sys.executable).with_name("gunicorn")


class Served:
    """A running gunicorn, its address and what it says."""

    def __init__(self, directory, url):
        """Start it on a port of its own."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.said = directory / "log"
        self.numbers = directory / "numbers"
        self.numbers.mkdir()
        # Of an earlier run.
        (self.numbers / "counter_1.db").write_bytes(b"no file of numbers")
        command = [GUNICORN, "--config=python:webui.server", f"--bind=127.0.0.1:{self.port}"]
        environ = {"CMDB_DATABASE_URL": url, "PROMETHEUS_MULTIPROC_DIR": str(self.numbers)}
        with self.said.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=os.environ | environ
            )
        self.until(lambda: self.get("/readyz")[0] == 200)

    def get(self, address):
        """Return the status of an answer, its headers and its body; 0 while nobody is there."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            link.request("GET", address)
            answer = link.getresponse()
            return answer.status, dict(answer.headers), answer.read().decode()
        except ConnectionError:
            return 0, {}, ""
        finally:
            link.close()

    def until(self, is_so):
        """Wait until something is so."""
        end = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < end, self.said.read_text()
            time.sleep(0.05)

    def number(self, sample):
        """Return one of the numbers of all workers; 0 when nobody has counted it yet."""
        lines = self.get("/metrics")[2].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(f"{sample} "))

    def lines(self):
        """Return the lines of the log, each of which is an object."""
        return [json.loads(line) for line in self.said.read_text().splitlines()]

    def workers(self):
        """Return the process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def stop(self):
        """End it and wait."""
        self.process.terminate()
        self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def served(tmp_path, database, database_url):
    store.ingest(database, [arrival(server(1), "web01")])
    running = Served(tmp_path, database_url)
    yield running
    running.stop()


def test_all_workers_count_together_and_a_dead_one_is_not_forgotten(served):
    sample = 'cmdb_web_requests_total{endpoint="assets.page",method="GET",status="200"}'
    threads = [threading.Thread(target=served.get, args=["/assets"]) for _ in range(40)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert served.number(sample) == 40
    before = served.workers()
    os.kill(before[0], signal.SIGKILL)
    served.until(lambda: len(set(served.workers()) - set(before)) == 1)
    served.until(lambda: not list(served.numbers.glob(f"gauge_live*_{before[0]}.db")))
    served.get("/assets")
    served.until(lambda: served.number(sample) == 41)


def test_every_line_of_the_log_is_an_object(served):
    served.get("/assets")
    lines = served.lines()
    assert lines
    assert {"at", "level", "logger", "message"} <= set.intersection(*map(set, lines))
    assert any("Booting worker" in line["message"] for line in lines)


def test_all_else_is_answered_while_heavy_reads_have_taken_their_rooms(served, database_url):
    engine = sa.create_engine(database_url)
    rooms = heavy.RUNNING * configuration.workers
    with ThreadPoolExecutor(16) as pool:
        with engine.begin() as link:
            link.execute(sa.text("LOCK TABLE asset IN ACCESS EXCLUSIVE MODE"))
            reads = {pool.submit(served.get, "/health.csv") for _ in range(16)}
            refused = set()
            while len(refused) < 16 - rooms:
                refused |= wait(reads - refused, PATIENCE_SECONDS, FIRST_COMPLETED).done
            assert {served.get("/healthz")[0] for _ in range(50)} == {200}
            running = served.number("cmdb_web_heavy_reads_running")
        answers = [one.result() for one in reads - refused]
    for status, headers, body in (one.result() for one in refused):
        assert status == 503
        assert "Retry-After" in headers
        assert "Too much at once" in body
    # Those that waited for a room when the table was free again are answered too. On a crowded
    # machine they may have waited for the table longer than a read does, which says so.
    for status, _, body in answers:
        assert status == 200 or (status == 503 and "This takes too long" in body), body
    assert 1 <= running <= len(answers) <= rooms
    assert served.number("cmdb_web_heavy_reads_refused_total") == len(refused)
    engine.dispose()
