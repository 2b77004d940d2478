"""What people's lists have and no machine reports: assets that stand in until one does."""

import pytest

from salt_ext import store
from salt_ext.lists import expected, rows
from tests.machines import arrival, later, server

LIST = (
    "SN,Name,Site,Rack,U,Type,Model,Owner",
    "9XYZ001,web01,dc1,R1,1,server,,ann",
    "NEW1,db01,dc1,R1,2,服务器,PowerEdge R760,bob",
    "SW1,sw01,dc1,R1,42,交换机,N9K,bob",
    ",pdu01,dc1,R1,,PDU,,bob",
    "SP1,,dc1,,,spare,,bob",
)


def numbered(number, sn, **sections):
    facts = server(number, **sections)
    facts["system"]["serial_number"] = sn
    return facts


@pytest.fixture
def keep(database, tmp_path):
    """Import these lines as a list of this name."""

    def imported(*lines, source="list.csv", test=False):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        found = rows.read(str(path), "", {})
        return expected.keep(database, found, source=source, by="me", test=test)

    return imported


@pytest.fixture
def known(database, keep):
    """One machine, and a list of five things."""
    store.ingest(database, [arrival(server(1), "web01")])
    keep(*LIST)
    return database


def kinds(database, **filters):
    page = store.assets(database, columns="hostname,sn,kind", filters=filters)
    return {row["hostname"] or row["sn"]: row["kind"] for row in page.rows}


def test_each_thing_of_a_list_is_an_asset_with_a_kind_of_its_own(known):
    assert kinds(known) == {
        "web01": "physical",
        "db01": "expected",
        "sw01": "switch",
        "pdu01": "pdu",
        "SP1": "spare",
    }
    assert kinds(known, kind="switch") == {"sw01": "switch"}
    assert set(kinds(known, freshness="unreported", **{"list.owner": "bob"})) == {
        *("db01", "sw01", "pdu01", "SP1"),
    }
    [row] = store.assets(known, columns="product_name,rack,unit,mode,last_seen", text="n9k").rows
    assert (row["product_name"], row["rack"], row["unit"]) == ("N9K", "R1", "U42")
    assert (row["mode"], row["last_seen"]) == ("list", None)
    asset = store.overview(known, store.resolve(known, "SW1"))
    assert (asset["freshness"], asset["facts"], asset["identifiers"]) == ("unreported", {}, [])
    assert {one["field"] for one in asset["listed"]} == {"site", "rack", "unit", "list.owner"}
    # The rack has them too.
    beside = {row["minion_id"]: row["unit"] for row in store.neighbours(known, "dc1", "R1")}
    assert beside == {"web01": "U01", "db01": "U02", "sw01": "U42", "pdu01": None}


def test_they_are_counted_apart_and_never_miss_a_report(known):
    totals, _ = store.totals(known)
    assert (totals["assets"], totals["fresh"], totals["unreported"]) == (5, 1, 4)
    assert (totals["missing"], totals["detached"]) == (0, 0)
    assert [row["minion_id"] for row in store.standing(known)] == ["web01"]
    assert store.due(known) == {}
    assert [row["sn"] for row in store.awaited(known)] == ["NEW1"]
    told = []
    store.tell(known, told.extend, lambda: {"web01"})
    assert [(one.kind, one.about["minion_id"]) for one in told] == [("new", "web01")]
    # Nothing of it was so in the past, and a purge of what is detached leaves it.
    assert store.assets(known, at=later(days=400)).total == 1
    act = store.Act("me", "old", False)
    assert store.purge(known, "detached", later(days=4000), act)[0]["rows"] == 0
    assert store.duplicates(known, "hostname") == ([], 0)


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        pytest.param(numbered(5, "new1"), "x1", id="by its SN, whatever its name"),
        pytest.param(server(5), "db01.example.com", id="by its name"),
    ],
)
def test_the_first_report_makes_the_same_asset_a_machine(known, facts, name):
    [before] = store.assets(known, columns="sn", filters={"kind": "expected"}).rows
    [outcome] = store.ingest(known, [arrival(facts, name, later(minutes=9))])
    assert (outcome.status, outcome.asset_id) == ("new", before["id"])
    page = store.assets(known, columns="minion_id,kind,freshness,first_seen,rack,list.owner")
    [row] = [one for one in page.rows if one["id"] == before["id"]]
    assert (row["minion_id"], row["kind"]) == (name, "physical")
    assert row["first_seen"] == later(minutes=9)
    assert (row["rack"], row["list.owner"]) == ("R1", "bob")
    assert page.total == 5
    assert store.awaited(known) == []
    # From now on it is a machine as any other.
    facts["firmware"] = {"version": "9.9"}
    [outcome] = store.ingest(known, [arrival(facts, name, later(minutes=10))])
    assert (outcome.status, outcome.asset_id) == ("changed", before["id"])
    assert store.held_reports(known)[1] == 0


def test_a_machine_that_is_known_already_takes_the_place_of_its_stand_in(database, keep):
    store.ingest(database, [arrival(server(2), "tmp")])
    keep(*LIST)
    store.rename(database, store.resolve(database, "tmp"), "db01", store.Act("me", "so", False))
    found = kinds(database)
    assert "expected" not in {found.get("db01"), found.get("web02")}
    assert store.assets(database, filters={"list.owner": "bob"}).total == 4


def test_several_lists_and_words_have_one_stand_in(known, keep):
    keep("SN,Name,Remarks", "NEW1,,paid", ",sw01,noisy", source="two")
    assert kinds(known)["sw01"] == "switch"
    assert store.assets(known).total == 5
    [row] = store.assets(known, columns="list.remarks,list.owner", filters={"sn": "NEW1"}).rows
    assert (row["list.remarks"], row["list.owner"]) == ("paid", "bob")
    store.set_expected(known, "NEW1", {"reason": "spare"}, by="me", awaited=False, kind="spare")
    assert kinds(known)["db01"] == "spare"
    assert store.assets(known).total == 5


def test_what_no_list_has_any_more_is_gone_and_a_test_makes_nothing(known, keep):
    ids = {row["id"] for row in store.assets(known).rows}
    keep(*LIST, "MORE,,,,,,,", test=True)
    assert {row["id"] for row in store.assets(known).rows} == ids
    # The same list again: the same assets.
    keep(*LIST)
    assert {row["id"] for row in store.assets(known).rows} == ids
    keep(*LIST[:4])
    assert kinds(known) == {"web01": "physical", "db01": "expected", "sw01": "switch"}
    store.remove_expected(known, "sw01")
    assert set(kinds(known)) == {"web01", "db01"}


def test_a_liar_gets_the_words_of_a_row_and_no_machine(known):
    """A machine that shows the SN of a switch is new, and what reports stays as it is."""
    store.ingest(known, [arrival(numbered(7, "SW1"), "evil")])
    [row] = store.assets(known, columns="kind,sn", filters={"minion_id": "evil"}).rows
    assert (row["kind"], row["sn"]) == ("physical", "SW1")
    [web01] = store.assets(known, columns="sn,list.owner", filters={"minion_id": "web01"}).rows
    assert (web01["sn"], web01["list.owner"]) == ("9XYZ001", "ann")
    # The real one comes, too: both are told of, and neither is lost.
    store.ingest(known, [arrival(numbered(8, "SW1"), "sw01", later(minutes=1))])
    assert store.assets(known, filters={"minion_id__isnull": "false"}).total >= 2


def test_rows_that_stood_for_one_thing_and_are_two_now_have_two_stand_ins(database, keep):
    keep("SN,Name", "AAA111,web01", source="a")
    keep("Name,Owner", "web01,ann", source="b")
    [one] = store.assets(database, columns="sn").rows
    keep("SN,Name", "AAA111,web02", source="a")
    found = store.assets(database, columns="sn,hostname").rows
    assert {(row["hostname"], row["sn"]) for row in found} == {("web02", "AAA111"), ("web01", None)}
    assert store.resolve(database, "AAA111") == one["id"], "the SN goes on as it was"
    keep("SN,Name", "BBB222,web01", source="c")
    assert set(kinds(database)) == {"web02", "web01"}
    assert store.resolve(database, "AAA111") == one["id"]
    store.maintain(database)
    assert store.resolve(database, "AAA111") == one["id"]
    assert store.resolve(database, "BBB222") != one["id"]


def test_a_stage_that_somebody_has_set_stays_whatever_a_list_plans(database, keep):
    keep("SN,Lifecycle", "AAA111,planned")
    one = store.resolve(database, "AAA111")

    def stage():
        [row] = store.assets(database, columns="lifecycle").rows
        return row["lifecycle"]

    assert stage() == "planned"
    store.set_lifecycle(database, one, "active", store.Act("me", "it runs", test=False))
    store.maintain(database)
    assert stage() == "active"
    keep("SN,Lifecycle,Owner", "AAA111,planned,ann")
    assert stage() == "active"
