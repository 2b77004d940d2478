"""What pages tell and do to whoever may see them: no redirect elsewhere, nothing old as new."""

import re
from urllib.parse import unquote

import pytest
import sqlalchemy as sa
from bs4 import BeautifulSoup

from salt_ext import settings, store
from tests.machines import arrival, server
from webui import create_app

PAGES = ("/", "/assets", "/changes", "/problems")
EVIL = "evil.example"
NO_ASSET = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def app(database, database_url):
    """The application over a store with one machine."""
    store.ingest(database, [arrival(server(1), "web01")])
    # Without a login nobody is answered who asks for another host.
    login = {"header": {"name": "X-Remote-User", "proxies": ["127.0.0.1"]}}
    said = {"database_url": database_url, "login": login, "access_log": ""}
    app = create_app(settings.resolve(("test", said)))
    yield app
    app.extensions["database"].close()


@pytest.fixture
def client(app):
    client = app.test_client()
    client.environ_base["HTTP_X_REMOTE_USER"] = "alice"
    return client


def spellings(rule):
    """Addresses of a route, and how a stranger may spell them to send somebody elsewhere."""
    values = ("web01", f"//{EVIL}", f"%2F%2F{EVIL}", rf"\\{EVIL}", "https:x", NO_ASSET)
    for one in (re.sub("<.*?>", value, rule) for value in values):
        yield from (one, f"{one}/", f"//{EVIL}{one}", f"/{one}", f"{one}//{EVIL}", f"{one}/..//x")
        yield f"{one}?q=//{EVIL}&_field=site&_value=//{EVIL}"
        yield f"{one}?_field=//{EVIL}&_op=//{EVIL}&_value=%0d%0aLocation:x"
        yield f"{one}?q=web01&_field=site&_value=x%0a"
    yield from (f"//{EVIL}", f"/%2F/{EVIL}", rf"/\{EVIL}", "/./", f"/..//{EVIL}", f"///{EVIL}/..")


def test_no_address_leads_elsewhere(app, client):
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    assert {"/sn/<path:reference>", "/assets", "/a/<uuid:asset_id>"} <= rules
    seen = set()
    for address in {one for rule in rules for one in spellings(rule)}:
        # Werkzeug's client takes //host for a whole address: the path is given as it comes.
        path, _, query = address.partition("?")
        response = client.open(
            query_string=query,
            environ_overrides={"PATH_INFO": unquote(path), "HTTP_HOST": EVIL},
        )
        location = response.headers.get("Location")
        if location is not None:
            assert re.match("/(assets|a)(/|[?]|$)", location), (address, location)
        assert response.status_code < 500, address
        seen.add((response.status_code, location is not None))
    assert {(404, False), (302, True)} <= seen


def notes(client, address):
    response = client.get(address)
    assert response.status_code == 200, response.text
    soup = BeautifulSoup(response.text, "html.parser")
    return " ".join(one.get_text() for one in soup.select("main > .silence"))


@pytest.mark.parametrize("age", [None, 5, 7300])
def test_a_page_says_when_nobody_stores_reports(client, database, age):
    if age is not None:
        with database.begin() as link:
            link.execute(
                sa.text(
                    "INSERT INTO master (name, version, started_at, beat_at, waiting)"
                    " VALUES ('m1', '', now(), now() - make_interval(secs => :age), 0),"
                    " ('m2', '', now(), now() - interval '9 days', 0)"
                ),
                {"age": age},
            )
    for address in PAGES:
        said = notes(client, address)
        assert bool(said) is (age == 7300)
        assert ("2h ago: what is shown may be old" in said) is (age == 7300)
