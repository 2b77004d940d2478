"""What people reported of other inventories, as reports of some machines at two times."""

import pytest

from salt_ext import store
from tests import public_cases
from tests.corpus import needs_corpus
from tests.machines import NOW, arrival, later, server


@needs_corpus
@pytest.mark.parametrize("case", public_cases.cases("store"))
def test_the_store_tells_what_happened(database, case):
    story = public_cases.read(case, "store.json")
    numbers = {name: number for number, name in enumerate(story["first"], 1)}
    for machines, at in ((story["first"], NOW), (story["then"], later(minutes=5))):
        for name, parts in machines.items():
            facts = server(numbers[name], **{story["section"]: parts})
            [outcome] = store.ingest(database, [arrival(facts, name, at)])
            assert outcome.status in ("new", "changed"), outcome
    rows = store.changes(database)
    told = {
        "added": [row["new"]["name"] for row in rows if row["op"] == "added"],
        "removed": [row["old"]["name"] for row in rows if row["op"] == "removed"],
        "moved": [row["component"] for row in rows if row["moved_from"] or row["moved_to"]],
    }
    assert public_cases.wrong(case, told) == {}
