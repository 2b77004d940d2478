"""The number of all assets is kept, and is what counting them finds, whatever happens to them."""

import threading

import sqlalchemy as sa

from salt_ext import store
from salt_ext.lists import expected, rows
from salt_ext.store.schema import tally
from tests.citus import one_server
from tests.machines import NOW, arrival, later, server
from tests.patience import PATIENCE_SECONDS

COUNTED = "SELECT count(*) FROM asset WHERE merged_into IS NULL"


def kept(database):
    """The total of a list without a filter, which is also what is there."""
    with database.begin() as link:
        counted = link.scalar(sa.text(COUNTED))
    assert store.assets(database, limit=1).total == counted
    return counted


def keyless(number):
    facts = server(number)
    for section in ("system", "baseboards", "network"):
        del facts[section]
    return facts


def test_a_new_machine_counts_and_the_next_report_of_it_does_not(database):
    assert kept(database) == 0
    store.ingest(database, [arrival(server(one), f"web{one:02d}") for one in range(1, 4)])
    assert kept(database) == 3
    again = server(1, operating_system={"hostname": "web01", "kernel_release": "9.9"})
    store.ingest(database, [arrival(again, "web01", later(hours=1))])
    assert kept(database) == 3


def test_a_merged_asset_counts_no_more(database):
    store.ingest(database, [arrival(server(8), "was08", NOW)])
    store.ingest(database, [arrival(keyless(8), "web08", later(days=5))])
    assert kept(database) == 2
    [outcome] = store.ingest(database, [arrival(server(8), "web08", later(days=9))])
    assert outcome.status == "changed"
    assert kept(database) == 1


def test_what_a_list_brings_and_takes_away_counts(database, tmp_path):
    path = tmp_path / "list.csv"
    for lines, number in (("SN,Type\nSW1,switch\nSW2,switch", 2), ("SN,Type\nSW1,switch", 1)):
        path.write_text(lines)
        expected.keep(database, rows.read(str(path), "", {}), source="a list", by="me")
        assert kept(database) == number


def test_purged_assets_count_no_more(database):
    act = store.Act("me", "sold", test=False)
    store.ingest(database, [arrival(server(one), f"web{one:02d}") for one in (1, 2)])
    store.set_lifecycle(database, store.resolve(database, "web01"), "retired", act)
    store.purge(database, "retired", later(days=9), act)
    assert kept(database) == 1


@one_server("where triggers are refused no number is kept, and the assets are counted")
def test_maintain_makes_one_row_of_many_and_mends_a_wrong_one(database):
    for one in range(1, 4):
        store.ingest(database, [arrival(server(one), f"web{one:02d}")])
    with database.begin() as link:
        link.execute(sa.insert(tally).values(assets=5))
    store.maintain(database)
    with database.begin() as link:
        assert link.scalars(sa.select(tally.c.assets)).all() == [3]
    assert kept(database) == 3


@one_server("where triggers are refused no number is kept, and the assets are counted")
def test_a_writer_waits_neither_for_another_one_nor_for_maintain(database):
    store.ingest(database, [arrival(server(1), "web01")])
    done = threading.Event()

    def meanwhile():
        store.ingest(database, [arrival(server(2), "web02")])
        store.maintain(database)
        done.set()

    with database.begin() as link:
        link.execute(sa.insert(tally).values(assets=-1))
        threading.Thread(target=meanwhile, daemon=True).start()
        assert done.wait(PATIENCE_SECONDS)
        link.execute(sa.insert(tally).values(assets=1))
    assert kept(database) == 2


def test_where_no_number_is_kept_the_assets_are_counted(database):
    store.ingest(database, [arrival(server(1), "web01")])
    with database.begin() as link:
        link.execute(sa.delete(tally))
    assert kept(database) == 1
