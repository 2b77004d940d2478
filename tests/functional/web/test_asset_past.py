"""One asset as it was: its document, the way to its first report, and easily typed addresses."""

import json

import pytest
from bs4 import BeautifulSoup

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server


@pytest.fixture
def asset_id(database):
    """A machine whose firmware was updated an hour ago."""
    ingest(database, [arrival(server(1, firmware={"version": "1.0"}), at=later(days=-3))])
    ingest(database, [arrival(server(1, firmware={"version": "2.0"}), at=later(hours=-1))])
    return store.resolve(database, "web01")


def test_the_raw_document_is_that_of_the_moment(page, asset_id):
    for query, version in (("", "2.0"), ("?_as_of=2d", "1.0")):
        shown = page(f"/a/{asset_id}/raw{query}").find(id="facts-firmware").find_next("pre")
        assert json.loads(shown.get_text()) == {"version": version}


def test_the_json_of_an_asset_is_that_of_the_moment(client, asset_id):
    then = client.get(f"/a/{asset_id}.json?_as_of=2d").json["asset"]
    assert then["facts"]["firmware"] == {"version": "1.0"}
    assert then["minion_id"] == "web01"
    assert "freshness" not in then
    assert client.get(f"/a/{asset_id}.json").json["asset"]["freshness"] == "fresh"


def test_before_its_first_report_a_page_leads_to_that(client, asset_id):
    for below in ("/raw",):
        response = client.get(f"/a/{asset_id}{below}?_as_of=20d")
        assert response.status_code == 200
        soup = BeautifulSoup(response.text, "html.parser")
        assert "First report of this asset was" in soup.main.get_text()
        there = client.get(soup.select_one(".start a")["href"])
        assert "1.0" in there.text
    answer = client.get(f"/a/{asset_id}.json?_as_of=20d")
    assert (answer.status_code, answer.json["ok"]) == (404, False)
    assert "its first report was at" in answer.json["hint"]


def test_a_moment_behind_the_id_is_an_address_too(client, asset_id):
    day = f"{later(days=-2):%Y-%m-%d}"
    response = client.get(f"/a/{asset_id}@{day}")
    assert response.status_code == 302
    assert response.headers["Location"] == f"/a/{asset_id}?_as_of={day}"


def test_a_page_of_the_present_says_so_in_the_past(page, asset_id):
    assert "knows the present only" in page(f"/a/{asset_id}/card?_as_of=2d").get_text()


def test_a_machine_that_was_merged_later_is_what_it_was(client, database):
    keyless = {name: server(1)[name] for name in ("operating_system", "memory", "disks")}
    ingest(database, [arrival(server(1), "old", later(days=-9))])
    ingest(database, [arrival(keyless, "new", later(days=-5))])
    lost = store.resolve(database, "new")
    ingest(database, [arrival(server(1), "new", later(days=-2))])
    then = client.get(f"/a/{lost}.json?_as_of=3d").json["asset"]
    assert (then["minion_id"], sorted(then["facts"])) == ("new", sorted(keyless))
    assert client.get(f"/a/{lost}.json?_as_of=1d").status_code == 302
