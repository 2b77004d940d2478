"""A machine that gives itself the host name of another: it gets nothing that lists say of that."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from salt_ext import feeds, store
from salt_ext.lists import expected, rows
from salt_ext.store.identity.locking import lock_identity
from tests import postgres
from tests.machines import arrival, later, server

ROLE = {"list.role": "db-master"}


@pytest.fixture
def database(database_url):
    """A store whose settings have a node group of what the list says."""
    database = postgres.open_store(database_url, nodegroups={"masters": dict(ROLE)})
    yield database
    database.close()


@pytest.fixture
def keep(database, tmp_path):
    """Import a list that says of each of these names that it is a database."""

    def imported(*names, source="list.csv"):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(["Name,Role", *(f"{name},db-master" for name in names)]))
        return expected.keep(database, rows.read(str(path), "", {}), source=source, by="me")

    return imported


def called(number, minion_id, hostname, minutes=0):
    """A report of a machine that has a host name of its own choice."""
    facts = server(number)
    facts["operating_system"]["hostname"] = hostname
    return arrival(facts, minion_id, later(minutes=minutes))


def masters(database):
    """The machines that the list means: by filter, in the node group, and by each pillar."""
    page = store.assets(database, columns="minion_id,list.role", filters={"mode__not": "list"})
    by_filter = {row["minion_id"] for row in page.rows if row["list.role"]}
    assert members(database) == by_filter
    told = {one: store.told_of(database, one) for one in by_filter}
    assert all(one is not None and one.listed["list.role"] for one in told.values())
    return by_filter


def members(database):
    text = feeds.make(database, "nodegroups", {}, {}).body.decode()
    lines = [line for line in text.splitlines() if '"masters": "L@' in line]
    return {one for line in lines for one in line.partition("L@")[2].rstrip('"').split(",") if one}


def named(database, minion_id):
    told = store.told_of(database, minion_id)
    return bool(told and told.named)


VICTIM = called(1, "db01.prod", "db01.prod")
EVIL = called(2, "evil", "db01")


@pytest.mark.parametrize("said", ["db01", "DB01.", "db01.prod"])
@pytest.mark.parametrize("order", list(itertools.permutations(["list", "victim", "evil"])))
def test_a_row_means_the_minion_id_and_not_the_host_name_of_another_whoever_comes_first(
    database, keep, order, said
):
    evil = called(2, "evil", said)
    acts = {
        "list": lambda: keep(said),
        "victim": lambda: store.ingest(database, [VICTIM]),
        "evil": lambda: store.ingest(database, [evil]),
    }
    for one in order:
        acts[one]()
    for _ in range(2):
        assert masters(database) == {"db01.prod"}
        assert (named(database, "db01.prod"), named(database, "evil")) == (True, False)
        # After another report of both, and another import, too.
        store.ingest(database, [called(2, "evil", "quiet", 5), called(1, "db01.prod", "x", 5)])
        store.ingest(database, [called(2, "evil", said, 6), called(1, "db01.prod", "y", 6)])
        keep(said)


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_what_is_the_minion_id_of_two_is_the_host_name_of_no_third(database, keep, is_one_batch):
    keep("db01")
    store.ingest(database, [EVIL])
    # Nobody else has that name yet: see SECURITY.md.
    assert masters(database) == {"evil"}
    two = [VICTIM, called(3, "db01.dev", "db01")]
    for batch in [two] if is_one_batch else [[one] for one in two]:
        store.ingest(database, batch)
    # The first one keeps what was said of it alone.
    assert masters(database) == (set() if is_one_batch else {"db01.prod"})
    keep()
    keep("db01")
    assert masters(database) == set()
    assert not any(named(database, one) for one in ("db01.prod", "db01.dev", "evil"))


def test_a_row_that_means_another_by_its_number_leaves_no_name_to_a_host_name(
    database, tmp_path, keep
):
    store.ingest(database, [VICTIM, EVIL])
    path = tmp_path / "numbers.csv"
    path.write_text("SN,Name,Role\n9XYZ001,,db-master\n,db01,db-master")
    expected.keep(database, rows.read(str(path), "", {}), source="numbers", by="me")
    assert masters(database) == {"db01.prod"}


def test_a_minion_that_never_reported_is_told_the_rows_of_its_name_alone(database, keep):
    keep("db01")
    store.ingest(database, [EVIL])
    assert named(database, "db01.prod")
    store.ingest(database, [called(3, "db01.dev", "db01.dev")])
    # The row means that one now, and could mean either.
    assert named(database, "db01.dev")
    assert not named(database, "db01.prod")


def test_a_host_name_means_a_machine_whose_minion_id_is_another_name(database, keep):
    store.ingest(database, [called(1, "m-17", "db01.prod")])
    keep("db01")
    assert masters(database) == {"m-17"}
    assert not named(database, "m-17")


def test_writers_at_the_same_time_find_the_minion_id_too(database, keep):
    numbers = range(1, 13)
    keep(*(f"db{number:02d}" for number in numbers))
    quiet = [called(100 + number, f"evil{number}", "quiet") for number in numbers]
    store.ingest(database, quiet)
    reports = [
        one
        for number in numbers
        for one in (
            called(100 + number, f"evil{number}", f"db{number:02d}", 5),
            called(number, f"db{number:02d}.prod", "localhost", 5),
        )
    ]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda one: store.ingest(database, [one]), reports))
    assert masters(database) == {f"db{number:02d}.prod" for number in numbers}


WAITS = sa.text("""
SELECT count(*) FROM pg_locks JOIN pg_database AS one ON one.oid = pg_locks.database
 WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()
""")


def test_a_host_name_that_a_row_has_waits_for_who_decides_meanwhile_and_no_other_does(
    database, keep
):
    keep("db01")
    store.ingest(database, [called(2, "evil", "quiet"), called(3, "web01", "quiet")])
    with ThreadPoolExecutor(1) as pool:
        with database.begin() as link:
            lock_identity(link)
            store.ingest(database, [called(3, "web01", "web01", 5)])
            report = pool.submit(store.ingest, database, [called(2, "evil", "db01", 5)])
            while not link.scalar(WAITS):
                assert not report.done()
        assert [one.status for one in report.result()] == ["changed"]
