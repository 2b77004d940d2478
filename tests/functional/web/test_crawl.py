"""A walk over every link and form of the web UI, from its first page on, now and in the past."""

from collections import deque
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

import demo_fleet
from salt_ext import store
from tests.machines import arrival, server
from webui import RESOURCES

MOST = 400
"""So many addresses are asked; of those that differ in their values only, a few of each kind."""

OF_EACH_KIND = 4

HOSTILE = "<i>x</i>\u202e\u200b&'\"%2F/..?#=;é中"


@pytest.fixture
def fleet(database):
    """A month of a fleet in which everything has happened once, and machines with bad names."""
    demo_fleet.tell(database)
    now = datetime.now(timezone.utc)
    place = {"site": HOSTILE, "rack": HOSTILE, "unit": "U1"}
    store.ingest(
        database,
        [
            arrival(server(90, location=place), HOSTILE, now - timedelta(hours=3)),
            arrival(server(91, location={"site": "a/b", "rack": "c d"}), "odd name", now),
        ],
    )
    store.take_snapshot(database, "before", by="me", comment=HOSTILE)
    told = {"cloud": "prod", "id": "i-1", "name": HOSTILE, "host": HOSTILE}
    odd = store.resolve(database, "odd name")
    findings = [
        store.Finding("unreported", "i-1", HOSTILE, told),
        *(store.Finding(which, str(odd), HOSTILE, told, odd) for which in ("unlisted", "tied")),
    ]
    store.keep_listing(database, "prod", "ec2", dict.fromkeys(store.CLOUD_LISTS, 1), findings)
    store.fail_listing(database, "prod", "ec2", "master", HOSTILE)
    retired = store.resolve(database, demo_fleet.name(2))
    store.set_lifecycle(database, retired, "retired", store.Act("me", "test", False))


@pytest.fixture
def client(reader_app):
    return reader_app.test_client()


def kind_of(address):
    """Return what addresses have in common that ask the same of other things."""
    parts = urlsplit(address)
    names = sorted({pair.partition("=")[0] for pair in parts.query.split("&") if pair})
    steps = [step if step.isalpha() and len(step) < 16 else "*" for step in parts.path.split("/")]
    return "/".join(steps), tuple(names)


def found_on(address, soup):
    """Yield the addresses that a page leads to: by its links, and by its forms as they stand."""
    for link in soup.find_all("a", href=True):
        yield urljoin(address, link["href"])
    for form in soup.find_all("form"):
        if form.get("method", "get").lower() == "get":
            sent = [
                (one["name"], one.get("value", ""))
                for one in form.find_all("input")
                if one.get("name") and one.get("type") != "checkbox"
            ]
            for one in form.find_all("select"):
                chosen = one.find("option", selected=True) or one.find("option")
                sent.append((one["name"], chosen.get("value", chosen.get_text())))
            yield f"{urljoin(address, form.get('action') or address)}?{urlencode(sent)}"


@pytest.mark.parametrize("start", ["/", "/?_as_of=5d"])
def test_no_link_of_any_page_leads_to_an_error(fleet, client, start):
    waiting, seen, kinds, wrong = deque([(start, "")]), {start}, {}, []
    while waiting and len(seen) < MOST:
        address, before = waiting.popleft()
        response = client.get(address)
        is_empty_search = address.partition("?")[0] == "/find" and address.endswith("q=")
        if response.status_code >= 400 and not is_empty_search:
            wrong.append((address, response.status_code, f"on {before}"))
        if response.status_code in (301, 302, 303):
            following = [response.headers["Location"]]
        elif response.mimetype == "text/html":
            following = found_on(address, BeautifulSoup(response.data, "html.parser"))
        else:
            continue
        for one in following:
            parts = urlsplit(one)
            inner = f"{parts.path}?{parts.query}" if parts.query else parts.path
            kind = kind_of(inner)
            is_new = parts.netloc in ("", "localhost") and inner not in seen
            if is_new and kinds.get(kind, 0) < OF_EACH_KIND:
                kinds[kind] = kinds.get(kind, 0) + 1
                seen.add(inner)
                waiting.append((inner, address))
    assert wrong == []
    reached = {one.partition("?")[0] for one in seen}
    # Values to complete a word by are for programs.
    assert {one.path for one in RESOURCES if "<" not in one.path} - {"/suggest"} <= reached
    assert {"/api", "/help", "/quality", "/reports", "/status"} <= reached
