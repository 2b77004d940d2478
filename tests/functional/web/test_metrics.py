"""What Prometheus reads at /metrics."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from salt_ext import settings, store
from tests.machines import arrival, server
from webui import create_app


@pytest.fixture
def client(database, database_url):
    store.ingest(database, [arrival(server(1), "web01")])
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    yield app.test_client()
    app.extensions["database"].close()


def numbers(client):
    """Return each sample by its name and labels."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
    }


def rise(client, address, name, **labels):
    """Return by how much a number is greater after a request."""
    key = (name, *sorted(labels.items()))
    before = numbers(client).get(key, 0)
    client.open(address, method="GET").close()
    return numbers(client)[key] - before


def test_requests_are_counted_by_endpoint_method_and_status(client):
    name = "cmdb_web_requests_total"
    assert rise(client, "/assets", name, endpoint="assets.page", method="GET", status="200") == 1
    refused = {"endpoint": "assets.page", "method": "GET", "status": "400"}
    assert rise(client, "/assets?nosuchfield=1", name, **refused) == 1


def test_an_address_that_is_nowhere_makes_no_series_of_its_own(client):
    labels = {"endpoint": "none", "method": "GET", "status": "404"}
    assert rise(client, "/no/such/page", "cmdb_web_requests_total", **labels) == 1
    client.open("/", method="BREW")
    series = {dict(key[1:]).get("method") for key in numbers(client)}
    assert "other" in series
    assert "BREW" not in series


def test_the_statements_of_a_request_are_counted(client):
    count = "cmdb_web_request_statements_count"
    assert rise(client, "/healthz", count, endpoint="probes.alive") == 1
    total = "cmdb_web_request_statements_sum"
    assert rise(client, "/healthz", total, endpoint="probes.alive") == 0
    assert 1 < rise(client, "/assets", total, endpoint="assets.page") < 20


def test_a_file_is_counted_when_its_last_piece_was_sent(client):
    count = "cmdb_web_request_seconds_count"
    assert rise(client, "/health.csv", count, endpoint="health.csv") == 1


def test_every_name_begins_with_that_of_this_process_and_has_a_help(client):
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    ours = [one for one in families if not one.name.startswith(("python_", "process_"))]
    assert ours
    for family in ours:
        assert family.name.startswith("cmdb_web_")
        assert family.documentation.endswith(".")
