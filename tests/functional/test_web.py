"""The web UI over a real PostgreSQL, without a browser."""
# ruff: noqa: RUF001 - the pages show signs that look like others

import copy
import json
import re
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from salt_ext import settings, store
from salt_ext.store import ingest
from tests.machines import NOW, arrival, later, server
from webui import create_app
from webui.log import JsonLines

HOSTILE = "<script>alert(1)</script>"
PAGES = ("/", "/assets", "/changes", "/problems")
AWAY = "postgresql+psycopg2://cmdb:secret@127.0.0.1:1/cmdb"


def configured(url):
    return settings.resolve(("test", {"database_url": url}))


class Fleet(NamedTuple):
    """The application over two machines; the id is of the one that lost a memory module."""

    app: Flask
    client: FlaskClient
    asset_id: UUID


def add_two_machines(database):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    ingest(database, [arrival(server(2), "web02", at=later(minutes=-50))])
    facts = server(1)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(facts)])
    return store.resolve(database, "web01")


@pytest.fixture(scope="module")
def empty(new_database):
    """A client over a database without a machine, which nobody adds to."""
    app = create_app(configured(new_database()))
    yield app.test_client()
    app.extensions["database"].close()


@pytest.fixture(scope="module")
def fleet(new_database):
    """Two machines that nobody changes."""
    url = new_database()
    database = store.Database(configured(url))
    asset_id = add_two_machines(database)
    database.close()
    app = create_app(configured(url))
    yield Fleet(app, app.test_client(), asset_id)
    app.extensions["database"].close()


@pytest.fixture
def client(database_url):
    """A client over a database of the test's own."""
    app = create_app(configured(database_url))
    yield app.test_client()
    app.extensions["database"].close()


@pytest.fixture
def lost_dimm(database):
    return add_two_machines(database)


def page(client, address, status=200):
    response = client.get(address)
    assert response.status_code == status, response.text
    return BeautifulSoup(response.text, "html.parser")


def text(node):
    return " ".join(node.get_text(" ").split())


def total(soup):
    return int(re.search(r"[\d,]*\d", text(soup.find(role="status")))[0].replace(",", ""))


def section(soup, anchor):
    return text(soup.find(id=anchor))


# --- every page


@pytest.mark.parametrize("address", [*PAGES, "/host/web01", "/assets?site=none", "/nowhere"])
def test_a_page_is_built_for_everyone_and_carries_nothing_inline(fleet, address):
    response = fleet.client.get(address, follow_redirects=True)
    soup = BeautifulSoup(response.text, "html.parser")
    assert soup.html["lang"] == "en"
    assert len(soup.find_all("h1")) == 1
    assert len(soup.find_all("main")) == 1
    assert soup.find("a")["href"] == "#main"
    for table in soup.find_all("table"):
        assert table.caption.get_text(strip=True)
        assert all(cell.get("scope") for cell in table.find_all("th"))
    for nav in soup.find_all("nav"):
        assert nav["aria-label"]
    assert not soup.find_all(["script", "style"])
    assert not soup.find_all(style=True)
    for node in soup.find_all(href=True):
        assert not urlsplit(node["href"]).netloc
        if node["href"].startswith("#"):
            assert soup.find(id=node["href"][1:])
    ids = [node["id"] for node in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("address", [*PAGES, "/assets.json", "/healthz", "/static/0/style.css"])
def test_every_answer_has_the_security_headers_and_sets_no_cookie(empty, address):
    response = empty.get(address)
    assert response.status_code == 200
    assert response.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("address", ["/", "/assets", "/static/0/style.css", "/nowhere"])
def test_nothing_but_reading_is_allowed(fleet, method, address):
    response = fleet.client.open(address, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"


def test_a_head_request_is_answered_without_a_body(empty):
    response = empty.head("/assets")
    assert (response.status_code, response.data) == (200, b"")


# --- the ways to an asset


@pytest.mark.parametrize(
    "address",
    ["/sn/9XYZ001", "/host/web01", "/find?q=52:54:00:00:00:01", "/find?q=10.0.0.1", "/find?q=4F/x"],
)
def test_what_people_know_of_a_machine_leads_to_its_page(client, database, address):
    facts = server(1)
    facts["operating_system"]["hostname"] = "4F/x"
    ingest(database, [arrival(facts)])
    response = client.get(address)
    assert response.status_code == 302
    assert response.headers["Location"] == f"/a/{store.resolve(database, 'web01')}"


def test_a_serial_number_with_a_slash_leads_to_its_page(client, database):
    facts = server(1)
    facts["system"]["serial_number"] = "AB12/CD34"
    ingest(database, [arrival(facts)])
    assert client.get("/sn/AB12/CD34").status_code == 302


def test_none_and_several_are_told_apart(client, database):
    facts = server(2)
    facts["operating_system"]["hostname"] = "web01x"
    same = server(3)
    same["operating_system"]["hostname"] = "web01x"
    ingest(database, [arrival(facts, "a"), arrival(same, "b")])
    links = page(client, "/host/web01x", 300).table.find_all("a")
    assert [link.get_text() for link in links] == ["a", "b"]
    soup = page(client, "/host/web01", 404)
    assert "there is no asset 'web01'" in text(soup)
    assert "the nearest is 'web01x'" in text(soup)
    assert page(client, "/a/00000000-0000-0000-0000-000000000000", 404)
    assert page(client, "/a/nothing", 404)
    assert page(client, "/find", 400)
    answer = client.get("/a/00000000-0000-0000-0000-000000000000.json")
    assert (answer.status_code, answer.json["status"]) == (404, 404)


# --- changes and problems


def test_the_feed_is_grouped_by_report_with_the_newest_first(client, database, lost_dimm):
    ingest(database, [arrival(server(2, firmware={"version": "2"}), "web02", at=later(minutes=1))])
    runs = page(client, "/changes?since=24h").find(class_="feed").find_all("li", recursive=False)
    assert [text(run.a) for run in runs] == ["web02", "web01"]
    assert len(runs[1].find_all("li")) == 2
    cut = page(client, "/changes?_limit=1")
    assert text(cut.find(role="status")) == "4 changes, 2 of them here"
    assert "Nothing changed" in text(
        page(client, f"/changes?since={later(minutes=5):%Y-%m-%dT%H:%M}")
    )


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sinse=1h", "did you mean 'since'?"),
        ("_limit=x", "_limit is 'x'"),
    ],
)
def test_a_feed_that_cannot_be_asked_for_says_why(empty, query, sentence):
    assert sentence in text(page(empty, f"/changes?{query}", 400))


def test_operations_are_shown_by_symbol_word_and_class(client, database):
    ingest(database, [arrival(server(1), at=later(hours=-3))])
    facts = server(1)
    first, second = facts["memory"]["devices"]
    first["locator"] = "A9"
    second["serial_number"] = "NEW00001"
    facts["operating_system"]["kernel_release"] = "6.2"
    facts["disks"].append({"name": "sdb", "serial_number": "D2", "size_bytes": 10**12})
    facts["network"] = []
    ingest(database, [arrival(facts, "web01b", at=NOW, previous="web01", last=later(hours=-3))])
    feed = page(client, "/changes").find(class_="feed")
    shown = {" ".join(node["class"]): text(node) for node in feed.find_all(class_="op")}
    assert shown == {
        "op added": "+ added",
        "op removed": "− removed",
        "op changed": "~ changed",
        "op moved": "⇄ moved",
        "op replaced": "↻ replaced",
        "op renamed": "✎ renamed",
    }
    told = text(feed)
    assert "Memory module 4F0001A1: Slot A1 → became A9" in told
    assert "Disk sdb 1 TB · D2" in told
    assert "Name web01 → became web01b" in told


def test_of_a_long_list_only_the_difference_is_shown(client, database):
    facts = server(1)
    facts["processors"]["flags"] = [f"flag{number}" for number in range(100)]
    ingest(database, [arrival(facts, at=later(hours=-1))])
    facts["processors"]["flags"] = ["amx", *facts["processors"]["flags"][1:]]
    ingest(database, [arrival(facts)])
    told = text(page(client, "/changes").find(class_="feed"))
    assert told.endswith("Processors › Flags flag0 → became amx")
    facts["processors"]["flags"].append("sgx")
    ingest(database, [arrival(facts, at=later(minutes=1))])
    assert "Processors › Flags also sgx web01" in text(page(client, "/changes").find(class_="feed"))


def test_problems_come_with_their_traceback_and_held_reports_with_their_claims(client, database):
    broken = arrival(server(1))
    error = {"type": "OSError", "message": "no", "traceback": "Traceback: line 1"}
    broken.report.update(errors={"smart": error}, partial=["smart"])
    ingest(database, [broken])
    [held] = ingest(database, [arrival(server(2), "web01", at=later(minutes=1))])
    assert held.status == "held"
    soup = page(client, "/problems")
    assert total(soup) == 2
    assert "web01 collector smart OSError: no Traceback Traceback: line 1" in text(soup.main)
    claims = page(client, "/quality/held").tbody
    assert "other hardware" in text(claims)
    assert "salt-run cmdb.quarantine show web01" in text(claims)
    assert page(client, claims.a["href"]).h1.get_text() == "web01"
    assert "no asset is called 'nobody'" in text(page(client, "/problems?minion_id=nobody").main)
    assert page(client, "/problems?minion=x", 400)


# --- text from machines is hostile


def test_nothing_that_a_machine_says_is_taken_for_markup(client, database):
    facts = server(1)
    facts["operating_system"].update(hostname=HOSTILE, pretty_name=HOSTILE)
    facts["system"].update(serial_number=HOSTILE, manufacturer=HOSTILE, product_name=HOSTILE)
    facts["disks"][0].update(model=HOSTILE, name=HOSTILE)
    facts["location"] = {"site": HOSTILE, "rack": HOSTILE}
    facts["own" + HOSTILE] = {HOSTILE: HOSTILE}
    broken = arrival(facts, f"web{HOSTILE}", at=later(minutes=-9))
    error = {"type": HOSTILE, "message": HOSTILE, "traceback": HOSTILE}
    broken.report.update(errors={HOSTILE: error}, partial=[HOSTILE])
    ingest(database, [broken])
    changed = copy.deepcopy(facts)
    changed["firmware"]["version"] = HOSTILE
    changed["disks"][0]["firmware_version"] = HOSTILE
    changed["disks"].append({"name": HOSTILE + "2", "serial_number": HOSTILE})
    ingest(database, [arrival(changed, f"web{HOSTILE}")])
    held = arrival(server(2), f"web{HOSTILE}", at=later(minutes=1))
    assert [one.status for one in ingest(database, [held])] == ["held"]
    asset_id = store.resolve(database, f"web{HOSTILE}")
    query = f"?site={HOSTILE}&q={HOSTILE}"
    for address in [*PAGES, f"/assets{query}", f"/a/{asset_id}", f"/sn/x{HOSTILE}"]:
        response = client.get(address)
        assert HOSTILE not in response.text
        assert "&lt;script&gt;" in response.text
    for address in (f"/assets?{HOSTILE}=1", f"/assets?_sort={HOSTILE}", f"/x/{HOSTILE}?{HOSTILE}"):
        assert HOSTILE not in client.get(address).text


# --- when things go wrong


@pytest.mark.parametrize("address", [*PAGES, "/a/00000000-0000-0000-0000-000000000000", "/sn/x"])
def test_without_a_database_every_page_says_so(address):
    response = create_app(configured(AWAY)).test_client().get(address)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "10"
    assert "cannot reach the database" in response.text
    assert "start PostgreSQL" in response.text
    # Anybody may read the page; where the database is, and who uses it, is for the log.
    for word in ("secret", "127.0.0.1", "psycopg2", "Traceback", "refused"):
        assert word not in response.text


@pytest.mark.parametrize(
    "address", ["/assets.json", "/a/00000000-0000-0000-0000-000000000000.json"]
)
def test_without_a_database_programs_get_the_same_as_json(address):
    response = create_app(configured(AWAY)).test_client().get(address)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    answer = response.json
    assert (answer["ok"], answer["status"]) == (False, 503)
    assert "cannot reach the database" in answer["error"]
    assert "start PostgreSQL" in answer["hint"]
    assert answer["request_id"]


def test_a_process_without_a_database_is_alive_and_not_ready():
    client = create_app(configured(AWAY)).test_client()
    assert client.get("/healthz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")
    assert response.text.startswith("cannot reach the database; start PostgreSQL")
    assert "127.0.0.1" not in response.text


def test_a_process_with_its_database_is_ready(empty):
    assert (empty.get("/readyz").status_code, empty.get("/readyz").text) == (200, "ok\n")


def test_a_database_without_a_schema_names_the_command(new_database):
    client = create_app(configured(new_database(empty=True))).test_client()
    assert "salt-run cmdb.migrate" in text(page(client, "/", 503))
    assert "salt-run cmdb.migrate" in client.get("/readyz").text


def test_a_bug_shows_a_request_id_and_logs_the_traceback_under_it(empty, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("the reason is for the log")

    monkeypatch.setattr(store, "assets", broken)
    caplog.handler.setFormatter(JsonLines())
    response = empty.get("/assets?q=x")
    assert response.status_code == 500
    assert "the reason is for the log" not in response.text
    assert response.headers["X-Request-ID"] in response.text
    line = json.loads(caplog.text)
    assert line["request_id"] == response.headers["X-Request-ID"]
    assert line["traceback"].endswith("RuntimeError: the reason is for the log\n")
    assert empty.get("/assets.json").json["status"] == 500


# --- what it never does, and what it costs


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO held VALUES ('x', 'x', '[]', '{}', now(), now(), 1)",
        "UPDATE asset SET sn = 'x'",
        "CREATE TABLE intruder (id int)",
    ],
)
def test_postgresql_itself_refuses_a_write_of_the_application(fleet, statement):
    database = fleet.app.extensions["database"]
    with pytest.raises(store.StoreError, match="is read-only"), database.begin() as link:
        link.execute(sa.text(statement))


@pytest.mark.parametrize(
    "address", [*PAGES, "/assets?q=web&site__isnull=true", "/a/{}", "/a/{}.json"]
)
def test_a_page_costs_at_most_eight_statements(fleet, address):
    fleet.client.get("/readyz")  # the check of the schema, once in a process
    fleet.client.get(address.format(fleet.asset_id))  # what is kept for everyone is not counted
    engine = fleet.app.extensions["database"]._engine()
    statements = []

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(link, cursor, statement, *_):
        statements.append(statement)

    assert fleet.client.get(address.format(fleet.asset_id)).status_code == 200
    assert 0 < len(statements) <= 8, "\n\n".join(statements)
