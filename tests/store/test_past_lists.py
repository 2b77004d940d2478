"""Lists as of a moment, beside what the lists were then."""

import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.schema import WAS_COLUMNS
from tests.machines import NOW, arrival, later, server
from tests.postgres import open_store

TIMES = """
SELECT asset_id AS id, since, until FROM asset_was
 UNION ALL SELECT id, unchanged_since, 'infinity' FROM asset
"""
GAPS = f"""
SELECT count(*) FROM (
    SELECT since, lag(until, 1, first_seen) OVER (PARTITION BY id ORDER BY until) AS before
      FROM asset JOIN ({TIMES}) AS times USING (id)) AS each
 WHERE since <> before
"""


@pytest.fixture
def database(new_database):
    database = open_store(new_database())
    yield database
    database.close()


def present(database):
    """The row of each machine now, by its id, and since when it is so."""
    with database.begin() as link:
        since = dict(link.execute(sa.text("SELECT id, unchanged_since FROM asset")).all())
    machines = {"kind__not": "expected"}
    rows = store.assets(database, columns=WAS_COLUMNS, filters=machines, limit=1000).rows
    return {row["id"]: (since[row["id"]], row) for row in rows}


def something(chance, database, hour):
    """One thing that happens to the list; the clock of the master may be behind PostgreSQL's."""
    number = chance.randrange(1, 7)
    name = f"web{number:02d}"
    act = store.Act("me", "why not", test=False)
    asset = store.assets(database, filters={"minion_id": name}).rows
    what = chance.choice(("report", "report", "report", "lifecycle", "rename", "list", "other"))
    if what in ("report", "other") or not asset:
        # Other hardware under the name detaches the machine that had it.
        facts = server(number if what == "report" else number + 90)
        facts["memory"]["installed_bytes"] = chance.choice((64, 128, 256)) << 30
        at = NOW + timedelta(hours=hour)
        store.ingest(database, [arrival(facts, name, at)])
    elif what == "lifecycle":
        state = chance.choice(store.LIFECYCLES)
        store.set_lifecycle(database, asset[0]["id"], state, act)
    elif what == "rename":
        store.rename(database, asset[0]["id"], f"{name}-{hour}", act)
    else:
        place = {"site": chance.choice(("ams1", "fra2")), "rack": str(chance.randrange(9))}
        row = {"sn": f"9XYZ{number:03d}", "minion_id": None, "fields": place, "row": 1}
        row |= {"awaited": True}
        store.import_expected(database, [row], source="theirs", by="me")


@pytest.mark.parametrize("seed", range(3))
def test_each_moment_has_the_list_that_it_had(database, seed):
    chance = random.Random(seed)
    was = {}
    for hour in range(-40, 0):
        something(chance, database, hour)
        # Of two changes at one moment the later one counts.
        was.update({(asset_id, at): row for asset_id, (at, row) in present(database).items()})
    assert len(was) > 15
    for at in {at for _, at in was}:
        page = store.assets(database, at=at, columns=WAS_COLUMNS, sort="-memory_bytes", limit=1000)
        found = {row["id"]: row for row in page.rows}
        assert all(found[one] == row for (one, moment), row in was.items() if moment == at)
        filtered = store.assets(database, at=at, limit=1000, filters={"id__isnull": "false"})
        assert page.total == filtered.total == len(page.rows)
        assert found.keys() == {row["id"] for row in filtered.rows}
    with database.begin() as link:
        assert link.scalar(sa.text(GAPS)) == 0, "the times of the columns have a gap"


def test_what_was_merged_is_in_the_past_until_then(database):
    bare = server(1)
    del bare["system"], bare["baseboards"], bare["chassis"]
    bare["network"] = []
    store.ingest(database, [arrival(bare, "web01", later(hours=-3))])
    assert store.assets(database).total == 1
    store.ingest(database, [arrival(server(1), "web01", later(hours=-2))])
    for at in (later(hours=-2.5), later(hours=-1)):
        page = store.assets(database, at=at)
        assert (page.total, len(page.rows)) == (1, 1), at
