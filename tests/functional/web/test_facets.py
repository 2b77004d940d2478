"""The values of fields beside the list of assets, and the values that its form suggests."""

import re
from datetime import timedelta

import pytest

from salt_ext.store import ingest
from tests.machines import arrival, later, server
from webui import facets


def text(node):
    return " ".join(node.get_text(" ").split())


def total(soup):
    return int(re.search(r"[\d,]+", text(soup.find(class_="total")))[0].replace(",", ""))


def facet(soup, title):
    """The values of a field by what they are called; a chosen one has a sign behind it."""
    for section in soup.find_all("section"):
        if section.h2 and text(section.h2) == title:
            return {text(one.a): one for one in section.find_all("li")}
    return None


def count(one):
    return int(text(one.find_all("span")[-1]))


@pytest.fixture
def fleet(database):
    """Five machines in three sites, of two models; of one nobody knows the site."""
    sites = {1: "dc1", 2: "dc1", 3: "dc2", 4: "dc3", 5: None}
    machines = []
    for number, site in sites.items():
        facts = server(number, **({"location": {"site": site}} if site else {}))
        if number == 2:
            facts["system"]["product_name"] = "PowerEdge R650"
        machines.append(arrival(facts, f"web{number:02d}"))
    ingest(database, machines)


def test_each_value_has_the_number_of_the_list_that_it_opens(fleet, page):
    soup = page("/assets?minion_id__contains=web&_sort=-sn")
    sites = facet(soup, "Site")
    assert list(sites) == ["dc1", "dc2", "dc3", "not known"]
    for title in ("Site", "Model", "OS", "Freshness", "Kind", "Lifecycle"):
        for one in facet(soup, title).values():
            assert total(page(one.a["href"])) == count(one)
            assert "_sort=-sn" in one.a["href"]


def test_the_siblings_of_a_chosen_value_stay_and_it_leads_back_to_all(fleet, page):
    soup = page("/assets?site=dc1&os__contains=Debian")
    sites = facet(soup, "Site")
    assert list(sites) == ["dc1 ✖", "dc2", "dc3", "not known"]
    assert sites["dc1 ✖"].a["href"] == "/assets?os__contains=Debian"
    assert sites["dc2"].a["href"] == "/assets?os__contains=Debian&site=dc2"
    assert {one: count(node) for one, node in facet(soup, "Model").items()} == {
        "PowerEdge R650": 1,
        "PowerEdge R750": 1,
    }
    missing = page("/assets?site__isnull=true")
    assert "not known ✖" in facet(missing, "Site")


def test_a_field_with_many_values_opens_by_a_link(fleet, page, monkeypatch):
    monkeypatch.setattr(facets, "FEW", 1)
    soup = page("/assets?q=web")
    assert not soup.find("details", class_="facets").has_attr("open")
    [more] = [one for one in soup.find_all("a") if one.get("aria-label") == "2 more: Site"]
    opened = page(more["href"])
    assert opened.find("details", class_="facets").has_attr("open")
    assert list(facet(opened, "Site")) == ["dc1", "dc2", "dc3", "not known"]
    assert list(facet(opened, "Model")) == ["PowerEdge R750"]


def test_of_a_large_part_of_the_fleet_only_what_is_asked_for_is_counted(fleet, page, monkeypatch):
    monkeypatch.setattr(facets, "COUNTED_AT_ONCE", 3)
    soup = page("/assets?minion_id__contains=web")
    assert facet(soup, "Site") is None
    [link] = [one for one in soup.select(".facets h2 a") if text(one) == "Site …"]
    assert "dc1" in facet(page(link["href"]), "Site")
    assert facet(page("/assets"), "Site"), "the whole fleet is counted: the answer is kept for all"
    assert facet(page("/assets?site=dc1"), "Site")


def test_any_field_can_be_counted_beside_the_list(fleet, page):
    soup = page("/assets?_facet=memory_bytes&_facet=minion_id")
    assert list(facet(soup, "Memory")) == ["128 GiB"]
    [link] = [one.a["href"] for one in facet(soup, "Memory").values()]
    assert total(page(link)) == 5
    assert len(facet(soup, "Minion")) == 5
    assert "there is no field 'sit'" in text(page("/assets?_facet=sit", 400))


@pytest.mark.parametrize("field", ["last_seen", "first_seen", "temporary", "disk_bytes", "rack"])
def test_a_value_of_any_type_opens_the_list_of_its_number(database, fleet, page, field):
    at = later(minutes=-1) + timedelta(microseconds=250)
    ingest(database, [arrival(server(6), "web06", at=at)])
    soup = page(f"/assets?_facet={field}")
    [values] = [one for one in soup.select(".facets section") if f"{field}=" in str(one)] or [
        one for one in soup.select(".facets section") if f"{field}__isnull=" in str(one)
    ]
    for one in values.find_all("li"):
        assert total(page(one.a["href"])) == count(one)


def test_the_values_of_the_past_are_those_of_then(database, page):
    ingest(database, [arrival(server(1, location={"site": "dc1"}), at=later(hours=-3))])
    ingest(database, [arrival(server(1, location={"site": "dc2"}), at=later(hours=-1))])
    soup = page("/assets?_as_of=2h")
    assert [text(one) for one in soup.select(".facets h2")] == [
        *("Site …", "Model …", "OS …", "Kind …", "Lifecycle …"),
    ]
    sites = facet(page(soup.select_one(".facets h2 a")["href"]), "Site")
    assert list(sites) == ["dc1"]
    assert "_as_of=2h" in sites["dc1"].a["href"]


def test_the_form_suggests_the_values_of_the_field_that_was_chosen(fleet, page, client):
    assert not page("/assets").find("datalist")
    address = client.get("/assets/filter?minion_id=web01&_field=site&_value=").headers["Location"]
    soup = page(address)
    assert soup.select_one("select[name=_field] option[selected]")["value"] == "site"
    form = soup.find("form", class_="filter")
    values = soup.find("datalist", id=form.find("input", attrs={"name": "_value"})["list"])
    assert [one["value"] for one in values("option")] == ["dc1", "dc2", "dc3"]
    assert total(soup) == 1
    models = page("/assets?_field=disks.model").find("datalist")
    assert [one["value"] for one in models("option")] == ["PM9A3"]
    for field in ("memory_bytes", "nothing"):
        assert not page(f"/assets?_field={field}").find("datalist")
