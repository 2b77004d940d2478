"""What the web UI answers with the role that the manual makes for it, which may only read."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.functional.web.test_addresses import address_of
from tests.machines import arrival, server


@pytest.fixture
def client(reader_app):
    return reader_app.test_client()


def test_every_page_and_path_of_the_api_answers_with_the_role_of_the_manual(
    database, reader_app, client
):
    store.ingest(database, [arrival(server(1))])
    given = {"asset_id": str(store.resolve(database, "web01")), "serial": "9XYZ001"}
    refused = []
    for rule in reader_app.url_map.iter_rules():
        if "GET" not in rule.methods:
            continue
        response = client.get(address_of(rule, given))
        if response.status_code >= 500:
            refused.append((str(rule), response.status_code, response.text[-300:]))
    assert refused == []


def test_a_right_that_is_refused_is_not_called_a_database_that_is_away(database, client):
    with database.begin() as link:
        link.execute(sa.text("REVOKE SELECT (id) ON inbox FROM cmdb_reader"))
    for address in ("/status", "/metrics/fleet"):
        response = client.get(address)
        assert response.status_code == 503
        assert "The database refuses this" in response.text
        assert "the role of the database may not do that" in response.text
        assert "cmdb.migrate grants=True" in response.text
        assert "away" not in response.text
