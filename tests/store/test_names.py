"""What the store keeps of a machine's secret, and the name that an outcome tells."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import arrival, later, server

HASH = "5e" * 32


def statuses(database, *arrivals):
    return [outcome.status for outcome in ingest(database, arrivals)]


def secret_hash(database):
    with database.begin() as link:
        [found] = link.scalars(sa.text("SELECT encode(secret_hash, 'hex') FROM asset_seen"))
    return found


def test_the_hash_of_the_secret_is_kept_of_the_last_report(database):
    ingest(database, [arrival(server(1), secret_hash=HASH)])
    assert secret_hash(database) == HASH
    # Touched, and changed.
    touched = arrival(server(1), at=later(minutes=5), secret_hash="6f" * 32)
    assert statuses(database, touched) == ["unchanged"]
    assert secret_hash(database) == "6f" * 32
    flashed = server(1, firmware={"version": "2.0"})
    assert statuses(database, arrival(flashed, at=later(minutes=9), secret_hash=HASH)) == [
        "changed"
    ]
    assert secret_hash(database) == HASH


@pytest.mark.parametrize("facts", [server(1), server(1, firmware={"version": "2.0"})])
def test_after_a_report_without_a_hash_nothing_can_be_proved(database, facts):
    """Its moment is not in the machine's name file, so an older hash would be of no use."""
    ingest(database, [arrival(server(1), secret_hash=HASH)])
    first_edition = arrival(facts, at=later(minutes=5))
    del first_edition.report["secret_hash"], first_edition.report["proof"]
    ingest(database, [first_edition])
    assert secret_hash(database) is None


def test_the_secret_of_a_held_report_is_stored_nowhere(database):
    ingest(database, [arrival(server(1), "m1"), arrival(server(2), "m2")])
    shown = {"secret": "the secret of m2", "collected_at": "2026-11-21T08:00:00.000Z"}
    stolen = arrival(server(1), "m2", later(minutes=5), "m3", proof=shown, secret_hash=HASH)
    assert statuses(database, stolen) == ["held"]
    with database.begin() as link:
        for table in store.schema.metadata.sorted_tables:
            rows = link.scalars(sa.text(f"SELECT CAST(t AS text) FROM {table.name} t")).all()
            assert not [row for row in rows if "the secret of m2" in row], table.name
    [row] = store.held_reports(database)[0]
    assert row["minion_id"] == "m2"


def test_a_machine_with_the_name_of_a_live_one_is_told_the_name_that_it_keeps(database):
    ingest(database, [arrival(server(1), "m1"), arrival(server(2), "m2", later(days=2))])
    moved = server(1, firmware={"version": "2.0"})
    [outcome] = ingest(database, [arrival(moved, "m2", later(days=2, minutes=1))])
    assert (outcome.status, outcome.name) == ("changed", "m1")
    [again] = ingest(database, [arrival(moved, "m2", later(days=2, minutes=1))])
    assert (again.status, again.name) == ("unchanged", "m1")


def test_the_name_of_an_asset_is_told_only_where_it_is_not_the_minion_id(database):
    for number, previous in ((1, None), (2, None), (3, "web01")):
        name = "web01" if number < 3 else "db01"
        said = arrival(server(1), name, later(minutes=number), previous)
        assert [one.name for one in ingest(database, [said])] == [None]
