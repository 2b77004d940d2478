"""Logging in by name and password, the session that begins then, and its end."""

import re
import subprocess
import sys
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from bs4 import BeautifulSoup
from flask.sessions import SecureCookieSessionInterface

from tests.functional.web.access import (
    ELSEWHERE,
    PASSWORD,
    QUICK,
    USERS,
    application,
    log_in,
    logged,
)

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def app(database_url, tmp_path):
    with application(database_url, tmp_path, login={"users": USERS}, auditors=["bob"]) as app:
        yield app


@pytest.fixture
def client(app):
    return app.test_client()


def cookie(response):
    """What the cookie that an answer sets is, with its attributes."""
    [line] = response.headers.getlist("Set-Cookie")
    value, *attributes = line.split("; ")
    return value.removeprefix("cmdb_session="), {one.partition("=")[0] for one in attributes}


def test_whoever_logs_in_is_shown_on_every_page_and_may_log_out(client, tmp_path):
    done = log_in(client, environ_overrides=ELSEWHERE)
    assert (done.status_code, done.headers["Location"]) == (303, "/")
    page = BeautifulSoup(client.get("/", environ_overrides=ELSEWHERE).text, "html.parser")
    assert "alice" in page.select_one(".who").get_text()
    form = page.select_one(".who form")
    assert form["action"] == "/logout"
    token = form.find("input", attrs={"name": "csrf"})["value"]
    done = client.post("/logout", data={"csrf": token}, environ_overrides=ELSEWHERE)
    assert (done.status_code, done.headers["Location"]) == (303, "/login")
    assert client.get("/", environ_overrides=ELSEWHERE).status_code == 401
    who = {(line["who"], line["way"]) for line in logged(tmp_path) if line["path"] == "/"}
    assert who <= {("alice", "password"), (None, None)}


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("alice", PASSWORD.upper()),
        ("alice", "bob's own password"),
        ("mallory", PASSWORD),
        ("", PASSWORD),
        ("alice\0", PASSWORD),
        ("alice", f"{PASSWORD}\0"),
        ("al\udcffice", "\udcff"),
        pytest.param("alice", USERS["alice"], id="alice-the hash"),
    ],
)
def test_a_wrong_name_or_password_opens_nothing(client, tmp_path, name, password):
    response = log_in(
        client,
        name.encode("utf-8", "replace").decode(),
        password.encode("utf-8", "replace").decode(),
    )
    assert response.status_code == 403
    assert "Wrong name or password." in response.text
    assert client.get("/").status_code == 401
    response.close()
    log = (tmp_path / "access.log").read_text()
    assert "wrong password of " in log
    assert "mallory" not in log
    assert PASSWORD not in log


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/assets?site=dc1&_limit=5&q=a%26b",
        "/sn/a%20b%3Fc%2525",
        "/host/web01.example.net",
        "/sn/%E6%9C%BA%E6%9E%B6?",
    ],
)
def test_a_stranger_with_a_browser_is_led_to_the_login_and_back(client, address):
    response = client.get(address, headers=BROWSER)
    assert response.status_code == 303
    there = urlsplit(response.headers["Location"])
    assert there.path == "/login"
    [to] = parse_qs(there.query)["next"]
    assert to == address.removesuffix("?")
    assert log_in(client, to=to).headers["Location"] == to
    again = client.get(response.headers["Location"], headers=BROWSER)
    assert (again.status_code, again.headers["Location"]) == (303, to)


@pytest.mark.parametrize("address", ["//evil.example/x", "/%0d%0aLocation:%20x", "/\\evil.example"])
def test_a_hostile_address_leads_nowhere_else_after_the_login(client, address):
    path = {"PATH_INFO": unquote(address)}
    there = client.get("/", headers=BROWSER, environ_overrides=path).headers["Location"]
    assert there.startswith("/login?next=")
    to = parse_qs(urlsplit(there).query)["next"][0]
    location = log_in(client, to=to).headers["Location"]
    assert re.fullmatch(r"/(?![/\\])[!-~]*", location), location


def test_a_program_without_a_login_gets_an_error_and_no_page_to_log_in_at(client):
    response = client.get("/assets.json", headers={"Accept": "*/*"})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert response.json["hint"] == "log in at /login, or send Authorization: Bearer cmdb_..."


ELSEWHERE_PATHS = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "evil.example",
    "/\t/evil.example",
    "/%0a/evil.example\n",
    " //evil.example",
    "/ok\r\nLocation: https://evil.example",
    "http:///evil.example",
    "//[",
    "",
]


@pytest.mark.parametrize("there", ELSEWHERE_PATHS)
def test_a_login_leads_to_no_other_site(client, there):
    page = BeautifulSoup(client.get("/login", query_string={"next": there}).text, "html.parser")
    form = page.find("form", action="/login")
    assert form.find("input", attrs={"name": "next"})["value"] == "/"
    data = {one["name"]: one["value"] for one in form.find_all("input", type="hidden")}
    data |= {"next": there, "name": "alice", "password": PASSWORD}
    response = client.post("/login", data=data)
    assert (response.status_code, response.headers["Location"]) == (303, "/")
    again = client.get("/login", query_string={"next": there})
    assert (again.status_code, again.headers["Location"]) == (303, "/")


@pytest.mark.parametrize("csrf", [None, "", "x", "é"])
@pytest.mark.parametrize("address", ["/login", "/logout"])
def test_a_form_of_another_site_is_refused(client, address, csrf):
    if address == "/logout":
        log_in(client)
    else:
        client.get("/login")  # the cookie is there, as a browser would send it
    data = {"name": "alice", "password": PASSWORD, **({} if csrf is None else {"csrf": csrf})}
    assert client.post(address, data=data).status_code == 403
    assert client.get("/").status_code == (200 if address == "/logout" else 401)


def test_a_session_that_was_there_before_is_not_the_one_that_begins(app):
    client, thief = app.test_client(), app.test_client()
    thief.get("/login")
    planted = thief.get_cookie("cmdb_session").value
    client.set_cookie("cmdb_session", planted)
    with client.session_transaction() as session:
        before = session["csrf"]
    log_in(client)
    assert thief.get("/").status_code == 401
    with client.session_transaction() as session:
        assert session["csrf"] != before


def token_of(client, address):
    """The token of the first form that writes on a page."""
    form = BeautifulSoup(client.get(address).text, "html.parser").find("form", method="post")
    return form.find("input", attrs={"name": "csrf"})["value"]


def test_a_token_is_written_in_another_way_each_time_for_pages_are_compressed(client):
    log_in(client)
    tokens = {token_of(client, "/") for _ in range(3)}
    assert len(tokens) == 3
    shared = {one[at : at + 8] for one in tokens for at in range(len(one) - 8)}
    assert len(shared) == sum(len(one) - 8 for one in tokens)
    first, *_ = tokens
    assert client.post("/logout", data={"csrf": first}).status_code == 303
    log_in(client)
    assert client.post("/logout", data={"csrf": first}).status_code == 403


def test_the_cookie_is_for_our_own_pages_and_over_https_alone_where_there_is_https(app):
    value, attributes = cookie(log_in(app.test_client()))
    assert attributes >= {"HttpOnly", "SameSite", "Path", "Expires"}
    assert "Secure" not in attributes
    assert "SameSite=Lax" in log_in(app.test_client()).headers["Set-Cookie"]
    _, attributes = cookie(log_in(app.test_client(), base_url="https://localhost"))
    assert "Secure" in attributes
    assert PASSWORD not in str(
        SecureCookieSessionInterface().get_signing_serializer(app).loads(value)
    )


def test_a_public_address_of_https_makes_the_cookie_secure(database_url, tmp_path):
    said = {"login": {"users": USERS}, "public_url": "https://cmdb.example.net"}
    with application(database_url, tmp_path, **said) as app:
        client = app.test_client()
        assert "Secure" in cookie(client.get("/login"))[1]


@pytest.mark.parametrize("change", ["another key", "changed", "cut", "empty"])
def test_a_cookie_that_is_not_ours_is_nobody(app, database_url, tmp_path, change):
    client = app.test_client()
    log_in(client)
    value = client.get_cookie("cmdb_session").value
    if change == "another key":
        app.secret_key = "x" * 64
    payload, rest = value.split(".", 1)
    other = {"changed": f"{payload[:-2]}xx.{rest}", "cut": payload, "empty": ""}
    client.set_cookie("cmdb_session", other.get(change, value))
    assert client.get("/").status_code == 401


def test_a_session_ends_with_its_lifetime_however_it_was_used(database_url, tmp_path):
    with application(database_url, tmp_path, login={"users": USERS}, session_lifetime="1h") as app:
        client = app.test_client()
        log_in(client)
        with client.session_transaction() as session:
            session["login"]["at"] -= 3590
            session.modified = True
        assert client.get("/").status_code == 200
        with client.session_transaction() as session:
            session["login"]["at"] -= 11
            session.modified = True
        assert client.get("/").status_code == 401


@pytest.mark.parametrize("users", [{"bob": USERS["bob"]}, {"alice": QUICK.hash(PASSWORD)}])
def test_a_user_who_is_gone_or_has_another_password_is_logged_out(
    app, database_url, tmp_path, users
):
    client = app.test_client()
    log_in(client)
    value = client.get_cookie("cmdb_session").value
    with application(database_url, tmp_path, login={"users": users}) as later:
        other = later.test_client()
        other.set_cookie("cmdb_session", value)
        assert other.get("/").status_code == 401
    with application(database_url, tmp_path, login={"users": USERS}) as again:
        other = again.test_client()
        other.set_cookie("cmdb_session", value)
        assert other.get("/").status_code == 200


def test_guessing_is_limited_for_a_name_and_not_for_all_others(client):
    tries = [log_in(client, "bob", "wrong", environ_overrides=ELSEWHERE) for _ in range(11)]
    assert [one.status_code for one in tries] == [403] * 10 + [429]
    assert 1 <= int(tries[-1].headers["Retry-After"]) <= 61
    assert "Too often" in tries[-1].text
    right = "bob's own password"
    assert log_in(client, "bob", right, environ_overrides=ELSEWHERE).status_code == 429
    assert log_in(client, environ_overrides=ELSEWHERE).status_code == 303


def test_guessing_many_names_from_one_address_is_limited(app):
    client = app.test_client()
    csrf = token_of(client, "/login")
    tries = [
        client.post("/login", data={"csrf": csrf, "name": f"n{one}", "password": "x"}).status_code
        for one in range(61)
    ]
    assert tries == [403] * 60 + [429]


def test_a_form_of_a_megabyte_is_not_read(client):
    assert client.post("/login", data={"name": "x" * (1 << 20)}).status_code == 413


def test_no_other_address_takes_a_form(client):
    log_in(client)
    taking = set()
    for rule in client.application.url_map.iter_rules():
        address = re.sub("<.*?>", "00000000-0000-0000-0000-000000000001", rule.rule)
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            response = client.open(address, method=method)
            if response.status_code != 405:
                taking.add((method, address))
    assert taking == {("POST", "/login"), ("POST", "/logout")}


def test_the_hash_of_a_password_is_made_by_a_command(database_url, tmp_path):
    argv = [sys.executable, "-m", "webui.password"]
    made = subprocess.run(argv, input=f"{PASSWORD}\n", capture_output=True, text=True, check=True)
    users = {"dora": made.stdout.strip()}
    with application(database_url, tmp_path, login={"users": users}) as app:
        assert log_in(app.test_client(), "dora").status_code == 303
    short = subprocess.run(argv, input="short\n", capture_output=True, text=True)
    assert (short.returncode, short.stdout) == (1, "")


def test_addresses_that_are_told_are_those_where_people_find_us(database_url, tmp_path):
    said = {"login": {"users": USERS}, "public_url": "https://cmdb.example.net/"}
    with application(database_url, tmp_path, **said) as app:
        client = app.test_client()
        log_in(client, base_url="https://localhost")
        page = client.get("/api", base_url="https://localhost")
        assert "https://cmdb.example.net/api/v1" in page.text
        assert "localhost" not in page.text
