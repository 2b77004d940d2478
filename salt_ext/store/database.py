"""
The way to PostgreSQL: one pool per process and URL, and errors in plain words.
"""

from __future__ import annotations

import contextlib
import copy
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from functools import cache
from typing import Any, NamedTuple

import psycopg2
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from salt_ext.settings import Settings
from salt_ext.store.counting import counted
from salt_ext.store.distribution import begin_session
from salt_ext.store.errors import (
    Busy,
    Contended,
    Forbidden,
    SessionLost,
    StatementFailed,
    StoreError,
    StoreUnreachable,
)
from salt_ext.store.hidden import NOTHING, Hidden, hidden
from salt_ext.store.url import parsed as parsed_url
from salt_ext.store.url import scrubbed, shown
from salt_ext.words.times import zone_of

DRIVER = "postgresql+psycopg2"
CONNECT_TIMEOUT_SECONDS = 3
POOL_TIMEOUT_SECONDS = 10
RECHECK_SECONDS = 60
"""After this time a process that only reads looks again whether it knows the schema."""


class Limits(NamedTuple):
    """How long a statement may take, and may wait for another session."""

    statement_seconds: int
    lock_seconds: int | None = None


USUAL = Limits(60)
REPORTS = Limits(5, 4)
"""Of statements that store reports: while one of them runs, the reports of all machines wait."""
PAGES = Limits(5)
"""Of what somebody waits for before a browser."""
DELIVERIES = Limits(5, 2)
"""Of what sends webhooks, so that it has connections of its own and takes none of the reports'."""

HEAD = "0029"
"""The revision of the schema that this code works with; a test compares it with Alembic's."""


Row = dict[str, Any]


def rows(result: sa.Result[Any]) -> list[Row]:
    """Return all rows of a result, each as a dictionary; the result is read to its end."""
    return [dict(row._mapping) for row in result]


AWAY = "start PostgreSQL, or correct cmdb:database_url in the configuration"
AWAY_REMOTE = (
    "start this worker of Citus, or name its heir: citus_update_node, see docs/operations.md"
)
"""Of a worker, whose node Citus names, the coordinator itself answers."""

PLAIN: tuple[tuple[type[Exception], type[StoreError], str, str], ...] = (
    (
        psycopg2.errors.ReadOnlySqlTransaction,
        StoreError,
        "{url} is read-only",
        "database_url must name the primary server and a role that may write",
    ),
    (
        psycopg2.errors.InsufficientPrivilege,
        Forbidden,
        "the role of {url} may not do that",
        "salt-run cmdb.migrate grants=True gives our roles the rights that they lack; else use"
        " the role that ran cmdb.migrate",
    ),
    (
        psycopg2.errors.QueryCanceled,
        StatementFailed,
        "a statement on {url} took longer than it may",
        "ask for less at once: a filter, a limit, a shorter time",
    ),
    (
        psycopg2.errors.OutOfMemory,
        StatementFailed,
        "{url} has not enough memory for a statement",
        "ask for less at once, or give the database server more memory",
    ),
    (
        # Migrations, and what stores reports, set a limit (lock_timeout) to their waiting.
        psycopg2.errors.LockNotAvailable,
        Busy,
        "{url} is in use",
        "try again when no long export or report runs; nothing has changed",
    ),
    (
        psycopg2.errors.DeadlockDetected,
        Contended,
        "another writer of {url} was faster",
        "try again",
    ),
    (
        psycopg2.errors.DiskFull,
        StoreUnreachable,
        "the disk of {url} is full",
        "make room on the database server; what was not stored is still due",
    ),
    (
        # A replica ends a long read that still needs rows which the primary has removed.
        psycopg2.errors.SerializationFailure,
        StoreError,
        "{url} ended the transaction",
        "try again; if it happens often, set hot_standby_feedback on the replica",
    ),
)
"""Of each error of PostgreSQL: the class that is raised instead, its message, and its hint."""


class Database:
    """A URL and how to use it; connections are opened when they are needed."""

    def __init__(
        self, settings: Settings, *, read_only: bool = False, limits: Limits = USUAL
    ) -> None:
        """
        Check the URL.

        Raises :class:`StoreError` when the URL is not PostgreSQL's.
        """
        name = (
            "database_read_url" if read_only and settings["database_read_url"] else "database_url"
        )
        url = settings[name]
        parsed = parsed_url(url)
        if parsed is None or parsed.drivername != DRIVER:
            raise StoreError(
                f"{name} is not a PostgreSQL URL: {shown(url)}",
                f"write it as {DRIVER}://user:password@host:5432/cmdb, and in a password"
                " %40 for @, %2F for /, %3A for : and %25 for %",
                f"{name} is not a PostgreSQL URL",
            )
        self.settings = settings
        self.url = url
        self.read_only = read_only
        self.limits = limits
        self.hidden: Hidden = NOTHING
        self._answers: dict[str, Any] | None = None
        self.shown_url = shown(url)

    @property
    def zone(self) -> tzinfo:
        """The zone in which people read and write times."""
        return zone_of(self.settings["timezone"])

    def within(self, limits: Limits) -> Database:
        """Return the same database, whose statements have these limits."""
        other = copy.copy(self)
        other.limits = limits
        return other

    def hiding(self, names: Iterable[str]) -> Database:
        """
        Return the same database for somebody from whom these fields are hidden.

        It has the same connections; the names are those of the setting ``hidden_fields``.
        """
        other = copy.copy(self)
        other.hidden = hidden(names)
        return other

    def of_one_question(self) -> Database:
        """Return the same database for one question, which reads once what :meth:`once` asks."""
        other = copy.copy(self)
        other._answers = {}
        return other

    def once(self, name: str, ask: Callable[[], Any]) -> Any:
        """Return an answer that is the same for all of one question, such as people's fields."""
        if self._answers is None:
            return ask()
        if name not in self._answers:
            self._answers[name] = ask()
        return self._answers[name]

    def _engine(self) -> sa.Engine:
        return _engine(os.getpid(), self.url, self.read_only, self.limits)

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """
        Yield a connection in a transaction that commits at the end: mostly to write.

        The schema is looked at in the same transaction: whoever changes it waits until this
        has ended, and what comes later is refused.
        """
        with self._plain_errors(), self.begin_unchecked() as link:
            if self.read_only:
                self._check_now_and_then(link)
            else:
                check_schema(link)
            yield link

    @contextlib.contextmanager
    def autocommit(self) -> Iterator[sa.Connection]:
        """
        Yield a connection in which every statement is a transaction of its own: mostly to read.

        Such a statement takes one round trip to the server, and not three.
        """
        with self._plain_errors(), self._engine().connect() as link:
            # Set in psycopg2 itself: SQLAlchemy's own way takes two round trips more.
            driver: Any = link.connection.dbapi_connection
            driver.autocommit = True
            try:
                self._check_now_and_then(link)
                yield link
            finally:
                if not driver.closed:
                    driver.autocommit = False

    def _check_now_and_then(self, link: sa.Connection) -> None:
        mark = (os.getpid(), self.url)
        if time.monotonic() >= _check_again.get(mark, 0):
            check_schema(link)
            _check_again[mark] = time.monotonic() + RECHECK_SECONDS

    @contextlib.contextmanager
    def begin_unchecked(self) -> Iterator[sa.Connection]:
        """Yield a connection as :meth:`begin` does, whatever the schema is: for migrations."""
        with self._plain_errors(knows_schema=False), self._engine().begin() as link:
            yield link

    def close(self) -> None:
        """Close the unused connections of this process to the URL."""
        for limits in (USUAL, REPORTS, PAGES, DELIVERIES):
            _engine(os.getpid(), self.url, self.read_only, limits).dispose()

    @contextlib.contextmanager
    def _plain_errors(self, *, knows_schema: bool = True) -> Iterator[None]:
        try:
            yield
        except PoolTimeout:
            raise StoreUnreachable(
                f"all connections of this process to {self.shown_url} are busy",
                "try again; if it stays so, look for statements that take long",
                "all connections to the database are busy",
            ) from None
        except DBAPIError as error:
            if isinstance(error.orig, psycopg2.errors.FeatureNotSupported):
                # The tables were spread over several servers since the session began: see is_citus.
                self.close()
            plain = self._plain(error)
            if plain is None and knows_schema and isinstance(error.orig, OTHER_SCHEMA):
                plain = self._other_schema()
            if plain is None:
                raise
            raise plain from error

    def _other_schema(self) -> StoreError | None:
        """Return what is wrong with the schema when a statement did not find a table or column."""
        try:
            ping(self)
        except StoreError as error:
            return error
        return None

    def _plain(self, error: DBAPIError) -> StoreError | None:
        """Return what a database error means to an operator, or None when it is a bug of ours."""
        original = error.orig
        text = scrubbed(str(original).strip(), self.url)
        first_line = text.splitlines()[0] if text else "no reason"
        code = getattr(original, "pgcode", None) or ""
        for kind, plain, message, hint in PLAIN:
            if isinstance(original, kind):
                return plain(
                    f"{message.format(url=self.shown_url)}: {first_line}",
                    hint,
                    message.format(url="the database"),
                )
        if code == "" and isinstance(original, psycopg2.ProgrammingError) and "dsn" in first_line:
            return StoreError(
                f"{self.shown_url} has an option that PostgreSQL does not know: {first_line}",
                "correct cmdb:database_url in the configuration",
                "the URL of the database has an option that PostgreSQL does not know",
            )
        # Class 08 is a broken connection, 28 a refused login, 3D a missing database,
        # 53 a lack of resources, 57P a server that shuts down. Without a code the
        # server was not reached at all.
        if (
            error.connection_invalidated
            or code[:2] in ("", "08", "28", "3D", "53")
            or (code[:3] == "57P")
        ):
            if isinstance(error, ProgrammingError) or not isinstance(
                original, (psycopg2.OperationalError, psycopg2.InterfaceError)
            ):
                return None
            if error.connection_invalidated:
                return SessionLost(
                    f"the database at {self.shown_url} ended the session: {first_line}",
                    "start PostgreSQL if it is away; if it is not, its log says why it did that",
                    "the database ended the session",
                )
            return StoreUnreachable(
                f"cannot reach the database at {self.shown_url}: {first_line}",
                AWAY_REMOTE if "remote node" in text else AWAY,
                "cannot reach the database",
            )
        return None


@cache
def _engine(pid: int, url: str, read_only: bool, limits: Limits) -> sa.Engine:
    """Return the engine of this process; a connection must never be shared across a fork."""
    options = [
        f"-c statement_timeout={limits.statement_seconds}s",
        "-c idle_in_transaction_session_timeout=60s",
        "-c timezone=UTC",
        # What our locks rely on: each statement sees what others have committed before it.
        r"-c default_transaction_isolation=read\ committed",
        # To compile a statement takes longer than any of our statements gains by it.
        "-c jit=off",
        # Enough to sort and to hash a whole fleet in memory, without temporary files.
        "-c work_mem=64MB",
        # What is prepared is planned once: see bulk.Prepared. On Citus it cannot: see SESSION.
        "-c plan_cache_mode=force_generic_plan",
    ]
    if limits.lock_seconds is not None:
        options.append(f"-c lock_timeout={limits.lock_seconds}s")
    if read_only:
        options.append("-c default_transaction_read_only=on")
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=4,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        connect_args={
            "connect_timeout": CONNECT_TIMEOUT_SECONDS,
            # Not what the environment of a process says, such as PGCLIENTENCODING.
            "client_encoding": "utf8",
            "application_name": "salt-cmdb",
            "options": " ".join(options),
        },
    )
    sa.event.listen(engine, "connect", begin_session)
    sa.event.listen(engine, "before_cursor_execute", counted)
    return engine


_check_again: dict[tuple[int, str], float] = {}
"""By process id and URL: when to look at the schema again, by the monotonic clock."""

OTHER_SCHEMA = (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn)
"""What a statement fails with when the schema is another one than when it was last looked at."""

VERSION = "SELECT version_num FROM alembic_version"


def check_schema(link: sa.Connection) -> None:
    """
    Raise :class:`StoreError` unless the schema is the one that this code knows.

    Until the transaction ends, nobody can change the schema: this reads its table.
    """
    where = f"the database {shown(link.engine.url.render_as_string(hide_password=False))}"
    try:
        found = link.exec_driver_sql(VERSION).scalar()
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg2.errors.UndefinedTable):
            raise
        found = None
    except OperationalError as error:
        if not isinstance(error.orig, psycopg2.errors.QueryCanceled):
            raise
        raise StoreError(
            f"{where} is being migrated",
            "wait until salt-run cmdb.migrate is done; what was not stored is still due",
            "the database is being migrated",
        ) from error
    if found == HEAD:
        return
    state = "has no schema yet" if found is None else f"has schema {found}, not {HEAD}"
    raise StoreError(
        f"{where} {state}",
        "run: salt-run cmdb.migrate"
        if found is None or found < HEAD
        else "install the newer salt-cmdb that migrated it, and restart the master and the web UI",
        f"the database {state}",
    )


def ping(database: Database) -> None:
    """Raise :class:`StoreError` when the store cannot be used as it is now; else do nothing."""
    with database.begin_unchecked() as link:
        check_schema(link)
