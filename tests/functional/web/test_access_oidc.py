"""Logging in at a provider of OpenID Connect, over real HTTP: what it says is checked."""

import base64
import hmac
import json
import re
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from joserfc.jwk import RSAKey

from tests.functional.web import provider as providers
from tests.functional.web.access import application, logged

SITE = "http://localhost"


@pytest.fixture
def provider():
    with providers.running() as running:
        yield running


@pytest.fixture
def app(provider, database_url, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(f"{providers.SECRET}\n")
    oidc = {
        "discovery_url": f"{provider.url}/.well-known/openid-configuration",
        "client_id": providers.CLIENT,
        "client_secret_file": str(secret),
    }
    said = {"login": {"oidc": oidc}, "public_url": SITE, "auditors": ["%audit"]}
    with application(database_url, tmp_path, **said) as app:
        yield app


@pytest.fixture
def client(app):
    return app.test_client()


def go(client, there=""):
    """Follow the link to the provider; return where that sends the browser back."""
    response = client.get("/login/oidc", query_string={"next": there} if there else {})
    assert response.status_code == 302, response.text
    back = requests.get(response.headers["Location"], allow_redirects=False, timeout=60)
    location = back.headers["Location"]
    assert location.startswith(f"{SITE}/login/oidc/back?")
    return location


def arrive(client, there=""):
    return client.get(go(client, there), headers={"Accept": "text/html"})


def test_somebody_whom_the_provider_knows_may_read(client, provider, tmp_path):
    page = client.get("/assets", headers={"Accept": "text/html"})
    login = client.get(page.headers["Location"])
    assert f"Log in at {urlsplit(provider.url).netloc}" in login.text
    assert 'name="password"' not in login.text
    response = arrive(client, "/assets?site=dc1")
    assert (response.status_code, response.headers["Location"]) == (303, "/assets?site=dc1")
    assert "<bdi>alice</bdi>" in client.get("/").text
    line = logged(tmp_path)[-1]
    assert (line["who"], line["role"], line["way"]) == ("alice", "viewer", "oidc")


def test_the_provider_is_asked_with_pkce_a_nonce_and_our_own_address(client, provider):
    go(client)
    go(client)
    first, second = provider.asked
    assert first["redirect_uri"] == f"{SITE}/login/oidc/back"
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 20
        assert first[name] != second[name]


def test_a_host_that_somebody_else_sends_does_not_change_where_people_come_back(client, provider):
    response = client.get("/login/oidc", headers={"Host": "evil.example"})
    asked = parse_qs(urlsplit(response.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{SITE}/login/oidc/back"]


@pytest.mark.parametrize(
    ("groups", "role"),
    [(["ops", "audit"], "auditor"), ("audit", "auditor"), ([["audit"]], "viewer")],
)
def test_a_group_makes_an_auditor(client, provider, tmp_path, groups, role):
    provider.person["groups"] = groups
    arrive(client)
    client.get("/")
    assert logged(tmp_path)[-1]["role"] == role


def test_many_groups_do_not_make_the_cookie_too_large_for_a_browser(client, provider):
    provider.person["groups"] = [f"group-{number}" for number in range(2000)] + ["audit"]
    assert arrive(client).status_code == 303
    assert len(client.get_cookie("cmdb_session").value) < 1000


NOW = int(time.time())
WRONG = {
    "another nonce": {"nonce": "x" * 20},
    "no nonce": {"nonce": None},
    "nonce_supported": {"nonce": None, "nonce_supported": False},
    "another audience": {"aud": "other"},
    "another audience that names us as authorized": {"aud": "other", "azp": providers.CLIENT},
    "no audience": {"aud": None},
    "another authorized party": {"aud": [providers.CLIENT, "other"], "azp": "other"},
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": None},
    "expired": {"exp": NOW - 3600, "iat": NOW - 7200},
    "no end": {"exp": None},
    "of tomorrow": {"iat": NOW + 86400, "nbf": NOW + 86400},
    "no subject": {"sub": None},
    "no name": {"preferred_username": None},
    "a name that is no text": {"preferred_username": ["alice"]},
    "a blank name": {"preferred_username": " "},
}


def refused(client, tmp_path, response, status=403):
    assert response.status_code == status, response.text
    assert client.get("/").status_code == 401
    assert {line["who"] for line in logged(tmp_path)} == {None}
    assert providers.SECRET not in response.text


@pytest.mark.parametrize("why", WRONG)
def test_a_token_that_says_something_wrong_is_refused(client, provider, tmp_path, why):
    provider.wrong = WRONG[why]
    refused(client, tmp_path, arrive(client))


def by_hand(header, claims, signed=lambda text: b""):
    """A token as a forger makes it."""
    parts = [json.dumps(one).encode() for one in (header, claims)]
    text = b".".join(base64.urlsafe_b64encode(one).rstrip(b"=") for one in parts)
    return b".".join([text, base64.urlsafe_b64encode(signed(text)).rstrip(b"=")]).decode()


def test_a_token_that_another_key_signed_is_refused(client, provider, tmp_path):
    provider.signed_by = RSAKey.generate_key(2048, {"kid": "one"})
    refused(client, tmp_path, arrive(client))


def test_an_answer_without_a_token_is_refused(client, provider, tmp_path):
    provider.has_id_token = False
    refused(client, tmp_path, arrive(client))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_nobody_signed_or_by_what_everybody_knows_is_refused(
    client, provider, tmp_path, algorithm
):
    public = provider.key.as_pem(private=False)
    is_hmac = algorithm == "HS256"
    provider.id_token = lambda nonce: by_hand(
        {"alg": algorithm, "kid": "one"},
        provider.claims(nonce),
        lambda text: hmac.digest(public, text, "sha256") if is_hmac else b"",
    )
    refused(client, tmp_path, arrive(client))


def test_a_new_key_of_the_provider_is_fetched(client, app, provider):
    assert arrive(client).status_code == 303
    provider.key = provider.signed_by = RSAKey.generate_key(2048, {"kid": "two", "use": "sig"})
    assert arrive(app.test_client()).status_code == 303


def test_a_code_of_another_browser_is_worth_nothing(app, provider, tmp_path):
    victim, thief = app.test_client(), app.test_client()
    stolen = go(victim)
    refused(thief, tmp_path, thief.get(stolen))
    # Nor with a state of the thief's own: his verifier does not fit.
    state = parse_qs(urlsplit(go(thief)).query)["state"][0]
    mixed = re.sub("state=[^&]*", f"state={state}", stolen)
    refused(thief, tmp_path, thief.get(mixed))


def test_a_way_back_works_once(client, tmp_path):
    back = go(client)
    assert client.get(back).status_code == 303
    assert client.get("/").status_code == 200
    assert client.get(back).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["", "?error=access_denied&error_description=<b>x", "?code=x&state=y", "?state=", "?code"],
)
def test_a_way_back_that_nobody_began_is_refused(client, tmp_path, query):
    response = client.get(f"/login/oidc/back{query}")
    assert "<b>x" not in response.text
    refused(client, tmp_path, response)


@pytest.mark.parametrize("there", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_way_back_leads_to_no_other_site(client, there):
    assert arrive(client, there).headers["Location"] == "/"


def test_a_provider_that_is_away_is_told_and_healed_without_a_restart(
    provider, database_url, tmp_path
):
    (tmp_path / "secret").write_text(providers.SECRET)
    oidc = {
        "discovery_url": "http://127.0.0.1:1/.well-known/openid-configuration",
        "client_id": providers.CLIENT,
        "client_secret_file": str(tmp_path / "secret"),
    }
    said = {"login": {"oidc": oidc}, "public_url": SITE}
    with application(database_url, tmp_path, **said) as app:
        response = app.test_client().get("/login/oidc")
        assert (response.status_code, "Retry-After" in response.headers) == (503, True)
        assert "the login provider does not answer" in response.text
        assert "database" not in response.text
        app.extensions["oidc"]._server_metadata_url = f"{provider.url}/nowhere"
        assert app.test_client().get("/login/oidc").status_code == 503
        app.extensions[
            "oidc"
        ]._server_metadata_url = f"{provider.url}/.well-known/openid-configuration"
        assert app.test_client().get("/login/oidc").status_code == 302


def test_no_code_no_state_and_no_secret_is_in_a_log(client, tmp_path, capfd):
    back = go(client)
    client.get(back)
    client.get(back)
    log = (tmp_path / "access.log").read_text() + "".join(capfd.readouterr())
    asked = parse_qs(urlsplit(back).query)
    for secret in (asked["code"][0], asked["state"][0], providers.SECRET):
        assert secret not in log


def test_leaving_often_does_not_fill_the_cookie(client):
    for _ in range(20):
        go(client)
    assert len(client.get_cookie("cmdb_session").value) < 1000
