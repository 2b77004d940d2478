"""What the search box finds: words of any sort, and fields in their short form."""

import pytest

from salt_ext import store
from salt_ext.questions import box
from tests.machines import arrival, dimm, later, server
from tests.postgres import open_store


@pytest.fixture(scope="module")
def fleet(new_database):
    database = open_store(new_database())
    big = server(2, location={"site": "fra1", "rack": "R02"})
    big["memory"]["installed_bytes"] = 512 << 30
    bmc = {"present": True, "addresses": ["10.128.0.3/10"], "mac": "2c:ea:7f:00:00:03"}
    store.ingest(
        database,
        [
            arrival(server(1, location={"site": "fra1", "rack": "R01"}), "web01"),
            arrival(big, "web02"),
            arrival(server(3, location={"site": "ams1"}, bmc=bmc), "db03"),
        ],
    )
    yield database
    database.close()


def found(database, text, at=None):
    boxed = box.read(database, text, at=at)
    page = store.assets(database, filters=boxed.filters, text=boxed.text, at=at)
    return [row["minion_id"] for row in page.rows]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("fra1", ["web01", "web02"]),
        ("WEB 10.0.0.2", ["web02"]),
        ("site:fra1", ["web01", "web02"]),
        ("site:FRA ram>=256", ["web02"]),
        ("ram<256 -site:fra", ["db03"]),
        ("-rack:R01", ["db03", "web02"]),
        ('rack:""', ["db03"]),
        ("seen<1h", ["db03", "web01", "web02"]),
        ("seen>1h", []),
        ("web* -name:02", ["web01"]),
        ("disks.model:pm9a3 site:ams1", ["db03"]),
        ("s64f000001", ["web01"]),
        ("4F0002A1", ["web02"]),
        ("5254.0000.0003", ["db03"]),
        ("2C-EA-7F-00-00-03", ["db03"]),
        ("10.128.0.3/10 db", ["db03"]),
        ("44454C4C-5800-1059-805A-B9C04F000001", ["web01"]),
        ("cnivc0000002", ["web02"]),
        ('"9xyz 001"', []),
        ("", ["db03", "web01", "web02"]),
        ('"', None),
    ],
)
def test_the_box_finds(fleet, text, names):
    if names is None:
        with pytest.raises(box.BoxError):
            found(fleet, text)
    else:
        assert found(fleet, text) == names


@pytest.mark.parametrize(
    ("text", "wrong", "says"),
    [
        ("web ram>=much", "much", "memory_bytes is a size such as"),
        ("freshness:stael", "stael", "did you mean 'stale'"),
        ("site:fra1 site:ams1", "site:ams1", "site is asked for twice"),
        ("kind>physical", "physical", "there is no comparison 'gt'"),
        ("seen<soon", "soon", "'soon' is not a time"),
    ],
)
def test_what_the_store_does_not_take_is_told_with_its_place(fleet, text, wrong, says):
    with pytest.raises(box.BoxError) as caught:
        box.read(fleet, text)
    assert text[caught.value.start : caught.value.end] == wrong
    assert says in str(caught.value)
    assert f"character {text.rindex(wrong) + 1} of" in str(caught.value)


def test_a_field_that_the_address_asks_too_is_no_silent_choice(fleet):
    with pytest.raises(box.BoxError, match="site is asked for twice"):
        box.read(fleet, "site:fra1", {"site__contains": "ams1"})
    assert box.read(fleet, "site=fra1", {"os": "x"}).filters == {"os": "x", "site": "fra1"}


def test_a_part_is_searched_where_it_was_then(database):
    facts = server(1)
    store.ingest(database, [arrival(facts)])
    then = store.clock(database).now
    facts["memory"]["devices"][1] = dimm("A2", "NEWDIMM01")
    store.ingest(database, [arrival(facts, at=later(minutes=1))])
    assert found(database, "newdimm01") == ["web01"]
    assert found(database, "4F0001A2") == []
    assert found(database, "newdimm01", then) in ([], ["web01"])


def test_what_has_it_not_or_is_empty_is_found_by_notcontains(fleet):
    def names(**filters):
        return [row["minion_id"] for row in store.assets(fleet, filters=filters).rows]

    assert names(rack__notcontains="r01") == ["db03", "web02"]
    assert names(rack__notcontains=["r01", "R02"]) == ["db03"]
    assert names(site__notcontains="%") == ["db03", "web01", "web02"]
