"""What a person sets of one machine: whom the word means, what goes, and what is removed."""

import pytest

from salt_ext import store
from tests.machines import arrival, later, server


def numbered(number, sn):
    facts = server(number)
    facts["system"]["serial_number"] = sn
    return facts


@pytest.fixture
def known(database):
    """One machine that has reported, web01 with the SN 9XYZ001."""
    store.ingest(database, [arrival(server(1), "web01.example.com")])
    return database


def put(database, name, **fields):
    given = {key.replace("list_", "list."): value for key, value in fields.items()}
    return store.set_expected(database, name, given, by="me")


def only(database, **filters):
    owner = {"list.owner"} & set(store.listable(database))
    columns = ["minion_id", "sn", "rack", *owner]
    [row] = store.assets(database, columns=columns, filters=filters).rows
    return row


@pytest.mark.parametrize("name", ["web01.example.com", "web01", "WEB01", "9XYZ001", "9xyz001"])
def test_what_is_set_by_the_name_or_the_number_of_a_machine_is_of_that_machine(known, name):
    put(known, name, list_owner="ann")
    assert only(known)["list.owner"] == "ann"
    assert store.resolve(known, "web01.example.com")
    # A second word is added to the first one, and a blank one takes everything away.
    put(known, name, rack="R1")
    assert [only(known)[one] for one in ("rack", "list.owner")] == ["R1", "ann"]
    assert put(known, name, rack="", list_owner="") is None
    assert store.expected_machines(known) == []


def test_a_name_that_an_earlier_edition_took_for_a_number_is_mended_when_it_is_set_again(known):
    wrong = {"sn": "web01", "minion_id": None, "fields": {"sn": "web01", "rack": "R9"}, "row": None}
    store.import_expected(known, [wrong], source="cmdb.expected set", by="me")
    put(known, "web01", list_owner="ann")
    row = only(known)
    assert (row["sn"], row["rack"], row["list.owner"]) == ("9XYZ001", "R9", "ann")


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        pytest.param(numbered(5, "ABC5"), "two-rows", id="its name"),
        pytest.param(numbered(5, "ABC5"), "two-rows.example.com", id="its name with a domain"),
        pytest.param(numbered(5, "TWO-ROWS"), "x1", id="its number"),
    ],
)
def test_a_word_that_nobody_knows_is_the_name_or_the_number_of_what_appears(known, facts, name):
    put(known, "two-rows", rack="B07")
    stand_in = only(known, freshness="unreported")
    store.ingest(known, [arrival(facts, name, later(minutes=1))])
    row = only(known, rack="B07")
    assert (row["id"], row["minion_id"]) == (stand_in["id"], name)
    assert store.assets(known).total == 2
    [said] = store.expected_machines(known)
    assert (said["sn"] is None) is (name != "x1")
    # The word means it from now on.
    put(known, "two-rows", list_owner="bob")
    assert [only(known, rack="B07")["list.owner"], store.assets(known).total] == ["bob", 2]


def test_a_name_in_somebodys_list_is_the_name_of_that_row(known):
    row = {"sn": "NEW1", "minion_id": "db01", "fields": {"sn": "NEW1", "hostname": "db01"}}
    store.import_expected(known, [{**row, "row": 2}], source="list.csv", by="me")
    put(known, "db01", rack="R2")
    assert only(known, freshness="unreported")["sn"] == "NEW1"
    assert only(known, freshness="unreported")["rack"] == "R2"


def test_a_word_that_nobody_knew_is_the_name_in_a_list_that_is_imported_later(known):
    put(known, "db01", rack="R2")
    row = {"sn": "NEW1", "minion_id": "db01", "fields": {"sn": "NEW1", "hostname": "db01"}}
    store.import_expected(known, [{**row, "row": 2}], source="list.csv", by="me", test=True)
    assert only(known, freshness="unreported")["sn"] == "db01"
    store.import_expected(known, [{**row, "row": 2}], source="list.csv", by="me")
    row = only(known, freshness="unreported")
    assert (row["sn"], row["rack"]) == ("NEW1", "R2")
    # A number that a list has stays one, whatever other rows are called.
    put(known, "NEW1", list_owner="ann")
    named = {"sn": None, "minion_id": "new1", "fields": {"hostname": "new1"}, "row": 2}
    store.import_expected(known, [named], source="names.csv", by="me")
    assert only(known, sn="NEW1")["list.owner"] == "ann"


def test_a_reason_that_is_taken_away_leaves_nothing(known):
    put(known, "GHOST", reason="spare")
    assert store.assets(known).total == 2
    assert put(known, "GHOST", reason="") is None
    assert (store.assets(known).total, store.awaited(known)) == (1, [])
    assert store.expected_machines(known) == []
    # Without any field it is expected, and nothing more.
    assert put(known, "NEW9")["sn"] == "NEW9"


@pytest.fixture
def lists(known):
    """Two lists and a word of somebody, all of one machine, and another one in the first."""
    for source, sns in (("finance", ("9XYZ001", "B2")), ("racks", ("9XYZ001",))):
        machines = [
            {"sn": sn, "minion_id": None, "fields": {"sn": sn, "list.owner": source}, "row": row}
            for row, sn in enumerate(sns, 2)
        ]
        store.import_expected(known, machines, source=source, by="me")
    put(known, "9XYZ001", list_owner="hand")
    return known


def sources(database):
    return {row["source"]: (row["rows"], row["known"]) for row in store.expected_sources(database)}


ALL = {"cmdb.expected set": (1, 1), "finance": (2, 1), "racks": (1, 1)}


def test_what_is_removed_is_told_list_by_list_and_one_list_can_be_meant(lists):
    assert sources(lists) == ALL
    told = [row["source"] for row in store.remove_expected(lists, "9XYZ001", test=True)]
    assert told == ["cmdb.expected set", "finance", "racks"]
    assert (sources(lists), only(lists, sn="9XYZ001")["list.owner"]) == (ALL, "hand")
    [gone] = store.remove_expected(lists, "9XYZ001", source="cmdb.expected set")
    assert gone["fields"]["list.owner"] == "hand"
    assert only(lists, sn="9XYZ001")["list.owner"] == "racks"
    with pytest.raises(store.NotFound, match="in the list 'racks'"):
        store.remove_expected(lists, "B2", source="racks")
    assert len(store.remove_expected(lists, "9XYZ001")) == 2
    assert sources(lists) == {"finance": (1, 0)}


def test_a_whole_list_is_removed_with_what_stood_in_for_its_rows(lists):
    assert len(store.remove_list(lists, "finance", test=True)) == 2
    assert (sources(lists), store.assets(lists).total) == (ALL, 2)
    assert [row["sn"] for row in store.remove_list(lists, "finance")] == ["9XYZ001", "B2"]
    assert (sorted(sources(lists)), store.assets(lists).total) == (
        ["cmdb.expected set", "racks"],
        1,
    )
    with pytest.raises(store.NotFound, match="did you mean 'racks'"):
        store.remove_list(lists, "rakcs")


def test_a_machine_is_meant_by_any_identifier_that_it_has(known):
    [row] = store.assets(known, columns="address").rows
    keys = [str(row["id"]), row["address"]]
    keys += [one["value"] for one in store.overview(known, row["id"])["identifiers"]]
    for number, key in enumerate(filter(None, keys)):
        put(known, key, rack=f"R{number}")
        assert (only(known)["rack"], store.resolve(known, key)) == (f"R{number}", row["id"])


def test_a_name_of_several_machines_in_their_domains_is_refused(known):
    names = ("db.example.com", "db.example.org")
    store.ingest(known, [arrival(server(one), name) for one, name in enumerate(names, 5)])
    with pytest.raises(store.NotFound, match=f"means several machines: {', '.join(names)}"):
        put(known, "db", rack="R1")
    assert (store.expected_machines(known), store.assets(known).total) == ([], 3)
    put(known, "db.example.org", rack="R1")
    assert only(known, rack="R1")["minion_id"] == "db.example.org"
