"""A client of the web UI over a database of the test's own, in which nothing is kept."""

import pytest
from bs4 import BeautifulSoup

from salt_ext import settings
from webui import create_app


@pytest.fixture
def app(database_url):
    made = create_app(
        settings.resolve(("test", {"database_url": database_url, "cache_seconds": 0}))
    )
    yield made
    made.extensions["database"].close()


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
