"""The pages of a frequent word have each asset once and in order, however its rows are read."""

from datetime import timedelta
from importlib import import_module

import pytest

from salt_ext import store
from salt_ext.settings import resolve
from tests.machines import NOW, arrival, server

SITES = ("fra1", "ams1", "fra1", "lon1", "fra1")
NAMES = [
    f"{role}{number:02d}"
    for role, many in (("app", 12), ("db", 3), ("web", 13))
    for number in range(many)
]


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines of three roles, which are together in the order of names, in mixed sites."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    arrivals = []
    for number, name in enumerate(NAMES, 1):
        facts = server(number)
        facts["location"] = {"site": SITES[number % 5], "rack": f"r{number * 7 % 10}"}
        facts["operating_system"]["hostname"] = name
        arrivals.append(arrival(facts, name, NOW - timedelta(minutes=number)))
    store.ingest(database, arrivals)
    yield database
    database.close()


def pages(database, text, sort, cursor=None, *, backwards=False):
    found = []
    while True:
        page = store.assets(database, text=text, sort=sort, cursor=cursor, limit=3)
        found.append([row["minion_id"] for row in page.rows])
        cursor = page.previous if backwards else page.next
        if cursor is None:
            return found, page
        assert len(found) < 50, "the pages have no end"


@pytest.mark.parametrize("near", [1, 3, 8, 100])
@pytest.mark.parametrize("sort", ["minion_id", "-minion_id", "rack", "-site"])
@pytest.mark.parametrize("text", ["web", "app", "fra1", "ams1", "web fra1", "0"])
def test_pages_of_a_frequent_word_are_those_of_all_that_have_it(
    fleet, monkeypatch, text, sort, near
):
    whole = store.assets(fleet, text=text, sort=sort, limit=100)
    every = [row["minion_id"] for row in whole.rows]
    assert whole.exact
    monkeypatch.setattr(import_module("salt_ext.store.reads.assets"), "FEW", 1)
    monkeypatch.setattr(import_module("salt_ext.store.reads.paging"), "NEAR", near)
    there, last = pages(fleet, text, sort)
    assert [name for page in there for name in page] == every
    assert not last.exact
    if last.previous:
        back, _ = pages(fleet, text, sort, last.previous, backwards=True)
        assert [name for page in reversed(back) for name in page] == every[
            : len(every) - len(there[-1])
        ]
