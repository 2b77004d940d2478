"""The chips of an asset, the ways to its peers, its pictures, and that a page of it has an end."""

import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, dimm, later, server
from webui.sections import MOST_ROWS
from webui.slots import bays, memory

PLACE = {"site": "dc1", "rack": "R07", "unit": "U3"}
EVIL = "‮<script>alert(1)</script>\u200b"


def text(node):
    return " ".join(node.get_text(" ").split())


def slots():
    return [dimm("A1", "4F0001A1"), {"locator": "A2", "present": False}]


@pytest.fixture
def ill(database):
    """A machine that has lost a memory module and has a disk that fails, by its id."""
    ingest(database, [arrival(server(1, location=PLACE), at=later(hours=-1))])
    ingest(database, [arrival(server(2, location=PLACE), "web02", at=later(hours=-1))])
    disk = {"name": "sda", "serial_number": "S64F000001", "passed": False}
    facts = server(1, location=PLACE, smart=[disk])
    facts["memory"]["devices"] = slots()
    ingest(database, [arrival(facts, at=later(minutes=-10))])
    return store.resolve(database, "web01")


# --- chips


def test_ill_and_lost_parts_are_chips_that_lead_to_what_is_wrong(page, ill):
    soup = page(f"/a/{ill}")
    chips = {link["href"]: text(link) for link in soup.find(class_="chips").find_all("a")}
    assert chips["#ill"] == "1 ill part"
    assert chips["#lost"].startswith("1 part lost since ")
    assert "critical SMART sda S64F000001 : says that it fails" in text(soup.find(id="ill"))
    lost = soup.find(id="lost")
    assert "Memory A2 4F0001A2" in text(lost)
    assert page(lost.a["href"]).h1
    assert [text(row.th) for row in soup.find(id="disks").tbody("tr", class_="ill")] == ["sda ill"]


def test_a_part_that_came_back_or_was_replaced_or_accepted_is_not_lost(page, database, ill):
    facts = server(1, location=PLACE)
    facts["memory"]["devices"] = [dimm("A1", "4F0001A1"), dimm("A2", "4FNEW")]
    ingest(database, [arrival(facts, at=later(minutes=-5))])
    assert page(f"/a/{ill}").find(id="lost") is None
    facts["memory"]["devices"] = slots()
    ingest(database, [arrival(facts, at=later(minutes=-4))])
    assert "4FNEW" in text(page(f"/a/{ill}").find(id="lost"))
    act = store.Act("ops", "as ordered", False)
    store.accept_baseline(database, ill, act)
    assert page(f"/a/{ill}").find(id="lost") is None


def test_a_held_report_is_a_chip_that_leads_to_the_command(page, database, ill):
    [held] = ingest(database, [arrival(server(3), "web01", later(minutes=1))])
    assert held.status == "held"
    [link] = page(f"/a/{ill}").find(class_="chips").find_all("a", href=re.compile("identity"))
    assert text(link) == "1 report that may be of it waits for a person"
    path, _, anchor = link["href"].partition("#")
    assert "salt-run cmdb.quarantine" in text(page(path).find(id=anchor))


def test_a_machine_with_which_all_is_well_has_no_chips(page, database):
    ingest(database, [arrival(server(1))])
    assert page(f"/a/{store.resolve(database, 'web01')}").find(class_="chips") is None


def test_what_only_a_list_has_says_so_and_where_it_stands(page, database):
    fields = {"site": "dc1", "rack": "R07", "list.owner": "ann"}
    rows = [{"sn": "PDU1", "minion_id": None, "fields": fields, "kind": "pdu", "row": 2}]
    store.import_expected(database, rows, source="power.csv", by="ann")
    [row] = store.assets(database).rows
    soup = page(f"/a/{row['id']}")
    assert "told by a list only" in text(soup.find(class_="chips"))
    assert "Owner ann power.csv 2 ann" in text(soup.find(id="listed"))
    assert "Site dc1 from list" in text(soup.find(id="summary"))


def test_a_retired_machine_leads_to_who_said_so(page, database, ill):
    store.set_lifecycle(database, ill, "retired", store.Act("ops", "sold", False))
    soup = page(f"/a/{ill}")
    [link] = [one.a for one in soup.find_all(class_="note") if "Retired" in text(one)]
    path, _, anchor = link["href"].partition("#")
    assert "sold" in text(page(path).find(id=anchor))


def test_where_a_list_differs_from_the_machine_that_is_told(page, database, ill):
    rows = [{"sn": "9XYZ001", "minion_id": None, "fields": {"memory_bytes": 1 << 40}, "row": 2}]
    store.import_expected(database, rows, source="bought.xlsx", by="ann")
    assert "but the machine reports 128 GiB" in text(page(f"/a/{ill}").find(id="listed"))


# --- the ways to its peers


def test_each_link_of_the_page_leads_somewhere_and_the_lists_have_the_asset(client, page, ill):
    soup = page(f"/a/{ill}")
    names = set()
    for address in {link["href"] for link in soup.main.find_all("a", href=True)}:
        if address.startswith("#"):
            assert soup.find(id=unquote(address[1:])), address
            continue
        response = client.get(address)
        assert response.status_code == 200, address
        if urlsplit(address).path == "/assets":
            names.update(parse_qs(urlsplit(address).query))
            assert f"/a/{ill}" in response.text, address
    assert names >= {"product_name", "os", "site", "disks.model", "memory.model", "kernel_release"}


def test_a_list_of_the_past_has_links_that_can_be_asked_of_the_past(client, page, ill):
    soup = page(f"/a/{ill}?_as_of=45m")
    assert "disks.model" not in str(soup.main)
    for link in soup.main.find_all("a", href=re.compile("^/assets")):
        assert "_as_of=45m" in link["href"]
        assert client.get(link["href"]).status_code == 200, link["href"]


def test_a_site_with_a_slash_in_it_has_no_broken_way_to_its_rack(client, page, database):
    facts = server(1, location={"site": "dc1/hall 2", "rack": ".."})
    ingest(database, [arrival(facts)])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    for link in soup.find(class_="asset").find_all("a"):
        assert client.get(link["href"]).status_code == 200, link["href"]


# --- the past


def test_the_page_of_the_past_has_the_facts_of_then_and_says_what_is_of_now(page, ill):
    soup = page(f"/a/{ill}?_as_of=45m")
    assert "As of" in text(soup.find(class_="time"))
    assert "4F0001A2" in text(soup.find(id="memory"))
    assert "Memory 128 GiB" in text(soup.find(id="summary"))
    assert text(soup.find(class_="chips")).startswith("now: 1 ill part")
    assert soup.find(id="ill") is None
    assert soup.find(class_="chips").a["href"] == f"/a/{ill}#ill"
    assert "Nothing has changed" in text(soup.find(id="changes"))
    assert "now" in text(soup.find(class_="facts"))
    following = soup.find("a", rel="next")["href"]
    assert "4F0001A2" not in text(page(following).find(id="memory"))


def test_before_its_first_report_the_page_leads_to_that(page, ill):
    soup = page(f"/a/{ill}?_as_of=20d")
    assert "First report of this asset was" in text(soup.main)
    assert text(page(soup.select_one(".start a")["href"]).h1) == "web01"


def test_a_machine_that_was_merged_later_has_a_page_of_then(page, database):
    keyless = {name: server(1)[name] for name in ("operating_system", "memory", "disks")}
    ingest(database, [arrival(server(1), "old", later(days=-9))])
    ingest(database, [arrival(keyless, "new", later(days=-5))])
    lost = store.resolve(database, "new")
    ingest(database, [arrival(server(1), "new", later(days=-2))])
    soup = page(f"/a/{lost}?_as_of=3d")
    assert text(soup.h1) == "new"
    assert "part of another asset" in text(soup.find(class_="asset"))


# --- slots and bays


def test_slots_are_a_picture_with_a_summary_and_a_table(page, ill):
    figure = page(f"/a/{ill}").find(id="memory").figure
    assert figure.svg["role"] == "img"
    assert figure.svg["aria-label"] == "Slots: 1 filled, 1 lost what was in them (×)"  # noqa: RUF001
    assert [one["class"] for one in figure.svg.find_all("g")] == [["filled"], ["lost"]]
    assert figure.find_next("table").caption.get_text() == "Slots: 1 of 2 in use"


@pytest.mark.parametrize(
    ("names", "rows"),
    [
        (["A1", "A2", "B1", "B10", "B2"], {"A": "1 2", "B": "1 2 10"}),
        (
            ["PROC 1 DIMM 1", "PROC 1 DIMM 12", "PROC 2 DIMM 1"],
            {"PROC 1 DIMM": "1 12", "PROC 2 DIMM": "1"},
        ),
        (
            ["CPU0_DIMM_A1", "CPU0_DIMM_A2", "CPU1_DIMM_A1"],
            {"CPU0_DIMM_A": "1 2", "CPU1_DIMM_A": "1"},
        ),
        (["P1-DIMMA1", "P1-DIMMB1"], {"P1-DIMMA": "1", "P1-DIMMB": "1"}),
    ],
)
def test_a_row_of_the_picture_is_what_the_names_of_slots_have_in_common(names, rows):
    picture = memory([{"locator": name, "size_bytes": 1} for name in names], (), ())
    shown = {row.name: " ".join(slot.name for slot in row.slots) for row in picture.rows}
    assert shown == rows


def test_a_number_between_two_bays_is_a_bay_without_a_disk():
    disks = [{"enclosure": "32", "slot": slot, "name": f"sd{slot}"} for slot in (0, 1, 4)]
    picture = bays(disks, {"sd1"}, {"32 2"})
    assert [slot.state for slot in picture.rows[0].slots] == [
        *("filled", "ill", "lost", "empty", "filled")
    ]


def test_disks_stand_in_the_order_of_bays_and_addresses_which_are_shown(page, database):
    letters = ["sda", "sdz", "sdaa", "sdab", "sdb"]
    disks = [
        {"name": name, "hctl": f"2:0:{number}:0", "model": "X"}
        for number, name in ((10, "sda"), (2, "sdaa"), (0, "sdb"))
    ]
    disks.append({"name": "sdc", "enclosure": "5001", "slot": 3, "model": "X"})
    ingest(database, [arrival(server(1, disks=disks))])
    ingest(database, [arrival(server(2, disks=[{"name": one} for one in letters]), "web02")])
    rows = page(f"/a/{store.resolve(database, 'web01')}").find(id="disks").tbody("tr")
    assert [text(row.th) for row in rows] == ["sdc", "sdb", "sdaa", "sda"]
    assert "5001 3" in text(rows[0])
    assert "2:0:0:0" in text(rows[1])
    rows = page(f"/a/{store.resolve(database, 'web02')}").find(id="disks").tbody("tr")
    assert [text(row.th) for row in rows] == ["sda", "sdb", "sdz", "sdaa", "sdab"]


# --- a page has an end


def test_a_machine_with_very_many_parts_has_a_page_of_usual_size(client, page, database):
    disks = [
        {"name": f"sd{number}", "model": f"MODEL {number % 7}", "serial_number": f"SER{number:07}"}
        for number in range(1000)
    ]
    network = [
        {
            "name": f"tap{number}",
            "kind": "virtual",
            "mac": f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
        }
        for number in range(500)
    ]
    ingest(database, [arrival(server(1, disks=disks, network=network))])
    asset_id = store.resolve(database, "web01")
    assert len(client.get(f"/a/{asset_id}").data) < 100_000
    soup = page(f"/a/{asset_id}")
    assert len(soup.find(id="disks").tbody("tr")) == MOST_ROWS
    assert "+ 936 more in the raw facts" in text(soup.find(id="disks"))
    assert "+ 436 more in the raw facts" in text(soup.find(id="network"))
    whole = page(soup.find(id="disks").find_all("a")[-1]["href"])
    assert "SER0000999" in whole.get_text()


def test_sections_of_a_sites_own_without_end_have_an_end_here(client, database):
    own = {
        "wide": [{f"field {number}": number for number in range(400)}] * 3,
        "deep": {f"key {number}": {"a": number} for number in range(300)},
        "flat": {f"key {number}": number for number in range(900)},
        "long": {"text": "x" * 30_000},
    }
    ingest(database, [arrival(server(1, **own))])
    assert len(client.get(f"/a/{store.resolve(database, 'web01')}").data) < 100_000


def test_what_a_machine_says_is_isolated_and_harmless_everywhere(client, database):
    facts = server(1, location={"site": EVIL, "rack": EVIL, "unit": EVIL})
    facts["system"].update(manufacturer=EVIL, product_name=EVIL, serial_number=EVIL)
    facts["disks"][0].update(model=EVIL, name=EVIL, serial_number=EVIL)
    facts["memory"]["devices"][0].update(locator=EVIL, serial_number=EVIL, manufacturer=EVIL)
    facts[EVIL] = {EVIL: EVIL, "table": [{EVIL: EVIL}]}
    ingest(database, [arrival(facts)])
    asset_id = store.resolve(database, "web01")
    for below in ("", "/identity", "/card", "/raw"):
        shown = client.get(f"/a/{asset_id}{below}")
        assert shown.status_code == 200
        assert "<script" not in shown.text, below
        assert not {"‮", "\u200b"} & set(shown.text), below
    assert "<bdi>&lt;U+202E&gt;&lt;script&gt;" in client.get(f"/a/{asset_id}").text


def test_it_costs_at_most_eight_statements_whatever_is_to_be_told(app, client, database, ill):
    rows = [{"sn": "9XYZ001", "minion_id": None, "fields": {"site": "dc9"}, "row": 2}]
    store.import_expected(database, rows, source="bought.xlsx", by="ann")
    moved = server(2, location=PLACE)
    moved["memory"]["devices"] = [dimm("A1", "4F0002A1"), dimm("A2", "4F0001A2")]
    ingest(database, [arrival(moved, "web02", later(minutes=1))])
    client.get("/readyz")
    statements = []

    @sa.event.listens_for(app.extensions["database"]._engine(), "before_cursor_execute")
    def note(link, cursor, statement, *_):
        statements.append(statement)

    for name in ("web01", "web02"):
        asset_id = store.resolve(database, name)
        statements.clear()
        assert client.get(f"/a/{asset_id}").status_code == 200
        assert 0 < len(statements) <= 8, "\n\n".join(statements)
