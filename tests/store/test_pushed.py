"""The ledger of pushes: what is ours in other systems, whatever becomes of the asset here."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.feeds.push import run
from salt_ext.feeds.push.configured import SYSTEMS
from salt_ext.feeds.push.target import Found, Push, System
from salt_ext.store import Written
from tests import postgres
from tests.machines import arrival, later, server


@pytest.fixture
def assets(database):
    """The ids of two machines."""
    store.ingest(database, [arrival(server(number), f"web0{number}") for number in (1, 2)])
    return [store.resolve(database, f"web0{number}") for number in (1, 2)]


def test_what_was_written_is_known_until_it_is_retired_or_forgotten(database, assets):
    one, two = assets
    fields = {"name": "web01", "groups": ["CMDB/dc1"], "rack": None}
    store.keep_pushed(database, "a", [Written(one, "10", fields), Written(two, "11", {})])
    store.keep_pushed(database, "b", [Written(one, "10", {"name": "elsewhere"})])
    ledger = store.pushed_of(database, "a")
    assert (ledger[one].remote_id, ledger[one].wrote) == ("10", fields)
    assert ledger[one].retired_at is None
    store.keep_pushed(database, "a", [Written(one, "10", {}, True)], [two])
    ledger = store.pushed_of(database, "a")
    assert list(ledger) == [one]
    assert ledger[one].retired_at is not None
    assert store.pushed_of(database, "b")[one].wrote == {"name": "elsewhere"}
    counts = [(row["push"], row["objects"], row["retired"]) for row in store.pushes(database)]
    assert counts == [("a", 1, 1), ("b", 1, 0)]


def test_what_stands_for_a_purged_asset_is_still_known(database, assets):
    store.keep_pushed(database, "a", [Written(one, "10", {}) for one in assets])
    with database.begin() as link:
        link.execute(sa.text("DELETE FROM asset WHERE id = :id"), {"id": assets[0]})
    assert set(store.pushed_of(database, "a")) == set(assets)


def test_the_object_of_a_merged_asset_is_that_of_what_it_is_now(database, assets):
    one, two = assets
    store.keep_pushed(database, "a", [Written(one, "10", {})])
    with database.begin() as link:
        merge = sa.text("UPDATE asset SET minion_id = NULL, merged_into = :two WHERE id = :one")
        link.execute(merge, {"one": one, "two": two})
    [entry] = store.pushed_of(database, "a").values()
    assert (entry.asset_id, entry.key, entry.remote_id) == (two, one, "10")
    # One that has an object of its own keeps it.
    store.keep_pushed(database, "a", [Written(two, "11", {})])
    ledger = store.pushed_of(database, "a")
    assert {key: entry.remote_id for key, entry in ledger.items()} == {one: "10", two: "11"}


def test_a_push_runs_once_at_a_time_and_others_beside_it(database, database_url):
    other = postgres.open_store(database_url)
    with store.alone(database, "the push 'a'"):
        with (
            pytest.raises(store.StoreError, match="'a' is running already"),
            store.alone(other, "the push 'a'"),
        ):
            pass
        with store.alone(other, "the push 'b'"):
            pass
    with store.alone(other, "the push 'a'"):
        pass
    other.close()


def test_a_push_that_was_done_is_done_although_the_session_of_its_lock_was_lost(
    database, database_url
):
    other = postgres.open_store(database_url)
    end = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    end += " AND objsubid < 3"  # those of SQL: Citus has some of its own
    end += " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    with store.alone(other, "the push 'a'"), database.autocommit() as link:
        assert link.scalars(sa.text(end)).all() == [True]
    with store.alone(other, "the push 'a'"):
        pass
    other.close()


class Elsewhere:
    """A system that keeps its objects, and knows of each machine its rack."""

    needs_address = needs_interface = False
    columns = ("rack",)
    keeps = ()
    bulk = 10
    calls = 0

    def __init__(self):
        self.objects = {}

    def fields(self, machine):
        return {"rack": machine.row["rack"]}

    def ours(self):
        return [Found(name, dict(fields)) for name, fields in self.objects.items()]

    def holders(self, wanted):
        return {}

    def lacking(self, steps):
        return {}

    def made_first(self):
        return ()

    def create(self, wanted):
        self.objects.update((fields["name"], fields) for fields in wanted)
        return [fields["name"] for fields in wanted]

    def update(self, changes):
        for found, fields in changes:
            self.objects[found.id] = {**self.objects[found.id], **fields}


def test_what_was_written_before_a_machine_was_retired_is_ours_when_it_returns(
    database, assets, monkeypatch
):
    there = Elsewhere()
    monkeypatch.setitem(SYSTEMS, "elsewhere", System({}, lambda push: there))

    def push():
        options = {"name": "minion_id", "retire_percent": 100}
        what = Push("a", "elsewhere", "http://127.0.0.1:1", "", {}, options)
        return [step.what for step in run.push(database, what, run.Wishes()).steps]

    def tell(rack, moment):
        facts = server(1, location={"site": "fra1", "rack": rack})
        store.ingest(database, [arrival(facts, "web01", moment)])

    tell("R07", later(seconds=1))
    assert push() == ["create", "create"]
    act = store.Act("ops", "a test", test=False)
    store.set_lifecycle(database, assets[0], "retired", act)
    assert push() == ["retire"]
    assert there.objects["web01"]["rack"] == "R07"
    store.set_lifecycle(database, assets[0], "active", act)
    tell(None, later(seconds=2))
    assert push() == ["return"]
    assert there.objects["web01"]["rack"] is None
