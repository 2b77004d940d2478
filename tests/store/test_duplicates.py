"""Values that two assets share, beside counting them one by one."""

import random
from collections import defaultdict

import pytest

from salt_ext import store
from tests.machines import arrival, later, server
from tests.postgres import open_store


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines of which some show the numbers of others; the tests only read."""
    database = open_store(new_database())
    chance = random.Random(3)
    for number in range(1, 31):
        facts = server(number)
        facts["operating_system"]["hostname"] = f"host{chance.randrange(25)}"
        # A second card, which may be in two machines; a card is a key of none of them then.
        mac = f"52:54:00:ff:00:{chance.randrange(40):02x}"
        card = {**facts["network"][0], "name": "eth9", "mac": mac, "permanent_mac": mac}
        facts["network"] = [*facts["network"], card]
        if number % 7 == 0:
            facts["system"]["serial_number"] = "9XYZ001"
        store.ingest(database, [arrival(facts, f"web{number:02d}", later(hours=number - 40))])
    yield database
    database.close()


def held(database, by):
    """Who has each value now, by the pages of the assets."""
    found = defaultdict(set)
    for row in store.assets(database, columns="sn,hostname", limit=1000).rows:
        if by in row:
            values = {row[by]} - {None}
        else:
            ledger = store.overview(database, row["id"])["identifiers"]
            values = {one["value"] for one in ledger if one["kind"] == by and one["is_current"]}
        for value in values:
            found[value].add(row["id"])
    return {value: ids for value, ids in found.items() if len(ids) > 1}


@pytest.mark.parametrize("by", store.SHARED)
def test_all_who_share_a_value_are_told(fleet, by):
    rows, total = store.duplicates(fleet, by, limit=None)
    told = defaultdict(set)
    for row in rows:
        told[row["value"]].add(row["id"])
    assert told == held(fleet, by)
    assert total == len(rows)
    assert told or by in ("uuid", "sn")


@pytest.mark.parametrize("by", store.SHARED)
def test_with_a_filter_only_the_values_of_who_fits_are_told(fleet, by):
    one = store.assets(fleet, filters={"minion_id": "web05"}).rows[0]["id"]
    rows, _ = store.duplicates(fleet, by, filters={"minion_id": "web05"}, limit=None)
    told = {(row["value"], row["id"]) for row in rows}
    every = held(fleet, by).items()
    assert told == {(value, other) for value, ids in every if one in ids for other in ids}


def test_a_limit_leaves_the_number_of_all(fleet):
    rows, total = store.duplicates(fleet, "hostname", limit=2)
    assert len(rows) == 2 < total
