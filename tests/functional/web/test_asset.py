"""The page of one asset: its parts, its pictures, what is missing, and the ways to its peers."""
# ruff: noqa: RUF001 - the pages show signs that look like others

import copy
from datetime import timedelta

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from salt_ext import settings, store
from salt_ext.document import normal
from salt_ext.document.diff import diff
from salt_ext.store import ingest
from salt_ext.words.changes import line
from salt_ext.words.times import timestamp
from tests.machines import NOW, arrival, later, server
from webui import create_app, sections
from webui.peers import Peers


def text(node):
    return " ".join(node.get_text(" ").split())


def section(soup, anchor):
    return text(soup.find(id=anchor))


@pytest.fixture(scope="module")
def web():
    """The application without a database: for what needs addresses alone."""
    url = "postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb"
    return create_app(settings.resolve(("test", {"database_url": url})))


@pytest.fixture
def lost_dimm(database):
    """A machine that has lost a memory module, by its id."""
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    facts = server(1)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(facts)])
    return store.resolve(database, "web01")


def test_an_asset_shows_its_parts_and_its_empty_slot(page, lost_dimm):
    soup = page(f"/a/{lost_dimm}")
    assert text(soup.h1) == "web01"
    assert "SN 9XYZ001 Dell Inc. PowerEdge R750" in text(soup.find(class_="asset"))
    rows = soup.find(id="memory").tbody("tr")
    assert text(rows[0]) == "A1 64 GiB DDR4 3200 MT/s 3200 MT/s Samsung M393A8G40AB2 4F0001A1"
    assert text(rows[1]).startswith("A2 empty")
    assert "1 of 2 in use" in section(soup, "memory")
    assert "Intel(R) Xeon(R) Gold 6330" in section(soup, "processors")
    assert "sda PM9A3 S64F000001 3.8 TB" in section(soup, "disks")
    assert "10.0.0.1/16" in section(soup, "network")
    assert "0X45NX" in section(soup, "baseboards")
    assert "Debian GNU/Linux 12" in section(soup, "operating_system")
    assert "Role none" in section(soup, "virtual")
    assert "SN 9XYZ001 UUID 4c4c4544" in section(soup, "identity")
    assert [link["href"] for link in soup.find(id="identity").find_all("a")] == [
        f"/a/{lost_dimm}/identity"
    ]


def test_changes_are_told_by_revision_with_before_and_after(page, lost_dimm):
    told = section(page(f"/a/{lost_dimm}"), "changes")
    assert "All of them" in told
    assert "Revision 2" in told
    assert "agent" in told
    assert "− removed Memory module A2 64 GiB DDR4 Samsung M393A8G40AB2 · 4F0001A2" in told
    assert "~ changed Memory › Installed 128 GiB → became 64 GiB" in told


def test_none_found_not_collected_and_failed_are_three_texts(page, database):
    facts = server(1, disks=[])
    for name in ("network", "virtual"):
        del facts[name]
    one = arrival(facts)
    error = {"type": "OSError", "message": "the socket is shut", "traceback": "Traceback: here"}
    one.report.update(errors={"network": error}, partial=["network"])
    ingest(database, [one])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert all(soup.find(id=one) is None for one in ("disks", "network", "virtual"))
    found, collected = section(soup, "missing").split(". Not collected: ")
    assert found == "None found: Disks "
    assert "Network (its collector failed " in collected
    assert "OSError: the socket is shut )" in collected
    assert "Virtualization , " in collected
    assert "Traceback: here" in section(soup, "problems")


def test_a_section_that_failed_last_shows_what_was_known_before(page, database):
    ingest(database, [arrival(server(1), at=later(hours=-1))])
    facts = server(1)
    del facts["disks"]
    failed = arrival(facts)
    failed.report.update(errors={"disks": {"type": "OSError", "message": "no"}}, partial=["disks"])
    ingest(database, [failed])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert "Shown is what was known before: its collector failed" in section(soup, "disks")
    assert "PM9A3" in section(soup, "disks")
    assert f"{later(hours=-1):%Y-%m-%d %H:%M}" in section(soup, "group-disks")
    assert f"{NOW:%Y-%m-%d %H:%M}" in section(soup, "group-processors")
    ingest(database, [arrival(server(1), at=later(minutes=1))])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert "failed" not in section(soup, "disks")


def test_an_unchanged_report_counts_as_collecting_its_sections(page, database):
    ingest(database, [arrival(server(1), at=later(hours=-2))])
    ingest(database, [arrival(server(1), at=NOW)])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert f"Collected {NOW:%Y-%m-%d %H:%M}" in section(soup, "group-disks")


def test_the_latest_volatile_values_stand_beside_what_they_belong_to(page, database):
    facts = server(1)
    facts["network"][0]["volatile"] = {"speed_mbps": 25000, "carrier": False}
    facts["operating_system"]["volatile"] = {"uptime_seconds": 77}
    facts["memory"]["edac"] = [{"name": "mc0"}]
    counters = {"mc0": {"ue_count": 0}, "mc0 dimm3 A2": {"ue_count": 12}}
    facts["memory"]["volatile"] = {"edac": counters}
    ingest(database, [arrival(facts)])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert "10.0.0.1/16 25000 Mbit/s no" in section(soup, "network")
    assert "Uptime 77 s" in section(soup, "operating_system")
    assert "mc0 0 mc0 dimm3 A2 ill 12" in section(soup, "memory")


def test_a_section_of_the_users_own_is_shown_too(page, database):
    own = {
        "contract": {"vendor": "ACME", "until": "2028-03-31", "sla": {"hours": 4}},
        "pdu_ports": [
            {"name": "P1", "max_watts": 300},
            {"name": "P10", "on": True},
            {"name": "P2"},
        ],
        "odd names": {"a b": [[1, 2], {"c": None, "d": "x"}], "": {"": "empty"}, "long": "y" * 400},
    }
    ingest(database, [arrival(server(1, **own))])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert "Vendor ACME Until 2028-03-31" in section(soup, "facts-contract")
    assert "300 W" in section(soup, "facts-pdu_ports")
    names = [text(cell) for cell in soup.find(id="facts-pdu_ports").tbody("th")]
    assert names == ["P1", "P2", "P10"]
    assert "y" * 400 in section(soup, "facts-odd%20names")


def test_sections_in_another_shape_than_ours_do_not_break_the_page(page, database):
    odd = {
        "memory": {"devices": "none", "installed_bytes": "a lot"},
        "disks": {"sda": {"size_bytes": [1, {"a": 2}]}},
        "network": [{"name": {"a": 1}, "addresses": {"b": [2]}, "permanent_mac": 5}],
        "processors": [{"flags": {"x": [[]]}}],
        "operating_system": [{"hostname": "x"}],
        "chassis": [{}],
    }
    facts = {**server(1), **odd}
    one = arrival(facts)
    one.report["volatile"] = {"disks": "x", "network": {"5": "y"}, "memory": [1]}
    outcomes = ingest(database, [one])
    assert [outcome.status for outcome in outcomes] == ["new"]
    asset_id = store.resolve(database, "web01")
    assert "a lot" in section(page(f"/a/{asset_id}"), "memory")
    later_one = copy.deepcopy(server(1))
    ingest(database, [arrival(later_one, at=later(minutes=5))])
    assert page(f"/a/{asset_id}")
    assert page("/changes")
    assert page("/")


NAMES = st.sampled_from(
    ["name", "locator", "present", "size_bytes", "serial_number", "devices", "items", "a.b", ""]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(0.5) | st.text(max_size=4),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3),
    max_leaves=10,
)
FACTS = st.dictionaries(
    st.sampled_from(["memory", "disks", "own"]),
    st.dictionaries(NAMES, VALUES, max_size=4)
    | st.lists(st.dictionaries(NAMES, VALUES, max_size=4), max_size=3),
)


@given(FACTS, FACTS, st.dictionaries(st.sampled_from(["memory", "disks"]), VALUES))
@hypothesis.settings(max_examples=150, deadline=None)
def test_any_facts_and_any_changes_can_be_shown(web, old, new, volatile):
    old, new = normal(old), normal(new)
    facts = {"facts": new, "volatile": volatile, "collected": {}}
    with web.test_request_context():
        marks = sections.Marks(Peers({}, is_past=False), ["a"], ["a"])
        shown = sections.shown(facts, [], marks)
    blocks = [block for group in shown.groups for one in group.sections for block in one.blocks]
    assert all(isinstance(block.body, Markup) for block in blocks)
    for change in diff(old, new):
        said = line(change._asdict())
        assert said.what
        assert all(text is None or isinstance(text, str) for text in (said.old, said.new))


def test_a_number_that_is_hidden_leads_nowhere(web):
    with web.test_request_context():
        peers = Peers({}, is_past=False)
        assert peers.part("memory.devices", "4F1/2") == "/parts/memory/4F1%2F2"
        assert peers.part("memory.devices", store.MARK) == ""


def test_the_json_of_an_asset_is_its_overview(client, lost_dimm):
    answer = client.get(f"/a/{lost_dimm}.json").json
    assert answer["ok"] is True
    assert answer["asset"]["minion_id"] == "web01"
    assert answer["asset"]["facts"]["disks"][0]["model"] == "PM9A3"
    assert answer["asset"]["last_seen"] == timestamp(NOW)
    assert {one["kind"] for one in answer["asset"]["identifiers"]} >= {"serial_number", "uuid"}


@pytest.mark.parametrize(
    ("age", "note"),
    [(timedelta(hours=3), "Stale: silent since"), (timedelta(days=8), "Missing: silent since")],
)
def test_a_silent_machine_says_so_and_what_to_do(page, database, age, note):
    ingest(database, [arrival(server(1), at=NOW - age)])
    soup = page(f"/a/{store.resolve(database, 'web01')}")
    assert note in text(soup.find(class_="note"))
    assert "salt web01 test.ping" in text(soup.find(class_="note"))


def test_a_detached_machine_keeps_its_page_without_the_problems_of_its_heir(page, database):
    ingest(database, [arrival(server(1), at=later(days=-3))])
    heir = arrival(server(2))
    heir.report.update(errors={"smart": {"type": "OSError", "message": "no"}}, partial=["smart"])
    assert [one.status for one in ingest(database, [heir])] == ["new"]
    soup = page(f"/a/{store.resolve(database, '9XYZ001')}")
    assert text(soup.h1) == "9XYZ001"
    assert "Detached since" in text(soup.find(class_="note"))
    assert soup.find(id="problems") is None
    assert "renamed Name web01" in section(soup, "changes")
