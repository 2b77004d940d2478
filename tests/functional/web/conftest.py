"""A client of the web UI over a database of the test's own, in which nothing is kept."""

import itertools

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from salt_ext import settings, store
from webui import create_app

NUMBERS = itertools.count()


@pytest.fixture
def app(database_url):
    made = create_app(
        settings.resolve(("test", {"database_url": database_url, "cache_seconds": 0}))
    )
    yield made
    made.extensions["database"].close()


@pytest.fixture
def reader_app(database, database_url):
    """The application with the role that the manual makes for it, and with no other."""
    store.grant(database)
    name = f"cmdb_web_{next(NUMBERS)}"
    with database.begin() as link:
        link.exec_driver_sql(f"CREATE ROLE {name} LOGIN IN ROLE cmdb_reader")
        link.exec_driver_sql(f"ALTER ROLE {name} SET default_transaction_read_only = on")
    url = sa.make_url(database_url).set(username=name).render_as_string(hide_password=False)
    given = {
        "database_url": "postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb",
        "database_read_url": url,
        "cache_seconds": 0,
        "nodegroups": {"all": {}},
    }
    made = create_app(settings.resolve(("test", given)))
    yield made
    made.extensions["database"].close()
    with database.begin() as link:
        link.exec_driver_sql(f"DROP ROLE {name}")


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def page(client):
    """A function that returns a page as a tree of elements."""

    def get(address, status=200):
        response = client.get(address)
        assert response.status_code == status, response.text
        return BeautifulSoup(response.text, "html.parser")

    return get
