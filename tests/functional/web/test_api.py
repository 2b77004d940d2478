"""The API: every table, one asset, its description of itself, and what programs rely on."""

import pytest

from salt_ext import store
from salt_ext.store import ingest, keep_listing
from tests.machines import arrival, later, server
from webui import RESOURCES


def test_every_table_of_a_page_is_at_the_same_path_of_the_api(database, client):
    ingest(database, [arrival(server(1, location={"site": "dc1", "rack": "R7", "unit": "U1"}))])
    keep_listing(database, "prod", "openstack", {}, [])
    serial = server(1)["disks"][0]["serial_number"]
    values = {"section": "disks", "serial": serial, "site": "dc1", "name": "R7", "cloud": "prod"}
    for resource in RESOURCES:
        path = resource.path.replace("path:", "")
        for name, value in values.items():
            path = path.replace(f"<{name}>", value)
        if "<" not in path:
            answer = client.get(f"/api/v1{path}")
            assert answer.status_code == 200, answer.text
            assert answer.json["ok"] is True


def test_filters_reach_every_table_that_has_them(database, client):
    ingest(database, [arrival(server(1, location={"site": "dc1"}))])
    assert client.get("/api/v1/reports/groups?group_by=os&site=dc1").json["total"] == 1
    assert client.get("/api/v1/reports/groups?group_by=os&site=dc2").json["total"] == 0
    assert client.get("/api/v1/health?sit=dc1").status_code == 400


def test_who_has_an_answer_already_gets_no_second_one(database, client):
    ingest(database, [arrival(server(1))])
    first = client.get("/api/v1/parts")
    again = client.get("/api/v1/parts", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.data == b""
    ingest(database, [arrival(server(2), "web02")])
    then = client.get("/api/v1/parts", headers={"If-None-Match": first.headers["ETag"]})
    assert then.status_code == 200


def test_an_asset_and_its_document_are_told_as_they_were(database, client):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    facts = server(1)
    facts["memory"]["devices"].pop()
    ingest(database, [arrival(facts)])
    asset_id = store.resolve(database, "web01")
    now = client.get(f"/api/v1/assets/{asset_id}").json["asset"]
    assert now["minion_id"] == "web01"
    then = client.get(f"/api/v1/assets/{asset_id}/document?_as_of=45m").json
    assert then["revision"]["number"] == 1
    assert then["document"]["memory"]["devices"] == server(1)["memory"]["devices"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/health?_limit=0", 400),
        ("/api/v1/health?_as_of=7d", 400),
        ("/api/v1/assets/00000000-0000-0000-0000-000000000001", 404),
        ("/api/v1/parts/disks/nobody", 404),
    ],
)
def test_errors_of_programs_have_one_shape(client, address, status):
    answer = client.get(address)
    assert answer.status_code == status
    assert list(answer.json) == ["ok", "error", "hint", "status", "request_id"]
    assert client.post("/api/v1/health").json["status"] == 405


def test_the_description_names_every_path_and_has_nothing_from_elsewhere(app, client):
    told = client.get("/api/v1/openapi.json").json
    assert told["openapi"].startswith("3.1")
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and not rule.endpoint.startswith("api_description"):
            path = rule.rule.replace("<uuid:", "{").replace("<path:", "{")
            assert path.replace("<", "{").replace(">", "}") in told["paths"], rule
    assert "422" not in str(told)
    page = client.get("/api").text
    assert "/api/v1/health" in page
    assert "<script" not in page


def test_the_fleet_is_counted_by_any_question(database, client):
    ingest(database, [arrival(server(1, location={"site": "dc1"})), arrival(server(2), "web02")])
    assert client.get("/api/v1/assets/count?site=dc1").json["total"] == 1
    [facet] = client.get("/api/v1/facets?_facet=site").json["facets"]
    assert {"value": "dc1", "assets": 1} in [
        {name: one[name] for name in ("value", "assets")} for one in facet["values"]
    ]
    counts = client.get("/api/v1/counts").json
    assert counts["totals"]["assets"] == 2
    assert counts["quality"]["held"] == 0
    told = client.get("/api/v1/schema/fields").json["fields"]
    assert {"site", "disks.model"} <= {one["name"] for one in told}


def test_the_fleet_is_compared_at_two_moments(database, client, page):
    ingest(database, [arrival(server(1), at=later(hours=-9))])
    facts = server(1)
    facts["memory"]["devices"].pop()
    ingest(database, [arrival(facts)])
    told = client.get("/api/v1/changes/fleet?since=8h").json
    assert told["total"] == 1
    assert {one["path"] for one in told["rows"]} == {"memory.devices"}
    assert "Assets that differ: 1" in page("/changes/fleet?since=8h").main.get_text()
    lines = client.get("/changes/fleet.ndjson?since=8h").text.splitlines()
    assert len(lines) == len(told["rows"])


def test_assets_come_with_the_sections_that_are_asked_for(database, client):
    ingest(database, [arrival(server(1)), arrival(server(2), "web02")])
    rows = client.get("/api/v1/assets?include=disks,memory&_sort=-minion_id").json["rows"]
    assert [row["minion_id"] for row in rows] == ["web02", "web01"]
    assert [set(row["sections"]) for row in rows] == [{"disks", "memory"}] * 2
    assert "include" in client.get("/api/v1/assets?include=disks&_as_of=1s").json["error"]
    assert client.get("/api/v1/assets?include=nope").status_code in (400, 404)
    first = client.get("/api/v1/assets?_limit=1&include=disks")
    assert first.json["next_url"] in first.headers["Link"]
    assert "include=disks" in first.json["next_url"]
    following = client.get(first.json["next_url"])
    assert following.json["rows"][0]["minion_id"] == "web02"
