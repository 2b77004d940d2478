"""
A coordinator and two workers of Citus on this machine.

``CMDB_CITUS_PROGRAMS`` names the directory of a PostgreSQL with Citus: in it are ``bin``
and ``lib``. This starts three servers in a temporary directory, prints the URI of the
coordinator, and ends them at Ctrl-C:

    CMDB_CITUS_PROGRAMS=/opt/citus python -m tests.citus

With that URI in ``CMDB_TEST_CITUS`` the stores of the tests are spread over the three: see
docs/scale.md. Each store is a database of its own on every server.
"""

import contextlib
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa

from tests import postgres

SHARDS = 4
"""Of each table in a test: enough that either worker has two, and quick to make."""

TEMPLATE = "template_cmdb"

ON_CITUS = "CMDB_TEST_CITUS" in os.environ

QUICK = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "64MB",
    "autovacuum": "off",
    "max_connections": 200,
    "max_prepared_transactions": 400,
    # Each database has a process that looks after it.
    "max_worker_processes": 100,
    "shared_preload_libraries": "citus",
    "citus.shard_count": SHARDS,
    "citus.enable_statistics_collection": "off",
    "citus.distributed_deadlock_detection_factor": 1,
}


@contextlib.contextmanager
def cluster(**options: object) -> Iterator[list[postgres.Server]]:
    """Yield the servers, the coordinator first; its database ``postgres`` knows the others."""
    programs = Path(os.environ["CMDB_CITUS_PROGRAMS"])
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with tempfile.TemporaryDirectory(prefix="cmdb-citus-", dir=root) as home:
        servers = [
            postgres.Server(Path(home, name), programs / "bin", str(programs / "lib"))
            for name in ("coordinator", "worker1", "worker2")
        ]
        try:
            for server in servers:
                server.initialise().start(**QUICK | options)
                postgres.execute(server.uri, "CREATE EXTENSION citus")
            _join(servers[0].uri, [server.uri for server in servers])
            yield servers
        finally:
            for server in servers:
                server.stop()


class Databases(postgres.Databases):
    """The databases of tests: each is on every server, and the coordinator's knows the others."""

    IS_CITUS = True

    def __init__(self, uri: str):
        """``uri`` is that of a database of the coordinator which knows the workers."""
        super().__init__(uri)
        found = postgres.execute(
            uri, "SELECT nodename, nodeport FROM pg_dist_node ORDER BY groupid"
        )
        self._nodes = [_uri(uri, host=host, port=port) for host, port in found]

    def create(self, name: str) -> str:
        """Make a database in which nothing is spread yet; a former one of this name goes."""
        self.drop(name)
        for node in self._nodes:
            postgres.execute(node, f"CREATE DATABASE {name}")
            postgres.execute(_uri(node, database=name), "CREATE EXTENSION citus")
        _join(_uri(self._uri, database=name), self._nodes)
        return self.url(name)

    def copy(self, template: str, name: str) -> str:
        """Copy a database that is closed: the copy is spread as it is."""
        self.drop(name)
        for node in self._nodes:
            postgres.Databases(node).copy(template, name)
        return self.url(name)

    def close(self, name: str) -> None:
        """Let nobody use a database: Citus has a process in each that would keep it busy."""
        for node in self._nodes:
            # Not ALTER DATABASE: it fails when there is none.
            postgres.execute(
                node,
                "UPDATE pg_database SET datallowconn = false WHERE datname = %s",
                name,
            )
        for node in self._nodes:
            postgres.execute(
                node,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
                name,
            )

    def drop(self, name: str) -> None:
        """Remove a database, if it is there, from each server."""
        self.close(name)
        for node in self._nodes:
            postgres.Databases(node).drop(name)


def one_server(reason: str) -> pytest.MarkDecorator:
    """Pass a test over on Citus; the reason says what a store there has not."""
    return pytest.mark.skipif(ON_CITUS, reason=f"one server only: {reason}")


def _join(coordinator: str, nodes: list[str]) -> None:
    (host, port), *workers = map(_address, nodes)
    postgres.execute(coordinator, "SELECT citus_set_coordinator_host(%s, %s)", host, port)
    for worker in workers:
        postgres.execute(coordinator, "SELECT citus_add_node(%s, %s)", *worker)


def _address(uri: str) -> tuple[str, int]:
    parts = psycopg2.extensions.parse_dsn(uri)
    return parts["host"], int(parts["port"])


def _uri(uri: str, **instead: object) -> str:
    """Return the URI of another server or database, for the same user."""
    return sa.make_url(uri).set(**instead).render_as_string(hide_password=False)


def main() -> None:
    """Start the servers, print the URI of the coordinator, and wait for Ctrl-C."""
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with cluster() as (coordinator, *_):
        print(coordinator.uri, flush=True)
        over.wait()
    sys.exit(0)


if __name__ == "__main__":
    main()
