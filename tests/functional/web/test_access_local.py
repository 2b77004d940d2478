"""Without a login configured only this very machine is answered."""

import re

import pytest

from tests.functional.web.access import ELSEWHERE, PAGES, application

HOW = "configure `login` in the file that CMDB_SETTINGS names"


@pytest.fixture(scope="module")
def client(new_database, tmp_path_factory):
    with application(new_database(), tmp_path_factory.mktemp("local")) as app:
        yield app.test_client()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:80", "[::1]"])
@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_a_browser_on_this_machine_is_answered(client, host, peer):
    response = client.get("/", headers={"Host": host}, environ_overrides={"REMOTE_ADDR": peer})
    assert response.status_code == 200


FOREIGN = {
    "a peer of elsewhere": ({}, ELSEWHERE),
    "a peer of the site's network": ({}, {"REMOTE_ADDR": "10.0.0.1"}),
    "IPv6": ({}, {"REMOTE_ADDR": "fe80::1%eth0"}),
    "an older address inside of a newer one": ({}, {"REMOTE_ADDR": "::ffff:10.0.0.1"}),
    "a Unix socket": ({}, {"REMOTE_ADDR": ""}),
    "no address": ({}, {"REMOTE_ADDR": "localhost"}),
    "another host": ({"Host": "cmdb.example.net"}, {}),
    "a host that begins alike": ({"Host": "127.0.0.1.evil.example"}, {}),
    "a host that ends alike": ({"Host": "evil.example/localhost"}, {}),
    "a user before the host": ({"Host": "localhost:80@evil.example"}, {}),
    "no host": ({"Host": ""}, {}),
    **{
        name: ({name: "127.0.0.1"}, {})
        for name in (
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Real-IP",
            "Via",
            "X-Client-IP",
            "CF-Connecting-IP",
            "X-Original-URL",
            "X-Remote-User",
        )
    },
    "what nginx speaks": ({}, {"SERVER_PROTOCOL": "HTTP/1.0"}),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_whatever_is_not_of_this_machine_is_refused_and_told_what_to_configure(client, kind):
    headers, environ = FOREIGN[kind]
    for address in PAGES:
        response = client.get(address, headers=headers, environ_overrides=environ)
        assert response.status_code == 403, address
        assert HOW in response.text.replace("&#39;", "'"), address


def test_every_route_but_the_probes_is_closed(client):
    rules = list(client.application.url_map.iter_rules())
    for rule in rules:
        address = re.sub("<.*?>", "00000000-0000-0000-0000-000000000001", rule.rule)
        status = client.get(address, environ_overrides=ELSEWHERE).status_code
        assert status == (200 if rule.endpoint.startswith("probes.") else 403), rule
    assert len(rules) > 10


def test_the_probes_tell_nothing_of_the_inventory(client):
    for address in ("/healthz", "/readyz"):
        response = client.get(address, environ_overrides=ELSEWHERE)
        assert (response.status_code, response.text) == (200, "ok\n")


def test_a_refusal_for_programs_is_json_and_one_for_people_shows_no_menu(client):
    response = client.get("/assets.json", environ_overrides=ELSEWHERE)
    assert response.json["ok"] is False
    assert HOW in response.json["hint"]
    page = client.get("/assets?_as_of=1d", environ_overrides=ELSEWHERE)
    assert "<nav" not in page.text
    assert "<form" not in page.text


def test_without_a_login_there_is_no_cookie_and_nothing_to_log_in_at(client):
    assert client.get("/login").status_code == 404
    assert client.post("/login").status_code == 405
    page = client.get("/")
    assert "Set-Cookie" not in page.headers
    assert "Log out" not in page.text
    assert not client.application.secret_key
