"""The four roles, as PostgreSQL enforces them."""

import itertools

import psycopg2
import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.store import ingest, rights
from salt_ext.store.ingest.arrivals import Arrival
from tests.machines import NOW, arrival, later, revisions, server
from tests.postgres import open_store
from tests.store.old_store import REVISIONS

NUMBERS = itertools.count()


@pytest.fixture
def login(database, database_url):
    """A function that returns the store as a new login role with one of our roles sees it."""
    store.grant(database)
    opened, made = [], []

    def login(role):
        name = f"login_{next(NUMBERS)}"
        with database.begin() as link:
            link.exec_driver_sql(f"CREATE ROLE {name} LOGIN IN ROLE {role}")
        made.append(name)
        url = sa.make_url(database_url).set(username=name)
        given = {"database_url": url.render_as_string(hide_password=False)}
        one = store.Database(settings.resolve(("test", given)))
        opened.append(one)
        return one

    yield login
    for one in opened:
        one.close()
    with database.begin() as link:
        for name in made:
            link.exec_driver_sql(f"DROP ROLE {name}")


def test_granting_twice_is_the_same_and_a_test_does_nothing(database):
    steps = store.grant(database, test=True)
    assert any("cmdb_reporter" in step for step in steps)
    store.grant(database)
    assert not [step for step in store.grant(database) if step.startswith("CREATE")]


@pytest.fixture
def upgraded(store_of, database):
    """A function that makes a store of the schema before this one, as a role of it was given it."""
    store.grant(database)
    opened = []

    def upgraded(*statements):
        one = open_store(store_of(REVISIONS[-2]))
        opened.append(one)
        with one.begin_unchecked() as link:
            for statement in statements:
                link.exec_driver_sql(statement)
        return one

    yield upgraded
    for one in opened:
        one.close()


def rights_of(database, role, table):
    with database.begin() as link:
        return [
            one
            for one in ("SELECT", "INSERT", "UPDATE", "DELETE")
            if link.scalar(sa.select(sa.func.has_table_privilege(role, table, one)))
        ]


def test_an_upgrade_gives_the_roles_their_rights_on_new_tables(upgraded):
    database = upgraded(
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO cmdb_writer",
        # Not every step adds a table: let one be new.
        "REVOKE ALL ON spent FROM cmdb_writer",
        "GRANT SELECT ON alembic_version TO cmdb_reader",
    )
    told = ["rights of cmdb_reader renewed", "rights of cmdb_writer renewed"]
    assert store.migrate(database, test=True)[-2:] == told
    assert store.migrate(database)[-2:] == told
    for table in ("master", "listening", "spent"):
        assert rights_of(database, "cmdb_writer", table) == ["SELECT", "INSERT", "UPDATE", "DELETE"]
        assert rights_of(database, "cmdb_reader", table) == ["SELECT"]
        assert rights_of(database, "cmdb_reporter", table) == []
    assert store.migrate(database) == []


def test_a_role_of_another_database_gets_no_rights_by_an_upgrade(upgraded):
    database = upgraded()
    assert [step[:4] for step in store.migrate(database)] == [REVISIONS[-1]]
    assert rights_of(database, "cmdb_writer", "asset") == []


def test_who_may_not_grant_migrates_nevertheless(database, login):
    one = login("cmdb_writer")  # the tables are another's
    with database.begin() as link:
        link.exec_driver_sql("REVOKE ALL ON master FROM cmdb_writer")
    with one.begin() as link:
        assert rights.renew(link) == []
    assert store.migrate(database) == ["rights of cmdb_writer renewed"]


def test_every_table_is_in_somebodys_rights(database):
    ours = [name for tables in rights.RIGHTS["cmdb_writer"].values() for name in tables]
    with database.begin() as link:
        tables = sa.inspect(link).get_table_names()
        views = [one for one in sa.inspect(link).get_view_names() if not one.startswith("citus_")]
    assert sorted([*tables, *views]) == sorted(ours)


def test_the_writer_stores_reports_and_cannot_change_the_schema(login):
    writer = login("cmdb_writer")
    [outcome] = store.submit(writer, [arrival(server(1))])
    assert outcome.status == "new"
    [outcome] = ingest(writer, [arrival(server(1), at=later(minutes=5))])
    assert outcome.status == "unchanged"
    store.take_snapshot(writer, "before", by="ops")
    assert store.beat(writer, "salt", "1.0") == store.number_of(writer, "salt")
    assert store.maintain(writer)
    with pytest.raises(store.StoreError, match="may not do that"), writer.begin() as link:
        link.exec_driver_sql("DROP TABLE change")


def test_the_reader_reads_and_writes_nothing(login, database):
    ingest(database, [arrival(server(1))])
    reader = login("cmdb_reader")
    assert store.assets(reader).total == 1
    assert store.changes(reader) == []
    assert store.held_reports(reader)[0] == []
    with pytest.raises(store.StoreError, match="may not do that"):
        ingest(reader, [arrival(server(2), "web02")])
    with pytest.raises(store.StoreError, match="may not do that"):
        store.take_snapshot(reader, "before", by="ops")


def test_the_reporter_adds_a_report_and_can_do_nothing_else(login, database):
    reporter = login("cmdb_reporter")
    report = {**arrival(server(1)).report, "mode": "return"}
    [outcome] = store.submit(reporter, [Arrival("web01", report, NOW)])
    assert outcome.status == "waiting"
    for statement in (
        "SELECT * FROM inbox",
        "SELECT * FROM asset",
        "DELETE FROM inbox",
        "INSERT INTO inbox (minion_id, report, sent_by) VALUES ('a', '{}', 'somebody')",
        "INSERT INTO inbox (minion_id, report, received_at) VALUES ('a', '{}', now())",
    ):
        with pytest.raises(store.StoreError, match="may not do that"), reporter.begin() as link:
            link.exec_driver_sql(statement)
    assert store.assets(database).total == 0
    [outcome] = store.take_inbox(database, minions=())
    assert outcome.status == "new"
    assert store.take_inbox(database, minions=()) == []


def test_a_full_inbox_takes_no_more_of_an_engine_than_its_time(login, database):
    report = {**arrival(server(1)).report, "mode": "return"}
    store.submit(login("cmdb_reporter"), [Arrival("web01", report, NOW)])
    assert store.take_inbox(database, minions=(), seconds=0) == []
    assert store.inbox_size(database) == 1
    [outcome] = store.take_inbox(database, minions=(), seconds=60)
    assert outcome.status == "new"


def test_nobody_reports_a_minion_that_has_a_master(login, database):
    reporter = login("cmdb_reporter")
    ingest(database, [arrival(server(1), "web01")])
    forged = {**arrival(server(2), at=later(minutes=5)).report, "mode": "return"}
    store.submit(reporter, [Arrival("web01", forged, NOW), Arrival("web02", forged, NOW)])
    first, second = store.take_inbox(database, minions={"web02"})
    assert (first.status, second.status) == ("refused", "refused")
    assert store.overview(database, store.resolve(database, "web01"))["sn"] == "9XYZ001"
    rows, total = store.problems(database)
    assert total == 2
    assert all("database role login_" in row["message"] for row in rows)


def test_a_machine_is_reported_by_the_role_that_reported_it_first(login, database):
    report = {**arrival(server(1)).report, "mode": "return"}
    store.submit(login("cmdb_reporter"), [Arrival("web01", report, NOW)])
    store.take_inbox(database, minions=())
    newer = {**arrival(server(2), at=later(minutes=5)).report, "mode": "return"}
    store.submit(login("cmdb_reporter"), [Arrival("web01", newer, NOW)])
    [outcome] = store.take_inbox(database, minions=())
    assert outcome.status == "refused"
    assert "is reported by the database role" in outcome.detail


def test_nonsense_in_the_inbox_is_a_problem_and_blocks_nothing(database, database_url):
    link = psycopg2.connect(database_url.replace("+psycopg2", ""))
    with link, link.cursor() as cursor:
        for text in ("no json", "[" * 100_000, '"a text"', '{"facts": "\\u0000"}'):
            cursor.execute("INSERT INTO inbox (minion_id, report) VALUES ('box', %s)", (text,))
    link.close()
    outcomes = store.take_inbox(database, minions=())
    assert [one.status for one in outcomes] == ["refused"] * 4
    assert store.take_inbox(database, minions=()) == []


def test_old_problems_go_and_history_stays(database):
    failing = arrival(server(1))
    failing.report["errors"]["disks"] = {"type": "OSError", "message": "no", "traceback": "x"}
    ingest(database, [failing, arrival(server(1), at=later(minutes=5))])
    rows, _ = store.problems(database, is_open=False)
    assert rows[0]["closed_at"]
    long_ago = later(days=-400)
    with database.begin() as link:
        link.exec_driver_sql("UPDATE problem SET closed_at = %s", (long_ago,))
    planned = {row["step"]: row["rows"] for row in store.maintain(database, test=True)}
    assert planned["problems that are over, removed"] == 1
    assert store.problems(database, is_open=False)[1] == 1
    assert {row["step"]: row["rows"] for row in store.maintain(database)} == planned
    assert store.problems(database, is_open=False)[1] == 0
    assert len(revisions(database, store.resolve(database, "web01"))) == 1
