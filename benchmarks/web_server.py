"""
The web UI as it is deployed, on loopback: what it answers, and what that costs.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks import processes

ROOT = Path(__file__).parents[1]
START_SECONDS = 30
PIECE_BYTES = 1 << 16


class Answer(NamedTuple):
    """The status of an answer, how many bytes it had, and how long it took."""

    status: int
    bytes: int
    seconds: float
    retry_after: str | None


class Web(NamedTuple):
    """A running gunicorn."""

    pid: int
    port: int

    @contextlib.contextmanager
    def link(self) -> Iterator[http.client.HTTPConnection]:
        """Yield a connection, which is kept open."""
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        ) as link:
            yield link

    def workers(self) -> list[int]:
        """Return the process ids of its workers."""
        return processes.children(self.pid)

    def statements(self) -> float:
        """Return how many statements it has sent so far."""
        with self.link() as link:
            link.request("GET", "/metrics")
            lines = link.getresponse().read().decode().splitlines()
        name = "cmdb_web_request_statements_sum"
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def get(link: http.client.HTTPConnection, address: str, *, gzip: bool = True) -> Answer:
    """Ask for an address, and read the answer piece by piece."""
    began = time.perf_counter()
    link.request("GET", address, headers={"Accept-Encoding": "gzip" if gzip else "identity"})
    answer = link.getresponse()
    count = 0
    while piece := answer.read(PIECE_BYTES):
        count += len(piece)
    return Answer(
        answer.status, count, time.perf_counter() - began, answer.headers.get("Retry-After")
    )


@contextlib.contextmanager
def web(url: str, directory: Path, workers: int, **settings: str) -> Iterator[Web]:
    """Run it over a store, as the manual's unit file does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    numbers = directory / f"numbers-{port}"
    numbers.mkdir()
    command = [sys.executable, "-m", "gunicorn", "--config=python:webui.server"]
    environ = {"CMDB_DATABASE_URL": url, "PROMETHEUS_MULTIPROC_DIR": str(numbers), **settings}
    with (directory / "web.log").open("a") as log:
        process = subprocess.Popen(
            [*command, f"--bind=127.0.0.1:{port}", f"--workers={workers}"],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env=os.environ | environ,
        )
    try:
        running = Web(process.pid, port)
        _await(running)
        yield running
    finally:
        process.terminate()
        process.wait()


def _await(running: Web) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with running.link() as link:
                if get(link, "/readyz").status == 200:
                    return
        except ConnectionError:
            pass
        if time.monotonic() > end:
            raise TimeoutError("the web UI did not start")
        time.sleep(0.1)
