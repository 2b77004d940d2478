"""The list of assets as a page, and as files."""
# ruff: noqa: RUF001 - the pages show signs that look like others

import csv
import io
import json
import re
from importlib import import_module

import pytest
from bs4 import BeautifulSoup

from salt_ext import store
from salt_ext.store import ingest
from salt_ext.words.times import timestamp
from tests.machines import NOW, arrival, later, server

USUAL = (
    *("Freshness", "Minion", "SN", "Site", "Rack", "Unit", "Manufacturer", "Model", "OS"),
    *("Threads", "Memory", "Disk", "Address", "Last seen"),
)


def text(node):
    return " ".join(node.get_text(" ").split())


def total(soup):
    return int(re.search(r"[\d,]+", text(soup.find(class_="total")))[0].replace(",", ""))


def cells(row):
    """The texts of a row, without the one to tick it."""
    found = row.find_all(["th", "td"])
    return [text(cell) for cell in found if not cell.find("input") and text(cell) != "Compare"]


def names(soup):
    return [text(cell) for cell in soup.tbody.find_all("th")]


def racked(number, site="dc1", **sections):
    location = {"site": site, "rack": "R07", "unit": f"U{number}"}
    return server(number, location=location, **sections)


@pytest.fixture
def two(database):
    """Two servers; the first has half of the memory of the other."""
    small = racked(1)
    small["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(small), arrival(racked(2, "dc2"), "web02")])


def test_the_list_shows_what_people_look_for_as_they_say_it(two, page):
    soup = page("/assets")
    assert text(soup.h1) == "Assets"
    assert cells(soup.thead.tr) == list(USUAL)
    row = cells(soup.tbody.tr)
    assert row[:9] == [
        *("● fresh", "web01", "9XYZ001", "dc1", "R07", "U1", "Dell Inc.", "PowerEdge R750"),
        "Debian GNU/Linux 12 (bookworm)",
    ]
    assert row[9:12] == ["112", "64 GiB", "3.8 TB"]
    moment = soup.tbody.time
    assert moment["title"] == f"{NOW:%Y-%m-%d %H:%M} UTC"
    assert text(moment).endswith(" ago")


def test_each_cell_says_what_it_is_for_cards_on_a_phone(two, page):
    row = page("/assets").tbody.tr.find_all(attrs={"data-label": True})
    assert [cell["data-label"] for cell in row] == list(USUAL)


def test_a_filter_is_said_in_words_and_each_pill_removes_its_part(two, page):
    soup = page("/assets?memory_bytes__lt=137438953472&minion_id__contains=web&q=9xyz")
    said = "memory is under 128 GiB and minion contains web matching “9xyz”"
    assert text(soup.h1) == f"Assets where {said}"
    assert text(soup.title).startswith(text(soup.h1))
    assert total(soup) == 1
    first, second, third = soup.find(class_="pills").find_all("a")[:3]
    assert first["href"] == "/assets?minion_id__contains=web&q=9xyz"
    assert second["href"] == "/assets?memory_bytes__lt=137438953472&q=9xyz"
    assert third["href"] == "/assets?memory_bytes__lt=137438953472&minion_id__contains=web"
    assert total(page(first["href"])) == 2


def test_a_repeated_field_means_either_value(two, page):
    soup = page("/assets?minion_id=web01&minion_id=web02&minion_id=web03")
    assert total(soup) == 2
    assert "minion is web01 or web02 or web03" in text(soup.h1)


@pytest.mark.parametrize(
    ("form", "address"),
    [
        ("_field=site&_op=contains&_value=dc+1", "/assets?site__contains=dc+1"),
        ("_field=site&_op=exact&_value=a%26b", "/assets?site=a%26b"),
        (
            "q=web&_sort=-sn&_field=rack&_op=isnull&_value=",
            "/assets?rack__isnull=true&q=web&_sort=-sn",
        ),
        ("_field=rack&_op=notnull&_value=x", "/assets?rack__isnull=false"),
        ("os=x&_field=os&_op=exact&_value=y", "/assets?os=x&os=y"),
        ("_field=rack&_op=exact&_value=", "/assets?_field=rack"),
        ("_col=sn&_col=os&_as_of=1h&_field=os&_value=x", "/assets?os=x&_as_of=1h&_col=sn&_col=os"),
    ],
)
def test_the_filter_form_becomes_a_plain_address(client, form, address):
    response = client.get(f"/assets/filter?{form}")
    assert (response.status_code, response.headers["Location"]) == (302, address)


def test_the_form_sends_what_is_asked_already_with_it(two, page):
    soup = page("/assets?site=dc1&q=web&_sort=-sn&_limit=25")
    form = soup.find("form", class_="filter")
    sent = {one["name"]: one["value"] for one in form.find_all("input", type="hidden")}
    assert sent == {"site": "dc1", "q": "web", "_sort": "-sn", "_limit": "25"}


def test_fields_stand_in_groups_and_people_s_own_among_them(database, two, page):
    row = {"sn": "9XYZ001", "minion_id": None, "fields": {"list.owner": "ann"}, "row": 2}
    store.import_expected(database, [row], source="a.csv", by="ann", types={"list.owner": "text"})
    groups = page("/assets").find("select", attrs={"name": "_field"}).find_all("optgroup")
    of = {group["label"]: [one["value"] for one in group("option")] for group in groups}
    assert list(of) == ["Identity", "Place", "Hardware", "Software", "People's lists", "Parts"]
    assert of["Place"][:4] == ["site", "room", "rack", "unit"]
    assert of["People's lists"] == ["list.owner"]
    assert "disks.model" in of["Parts"]


def test_columns_and_the_size_of_a_page_are_chosen_without_a_script(two, page):
    soup = page("/assets?site__contains=dc&_sort=-minion_id")
    form = soup.find(class_="chooser").form
    boxes = form.find_all("input", type="checkbox")
    ticked = [text(one.parent) for one in boxes if one.has_attr("checked")]
    assert sorted(ticked) == sorted(USUAL)
    sent = {one["name"]: one["value"] for one in form.find_all("input", type="hidden")}
    assert sent == {"site__contains": "dc", "_sort": "-minion_id"}
    shown = page("/assets?site__contains=dc&_sort=-minion_id&_col=minion_id&_col=unit&_limit=25")
    assert cells(shown.thead.tr) == ["Minion", "Unit"]
    assert [cells(row) for row in shown.tbody("tr")] == [["web02", "U2"], ["web01", "U1"]]


def test_headings_sort_and_turn_around(two, page):
    soup = page("/assets?_sort=sn&_col=sn,minion_id")
    heading = soup.find("th", attrs={"aria-sort": "ascending"})
    assert (text(heading), len(soup.find_all("th", attrs={"aria-sort": True}))) == ("SN", 1)
    turned = page(heading.a["href"])
    assert turned.find("th", attrs={"aria-sort": "descending"})
    assert [cells(row) for row in turned.tbody("tr")] == [
        ["9XYZ002", "web02"],
        ["9XYZ001", "web01"],
    ]


def test_pages_lead_through_the_whole_list(database, page):
    ingest(database, [arrival(server(number), f"web{number:02d}") for number in range(1, 8)])
    address, found = "/assets?_limit=3&_col=minion_id", []
    while address:
        soup = page(address)
        assert total(soup) == 7
        found += names(soup)
        following = soup.find("a", rel="next")
        address = following["href"] if following else None
    assert found == [f"web{number:02d}" for number in range(1, 8)]
    assert page(soup.find("a", rel="prev")["href"]).find("a", rel="prev")


def test_assets_with_a_common_word_are_told_to_be_more_than_were_counted(two, page, monkeypatch):
    monkeypatch.setattr(import_module("salt_ext.store.reads.assets"), "FEW", 1)
    assert text(page("/assets?q=dell").find(class_="total")) == "Assets: more than 1"


def test_the_files_have_all_rows_with_the_columns_and_the_order_of_the_page(
    database, client, page, monkeypatch
):
    monkeypatch.setattr(import_module("salt_ext.questions.assets"), "PAGE", 2)
    ingest(database, [arrival(server(number), f"web{number:02d}") for number in range(1, 8)])
    query = "?_sort=-minion_id&_col=minion_id,memory_bytes,last_seen"
    links = {
        text(link): link["href"] for link in page(f"/assets{query}&_limit=3").select(".files a")
    }
    assert "_limit" not in "".join(links.values())
    found = json.loads(client.get(links["JSON"]).text)
    assert [list(row) for row in found] == [["minion_id", "memory_bytes", "last_seen"]] * 7
    assert [row["minion_id"] for row in found] == [f"web{n:02d}" for n in range(7, 0, -1)]
    assert found[0]["last_seen"] == timestamp(NOW)
    lines = client.get(links["NDJSON"]).text.splitlines()
    assert [json.loads(line) for line in lines] == found
    written = csv.reader(io.StringIO(client.get(links["CSV"]).data.decode("utf-8-sig")))
    assert [row[0] for row in written][1:] == [row["minion_id"] for row in found]
    assert names(page(f"/assets{query}")) == [row["minion_id"] for row in found]


def test_the_files_have_the_usual_columns_of_the_page(two, client):
    heading, *_ = csv.reader(io.StringIO(client.get("/assets.csv").data.decode("utf-8-sig")))
    assert heading[:6] == ["freshness", "minion_id", "sn", "site", "rack", "unit"]
    assert len(heading) == len(USUAL)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("sit=dc1", "there is no field 'sit'; did you mean 'site'?"),
        ("site__contain=dc1", "did you mean 'contains'?"),
        ("memory_bytes__lt=much", "memory_bytes is a size such as 512GiB"),
        ("last_seen__lt=soon", "'soon' is not a time"),
        ("_sorted=sn", "there is no option '_sorted'; did you mean '_sort'?"),
        ("as_of=7d", "there is no option 'as_of'; did you mean '_as_of'?"),
        ("limit=5", "there is no option 'limit'; did you mean '_limit'?"),
        ("columns=sn", "there is no option 'columns'"),
        ("_sort=seriel", "there is no field 'seriel'"),
        ("_col=sn,nothing", "there is no field 'nothing'"),
        ("_limit=0", "_limit is '0', but it must be"),
        ("_limit=1001", "_limit is '1001', but it must be"),
        (f"_limit={'9' * 5000}", "_limit is"),
        ("_from=nonsense", "the cursor is none that a list has given"),
        ("_from=²", "the cursor is none that a list has given"),
        ("_as_of=2099-01-01", "_as_of: '2099-01-01' is in the future"),
        ("q=%00", "the address holds a NUL character"),
        (f"q={'x' * 1001}", "q is"),
    ],
)
def test_a_question_that_cannot_be_asked_names_what_was_meant(client, page, query, sentence):
    assert sentence in text(page(f"/assets?{query}", 400))
    answer = client.get(f"/assets.json?{query}")
    assert answer.status_code == 400
    assert answer.json["ok"] is False
    assert sentence in answer.json["error"]
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_a_question_that_finds_nothing_says_what_each_condition_takes_away(two, page):
    soup = page("/assets?site=dc2&minion_id=web01")
    assert "No asset is like that" in text(soup.main)
    assert [text(pill) for pill in soup.select(".pills li")] == [
        "site is dc2 without this: 1 ×",
        "minion is web01 without this: 1 ×",
        "Clear all",
    ]
    assert total(page(soup.select_one(".pills a")["href"])) == 1


def test_a_word_that_nothing_has_names_the_nearest_and_offers_former_names(two, page):
    soup = page("/assets?q=web77")
    link = soup.main.find("a", string=re.compile("former names"))
    assert link["href"] == "/find?q=web77"
    assert "No asset has site=dcl; the nearest is 'dc1'." in text(page("/assets?site=dcl").main)


def test_the_list_of_a_moment_keeps_it_in_every_link_and_file(database, page, client):
    ingest(database, [arrival(racked(1), at=later(hours=-3))])
    ingest(database, [arrival(racked(1, "dc2"), at=later(hours=-1))])
    soup = page("/assets?_as_of=2h&site=dc1")
    assert names(soup) == ["web01"]
    assert re.fullmatch(r"Assets where site is dc1 as of \d{4}-.* UTC", text(soup.h1))
    assert "Freshness" not in cells(soup.thead.tr)
    for link in soup.main.find_all("a", href=re.compile("^/")):
        if text(link) != "Back to the present":
            assert "_as_of=" in link["href"], link
    assert json.loads(client.get("/assets.json?_as_of=2h&site=dc1").text)
    assert json.loads(client.get("/assets.json?site=dc1").text) == []
    fields = [one["value"] for one in soup.select("select[name=_field] option")]
    assert not {"freshness", "last_seen", "disks.model"} & set(fields)


def test_a_machine_without_a_name_is_called_by_its_serial_number(database, page):
    ingest(database, [arrival(server(1), at=later(days=-3))])
    ingest(database, [arrival(server(2))])
    for address in ("/assets?freshness=detached", "/assets?freshness=detached&_col=minion_id"):
        [link] = page(address).tbody.find_all("a")
        assert text(link) == "9XYZ001"


def test_the_id_of_an_asset_can_be_a_column(database, two, page, client):
    web01 = str(store.resolve(database, "web01"))
    assert cells(page("/assets?_col=minion_id,id&minion_id=web01").tbody.tr) == ["web01", web01]
    [row] = json.loads(client.get("/assets.json?_col=id&minion_id=web01").text)
    assert row == {"id": web01}


def test_the_first_row_is_reached_by_two_links_that_skip_what_is_before_it(two, page):
    soup = page("/assets")
    skips = soup.find_all("a", class_="skip")
    assert [link["href"] for link in skips] == ["#main", "#assets-rows"]
    assert soup.main.find("a") is skips[1]
    assert soup.find(id="assets-rows").name == "tbody"


def test_assets_are_ticked_and_sent_to_be_compared_as_of_the_moment_of_the_list(
    database, page, client
):
    ingest(database, [arrival(server(1), at=later(hours=-2))])
    ingest(database, [arrival(server(2), "web02", at=later(hours=-2))])
    soup = page("/assets?_as_of=1h")
    boxes = soup.tbody.find_all("input", type="checkbox")
    assert [box["aria-label"] for box in boxes] == ["Compare web01", "Compare web02"]
    form = soup.find("form", id=boxes[0]["form"])
    assert form.button
    sent = [(one["name"], one["value"]) for one in [*form.find_all("input"), *boxes]]
    assert sent[0] == ("_as_of", "1h")
    answer = client.get(form["action"], query_string=sent)
    assert answer.status_code == 200
    assert {"web01", "web02"} <= set(text(BeautifulSoup(answer.text, "html.parser")).split())
