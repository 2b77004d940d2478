"""What is lost and what reactions do, as pages, as files and for programs."""

import csv
import io

from salt_ext import store
from tests.machines import arrival, later, server
from tests.store.test_losses import without

ACT = store.Act("ops", "a module is gone", False)


def text(node):
    return " ".join(node.get_text(" ").split())


def lose(database, number=1):
    name = f"web{number:02d}"
    store.ingest(database, [arrival(server(number), name)])
    for minute in (1, 2):
        store.ingest(database, [arrival(without("A2", number=number), name, later(minutes=minute))])
    store.settle_losses(database)


def test_losses_are_a_page_a_file_and_a_path_of_the_api(database, client, page):
    lose(database)
    shown = page("/losses")
    [row] = shown.tbody.find_all("tr")
    assert "web01" in text(row)
    assert "Memory module A2" in text(row)
    [again] = client.get("/api/v1/losses?state=lost").json["rows"]
    assert (again["minion_id"], again["state"]) == ("web01", "lost")
    [heading, cells] = csv.reader(io.StringIO(client.get("/losses.csv").data.decode("utf-8-sig")))
    assert dict(zip(heading, cells, strict=True))["what"] == "Memory module A2"
    assert "There are none." in text(page("/losses?state=back"))
    assert client.get("/losses?state=lots").status_code == 400
    assert client.get("/losses?sit=dc1").status_code == 400
    assert "There are none." in text(page("/losses?minion_id=web02"))


def test_the_machine_that_a_part_is_in_now_is_named(database, client):
    lose(database)
    there = server(2)
    there["memory"]["devices"][1] = server(1)["memory"]["devices"][1] | {"locator": "A2"}
    store.ingest(database, [arrival(there, "web02", later(minutes=5))])
    [row] = client.get("/api/v1/losses").json["rows"]
    assert (row["state"], row["elsewhere"]) == ("lost", "web02")


def test_reactions_and_waves_are_a_page_and_a_path_of_the_api(database, client, page):
    store.ingest(database, [arrival(server(n), f"web{n:02d}") for n in (1, 2)])
    for name in ("web01", "web02"):
        store.permit_reaction(database, store.resolve(database, name), "drain", ACT)
    refused, permitted = page("/reactions").tbody.find_all("tr")
    assert "no known rack" in text(refused)
    assert "a module is gone" in text(permitted)
    rows = client.get("/api/v1/reactions").json["rows"]
    assert [(row["state"], row["minion_id"]) for row in rows] == [
        ("refused", "web02"),
        ("permitted", "web01"),
    ]
    [row] = client.get("/api/v1/reactions?state=permitted").json["rows"]
    assert row["action"] == "drain"
    assert "drain of web02 was refused" in text(page("/problems?kind=brake"))


def test_the_role_of_the_web_may_read_both(database, reader_app):
    lose(database)
    client = reader_app.test_client()
    assert [client.get(path).status_code for path in ("/losses", "/reactions")] == [200, 200]
