"""Reports, the status and the help: whatever they link to can be asked."""

from urllib.parse import urlsplit

import pytest

from salt_ext import settings, store
from salt_ext.settings import SettingsError
from salt_ext.store import ingest
from salt_ext.words import fields
from tests.machines import arrival, later, server
from webui import create_app


def text(node):
    return " ".join(node.get_text(" ").split())


def links(soup):
    return sorted({one["href"] for one in soup.main.find_all("a") if urlsplit(one["href"]).path})


@pytest.mark.parametrize("address", ["/help", "/reports", "/status", "/reports/groups"])
def test_every_link_of_a_page_leads_to_a_page(database, client, page, address):
    ingest(database, [arrival(server(1, location={"site": "dc1"}))])
    for link in links(page(address)):
        response = client.get(link, follow_redirects=True)
        # An example of something that this fleet does not have is not found.
        assert response.status_code == 200 or link.startswith("/find"), link


def test_a_preset_of_the_settings_stands_among_the_reports_and_a_null_takes_one_away(new_database):
    own = {"big": {"title": "Big ones", "query": "memory_bytes__gt=64GiB"}, "newest": None}
    options = {"database_url": new_database(), "reports": own}
    app = create_app(settings.resolve(("test", options)))
    shown = app.test_client().get("/reports").text
    assert "/assets?memory_bytes__gt=64GiB" in shown
    assert "What came last" not in shown
    app.extensions["database"].close()


@pytest.mark.parametrize("one", ["x", {"title": "T"}, {"query": "site=dc1"}, 5])
def test_a_preset_that_cannot_be_asked_stops_the_process_with_its_name(database_url, one):
    options = {"database_url": database_url, "reports": {"mine": one}}
    with pytest.raises(SettingsError, match="mine needs a title"):
        create_app(settings.resolve(("test", options)))


def test_the_number_of_a_group_is_that_of_the_list_that_it_opens(database, page):
    dc1 = {"site": "dc1"}
    ingest(database, [arrival(server(1, location=dc1)), arrival(server(2), "web02")])
    rows = page("/reports/groups?group_by=site,os").tbody.find_all("tr")
    assert len(rows) == 2
    for row in rows:
        assert "Assets: 1" in text(page(row.a["href"]).find(role="status"))


def test_groups_can_be_counted_as_of_a_moment(database, page):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    assert "Groups: 0" in text(page("/reports/groups?_as_of=3h"))


def test_every_field_of_a_list_has_a_meaning(database):
    known = {name for name in store.listable(database) if not name.startswith("list.")}
    assert known == set(fields.MEANINGS)
