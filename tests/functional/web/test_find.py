"""The search box: one match opens, several are a page of links, none names the nearest."""

import json
from urllib.parse import quote

import hypothesis
import pytest
from hypothesis import HealthCheck
from hypothesis import strategies as st

from salt_ext import store
from tests.machines import arrival, later, server
from webui.views.help import BOX


@pytest.fixture
def fleet(database):
    one, other = server(1, location={"site": "fra1"}), server(2, location={"site": "ams1"})
    one["power_supplies"] = [{"location": "PSU1", "serial_number": "PS/1 A%2F"}]
    other["bmc"] = {"present": True, "addresses": ["10.128.0.2/10"], "mac": "2c:ea:7f:00:00:02"}
    one["disks"][0]["wwn"] = "5002538f00000001"
    store.ingest(database, [arrival(one, "web01.example.com"), arrival(other, "web02")])
    return database


@pytest.fixture
def leads(client):
    """A function that returns where an address leads in the end, with the status there."""

    def follow(address):
        response = client.get(address, follow_redirects=True)
        path = response.request.full_path.rstrip("?")
        return response.status_code, path

    return follow


@pytest.fixture
def find(leads):
    return lambda text: leads(f"/find?q={quote(text, safe='')}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("web01", "web01.example.com"),
        (" WEB01.example.com ", "web01.example.com"),
        ("9xyz002", "web02"),
        ("5254.0000.0002", "web02"),
        ("10.128.0.2/10", "web02"),
        ("44454C4C-5800-1059-805A-B9C04F000001", "web01.example.com"),
        ("XYZ001", "web01.example.com"),
    ],
)
def test_one_machine_opens(fleet, find, text, name):
    assert find(text) == (200, f"/a/{store.resolve(fleet, name)}")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("s64f000001", "/parts/disks/S64F000001"),
        ("naa.5002538F00000001", "/parts/disks/S64F000001"),
        ("4F0002A1", "/parts/memory/4F0002A1"),
        ("ps/1 a%2f", "/parts/power_supplies/PS/1 A%2F"),
    ],
)
def test_a_part_opens_its_own_page(fleet, client, text, path):
    response = client.get("/find", query_string={"q": text})
    assert (response.status_code, response.headers["Location"]) == (302, quote(path))
    assert client.get(response.headers["Location"]).status_code == 200


@pytest.mark.parametrize("way", ["sn", "host", "mac", "uuid", "ip"])
def test_a_path_leads_to_the_machine_too(fleet, leads, way):
    known = {
        "sn": "9XYZ001",
        "host": "web01",
        "mac": "52-54-00-00-00-01",
        "uuid": "{4C4C4544-0058-5910-805A-B9C04F000001}",
        "ip": "10.0.0.1/16",
    }
    status, path = leads(f"/{way}/{quote(known[way])}")
    assert (status, path) == (200, f"/a/{store.resolve(fleet, 'web01')}")


def test_several_are_a_page_of_links_that_all_lead_somewhere(database, client, page):
    donor, heir = server(1), server(2)
    store.ingest(database, [arrival(donor, "old"), arrival(heir, "web02")])
    store.rename(database, store.resolve(database, "old"), "web01", store.Act("ann", "test", False))
    store.ingest(database, [arrival(server(3, disks=[]), "old", later(minutes=1))])
    soup = page("/find?q=OLD", 300)
    rows = [
        [cell.get_text(strip=True) for cell in row.find_all(("th", "td"))]
        for row in soup.table.tbody.find_all("tr")
    ]
    assert [(row[0], row[1], row[5] == "now") for row in rows] == [
        ("old", "name", True),
        ("web01", "name", False),
    ]
    for link in soup.table.find_all("a"):
        assert client.get(link["href"]).status_code == 200, link
    told = json.loads(client.get("/find.json?q=OLD").text)
    assert [(row["minion_id"], row["known"]) for row in told] == [
        ("old", "present"),
        ("web01", "former"),
    ]


def test_what_several_machines_share_is_several(database, page):
    bmc = {"present": True, "addresses": ["192.168.0.120/24"]}
    store.ingest(database, [arrival(server(1, bmc=bmc), "a"), arrival(server(2, bmc=bmc), "b")])
    for address in ("/find?q=192.168.0.120", "/ip/192.168.0.120"):
        soup = page(address, 300)
        assert [link.get_text() for link in soup.table.find_all("a")] == ["a", "b"]
        assert "address of its BMC" in soup.table.get_text()


def test_a_held_machine_leads_to_its_report(database, leads):
    store.ingest(database, [arrival(server(1), "m1"), arrival(server(2), "m2")])
    stolen = {**server(2), "system": server(1)["system"]}
    stolen["operating_system"]["machine_id"] = "0" * 31 + "7"
    [outcome] = store.ingest(database, [arrival(stolen, "m3", later(minutes=5))])
    assert outcome.status == "held"
    assert leads("/find?q=m3") == (200, "/quality/held?minion_id=m3")


@pytest.mark.parametrize(
    ("text", "list_"),
    [
        ("site:fra1", "/assets?site__contains=fra1"),
        (
            "ram>=32 -os:windows web",
            "/assets?memory_bytes__gte=32GiB&os__notcontains=windows&q=web",
        ),
        ("web", "/assets?q=web"),
        ("poweredge 10.0", "/assets?q=poweredge+10.0"),
        ('"web0"', "/assets?q=%22web0%22"),
    ],
)
def test_words_and_fields_lead_to_the_list_in_its_structured_form(fleet, find, text, list_):
    assert find(text) == (200, list_)


def test_the_box_of_the_list_leads_to_the_same_form_and_files_understand_it_as_it_is(
    fleet, client, leads, page
):
    assert leads("/assets?q=site:fra1+web&_sort=-sn") == (
        200,
        "/assets?site__contains=fra1&q=web&_sort=-sn",
    )
    pills = page("/assets?site__contains=fra1&q=web").find(class_="pills").get_text()
    assert "site contains" in pills
    [row] = json.loads(client.get("/assets.json?q=site:fra1+web").text)
    assert row["minion_id"] == "web01.example.com"


def test_none_names_the_nearest_and_what_to_do(fleet, page, client):
    soup = page("/find?q=9XYZ0001", 404)
    assert soup.main.find("a").get_text() == "9XYZ001"
    assert "What to do" in soup.main.get_text()
    assert page("/find?q=nothing-like-it", 404).main.find("a")["href"] == "/help"
    assert client.get("/find.json?q=nothing-like-it").status_code == 404


@pytest.mark.parametrize("address", ["/find?q=sitee:fra1+%3Cb%3E", "/assets?q=sitee:fra1+%3Cb%3E"])
def test_what_cannot_be_understood_is_marked_under_the_box(fleet, page, address):
    soup = page(address, 400)
    assert soup.find(attrs={"name": "q"})["value"] == "sitee:fra1 <b>"
    assert soup.find(class_="typed").get_text() == "sitee:fra1 <b>"
    assert soup.mark.get_text() == "sitee"
    assert "did you mean 'site'?" in soup.main.get_text()


def test_a_program_gets_the_place_as_numbers(fleet, client):
    response = client.get("/assets.json?q=web+ram>=much")
    assert response.status_code == 400
    assert response.json["typed"] == {"text": "web ram>=much", "start": 9, "end": 13}


def test_the_moment_is_kept(fleet, client):
    response = client.get("/find?q=web02&_as_of=1h")
    assert response.headers["Location"].endswith("?_as_of=1h")


@pytest.mark.parametrize(
    "text", ["", " ", "%", "'", "\\", "<script>", "\u202e", "a" * 1000, "((", "-", '"', "x:y"]
)
def test_no_text_is_an_error_of_ours(fleet, client, text):
    assert client.get("/find", query_string={"q": text}).status_code in (302, 300, 404, 400)
    assert client.get("/assets", query_string={"q": text}).status_code in (302, 200, 400)


PIECES = st.sampled_from(
    ["site", ":", "=", "!=", ">=", "<", '"', "-", " ", "ram", "256", "7d", "seen", ",", "*", "%"]
)


@hypothesis.settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@hypothesis.given(st.text(max_size=30) | st.lists(PIECES, max_size=12).map("".join))
def test_whatever_is_typed_is_found_or_listed_or_marked(client, text):
    for address in ("/find", "/assets.json"):
        assert client.get(address, query_string={"q": text}).status_code in (200, 302, 400, 404)


def test_a_text_of_a_machine_is_never_markup(database, page):
    name = "web<b>01"
    facts = server(1)
    facts["operating_system"]["hostname"] = name
    other = server(2)
    other["operating_system"]["hostname"] = name
    store.ingest(database, [arrival(facts, "a"), arrival(other, "b")])
    soup = page(f"/find?q={quote(name)}", 300)
    assert not soup.main.find("b")
    assert name in soup.main.get_text()


def test_each_example_of_the_help_is_understood(fleet, client, page):
    examples = [row.th.a for row in page("/help").main.table.tbody.find_all("tr")]
    assert len(examples) == len(BOX)
    for link in examples:
        assert client.get(link["href"], follow_redirects=True).status_code == 200, link


def test_values_are_suggested(fleet, client):
    assert json.loads(client.get("/suggest.json?field=site&q=fr").text) == [
        {"value": "fra1", "assets": 1}
    ]
    assert "did you mean 'site'" in client.get("/suggest.json?field=sit").json["error"]
    assert client.get("/suggest.json?field=").status_code == 400
