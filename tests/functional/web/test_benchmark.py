"""The benchmark of the web knows every page, and asks for what is there."""

import pytest

from benchmarks import feeds
from benchmarks.pages import pages
from benchmarks.reads import Sample
from salt_ext import settings, store
from salt_ext.feeds import FEEDS
from webui import create_app
from webui.api.envelope import PREFIX

FILES = (".csv", ".json", ".ndjson", ".xlsx")
NO_PAGES = {
    "asset.at",  # leads to the page as of then
    "assets.narrow",  # leads to the list
    "cloud.page",  # the fleets of the benchmark are in no cloud
    "find.to_asset",  # as find.by_query does
    "fleet_metrics.page",
    "metrics.page",
    "probes.ready",
    "static",
}


@pytest.fixture(scope="module")
def app(rack_url):
    given = {"database_url": rack_url, "nodegroups": feeds.NODEGROUPS}
    app = create_app(settings.resolve(("test", given)))
    yield app
    app.extensions["database"].close()


@pytest.fixture(scope="module")
def known(app, rack_url):
    """The pages that the benchmark asks for."""
    database = store.Database(settings.resolve(("test", {"database_url": rack_url})))
    yield pages(Sample(database))
    database.close()


def endpoint(app, address):
    """Return the endpoint of an address."""
    return app.url_map.bind("localhost").match(address.partition("?")[0])[0]


def test_every_page_is_measured(app, known):
    measured = {endpoint(app, address) for page in known for address in page.addresses}
    # A table has the same question in the API; that of the list stands for all of them.
    pages_of_app = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods
        and not rule.rule.endswith(FILES)
        and not rule.rule.startswith(PREFIX)
    }
    assert sorted(pages_of_app - measured - NO_PAGES) == []


def test_what_is_measured_is_there(app, known):
    client = app.test_client()
    for page in known:
        for address in page.addresses[:3]:
            # There is no asset of 30 days ago in so young a store.
            status = client.get(address).status_code
            assert status < 400 or "_as_of" in address, (page.name, address, status)


def test_every_format_of_the_inventory_is_measured_and_there(app):
    client = app.test_client()
    asked = feeds.addresses().values()
    assert {endpoint(app, address) for address in asked} == {
        f"api_inventory.{one}" for one in FEEDS
    }
    for address in asked:
        address = address.replace("site=fra1", "site=dc1")  # where the rack stands
        before = feeds.statements_of_all()
        assert client.get(address).status_code == 200, address
        assert 0 < feeds.statements_of_all() - before <= feeds.STATEMENTS, address
