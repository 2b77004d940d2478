"""What the search box takes, typed on the master."""

import pytest

from salt_ext import store
from tests.machines import arrival, server

ERROR = 2


@pytest.fixture
def fleet(database):
    bmc = {"present": True, "addresses": ["10.128.0.3/10"], "mac": "2c:ea:7f:00:00:03"}
    store.ingest(
        database,
        [
            arrival(server(1, location={"site": "fra1"}), "web01.example.com"),
            arrival(server(3, location={"site": "ams1"}, bmc=bmc), "db03"),
        ],
    )


def test_the_list_takes_words_and_fields(cmdb, fleet):
    answer, status, text = cmdb("list", q="site:fra ram>=16 web", columns="minion_id,site")
    assert (answer["rows"], status) == ([["web01.example.com", "fra1"]], 0)
    assert cmdb("list", q="-site:fra", columns="minion_id")[0]["rows"] == [["db03"]]
    assert cmdb("list", q="s64f000003", columns="minion_id")[0]["rows"] == [["db03"]]
    [facet] = cmdb("facets", "site", q="name:db*")[0]["facets"]
    assert facet["values"] == [{"value": "ams1", "assets": 1}]
    assert "web01" in text


def test_a_slip_is_told_with_its_place(cmdb, fleet):
    answer, status, text = cmdb("list", q="web sitee:fra")
    assert status == ERROR
    assert "there is no field 'sitee'; did you mean 'site'?: character 5 of" in text
    assert answer


def test_what_nothing_fits_is_told_by_its_filter(cmdb, fleet):
    answer, _, _ = cmdb("list", q="site=fra2")
    assert answer["hint"] == "no asset has site=fra2; the nearest is 'fra1'"


@pytest.mark.parametrize(
    ("text", "what", "value"),
    [
        ("2C-EA-7F-00-00-03", "bmc.mac", "2c:ea:7f:00:00:03"),
        ("10.128.0.3/10", "bmc.addresses", "10.128.0.3"),
        ("DB03.example.com", "minion_id", "db03"),
        ("s64f000003", "disks", "S64F000003"),
    ],
)
def test_find_takes_any_spelling(cmdb, fleet, text, what, value):
    answer, status, _ = cmdb("find", text)
    columns = answer["columns"]
    found = [(row[columns.index("what")], row[columns.index("value")]) for row in answer["rows"]]
    assert (what, value) in found
    assert {row[columns.index("minion_id")] for row in answer["rows"]} == {"db03"}
    assert status == 0
