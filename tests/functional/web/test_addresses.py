"""What every address of the web UI has in common: its options, its past and its files."""

import csv
import io
import json
import re

import openpyxl
import pytest

from salt_ext import settings
from salt_ext.store import ingest
from tests.machines import arrival, later, server
from webui import create_app

PATH = {"asset_id": "00000000-0000-0000-0000-000000000001", "reference": "web01", "moment": "7d"}


def ill(name="sda"):
    disk = {"name": name, "protocol": "nvme", "health": {"failing": ["spare"]}}
    return {**server(1), "smart": [disk]}


def address_of(rule, given=PATH):
    address = rule.rule
    for name in rule.arguments:
        address = re.sub(rf"<(\w+:)?{name}>", {**PATH, **given}.get(name, "nobody"), address)
    return address


def test_every_route_refuses_an_option_that_it_does_not_know(app, client):
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            response = client.get(f"{address_of(rule)}?_nonsense=1")
            assert response.status_code == 400, rule
            assert "_nonsense" in response.text, rule


def test_an_option_that_is_meant_once_and_given_twice_is_refused(page):
    assert "give it once" in page("/health?_limit=1&_limit=2", 400).get_text()


@pytest.mark.parametrize("given", ["0", "1001", "x", "", "1e3", "٣"])
def test_a_limit_that_is_no_number_in_bounds_is_refused_by_its_name(page, given):
    assert "_limit is" in page(f"/health?_limit={given}", 400).get_text()


def test_a_table_is_the_same_on_the_page_and_in_each_format(database, client, page):
    ingest(database, [arrival(ill())])
    [row] = page("/health").table.tbody.find_all("tr")
    assert "web01" in row.get_text()
    columns = ["severity", "minion_id", "sn", "section", "component", "says"]
    [written] = json.loads(client.get("/health.json").text)
    assert list(written) == columns
    assert written["minion_id"] == "web01"
    assert [json.loads(line) for line in client.get("/health.ndjson").text.splitlines()] == [
        written
    ]
    heading, cells = csv.reader(io.StringIO(client.get("/health.csv").data.decode("utf-8-sig")))
    assert heading == columns
    assert cells == [str(one) for one in written.values()]
    book = openpyxl.load_workbook(io.BytesIO(client.get("/health.xlsx").data))
    assert [cell.value for cell in next(book.active.rows)] == columns


def test_an_answer_that_is_kept_is_that_of_its_page_alone(database_url):
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    client = app.test_client()
    asked = {
        name: client.get(f"/{name}.csv").text.splitlines()[0] for name in ("odd", "health", "odd")
    }
    assert "usual" in asked["odd"]
    assert "severity" in asked["health"]
    app.extensions["database"].close()


def test_a_page_without_a_past_says_so_and_its_files_refuse_to_take_the_present_for_it(
    database, client, page
):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    assert "knows the present only" in page("/health?_as_of=30m").get_text()
    response = client.get("/health.json?_as_of=30m")
    assert response.status_code == 400
    assert "present only" in response.json["error"]


def test_the_past_is_kept_in_the_links_of_a_page(database, page):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    soup = page("/health?_as_of=30m")
    menu = soup.find("nav", attrs={"aria-label": "Pages"})
    assert all("_as_of=30m" in link["href"] for link in menu.find_all("a"))


def test_characters_that_nobody_sees_are_shown(database, page):
    ingest(database, [arrival(ill("sda\u202e\u200b\x1b"))])
    shown = page("/health").get_text()
    assert not {"\u202e", "\u200b", "\x1b"} & set(shown)
    assert "sda<U+202E><U+200B><U+001B>" in shown


@pytest.mark.parametrize(
    "when", ["5", "1h30m", "2026-02-30", "-5d", "9999999999999d", "0001-01-01"]
)
@pytest.mark.parametrize(
    "address", ["/changes?since=", "/assets?_as_of=", "/?_as_of=", "/api/v1/changes?since="]
)
def test_a_time_that_is_none_is_refused_with_a_sentence(client, address, when):
    response = client.get(f"{address}{when}")
    assert response.status_code in (400, 404), response.text[:300]
    assert when in response.text
