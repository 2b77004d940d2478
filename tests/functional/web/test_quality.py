"""What is not as it should be: the page of all lists, each list, its hints and its links."""

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server
from webui import RESOURCES

OWN = ("assets", "changes", "compare", "fleet_diff")
"""The tables whose pages say in their own words how many rows there are."""


def text(node):
    return " ".join(node.get_text(" ").split())


def test_the_number_of_each_tile_is_that_of_the_list_that_it_opens(database, page):
    ingest(database, [arrival(server(1))])
    ingest(database, [arrival(server(2), "web01", at=later(minutes=1))])
    tiles = page("/quality").find(class_="tiles").find_all("a")
    assert len(tiles) == 7
    for tile in tiles:
        status = page(tile["href"]).find(role="status")
        assert status.get_text().rsplit(":")[-1].strip() == tile.b.get_text()
    assert "Held reports: 1" in text(page("/quality/held"))


def test_a_held_report_stands_beside_the_command_that_decides(database, page):
    ingest(database, [arrival(server(1), "web01")])
    ingest(database, [arrival(server(2), "web01", at=later(minutes=1))])
    assert page("/quality/held").code.get_text() == "salt-run cmdb.quarantine show web01"


def test_who_is_not_held_is_told_the_nearest_name_that_is(database, page):
    ingest(database, [arrival(server(1), "web01")])
    ingest(database, [arrival(server(2), "web01", at=later(minutes=1))])
    assert "the nearest is 'web01'" in text(page("/quality/held?minion_id=web1"))


def test_problems_of_a_glob_of_names_are_found_as_held_reports_are(database, page):
    ingest(database, [arrival(server(1), "web01")])
    ingest(database, [arrival(server(2), "web01", at=later(minutes=1))])
    assert "Problems: 1" in text(page("/problems?minion_id=web*"))


def test_a_machine_that_no_list_has_is_unexpected_once_there_is_a_list(database, page):
    ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    assert "There are none" in text(page("/quality/unexpected"))
    store.set_expected(database, "web01", {"site": "dc1"}, by="me")
    shown = text(page("/quality/unexpected"))
    assert "web02" in shown
    assert "web01" not in shown


def test_each_table_says_what_it_is_when_it_is_empty_and_refuses_what_no_field_has(page):
    for resource in RESOURCES:
        if "<" not in resource.path and resource.name not in OWN:
            soup = page(resource.path)
            assert soup.h1.get_text()
            assert text(soup.find(role="status")).endswith(": 0"), resource.name


def test_a_long_list_has_pages_that_are_counted_from_its_beginning(database, page):
    machines = [arrival(server(number), f"web{number:02}") for number in range(1, 8)]
    ingest(database, machines)
    store.set_expected(database, "other", {"site": "dc1"}, by="me")
    store.set_expected(database, "web01", {"site": "dc1"}, by="me")
    seen, address = [], "/quality/unexpected?_limit=2"
    while address:
        soup = page(address)
        seen += [row.a.get_text() for row in soup.tbody.find_all("tr")]
        following = soup.find("a", rel="next")
        address = following and following["href"]
    assert sorted(seen) == [f"web{number:02}" for number in range(2, 8)]


def test_a_webhook_that_takes_no_events_is_a_problem_with_the_command_that_helps(database, page):
    said = "2 events could not be delivered; salt-run cmdb.webhook tickets resend=True sends them"
    store.complain_of_webhook(database, "tickets", said, "master01")
    found = text(page("/problems?kind=webhook"))
    assert "Problems: 1" in found
    assert "master01" in found
    assert said in found
