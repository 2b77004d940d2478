"""Parts and one part, racks and one rack, and what differs between machines."""

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server


def text(node):
    return " ".join(node.get_text(" ").split())


def in_rack(number, unit, **location):
    return server(number, location={"site": "dc1", "rack": "R07", "unit": unit, **location})


def without_a_dimm(number=1):
    facts = server(number)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    return facts


def test_the_number_of_a_kind_of_part_is_that_of_the_list_that_it_opens(database, page):
    ingest(database, [arrival(server(1)), arrival(server(2), "web02")])
    for section in ("disks", "memory", "network"):
        for row in page(f"/parts?section={section}").tbody.find_all("tr"):
            assert f"Assets: {row.a.get_text()}" in text(page(row.a["href"]).find(role="status"))


def test_a_part_is_shown_with_every_place_where_it_was(database, page):
    serial = server(1)["disks"][0]["serial_number"]
    ingest(database, [arrival(server(1), at=later(hours=-1)), arrival(server(2), "web02")])
    gone = server(1)
    disk = gone["disks"].pop(0)
    ingest(database, [arrival(gone, at=later(minutes=-30))])
    there = server(2)
    there["disks"].append({**disk, "name": "sdz"})
    ingest(database, [arrival(there, "web02", at=later(minutes=1))])
    rows = page(f"/parts/disks/{serial}").tbody.find_all("tr")
    assert [row.a.get_text() for row in rows] == ["web02", "web01"]


def test_a_part_that_nobody_knows_is_told_with_the_nearest(database, page):
    ingest(database, [arrival(server(1))])
    serial = server(1)["disks"][0]["serial_number"]
    assert f"the nearest is '{serial}'" in text(page(f"/parts/disks/{serial[:-1]}X", 404))


def test_machines_stand_at_their_units_and_whoever_claims_one_twice_is_told(database, page):
    facts = {"web01": in_rack(1, "U10-11"), "web02": in_rack(2, "11"), "web03": in_rack(3, "U20")}
    ingest(database, [arrival(one, name) for name, one in facts.items()])
    soup = page("/racks/dc1/R07")
    assert len(soup.svg.find_all(class_="machine")) == 3
    assert len(soup.svg.find_all(class_="shared")) == 2
    assert "claim the same unit" in text(soup)
    assert [row.a.get_text() for row in soup.tbody.find_all("tr")] == ["web03", "web01", "web02"]


def test_a_rack_in_which_everything_claims_one_unit_is_drawn_once_and_told_shortly(database, page):
    ingest(
        database, [arrival(in_rack(number, "U10"), f"web{number:02}") for number in range(1, 13)]
    )
    soup = page("/racks/dc1/R07")
    [drawn] = soup.svg.find_all(class_="machine")
    assert "web01" in text(drawn)
    assert "web10 U10, 2 more" in text(soup.find(class_="note"))
    assert len(soup.tbody.find_all("tr")) == 12


def test_a_rack_is_shown_as_it_was(database, page):
    ingest(database, [arrival(in_rack(1, "U10"), at=later(hours=-1))])
    ingest(database, [arrival(in_rack(1, "U12"), at=later(minutes=-1))])
    before = store.changes(database, limit=1)[0]["recorded_at"]
    assert "U12" in text(page("/racks/dc1/R07").tbody)
    then = f"{before:%Y-%m-%dT%H:%M:%S}Z"
    assert page(f"/racks/dc1/R07?_as_of={then}").find(class_="time")


def test_the_racks_of_a_list_lead_to_their_pages(database, page):
    ingest(database, [arrival(in_rack(1, "U10")), arrival(server(2, location={"rack": "R9"}), "b")])
    for row in page("/racks").tbody.find_all("tr"):
        assert page(row.a["href"]).svg


def test_what_differs_between_two_machines_stands_first_without_what_always_does(database, page):
    ingest(database, [arrival(server(1)), arrival(without_a_dimm(2), "web02")])
    shown = text(page("/compare?a=web01&b=web02").find(class_="compare"))
    assert "Memory module A2" in shown
    assert server(1)["system"]["serial_number"] not in shown


def test_a_machine_is_compared_with_what_it_was(database, page):
    ingest(database, [arrival(server(1), at=later(hours=-9))])
    ingest(database, [arrival(without_a_dimm())])
    assert "Memory module A2" in text(page("/compare?a=web01&b=web01@8h"))
    assert "Nothing differs" in text(page("/compare?a=web01&b=web01"))


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("a=web01", "Name two at least"),
        ("a=web01&b=nobody", "nobody"),
        ("a=web01&b=web01@never", "never"),
        ("id=web01&id=web01&id=web01&id=web01&id=web01", "four fit"),
        ("a=web01&b=web01&c=web01&d=web01&id=web01", "four fit"),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(database, client, query, says):
    ingest(database, [arrival(server(1))])
    assert says in client.get(f"/compare?{query}").text
