"""A header that names who asks: believed from the named proxies, refused from all others."""

import pytest

from salt_ext import settings
from salt_ext.settings import SettingsError
from tests.functional.web.access import ELSEWHERE, PAGES, PROXY, application, logged
from webui.access.ways import configured


@pytest.fixture
def client(database_url, tmp_path):
    proxies = ["127.0.0.1", "10.1.0.0/16", "2001:db8::/64", "unix"]
    login = {"header": {**PROXY, "proxies": proxies}}
    with application(database_url, tmp_path, login=login, auditors=["carol", "%audit"]) as app:
        yield app.test_client()


def ask(client, peer, address="/", **headers):
    named = {name.replace("_", "-"): one for name, one in headers.items()}
    return client.get(
        address, headers=named, environ_overrides={"REMOTE_ADDR": peer}, buffered=True
    )


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "2001:db8::5", "::ffff:10.1.2.3", ""])
def test_whom_a_named_proxy_names_may_read(client, peer):
    response = ask(client, peer, X_Remote_User="alice")
    assert response.status_code == 200
    assert "<bdi>alice</bdi>" in response.text
    assert "Log out" not in response.text  # that is the proxy's
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("peer", ["127.0.0.2", "10.2.0.1", "2001:db8:1::1", "203.0.113.7", "x"])
@pytest.mark.parametrize("header", ["X-Remote-User", "X-Remote-Groups", "x-remote-user"])
def test_a_header_from_anybody_else_is_refused_and_logged(client, tmp_path, peer, header):
    for address in (*PAGES, "/static/style.css"):
        response = ask(client, peer, address, **{header: "alice"})
        assert response.status_code == 403, address
    for line in logged(tmp_path):
        assert "is believed from the proxies alone" in line["refused"]
        assert (line["who"], line["peer"]) == (None, peer)


@pytest.mark.parametrize("name", [None, "", "  "])
def test_nobody_is_let_in_whom_the_proxy_does_not_name(client, name):
    headers = {} if name is None else {"X_Remote_User": name}
    for browser in ({}, {"Accept": "text/html"}):
        response = ask(client, "10.1.2.3", "/assets", **headers, **browser)
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == "Bearer"
        assert "come through the proxy" in response.text


def test_loopback_is_no_login_once_there_is_one(client):
    assert ask(client, "127.0.0.1").status_code == 401


@pytest.mark.parametrize(
    ("headers", "role"),
    [
        ({"X_Remote_User": "alice"}, "viewer"),
        ({"X_Remote_User": "carol"}, "auditor"),
        ({"X_Remote_User": "alice", "X_Remote_Groups": "ops, audit"}, "auditor"),
        ({"X_Remote_User": "alice", "X_Remote_Groups": "auditors"}, "viewer"),
        # A name is no group, and a group no name.
        ({"X_Remote_User": "audit"}, "viewer"),
        ({"X_Remote_User": "%audit"}, "viewer"),
        ({"X_Remote_User": "alice", "X_Remote_Groups": "carol,%audit"}, "viewer"),
    ],
)
def test_a_role_comes_from_the_name_or_a_group(client, tmp_path, headers, role):
    assert ask(client, "10.1.2.3", **headers).status_code == 200
    assert logged(tmp_path)[-1]["role"] == role


def test_a_name_is_read_as_the_proxy_wrote_it(client, tmp_path):
    ask(client, "10.1.2.3", X_Remote_User="Zoë\u202e".encode().decode("latin-1"))
    assert logged(tmp_path)[-1]["who"] == "Zoë\u202e"


def test_a_hostile_name_stays_text(client):
    page = ask(client, "10.1.2.3", X_Remote_User="<script>alert(1)</script>").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


WRONG = {
    "proxies is missing": {"name": "X-User"},
    "did you mean 'proxies'": {"name": "X-User", "proxys": ["127.0.0.1"]},
    "does not appear to be an IPv4 or IPv6": {"name": "X-User", "proxies": ["everybody"]},
    "has host bits set": {"name": "X-User", "proxies": ["10.1.2.3/16"]},
    "at least 1 item": {"name": "X-User", "proxies": []},
    "should match pattern": {"name": "X User", "proxies": ["127.0.0.1"]},
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_setting_is_refused_by_its_name(why):
    said = settings.resolve(("test", {"login": {"header": WRONG[why]}}))
    with pytest.raises(SettingsError, match=r"^login: header: ") as caught:
        configured(said)
    assert why in str(caught.value)


def test_what_is_no_way_of_logging_in_is_refused_with_the_nearest():
    with pytest.raises(SettingsError, match="did you mean 'users'"):
        configured(settings.resolve(("test", {"login": {"user": {}}})))


def test_elsewhere_is_not_special(client):
    assert client.get("/", environ_overrides=ELSEWHERE).status_code == 401
