"""What is asked about a hidden field is refused, and nothing tells whether a value exists."""

import base64
import json
import uuid

import pytest

from salt_ext import store
from salt_ext.questions import assets as questions
from tests import hidden_fleet
from tests.hidden_fleet import machine
from tests.machines import arrival, later, server
from tests.postgres import open_store

HIDDEN = ("sn", "address", "list.owner", "disks.serial_number", "disks.model", "network.mac", "bmc")
WANTED = store.Wanted


@pytest.fixture(scope="module")
def fleet(new_database, tmp_path_factory):
    """A store with the fleet, as an auditor sees it and as a viewer does."""
    url = new_database()
    database = open_store(url, hidden_fields=[*HIDDEN])
    hidden_fleet.fill(database, tmp_path_factory.mktemp("lists"))
    yield database, database.hiding(database.settings["hidden_fields"])
    database.close()


@pytest.fixture
def auditor(fleet):
    return fleet[0]


@pytest.fixture
def viewer(fleet):
    return fleet[1]


def refusal(question, *asked, **options):
    with pytest.raises(store.HiddenField) as refused:
        list(question(*asked, **options))
    return str(refused.value)


@pytest.mark.parametrize("field", ["sn", "address", "list.owner", "disks.model"])
@pytest.mark.parametrize(
    "comparison",
    [
        *("", "__not", "__in", "__notin", "__contains", "__notcontains", "__startswith"),
        *("__endswith", "__glob", "__gt", "__gte", "__lt", "__lte", "__isnull"),
    ],
)
def test_a_filter_is_refused_whatever_it_compares(viewer, field, comparison):
    says = f"{field} is hidden from viewers: ask an auditor"
    for value in ("QSN1", "nothing", "true", ""):
        filters = {field + comparison: value}
        assert refusal(store.assets, viewer, filters=filters) == says
        assert refusal(store.facets, viewer, ["kind"], filters=filters) == says
        assert refusal(store.totals, viewer, filters=filters) == says
        assert refusal(store.hint, viewer, filters) == says
        if field != "disks.model":
            assert refusal(store.assets, viewer, filters=filters, at=later(days=-1)) == says


@pytest.mark.parametrize("at", [None, later(days=-1)])
def test_columns_sorting_facets_and_groups_are_refused(viewer, at):
    fields = ["sn", "address"] + (["list.owner"] if at is None else [])
    for field in fields:
        says = f"{field} is hidden from viewers: ask an auditor"
        assert refusal(store.assets, viewer, columns=["minion_id", field], at=at) == says
        assert refusal(store.assets, viewer, sort=field, at=at) == says
        assert refusal(store.assets, viewer, sort=f"-{field}", at=at) == says
        assert refusal(store.facets, viewer, field, at=at) == says
        assert refusal(store.totals, viewer, groupings=[["kind", field]], at=at) == says
        if at is None:
            assert refusal(store.odd, viewer, ["kind", field]) == says


def test_duplicates_sections_and_parts_are_refused(viewer):
    for by in ("sn", "mac", "uuid"):
        assert f"{by} is hidden from viewers" in refusal(store.duplicates, viewer, by)
    assert "bmc is hidden" in refusal(store.sections, viewer, [uuid.uuid4()], ["bmc"])
    assert "bmc is hidden" in refusal(store.changes, viewer, WANTED(section="bmc"))
    assert "bmc.addresses is hidden" in refusal(
        store.changes, viewer, WANTED(section="bmc.addresses")
    )
    assert "known by is hidden" in refusal(
        store.changes, viewer, WANTED(section="disks", component="QDISK1")
    )
    assert "known by is hidden" in refusal(
        store.count_changes, viewer, WANTED(section="disks", component="nothing")
    )
    assert "bmc is hidden" in refusal(store.check_baselines, viewer, section="bmc")
    with store.extract(viewer) as extract:
        assert "sn is hidden" in refusal(extract.assets, ["minion_id", "sn"])


def test_the_grammar_of_the_search_box_refuses_too(viewer):
    for typed in ("sn:QSN1", "-sn:QSN*", "web sn:nothing", "address:203.0.113.1", "disks.model:Q"):
        with pytest.raises(store.FilterError, match="hidden from viewers"):
            questions.assets(viewer, {}, 10, text=typed)


def test_the_usual_columns_and_what_can_be_chosen_leave_it_out(viewer, auditor):
    assert {"sn", "address"} <= {*store.assets(auditor).rows[0]}
    assert not {"sn", "address"} & {*store.assets(viewer).rows[0]}
    gone = {"sn", "address", "list.owner", "disks.model"}
    assert {*store.fields(auditor)} - {*store.fields(viewer)} == gone
    assert {*store.listable(auditor)} - {*store.listable(viewer)} == gone - {"disks.model"}


PAIRS = [
    ("QSN6", "QSN0"),
    ("qmaker/qsn1", "qmaker/qsn0"),
    ("QSN44", "QSN00"),  # of a held report
    ("QSN", "QNN"),
    ("203.0.113.1", "203.0.114.1"),
    ("203.0.113.101", "203.0.114.101"),
    ("203.0.", "204.0."),
    ("02:0b:ad:c0:de:02", "02:0b:ad:c0:df:02"),
    ("020badc0de02", "020badc0df02"),
    ("QDISK1", "QDISX1"),
    ("QDISK11", "QDISX11"),
    ("QMODEL1", "QMODXL1"),
    ("qowner1", "qowxer1"),
    ("qbmc1", "qbxc1"),
    ("4c4c4544-0058-5910-805a-0badc0de0001", "4c4c4544-0058-5910-805a-0badc0df0001"),
]
"""A hidden value that exists, or a part or a slip of one, and one that does not."""


@pytest.mark.parametrize(("there", "absent"), PAIRS)
def test_no_search_tells_whether_a_hidden_value_exists(viewer, there, absent):
    def answers(text):
        asked = [
            lambda: store.assets(viewer, text=text),
            lambda: store.assets(viewer, text=text, at=later(days=-1)),
            lambda: store.facets(viewer, ["kind"], text=text),
            lambda: store.lookup(viewer, text),
            lambda: store.resolve(viewer, text),
            lambda: store.genealogy(viewer, text),
            lambda: store.changes(viewer, WANTED(component=text)),
            lambda: store.count_changes(viewer, WANTED(component=text)),
            lambda: store.hint(viewer, {}, text),
            lambda: store.hint(viewer, {"minion_id": text}),
            lambda: store.hint_of_changes(viewer, WANTED(component=text)),
            lambda: store.nearest_known(viewer, text),
            lambda: len(_files(viewer, text)),
        ]
        for question in asked:
            try:
                said = repr(question())
            except store.NotFound as nothing:
                said = f"{nothing}; {nothing.hint}"
            except store.HiddenField as refused:
                said = str(refused)
            yield said.replace(text, "...")

    assert [*answers(there)] == [*answers(absent)]


def _files(database, text):
    with store.extract(database, text=text) as extract:
        return [*extract.assets(["minion_id"])]


def test_padded_numbers_are_not_looked_for_among_hidden_ones(database):
    facts = server(1)
    facts["system"]["serial_number"] = "000000123"
    store.ingest(database, [arrival(facts, "web01")])
    assert [row["sn"] for row in store.padded(database, 123)] == ["000000123"]
    assert store.padded(database.hiding(["sn"]), 123) == []


def test_what_is_not_hidden_is_searched_all_the_same(viewer, auditor):
    for text in ("web01", "Qsystem", "qmaker qproduct", "qsite2", "qhost2"):
        found = [row["minion_id"] for row in store.assets(viewer, text=text).rows]
        assert found == [row["minion_id"] for row in store.assets(auditor, text=text).rows] != []
    assert store.resolve(viewer, "qhost2") == store.resolve(auditor, "web02")
    assert store.resolve(viewer, "qtag2") == store.resolve(auditor, "web02")
    assert [row["path"] for row in store.genealogy(viewer, "QDIMM2")] == ["memory.devices"]
    with pytest.raises(store.NotFound) as nothing:
        store.resolve(viewer, "nobody")
    assert "hidden from viewers and not searched" in nothing.value.hint


def pages(database, sort):
    cursor, found, cursors = None, [], []
    while True:
        page = store.assets(database, columns=["minion_id"], sort=sort, limit=2, cursor=cursor)
        found += [row["minion_id"] for row in page.rows]
        if page.next is None:
            return found, cursors
        cursor = page.next
        cursors.append(cursor)


@pytest.mark.parametrize("sort", ["sn", "-sn", "address", "list.owner", "-list.owner"])
def test_a_cursor_has_no_hidden_value_and_leads_through_all_pages(auditor, viewer, sort):
    found, cursors = pages(auditor, sort)
    everything = store.assets(auditor, columns=["minion_id"], sort=sort, limit=100).rows
    assert found == [row["minion_id"] for row in everything]
    for cursor in cursors:
        told = base64.urlsafe_b64decode(cursor).decode()
        assert [name for name in hidden_fleet.VALUES if hidden_fleet.found(name, told)] == []
        assert "hidden from viewers" in refusal(store.assets, viewer, sort=sort, cursor=cursor)
        with pytest.raises(store.FilterError, match="belongs to a list sorted by"):
            store.assets(viewer, cursor=cursor)


def test_a_cursor_of_a_hidden_order_is_where_its_asset_is_whatever_value_it_says(auditor):
    _, [cursor, *_] = pages(auditor, "sn")
    order, _, asset_id, number, back = json.loads(base64.urlsafe_b64decode(cursor))

    def page(value, asset_id):
        forged = json.dumps([order, value, asset_id, number, back]).encode()
        text = base64.urlsafe_b64encode(forged).decode()
        return store.assets(auditor, columns=["minion_id"], sort="sn", limit=2, cursor=text)

    assert page("QSN9", asset_id) == page(None, asset_id)
    with pytest.raises(store.FilterError, match="begin without it"):
        page("QSN9", str(uuid.uuid4()))


def test_what_is_counted_is_what_is_shown(viewer, auditor):
    shown = store.changes(viewer, limit=9999)
    assert store.count_changes(viewer) == len(shown) < store.count_changes(auditor)
    one = store.resolve(viewer, "web01")
    page = store.asset_page(viewer, one, 999)
    assert len(page["changes"]) == store.count_changes(viewer, WANTED(asset_id=one))
    assert [row for row in shown if row["path"].startswith("bmc")] == []


def test_a_replaced_disk_is_told_without_its_number(viewer):
    one = store.resolve(viewer, "web01")
    [row] = store.changes(viewer, WANTED(asset_id=one, section="disks"))
    assert (row["op"], row["component"]) == ("replaced", "3")
    assert row["old"] == row["new"] or {"serial_number", "model"}.isdisjoint(row["old"])
    *_, changes = store.compare(viewer, one, later(days=-15), None)
    assert [(one.op, one.component) for one in changes if one.path == "disks"] == [
        ("replaced", "3")
    ]


def test_all_else_of_a_document_is_as_an_auditor_sees_it(viewer, auditor):
    one = store.resolve(auditor, "web02")
    seen, whole = (store.overview(each, one) for each in (viewer, auditor))
    facts = whole["facts"]
    del facts["bmc"], facts["system"]["serial_number"], facts["system"]["uuid"]
    for section in ("baseboards", "chassis"):
        del facts[section][0]["serial_number"]
    for field in ("serial_number", "model"):
        del facts["disks"][0][field]
    del facts["smart"][0]["serial_number"]
    del facts["instance"]["id"], facts["instance"]["addresses"]  # the id is the UUID
    for field in ("mac", "permanent_mac", "addresses", "default_address"):
        del facts["network"][0][field]
    assert seen["facts"] == facts
    assert seen["volatile"]["smart"] == {"sda": whole["volatile"]["smart"]["QDISK1"]}
    assert (seen["sn"], seen["address"], seen["hostname"]) == ("hidden", "hidden", "qhost2")
    assert {row["kind"] for row in seen["identifiers"]} == {"asset_tag", "machine_id", "minion_id"}


def test_a_machine_without_a_value_looks_like_one_with_it(database):
    bare = server(2)
    del bare["system"]["serial_number"], bare["baseboards"], bare["chassis"]
    store.ingest(database, [arrival(server(1), "web01"), arrival(bare, "web02")])
    viewer = database.hiding(["sn"])
    [one, other] = [store.overview(viewer, row["id"]) for row in store.assets(viewer).rows]
    assert one["sn"] == other["sn"] == "hidden"
    assert one["facts"]["system"].keys() == other["facts"]["system"].keys()


def test_a_fault_is_told_by_the_place_of_its_part(viewer):
    rows = [row for row in store.health(viewer) if row["minion_id"] == "web01"]
    assert {row["component"] for row in rows} == {"sda", "hidden"}
    assert {row["sn"] for row in rows} == {"hidden"}


def test_an_auditor_is_answered_by_the_very_statements_as_without_hidden_fields(auditor):
    assert not auditor.hidden
    assert auditor.hiding([]).hidden is auditor.hidden
    assert auditor.hiding(["sn"]).within(store.PAGES).hidden.columns == {"sn"}
    assert machine(1)["system"]["serial_number"] == "QSN1"
