"""What people's lists say, on the pages of the web UI."""

import pytest
from bs4 import BeautifulSoup

from salt_ext import settings, store
from tests.machines import arrival, server
from webui import create_app

HOSTILE = "<b>me & you</b>"


@pytest.fixture
def client(database, database_url):
    """A client over two machines, of which a list says something."""
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    fields = {"site": "dc1", "unit": "12", "list.owner": HOSTILE, "list.cost": 12.5}
    rows = [{"sn": "9XYZ001", "minion_id": None, "fields": fields, "row": 7}]
    types = {"list.owner": "text", "list.cost": "number"}
    store.import_expected(database, rows, source="bought.xlsx", by="ann", types=types)
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    yield app.test_client()
    app.extensions["database"].close()


def test_the_page_of_an_asset_has_them_apart_with_who_says_so(client, database):
    asset_id = store.resolve(database, "web01")
    page = BeautifulSoup(client.get(f"/a/{asset_id}").text, "html.parser")
    rows = [
        [cell.get_text().strip() for cell in row.find_all(["th", "td"])][:5]
        for row in page.select("#listed tbody tr")
    ]
    assert rows == [
        ["Site", "dc1", "bought.xlsx", "7", "ann"],
        ["Unit", "12", "bought.xlsx", "7", "ann"],
        ["Owner", HOSTILE, "bought.xlsx", "7", "ann"],
        ["Cost", "12.5", "bought.xlsx", "7", "ann"],
    ]
    summary = page.select_one("#summary").get_text(" ", strip=True)
    assert "Site dc1 from list" in summary
    asset = client.get(f"/a/{asset_id}.json").get_json()["asset"]
    assert {one["field"]: one["value"] for one in asset["listed"]}["list.owner"] == HOSTILE
    assert asset["site"] == "dc1"
    assert "location" not in asset["facts"]
    other = client.get(f"/a/{store.resolve(database, 'web02')}").text
    assert 'id="listed"' not in other


def test_the_list_of_assets_is_filtered_sorted_and_shown_by_them(client):
    address = "/assets?list.cost__gt=12&_col=minion_id,list.owner,list.cost&_sort=-list.cost"
    page = BeautifulSoup(client.get(address).text, "html.parser")
    assert page.h1.get_text() == "Assets where cost is over 12"
    assert [one.get_text().strip() for one in page.select("table.list thead th")] == [
        *("Compare", "Minion", "Owner", "Cost"),
    ]
    [row] = page.select("table.list tbody tr")
    assert [cell.get_text().strip() for cell in row.find_all(["th", "td"])] == [
        *("", "web01", HOSTILE, "12.5"),
    ]
    names = [one["value"] for one in page.select("select[name=_field] option")]
    assert {"list.owner", "list.cost", "room", "unit"} <= set(names)
    answer = client.get("/assets?list.ower=x")
    assert answer.status_code == 400
    assert "did you mean" in answer.text


def test_what_never_reported_has_a_name(client, database):
    rows = [
        {"sn": None, "minion_id": name, "fields": {"hostname": name}, "row": row, "kind": "pdu"}
        for row, name in enumerate(("pdu01", "pdu02"), 2)
    ]
    store.import_expected(database, rows, source="power.csv", by="ann")
    for address in ("/assets?freshness=unreported", "/assets?freshness=unreported&_col=site,unit"):
        page = BeautifulSoup(client.get(address).text, "html.parser")
        links = [one.get_text(strip=True) for one in page.select("table.list tbody th a")]
        assert sorted(links) == ["pdu01", "pdu02"]
    [asset] = store.assets(database, columns="hostname", filters={"hostname": "pdu01"}).rows
    page = BeautifulSoup(client.get(f"/a/{asset['id']}").text, "html.parser")
    assert page.h1.get_text(strip=True) == "pdu01"
    answer = client.get("/assets?_as_of=2031-01-01")
    assert (answer.status_code, "is in the future" in answer.text) == (400, True)
