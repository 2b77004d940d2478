"""A question that takes PostgreSQL too long ends with a page that says what to do."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.store.database import Limits
from tests.machines import arrival, server
from webui import create_app


@pytest.fixture
def app(database, database_url):
    """The application, which waits for a second."""
    store.ingest(database, [arrival(server(1), "web01")])
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    within = app.extensions["database"].within(Limits(1))
    app.extensions["database"] = within
    yield app
    within.close()


@contextlib.contextmanager
def locked(database_url):
    """Let nobody read an asset meanwhile."""
    engine = sa.create_engine(database_url)
    with engine.begin() as link:
        link.execute(sa.text("LOCK TABLE asset IN ACCESS EXCLUSIVE MODE"))
        yield
    engine.dispose()


def test_pages_wait_for_five_seconds(database_url):
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    with app.extensions["database"].autocommit() as link:
        assert link.exec_driver_sql("SHOW statement_timeout").scalar() == "5s"
    app.extensions["database"].close()


def test_what_takes_longer_says_what_to_do(app, database_url):
    with locked(database_url):
        response = app.test_client().get("/assets")
    assert response.status_code == 503
    assert "Retry-After" in response.headers
    assert "This takes too long" in response.text
    assert "ask for less: a filter" in response.text


def test_a_file_may_take_longer_than_a_page(app, database_url):
    with ThreadPoolExecutor(1) as pool:
        with locked(database_url):
            file = pool.submit(app.test_client().get, "/assets.csv", buffered=True)
            assert app.test_client().get("/assets").status_code == 503
            assert app.test_client().get("/assets").status_code == 503
            assert not file.done()
        assert file.result().status_code == 200
