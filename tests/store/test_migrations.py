"""Databases of every released schema, brought up to this one with what is in them."""

import json
import uuid
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from salt_ext import settings, store
from salt_ext.document import normal
from salt_ext.document.diff import diff
from salt_ext.facts.identity import identify
from salt_ext.report import envelope
from salt_ext.store.columns import list_columns
from salt_ext.store.schema import LIST_COLUMNS
from tests.machines import NOW, arrival, dimm, later, report, revisions, server
from tests.postgres import open_store

MIGRATIONS = Path(store.__file__).parent / "migrations"
IDS = {name: uuid.uuid5(uuid.NAMESPACE_DNS, name) for name in ("web01", "web02", "gone")}
STICK = {"location": "port 1", "model": "Ultra Fit", "serial_number": "STICK1"}


def story():
    """The documents of a machine in turn, with the minute of each."""
    first = server(1)
    moved = server(1)
    moved["memory"]["devices"][0] = dimm("B1", "4F0001A1")
    more = {**moved, "usb": [STICK]}
    last = {**more, "disks": [{**more["disks"][0], "serial_number": "NEWDISK"}]}
    last["firmware"] = {"vendor": "Dell Inc.", "version": "2.0"}
    return [(minutes * 10, normal(one)) for minutes, one in enumerate([first, moved, more, last])]


STORIES = {"web01": story(), "web02": [(0, server(2))], "gone": [(0, server(3))]}


def upgrade(url, schema):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url)
    with engine.begin() as link:
        config.attributes["connection"] = link
        command.upgrade(config, schema)
    engine.dispose()


@pytest.fixture
def old(new_database):
    """The URL of a database of the first schema, as the first version filled it."""
    url = new_database(empty=True)
    upgrade(url, "0001")
    engine = sa.create_engine(url)
    with engine.begin() as link:
        for name, steps in STORIES.items():
            fill(link, name, steps)
        link.execute(
            sa.text("""INSERT INTO held (minion_id, reason, candidates, report, first_seen,
                                         last_seen, count)
                       VALUES ('web09', 'two machines', '[]', :report, :at, :at, 3)"""),
            {"report": json.dumps(report(server(9), "web09")), "at": NOW},
        )
        link.execute(
            sa.text("""INSERT INTO problem (id, kind, minion_id, subject, message, traceback,
                                            first_seen, last_seen, count)
                       VALUES (:id, 'collector', 'web02', 'disks', 'no', '', :at, :at, 2)"""),
            {"id": uuid.uuid4(), "at": NOW},
        )
    engine.dispose()
    return url


def insert(link, table, **row):
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    link.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def fill(link, name, steps):
    asset_id = IDS[name]
    facts = steps[-1][1]
    found = identify(facts)
    at = [later(minutes=minutes) for minutes, _ in steps]
    columns = list_columns(facts, [one["kind"] for one in found["candidates"]])
    columns = {column: columns.get(column, False) for column in LIST_COLUMNS}
    insert(
        link,
        "asset",
        id=asset_id,
        minion_id=None if name == "gone" else name,
        revision=len(steps),
        first_seen=at[0],
        changed_at=at[-1],
        detached_at=at[-1] if name == "gone" else None,
        **columns,
    )
    insert(
        link,
        "asset_seen",
        asset_id=asset_id,
        digest=bytes.fromhex(envelope.digest(facts)),
        collected_at=at[-1],
        last_seen=at[-1],
        volatile_at=at[-1],
        mode="agent",
    )
    insert(
        link,
        "asset_facts",
        asset_id=asset_id,
        facts=json.dumps(facts),
        volatile=json.dumps({"network": {"a": 1}}),
        collected=json.dumps(dict.fromkeys(facts, at[-1].strftime("%Y-%m-%dT%H:%M:%S.000Z"))),
    )
    for one in found["candidates"]:
        row = {key: one[key] for key in ("kind", "value", "source", "quality")}
        insert(link, "identifier", asset_id=asset_id, shared=False, first_seen=at[0], **row)
    insert(
        link,
        "identifier",
        asset_id=asset_id,
        kind="minion_id",
        value=name,
        source="salt",
        quality="low",
        shared=False,
        first_seen=at[0],
        last_seen=at[-1] if name == "gone" else None,
    )
    before = None
    for number, (moment, (_, now)) in enumerate(zip(at, steps, strict=True), 1):
        insert(
            link,
            "revision",
            asset_id=asset_id,
            number=number,
            recorded_at=moment,
            collected_at=moment,
            mode="agent",
            reason="same name",
            digest=bytes.fromhex(envelope.digest(now)),
        )
        for position, one in enumerate(diff(before, now) if before else []):
            old_value, new_value = (
                None if value is None else json.dumps(value) for value in (one.old, one.new)
            )
            insert(
                link,
                "change",
                asset_id=asset_id,
                revision=number,
                position=position,
                recorded_at=moment,
                **{**one._asdict(), "old": old_value, "new": new_value},
            )
        before = now


@pytest.fixture(params=["0001", "0002", "0003"])
def migrated(request, old):
    """The same database, brought up to a released schema first, then to this one."""
    upgrade(old, request.param)
    database = open_store(old)
    steps = [step[:4] for step in store.migrate(database)]
    assert steps == [step for step in ("0002", "0003", "0004") if step > request.param]
    yield database
    database.close()


def test_a_store_that_waits_for_its_migration_says_so(old):
    database = open_store(old)
    with pytest.raises(store.StoreError, match="has schema 0001") as error:
        store.assets(database)
    assert error.value.hint == "run: salt-run cmdb.migrate"
    assert [step[:5] for step in store.migrate(database, test=True)] == ["0002 ", "0003 ", "0004 "]
    with pytest.raises(store.StoreError, match="has schema 0001"):
        store.assets(database)
    database.close()


def test_a_position_that_the_first_edition_of_0003_made_small_is_large_again(old):
    upgrade(old, "0003")
    database = open_store(old)
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
    assert store.positions(migrated).keys() == {"web01", "web02"}
    row = store.overview(migrated, IDS["web01"])
    assert row["facts"] == story()[-1][1]
    assert row["volatile"] == {"network": {"a": 1}}
    assert set(row["collected"]) == set(row["facts"])
    [problem], _ = store.problems(migrated)
    assert (problem["minion_id"], problem["closed_at"]) == ("web02", None)
    [held] = store.held_reports(migrated)
    assert (held["minion_id"], held["count"], held["rejected_at"]) == ("web09", 3, None)


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


def test_reports_go_on_after_the_migration(migrated):
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
    assert store.problems(migrated) == ([], 0)
    [outcome] = store.ingest(migrated, [arrival(server(9), "web09", later_on)])
    assert outcome.status == "new"
    assert store.held_reports(migrated) == []


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
    assert [step[:4] for step in store.migrate(database)] == ["0002", "0003", "0004"]
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
    assert [step[:4] for step in store.migrate(database)] == ["0001", "0002", "0003", "0004"]
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
    """More than one round of the migration's own batches."""
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
            }
            values = ", ".join(changed.get(one, f"one.{one}") for one in columns)
            link.exec_driver_sql(
                f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values}"
                f" FROM {table} AS one, generate_series(1, 1100) AS n"
                f" WHERE one.{key} = '{IDS['web02']}'"
            )
    admin.dispose()
    database = open_store(old)
    store.migrate(database)
    assert store.assets(database, filters={"disks.model": "PM9A3"}).total == 1103
    assert store.assets(database, text="copy1100").total == 1
    assert len(store.genealogy(database, "S64F000002")) == 1000  # as many as are told
    database.close()
