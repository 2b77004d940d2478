"""Stores of every released schema, brought up to this one with what is in them."""

import ast
import sys
from datetime import timedelta
from importlib import import_module

import psycopg2
import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.document import encode
from salt_ext.report.digests import of_section
from salt_ext.store.database import Limits
from tests.machines import NOW, arrival, later, report, reporting, revisions, server
from tests.postgres import open_store
from tests.store.conftest import NEXT
from tests.store.old_store import IDS, MIGRATIONS, REVISIONS, STORIES, story


def after(revision):
    """The steps that a store of this schema lacks."""
    return [one for one in REVISIONS if one > revision]


@pytest.fixture
def old(store_of):
    """The URL of a store of the first schema."""
    return store_of("0001")


@pytest.fixture(scope="module", params=REVISIONS[:-1])
def migrated(request, store_of):
    """A store of each released schema, brought up to this one; for tests that only read."""
    database = open_store(store_of(request.param))
    assert [step[:4] for step in store.migrate(database)] == after(request.param)
    yield database
    database.close()


def test_a_store_that_waits_for_its_migration_says_so(old):
    database = open_store(old)
    with pytest.raises(store.StoreError, match="has schema 0001") as error:
        store.assets(database)
    assert error.value.hint == "run: salt-run cmdb.migrate"
    assert [step[:4] for step in store.migrate(database, test=True)] == after("0001")
    with pytest.raises(store.StoreError, match="has schema 0001"):
        store.assets(database)
    database.close()


def test_a_position_that_the_first_edition_of_0003_made_small_is_large_again(store_of):
    database = open_store(store_of("0003"))
    with database.begin_unchecked() as link:
        link.exec_driver_sql("ALTER TABLE change ALTER position TYPE smallint")
    store.migrate(database)
    with database.begin() as link:
        kind = link.exec_driver_sql("SELECT pg_typeof(position)::text FROM change LIMIT 1").scalar()
    assert kind == "integer"
    database.close()


def test_reads_work_on_what_an_older_version_stored(migrated):
    rows = store.assets(migrated, columns="minion_id,sn,freshness,changed_at").rows
    assert [(row["minion_id"], row["sn"]) for row in rows] == [
        ("web01", "9XYZ001"),
        ("web02", "9XYZ002"),
        (None, "9XYZ003"),
    ]
    assert rows[2]["freshness"] == "detached"
    assert rows[0]["changed_at"] == later(minutes=30)
    for text in ("9xyz001", "52:54:00:00:00:01", "10.0.0.1", "poweredge WEB01"):
        assert store.assets(migrated, text=text).total == 1, text
    assert store.resolve(migrated, "gone") == IDS["gone"]
    assert store.resolve(migrated, "9XYZ002") == IDS["web02"]
    assert reporting(migrated) == {"web01", "web02"}
    row = store.overview(migrated, IDS["web01"])
    assert row["facts"] == story()[-1][1]
    assert row["volatile"] == {"network": {"a": 1}}
    assert set(row["collected"]) == set(row["facts"])
    [problem], _ = store.problems(migrated)
    assert (problem["minion_id"], problem["closed_at"]) == ("web02", None)
    [held] = store.held_reports(migrated)[0]
    assert (held["minion_id"], held["count"], held["rejected_at"]) == ("web09", 3, None)
    with migrated.begin() as link:
        assert link.scalar(sa.text("SELECT evidence FROM held")) == {
            "keys": [
                ["serial_number", "dell/9xyz009"],
                ["board_serial_number", "dell/cnivc0000009"],
                ["uuid", "44454c4c-5800-1059-805a-b9c04f000009"],
                ["mac", "52:54:00:00:00:09"],
            ],
            "machine_id": report(server(9))["facts"]["operating_system"]["machine_id"],
            "previous_minion_id": None,
        }


def test_the_digests_of_sections_are_those_that_a_report_is_compared_with(migrated):
    with migrated.begin() as link:
        rows = link.execute(sa.text("SELECT facts, digest FROM asset_facts")).all()
    assert len(rows) > 30
    assert [bytes(row.digest).hex() for row in rows] == [
        of_section(encode(row.facts)) for row in rows
    ]


def test_the_history_of_an_older_version_is_whole(migrated):
    for name, steps in STORIES.items():
        for minutes, facts in steps:
            at = later(minutes=minutes)
            assert store.document(migrated, IDS[name], at)[1] == facts
    changes = store.changes(migrated)
    assert [row["recorded_at"] for row in changes] == sorted(
        (row["recorded_at"] for row in changes), reverse=True
    )
    assert {row["op"] for row in changes} == {"moved", "added", "replaced", "changed"}
    assert len(revisions(migrated, IDS["web01"])) == 4
    assert store.fleet_diff(migrated, NOW, later(minutes=30))["assets"] == 1
    # Of what the list showed before the migration nothing is known but what is now.
    assert store.assets(migrated, at=later(minutes=5)).total == 3


@pytest.mark.parametrize(
    ("serial", "minutes"),
    [
        pytest.param("4F0001A2", 0, id="a part that was there from the first report"),
        pytest.param("4F0001A1", 10, id="one that moved to another slot"),
        pytest.param("STICK1", 20, id="one that came with its whole section"),
        pytest.param("NEWDISK", 30, id="one that took the place of another"),
    ],
)
def test_a_part_is_where_it_is_since_it_came_there(migrated, serial, minutes):
    [stay] = store.genealogy(migrated, serial)
    assert stay["asset_id"] == IDS["web01"]
    assert (stay["since"], stay["until"]) == (later(minutes=minutes), None)


def test_parts_of_an_older_version_are_counted(migrated):
    rows, _ = store.components(migrated, "memory")
    assert [(row["model"], row["count"], row["assets"]) for row in rows] == [("M393A8G40AB2", 6, 3)]
    assert store.assets(migrated, filters={"disks.model": "PM9A3"}).total == 3


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_reports_go_on_after_the_migration(store_of, revision):
    migrated = open_store(store_of(revision))
    store.migrate(migrated)
    later_on = later(minutes=40)
    facts = story()[-1][1]
    [same, other, back] = store.ingest(
        migrated,
        [
            arrival(facts, "web01", later_on),
            arrival(server(2, disks=[]), "web02", later_on),
            arrival(server(3), "web03", later_on),
        ],
    )
    assert (same.status, same.asset_id) == ("unchanged", IDS["web01"])
    assert (other.status, other.asset_id) == ("changed", IDS["web02"])
    assert (back.status, back.asset_id) == ("changed", IDS["gone"])
    assert store.document(migrated, IDS["web02"], NOW)[1] == server(2)
    [row] = store.assets(migrated, columns="disk_count", filters={"minion_id": "web02"}).rows
    assert row["disk_count"] == 0
    was = store.assets(
        migrated, columns="disk_count", filters={"minion_id": "web02"}, at=later(minutes=39)
    )
    assert [row["disk_count"] for row in was.rows] == [1]
    [stay] = store.genealogy(migrated, "S64F000002")
    assert stay["until"] == later_on
    # The collector of disks has told of them again.
    # A slow machine may be told that its reports take long.
    assert [row for row in store.problems(migrated)[0] if row["subject"] != "pace"] == []
    [outcome] = store.ingest(migrated, [arrival(server(9), "web09", later_on)])
    assert outcome.status == "new"
    assert store.held_reports(migrated)[0] == []
    migrated.close()


def test_a_step_that_fails_leaves_the_old_schema_whole(old):
    admin = sa.create_engine(old)
    with admin.begin() as link:
        # In the way of the new one, as a table of somebody else would be.
        link.exec_driver_sql("CREATE TABLE snapshot (a integer)")
        before = columns_of(link)
    database = open_store(old)
    with pytest.raises(sa.exc.ProgrammingError, match="snapshot"):
        store.migrate(database)
    with admin.begin() as link:
        assert columns_of(link) == before
        assert link.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0001"
        link.exec_driver_sql("DROP TABLE snapshot")
    admin.dispose()
    assert [step[:4] for step in store.migrate(database)] == after("0001")
    assert store.assets(database).total == 3
    database.close()


def columns_of(link):
    statement = "SELECT table_name, column_name, data_type, is_nullable FROM"
    statement += " information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2"
    return link.execute(sa.text(statement)).all()


def test_a_role_that_may_do_no_more_than_make_tables_can_migrate(new_database, postgresql):
    url = sa.make_url(new_database(empty=True))
    role = "cmdb_maker"
    for database, statement in (
        (None, f"CREATE ROLE {role} LOGIN"),
        (url.database, f"GRANT CREATE, USAGE ON SCHEMA public TO {role}"),
    ):
        link = psycopg2.connect(postgresql, **({"dbname": database} if database else {}))
        link.autocommit = True
        with link.cursor() as cursor:
            cursor.execute(statement)
        link.close()
    theirs = url.set(username=role).render_as_string(hide_password=False)
    options = settings.resolve(("test", {"database_url": theirs}))
    database = store.Database(options)
    assert [step[:4] for step in store.migrate(database)] == REVISIONS
    with database.begin() as link:
        assert link.scalar(sa.text("SELECT current_user")) == role
        assert not link.scalar(
            sa.text("SELECT has_database_privilege(current_database(), 'CREATE')")
        )
    store.ingest(database, [arrival(server(1))])
    assert store.assets(database, text="web01").total == 1
    assert store.migrate(database) == []
    database.close()


def test_a_migration_of_many_assets_derives_all_of_them(old):
    """More than one round of the step's own batches of 500."""
    admin = sa.create_engine(old)
    with admin.begin() as link:
        for table in ("asset", "asset_seen", "asset_facts"):
            key = "id" if table == "asset" else "asset_id"
            columns = [row.column_name for row in columns_of(link) if row.table_name == table]
            changed = {
                key: "md5(n::text)::uuid",
                "minion_id": "'copy' || n",
                "sn": "'SN' || n",
                "first_seen": f"timestamptz '{NOW - timedelta(days=1)}'",
                "facts": "jsonb_build_object('disks', one.facts->'disks')",
            }
            values = ", ".join(changed.get(one, f"one.{one}") for one in columns)
            link.exec_driver_sql(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
                f" FROM {table} AS one, generate_series(1, 500) AS n"
                f" WHERE one.{key} = '{IDS['web02']}'"
            )
    admin.dispose()
    database = open_store(old)
    store.migrate(database)
    assert store.assets(database, filters={"disks.model": "PM9A3"}).total == 503
    assert store.assets(database, text="copy500").total == 1
    assert len(store.genealogy(database, "S64F000002")) == 501
    database.close()


def test_a_step_may_take_longer_than_other_statements(old):
    admin = sa.create_engine(old)
    with admin.begin() as link:
        link.exec_driver_sql("""
            CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                'BEGIN PERFORM pg_sleep(0.4); RETURN new; END';
            CREATE TRIGGER slow BEFORE UPDATE ON problem FOR EACH ROW EXECUTE FUNCTION slow()
        """)
    admin.dispose()
    database = open_store(old).within(Limits(statement_seconds=0.2))
    assert [step[:4] for step in store.migrate(database)] == after("0001")
    database.close()


def test_a_migration_gives_way_to_who_uses_a_table_for_long(old, monkeypatch):
    monkeypatch.setattr(import_module("salt_ext.store.migrate"), "LOCK_TIMEOUT_SECONDS", 0.1)
    database = open_store(old)
    admin = sa.create_engine(old)
    with admin.begin() as reader:
        reader.exec_driver_sql("SELECT FROM asset")
        with pytest.raises(store.StoreError, match="is in use") as error:
            store.migrate(database)
        assert error.value.hint.endswith("nothing has changed")
        assert reader.scalar(sa.text("SELECT version_num FROM alembic_version")) == "0001"
    admin.dispose()
    assert [step[:4] for step in store.migrate(database)] == after("0001")
    database.close()


@pytest.mark.parametrize("path", sorted(MIGRATIONS.rglob("*.py")), ids=lambda path: path.name)
def test_a_migration_imports_nothing_of_the_code_of_today(path):
    own = "salt_ext.store.migrations."
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [f"{node.module}."]
        elif isinstance(node, ast.Import):
            names = [f"{one.name}." for one in node.names]
        else:
            continue
        for name in names:
            top = name.partition(".")[0]
            assert name.startswith(own) or top in {
                "alembic",
                "sqlalchemy",
                *sys.stdlib_module_names,
            }


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_new_column_of_the_list_comes_to_a_store_of_any_age(store_of, next_version, revision):
    steps, rows = next_version(store_of(revision))
    assert steps == [*after(revision), NEXT]
    assert rows["web01"] == "2.0"
    assert rows.keys() == {"web01", "web02", "null"}
