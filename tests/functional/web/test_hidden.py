"""Hidden fields in the browser: no page, file, answer or error for a viewer tells one."""

import io
import re
import zipfile
from urllib.parse import quote

import pytest

from salt_ext import settings
from tests import hidden_fleet
from tests.hidden_fleet import VALUES
from tests.postgres import open_store
from webui import create_app

USUAL = ("sn", "address", "list.owner", "disks.serial_number", "network.mac", "bmc")
"""What a site may hide: of these every page is still of use."""

PATH = {
    **{"reference": "web02", "section": "memory", "serial": "QDIMM2", "moment": "1d"},
    **{"site": "qsite2", "name": "qrack2", "cloud": "prod"},
}
"""What stands in the paths of addresses."""

SERVED = (200, 300, 301, 302, 303, 304, 308, 400, 403, 404, 405)
"""Statuses of questions that were answered or refused."""


@pytest.fixture(scope="module")
def fleet(new_database, tmp_path_factory):
    """The URL of a store with the fleet, and the ids of two of its machines."""
    url = new_database()
    database = open_store(url)
    ids = hidden_fleet.fill(database, tmp_path_factory.mktemp("lists"))
    database.close()
    return url, *ids


@pytest.fixture(scope="module")
def client_of(fleet):
    """A function that returns a client from whom some fields are hidden."""
    apps = []

    def client(names):
        told = {"database_url": fleet[0], "cache_seconds": 0, "hidden_fields": [*names]}
        apps.append(create_app(settings.resolve(("test", told))))
        return apps[-1].test_client()

    yield client
    for app in apps:
        app.extensions["database"].close()


@pytest.fixture(scope="module")
def viewer(client_of):
    return client_of(USUAL)


_peers = (f"127.0.{high}.{low}" for high in range(1, 255) for low in range(1, 255))


def get(client, address):
    """The answer to somebody who has not asked before: files may be taken so often only."""
    return client.get(address, environ_overrides={"REMOTE_ADDR": next(_peers)})


def text_of(response):
    """The text of an answer; of a workbook, of all files in it."""
    data = response.get_data()
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            data = b"".join(book.read(name) for name in book.namelist())
    return data.decode()


def told(response, names, typed=()):
    """The hidden values in an answer, its headers included, but for what was typed."""
    said = f"{response.headers}\n{text_of(response)}"
    for text in typed:
        said = said.replace(text, "")
    return [one for name in names for one in hidden_fleet.found(name, said)]


def addresses(client, asset_id):
    """Every address that can be read, with values for what its path needs."""
    values = {**PATH, "asset_id": asset_id}
    for rule in client.application.url_map.iter_rules():
        if "GET" in rule.methods and not re.match("/(static|log|metrics$)", rule.rule):
            yield re.sub(r"<(?:\w+:)?(\w+)>", lambda one: str(values[one[1]]), rule.rule)


@pytest.mark.parametrize("names", [USUAL, tuple(VALUES)], ids=["usual", "all"])
def test_no_address_tells_what_is_hidden(client_of, fleet, names):
    client = client_of(names)
    seen = {}
    for address in addresses(client, fleet[1]):
        for question in ("", "?_as_of=1d"):
            response = get(client, address + question)
            found = told(response, names, [one for one in PATH.values() if one in address])
            if found or response.status_code not in SERVED:
                seen[address + question] = (response.status_code, found[:3])
    assert seen == {}


def test_a_page_says_what_is_hidden(viewer, client_of):
    said = "Hidden from viewers: address, bmc, disks.serial_number, list.owner, network.mac, sn."
    assert said in get(viewer, "/assets").text
    assert "Hidden from" not in get(client_of([]), "/assets").text


def test_pages_whose_columns_nobody_chose_are_answered(viewer, fleet):
    for address in addresses(viewer, fleet[1]):
        # A format that is made of addresses is none without them.
        if not address.startswith("/api/v1/inventory/"):
            assert get(viewer, address).status_code != 403, address


@pytest.mark.parametrize(
    "address",
    [
        "/assets?sn=QSN1",
        "/assets?sn__startswith=Q",
        "/assets?_sort=sn",
        "/assets?_sort=-address",
        "/assets?_col=minion_id,sn",
        "/assets?q=sn:Q",
        "/assets.csv?_col=sn",
        "/assets.json?list.owner=qowner1",
        "/assets.ndjson?address__isnull=false",
        "/assets.xlsx?_sort=list.owner",
        "/reports/groups?group_by=sn",
        "/reports/groups.json?group_by=kind,address",
        "/odd?group_by=sn",
        "/quality/duplicates?by=sn",
        "/changes?section=bmc",
        "/health?sn=QSN1",
        "/api/v1/odd?sn=QSN1",
    ],
)
def test_whoever_asks_for_a_hidden_field_is_refused_with_the_sentence(viewer, address):
    response = get(viewer, address)
    assert response.status_code == 403, response.text
    assert "hidden from viewers: ask an auditor" in response.text
    assert told(response, USUAL) == []


@pytest.mark.parametrize(
    ("there", "absent"),
    [
        ("/find?q=QSN6", "/find?q=QSN0"),
        ("/sn/QSN6", "/sn/QSN0"),
        ("/host/203.0.113.6", "/host/203.0.119.6"),
        ("/assets?q=QSN6", "/assets?q=QSN0"),
        ("/assets.json?q=203.0.113", "/assets.json?q=203.0.119"),
        ("/parts/disks/QDISK6", "/parts/disks/QDISK0"),
        ("/parts/network/02:0b:ad:c0:de:02", "/parts/network/02:0b:ad:c0:df:02"),
    ],
)
def test_an_address_does_not_tell_whether_a_hidden_value_exists(viewer, there, absent):
    found, nothing = (get(viewer, one) for one in (there, absent))
    assert found.status_code == nothing.status_code
    typed = [re.split(r"[=/]", one)[-1] for one in (there, absent)]
    said, other = (
        re.sub(r"[0-9a-f]{12}", "", one.text.replace(text, "").replace(quote(text), ""))
        for one, text in zip((found, nothing), typed, strict=True)
    )
    assert said == other


def test_an_auditor_sees_it_and_nobody_gets_what_was_kept_for_him(fleet):
    told_by = {
        "database_url": fleet[0],
        "cache_seconds": 60,
        "hidden_fields": [*USUAL],
        "login": {"header": {"name": "X-Remote-User", "proxies": ["127.0.0.1"]}},
        "auditors": ["carol"],
    }
    app = create_app(settings.resolve(("test", told_by)))
    client = app.test_client()
    for address in ("/", "/assets", "/health", "/odd?group_by=kind", "/quality", "/changes"):
        whole, seen = (
            client.get(address, headers={"X-Remote-User": name}) for name in ("carol", "dave")
        )
        assert (whole.status_code, seen.status_code) == (200, 200)
        assert told(seen, USUAL) == [], address
        if address in ("/assets", "/changes", "/health"):
            assert told(whole, USUAL) != []
    app.extensions["database"].close()
