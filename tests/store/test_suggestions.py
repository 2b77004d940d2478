"""Values that a form may suggest."""

import pytest

from salt_ext import store
from tests.machines import arrival, server
from tests.postgres import open_store


@pytest.fixture(scope="module")
def fleet(new_database):
    database = open_store(new_database())
    sites = {1: "fra1", 2: "fra1", 3: "fra2", 4: "ams1"}
    store.ingest(
        database,
        [
            arrival(server(one, location={"site": site}), f"web{one:02d}")
            for one, site in sites.items()
        ],
    )
    yield database
    database.close()


def values(database, *asked):
    return [(row["value"], row["assets"]) for row in store.suggestions(database, *asked)]


def test_the_most_frequent_values_come_first(fleet):
    assert values(fleet, "site") == [("fra1", 2), ("ams1", 1), ("fra2", 1)]
    assert values(fleet, "site", "FR") == [("fra1", 2), ("fra2", 1)]
    assert values(fleet, "site", "", 1) == [("fra1", 2)]
    assert values(fleet, "rack") == []


def test_names_come_in_order(fleet):
    assert values(fleet, "minion_id", "web0", 2) == [("web01", 1), ("web02", 1)]


def test_parts_have_values_too(fleet):
    assert values(fleet, "disks.model", "pm9") == [("PM9A3", 4)]


@pytest.mark.parametrize("field", ["sit", "memory_bytes", "disks.modle", "last_seen"])
def test_a_field_without_texts_is_refused(fleet, field):
    with pytest.raises(store.FilterError):
        store.suggestions(fleet, field)
