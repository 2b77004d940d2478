"""What is hidden is open to auditors, and to nobody else, by whichever way they come."""

from datetime import timedelta

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.functional.web import provider as providers
from tests.functional.web.access import PROXY, USERS, application, log_in
from tests.functional.web.test_access_oidc import SITE, arrive
from tests.machines import arrival, server

SN, MODEL = (server(1)["system"][name] for name in ("serial_number", "product_name"))
ADDRESSES = ("/assets", "/assets.json", "/assets.csv", "/api/v1/assets", f"/find?q={SN}")


def by_header(client, role, **_):
    client.environ_base["HTTP_X_REMOTE_USER"] = "carol" if role == "auditor" else "alice"


def by_group(client, role, **_):
    client.environ_base["HTTP_X_REMOTE_USER"] = "somebody"
    client.environ_base["HTTP_X_REMOTE_GROUPS"] = "ops,audit" if role == "auditor" else "ops"


def by_password(client, role, **_):
    name, password = ("bob", "bob's own password") if role == "auditor" else ("alice", None)
    done = log_in(client, name, password) if password else log_in(client, name)
    assert done.status_code == 303


def by_oidc(client, role, provider, **_):
    provider.person["groups"] = ["audit"] if role == "auditor" else ["ops"]
    assert arrive(client).status_code == 303


def by_token(client, role, database, **_):
    token, _ = store.create_token(database, role, role, timedelta(days=1), by="me")
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"


@pytest.fixture(scope="module")
def provider():
    with providers.running() as running:
        yield running


@pytest.fixture
def app(provider, database, database_url, tmp_path):
    ingest(database, [arrival(server(1), "web01")])
    (tmp_path / "secret").write_text(providers.SECRET)
    oidc = {
        "discovery_url": f"{provider.url}/.well-known/openid-configuration",
        "client_id": providers.CLIENT,
        "client_secret_file": str(tmp_path / "secret"),
    }
    said = {
        "login": {"users": USERS, "header": PROXY, "oidc": oidc},
        "auditors": ["bob", "carol", "%audit"],
        "hidden_fields": ["sn", "product_name"],
        "public_url": SITE,
        "cache_seconds": 600,
    }
    with application(database_url, tmp_path, **said) as app:
        yield app


@pytest.mark.parametrize("way", [by_header, by_group, by_password, by_oidc, by_token])
def test_only_an_auditor_sees_what_is_hidden(app, provider, database, way):
    seen = {}
    # The auditor first: what is kept for a while must not be kept for everybody.
    for role in ("auditor", "viewer"):
        client = app.test_client()
        way(client, role, provider=provider, database=database)
        asset_id = client.get("/api/v1/assets").json["rows"][0]["id"]
        addresses = (*ADDRESSES, f"/a/{asset_id}", f"/a/{asset_id}.json", "/", "/status")
        answers = {one: client.get(one, follow_redirects=True, buffered=True) for one in addresses}
        assert {one.status_code for one in answers.values()} <= {200, 404}
        seen[role] = {
            (address, text)
            for address, answer in answers.items()
            for text in (SN, MODEL)
            if text in answer.text and text not in address
        }
    assert seen["viewer"] == set()
    lists = ("/assets", "/assets.json", "/assets.csv", "/api/v1/assets")
    assert {*((one, SN) for one in lists), ("/", MODEL)} <= seen["auditor"]


def test_whoever_sits_at_the_machine_is_no_auditor(database, database_url, tmp_path):
    ingest(database, [arrival(server(1), "web01")])
    with application(database_url, tmp_path, hidden_fields=["sn"]) as app:
        answer = app.test_client().get("/assets.json")
        assert answer.status_code == 200
        assert SN not in answer.text
