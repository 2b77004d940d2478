"""Changes that tell nobody anything are in no list, no count and no page."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.settings import resolve
from salt_ext.words.changes import worth_telling
from tests.machines import arrival, dimm, later, server

EMPTY = {"present": False}


def slots(*serials):
    """Memory with a module, or None, in each slot."""
    return [
        dimm(f"A{place}", serial) if serial else {"locator": f"A{place}", **EMPTY}
        for place, serial in enumerate(serials, 1)
    ]


@pytest.fixture(scope="module")
def past(new_database):
    """A machine whose modules and disks moved, and in which sections came and went, empty too."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    disk = server(1)["disks"][0]
    states = [
        {"devices": slots("S1", "S2", None, None)},
        {"devices": slots(None, "S2", "S1", None)},
        {"devices": slots(None, "S2", "S1", None), "tpm": {}},
        {"devices": slots(None, "S2", None, None), "usb": [], "tpm": {"version": "2.0"}},
        {"devices": slots("S2", None, None), "disks": [{**disk, "rotational": False}], "tpm": {}},
        {"devices": slots("S2", None, None), "disks": [{**disk, "slot_count": 0}]},
        {"devices": slots("S2", "S3", "S4"), "gpus": []},
        {"devices": slots("S4", None, "S2", "S3"), "gpus": [], "md": {}},
    ]
    for minute, state in enumerate(states):
        devices = state.pop("devices")
        facts = server(1, **state)
        facts["memory"]["devices"] = devices
        store.ingest(database, [arrival(facts, "web01", later(minutes=minute))])
    store.ingest(database, [arrival(server(2), "web02", later(minutes=minute))])
    yield database
    database.close()


def everything(database):
    """All rows of the history as they are stored, the newest first."""
    with database.autocommit() as link:
        rows = link.execute(
            sa.text("""
            SELECT * FROM change
             ORDER BY recorded_at DESC, asset_id DESC, revision DESC, position""")
        )
        return [dict(row._mapping) for row in rows]


def keys(rows):
    return [(row["asset_id"], row["revision"], row["position"]) for row in rows]


def test_the_history_lists_what_is_worth_telling_by_the_rule_of_all_others(past):
    rows = everything(past)
    told = worth_telling(rows)
    assert 5 < len(told) < len(rows) - 3
    assert keys(store.changes(past, limit=1000)) == keys(told)
    assert store.count_changes(past) == len(told)


def test_values_that_are_false_or_0_are_told(past):
    fields = {row["field"] for row in store.changes(past, limit=1000)}
    assert {"rotational", "slot_count"} <= fields


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_a_page_has_as_many_changes_as_are_asked_for(past, limit):
    pages, cursor = [], ""
    while cursor is not None:
        rows, cursor = store.changes_page(past, store.Wanted(), limit, cursor)
        assert len(rows) == limit or cursor is None
        pages += rows
    assert keys(pages) == keys(store.changes(past, limit=1000))


def test_the_page_of_an_asset_says_whether_there_are_more_changes_than_it_shows(past):
    asset_id = store.resolve(past, "web01")
    every = store.changes(past, store.Wanted(asset_id), limit=1000)
    for limit, more in ((3, True), (len(every) - 1, True), (len(every), False), (1000, False)):
        page = store.asset_page(past, asset_id, limit)
        assert keys(page["changes"]) == keys(every[:limit])
        assert page["more"] is more


def test_an_export_has_the_same_changes(past):
    with store.extract(past) as source:
        rows = list(source.changes(later(days=-1)))
    assert len(rows) == store.count_changes(past)
