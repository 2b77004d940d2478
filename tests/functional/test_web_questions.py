"""Questions that find nothing, as pages and as JSON."""

import html

import pytest

from salt_ext import settings
from salt_ext.store import ingest
from tests.machines import arrival, server
from webui import create_app


@pytest.fixture
def ask(database):
    """A function that returns the answer at an address, over a store with one machine."""
    ingest(database, [arrival(server(1, location={"site": "ams1"}), "web01")])
    app = create_app(settings.resolve(("test", {"database_url": database.url})))
    return app.test_client().get


def test_a_page_that_found_nothing_says_why(ask):
    shown = html.unescape(ask("/assets?site=AMS1").text)
    assert "No asset has site=AMS1; the nearest is 'ams1'." in shown
    assert "No asset has the word 'dlel'" in html.unescape(ask("/assets?q=dlel").text)
    assert "the nearest is" not in ask("/assets?site=ams1").text


@pytest.mark.parametrize("address", ["/assets?freshness=down", "/assets.json?freshness__in=down"])
def test_a_value_outside_of_a_closed_set_is_refused(ask, address):
    answer = ask(address)
    assert answer.status_code == 400
    assert "there are: fresh, stale, missing, detached" in answer.text
