"""Tokens of programs: valid on every address, and never a way to be somebody else."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.functional.web.access import ELSEWHERE, PROXY, USERS, application, log_in, logged

DAY = timedelta(days=1)


def make(database, name="grafana", role="viewer"):
    return store.create_token(database, name, role, DAY, by="test")[0]


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(params=[{}, {"users": USERS}, {"header": PROXY}], ids=["none", "users", "header"])
def client(request, database_url, tmp_path):
    """A client of an application with no login, and with each kind of one."""
    with application(database_url, tmp_path, login=request.param) as app:
        yield app.test_client()


def test_a_token_opens_every_address_from_anywhere(client, database):
    headers = {**bearer(make(database)), "Host": "cmdb.example.net", "X-Forwarded-For": "::2"}
    for address in ("/", "/assets", "/assets.json", "/health.csv", "/problems"):
        response = client.get(address, headers=headers, environ_overrides=ELSEWHERE)
        assert response.status_code == 200, (address, response.text)
        assert "Set-Cookie" not in response.headers


def test_the_scheme_is_known_in_any_spelling(client, database):
    token = make(database)
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme}  {token} "}
        assert client.get("/assets.json", headers=headers).status_code == 200


@pytest.mark.parametrize("state", ["unknown", "expired", "revoked", "empty"])
def test_a_token_that_is_not_valid_is_refused_with_the_reason(client, database, state):
    token = make(database)
    if state == "revoked":
        assert client.get("/assets.json", headers=bearer(token)).status_code == 200
        store.revoke_token(database, "grafana", by="test")
    elif state == "expired":
        with database.begin() as link:
            link.execute(sa.text("UPDATE token SET expires_at = now()"))
    token = {"unknown": f"{token}x", "empty": ""}.get(state, token)
    response = client.get("/assets.json", headers=bearer(token))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    said = "this token is not known"
    assert response.json["error"] == {
        "expired": "the token grafana is expired",
        "revoked": "the token grafana is revoked",
    }.get(state, said)


def test_a_wrong_token_never_falls_back_to_this_machine_a_proxy_or_a_session(
    database_url, tmp_path
):
    with application(database_url, tmp_path) as app:
        assert app.test_client().get("/").status_code == 200
        assert app.test_client().get("/", headers=bearer("cmdb_x")).status_code == 401
    login = {"users": USERS, "header": PROXY}
    with application(database_url, tmp_path, login=login) as app:
        client = app.test_client()
        log_in(client)
        assert client.get("/").status_code == 200
        named = {"X-Remote-User": "alice"}
        assert app.test_client().get("/", headers=named).status_code == 200
        for who, headers in ((client, {}), (app.test_client(), named)):
            response = who.get("/", headers={**bearer("cmdb_x"), **headers})
            assert response.status_code == 401
            browser = {**bearer("cmdb_x"), "Accept": "text/html"}
            assert who.get("/", headers={**browser, **headers}).status_code == 401


def test_a_wrong_token_opens_no_route_but_the_probes(client):
    for rule in client.application.url_map.iter_rules():
        address = re.sub("<.*?>", "00000000-0000-0000-0000-000000000001", rule.rule)
        response = client.get(address, headers=bearer("cmdb_x"))
        is_probe = rule.endpoint.startswith("probes.")
        assert response.status_code == (200 if is_probe else 401), rule


def test_another_scheme_is_no_token(database_url, tmp_path):
    # A proxy that asks by auth_basic passes the password on.
    with application(database_url, tmp_path, login={"header": PROXY}) as app:
        headers = {"Authorization": "Basic YWxpY2U6eA==", "X-Remote-User": "alice"}
        assert app.test_client().get("/", headers=headers).status_code == 200


def test_a_token_is_in_no_log(client, database, tmp_path, capfd):
    token = make(database)
    client.get("/assets.json", headers=bearer(token), buffered=True)
    client.get("/assets.json", headers=bearer(f"{token}wrong"), buffered=True)
    right, wrong = logged(tmp_path)
    assert (right["who"], right["way"], right["role"]) == ("grafana", "token", "viewer")
    assert (wrong["who"], wrong["refused"]) == (None, "this token is not known")
    said = (tmp_path / "access.log").read_text() + "".join(capfd.readouterr())
    assert "cmdb_" not in said
