"""The values of a field with their counts, beside counting the rows of the list."""

from collections import Counter

import pytest

from salt_ext import store
from tests.machines import arrival, later, server
from tests.postgres import open_store


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines of two sites and of none, a retired one, a silent row of a list, a merged one."""
    database = open_store(new_database())
    for number in range(1, 14):
        facts = server(number, location={"site": f"site{number % 3}"} if number % 3 else {})
        facts["memory"]["installed_bytes"] = (number % 4 + 1) << 36
        store.ingest(database, [arrival(facts, f"web{number:02d}", later(hours=number - 40))])
    bare = server(20)
    del bare["system"], bare["baseboards"], bare["chassis"]
    bare["network"] = []
    store.ingest(database, [arrival(bare, "web20", later(hours=-3))])
    store.ingest(database, [arrival(server(20), "web20", later(hours=-2))])
    store.set_lifecycle(
        database, store.resolve(database, "web01"), "retired", store.Act("me", "old", test=False)
    )
    row = {"sn": "NEW1", "minion_id": None, "fields": {"site": "site1"}, "row": 1, "awaited": True}
    store.import_expected(database, [row], source="list", by="me")
    yield database
    database.close()


FIELDS = ("site", "os", "memory_bytes", "lifecycle", "kind", "freshness", "mode", "minion_id")


@pytest.mark.parametrize("filters", [{}, {"site": "site1"}, {"disks.model__isnull": "false"}])
@pytest.mark.parametrize("field", FIELDS)
def test_each_value_has_as_many_assets_as_the_list_has_rows(fleet, field, filters):
    [found] = store.facets(fleet, field, filters=filters, limit=1000)
    rows = store.assets(fleet, columns=field, filters=filters, limit=1000).rows
    counts = Counter(row[field] for row in rows)
    assert {row["value"]: row["assets"] for row in found["values"]} == counts
    assert found["assets"] == len(rows)
    assert found["distinct"] == len(counts.keys() - {None})
    assert [row["assets"] for row in found["values"]] == sorted(counts.values(), reverse=True)


def test_a_limit_leaves_the_most_frequent_and_the_numbers_of_all(fleet):
    [every], [few] = (store.facets(fleet, "memory_bytes", limit=limit) for limit in (9, 2))
    assert few["values"] == every["values"][:2]
    assert (few["distinct"], few["assets"]) == (every["distinct"], every["assets"])
