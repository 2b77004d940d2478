"""The fleet on one page."""
# ruff: noqa: RUF001 - the pages show signs that look like others

import re
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from salt_ext import settings, store
from salt_ext.store import ingest
from tests.machines import NOW, arrival, later, server
from webui import create_app


def text(node):
    return " ".join(node.get_text(" ").split())


def number(node):
    return int(re.search(r"[\d,]+", text(node))[0].replace(",", ""))


def total(soup):
    return number(soup.find(class_="total"))


def without_a_dimm(facts):
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    return facts


@pytest.fixture
def fleet(database):
    """Three machines: one lost memory, one is silent and one has an ill disk and an error."""
    ingest(database, [arrival(server(1), at=later(hours=-3))])
    ingest(database, [arrival(server(3), "web03", at=later(days=-30))])
    ingest(database, [arrival(without_a_dimm(server(1)), at=later(minutes=-1))])
    disk = {"name": "sda", "protocol": "nvme", "health": {"failing": ["spare"]}}
    ill = arrival(server(2, smart=[disk]), "web02")
    ill.report.update(errors={"raid": {"type": "OSError", "message": "no"}}, partial=["raid"])
    ingest(database, [ill])
    [held] = ingest(database, [arrival(server(9), "web01", at=later(minutes=1))])
    assert held.status == "held"


def test_an_empty_database_shows_how_to_begin(page):
    soup = page("/")
    assert text(soup.h1) == "No machine has reported yet"
    assert [code.get_text() for code in soup.main.find_all("code")] == [
        "salt-run cmdb.migrate",
        "salt '*' state.apply cmdb",
        "salt '*' cmdb.collect",
    ]
    assert soup.main.find("input", type="search")


def test_each_tile_leads_to_a_list_with_the_same_number(fleet, page):
    tiles = page("/").select(".tiles a")
    shown = {text(tile.span): int(text(tile.b)) for tile in tiles}
    assert shown == {
        "assets": 3,
        "fresh": 2,
        "changes": 2,
        "losses of hardware": 1,
        "ill parts": 1,
        "held reports": 1,
        "problems": 2,
    }
    for tile in tiles:
        assert total(page(tile["href"])) == int(text(tile.b)), tile["href"]


def test_each_bar_leads_to_a_list_with_the_same_number(database, page):
    machines = [
        arrival(server(number, location={"site": f"dc{number % 10}"}), f"web{number}")
        for number in range(1, 13)
    ]
    nowhere = server(99)
    nowhere["system"].pop("product_name")
    ingest(database, [*machines, arrival(nowhere, "nowhere")])
    soup = page("/")
    sites, models, systems = (card.find_all("li") for card in soup.find_all(class_="bars"))
    assert [text(bar.b) for bar in sites] == ["2", "2", *["1"] * 6, "3"]
    assert text(sites[-1]).startswith("3 more")
    assert total(page(sites[-1].a["href"])) == 11
    assert [text(bar) for bar in models] == ["Dell Inc. PowerEdge R750 12", "Dell Inc. 1"]
    assert text(systems[0]) == "Debian GNU/Linux 12 (bookworm) 13"
    bars = [bar for bar in soup.select(".bars li, .legend li") if "more" not in text(bar)]
    assert len(bars) == 8 + 2 + 1 + len(store.FRESHNESS)
    for bar in bars:
        assert total(page(bar.a["href"])) == int(text(bar.b)), bar


def test_what_only_lists_have_is_counted_alike_everywhere_and_said(database, page):
    ingest(database, [arrival(server(1, location={"site": "dc1"}))])
    rows = [
        {"sn": None, "minion_id": None, "fields": {"hostname": "pdu1", "site": "dc1"}, "row": 2}
    ]
    store.import_expected(database, [{**rows[0], "kind": "pdu"}], source="power.csv", by="ann")
    soup = page("/")
    assets, fresh = soup.select(".tiles a")[:2]
    assert text(assets.b) == "2"
    assert text(fresh) == "1 fresh 100 % of 1 that have reported, 1 only in lists"
    assert text(soup.find(class_="bars").li) == "dc1 2"
    assert sum(int(text(one.b)) for one in soup.select(".legend li")) == 2


def test_every_day_of_the_chart_leads_to_its_changes(fleet, page):
    soup = page("/")
    columns, rows = soup.select("svg.days a"), soup.select("details tbody tr")
    assert (len(columns), len(rows)) == (30, 30)
    assert [one["href"] for one in columns] == [row.a["href"] for row in reversed(rows)]
    assert sum(number(row.find_all("td")[0]) for row in rows) == 2
    assert sum(number(row.find_all("td")[1]) for row in rows) == 1
    [high] = [row for row in rows if number(row.find_all("td")[0])]
    assert total(page(high.a["href"])) == 2
    # Only one of the two ways stands in the order of the keyboard.
    assert all(one["tabindex"] == "-1" for one in columns)


def test_important_changes_are_shown_even_when_they_are_old_and_others_are_not(database, page):
    ingest(database, [arrival(server(1), at=later(days=-20))])
    ingest(database, [arrival(server(1, firmware={"version": "2.0"}), at=later(days=-10))])
    facts = server(1, firmware={"version": "2.0"})
    facts["operating_system"]["kernel_release"] = "6.99"
    ingest(database, [arrival(facts)])
    feed = text(page("/").find(class_="feed"))
    assert "Firmware › Version 1.9.2" in feed
    assert "6.99" not in feed


def test_the_answer_is_kept_for_a_while_and_says_how_old_it_is(database, database_url):
    ingest(database, [arrival(server(1))])
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    client = app.test_client()

    def shown():
        soup = BeautifulSoup(client.get("/").text, "html.parser")
        return text(soup.find(role="status")), text(soup.select_one(".tiles b"))

    assert shown() == ("counted just now", "1")
    ingest(database, [arrival(server(2), "web02")])
    [slot] = app.extensions["cache"]._slots.values()
    slot.asked_at -= 12
    assert shown() == ("counted 12 s ago", "1")
    slot.asked_at -= 60
    assert shown() == ("counted just now", "2")
    app.extensions["database"].close()


def test_the_past_has_what_is_known_of_it_and_says_what_is_not(database, page):
    ingest(database, [arrival(server(1, location={"site": "dc1"}), at=NOW - timedelta(days=9))])
    ingest(database, [arrival(without_a_dimm(server(1)), at=NOW - timedelta(days=8, hours=1))])
    ingest(database, [arrival(server(2), "web02", at=later(hours=-1))])
    soup = page("/?_as_of=8d")
    assert {text(tile.span): int(text(tile.b)) for tile in soup.select(".tiles a")} == {
        "assets": 1,
        "changes": 2,
        "losses of hardware": 1,
    }
    assert "is not known of the past" in text(soup.find(role="status"))
    assert not soup.select(".legend")
    assert len(soup.select("details tbody tr")) == 30
    assert "A2" in text(soup.find(class_="feed"))
    for link in soup.main.select("a[href^='/']"):
        if text(link) != "Back to the present":
            assert "_as_of=" in link["href"], link
    for tile in soup.select(".tiles a"):
        assert total(page(tile["href"])) == int(text(tile.b)), tile["href"]
