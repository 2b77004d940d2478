"""The way to PostgreSQL."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.store.database import REPORTS
from salt_ext.store.ingest.touching import TOUCH, TOUCH_NAMED
from tests.citus import ON_CITUS
from tests.machines import arrival, later, server


def backend(database):
    with database.begin() as link:
        return link.scalar(sa.text("SELECT pg_backend_pid()"))


def test_a_process_uses_its_connection_again(database):
    assert backend(database) == backend(database)


def test_a_forked_child_has_a_connection_of_its_own(database):
    ours = backend(database)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(backend(database)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        theirs = int(pipe.read())
    os.waitpid(child, 0)
    assert theirs != ours
    assert backend(database) == ours


def test_a_connection_that_the_server_ended_is_replaced(database, database_url):
    pid = backend(database)
    admin = sa.create_engine(database_url)
    with admin.begin() as link:
        link.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    admin.dispose()
    assert backend(database) != pid


@pytest.mark.parametrize(
    "url", ["", "cmdb", "sqlite://", "postgresql://h/d", "postgresql+psycopg2:/", "mysql://h/d"]
)
def test_a_url_that_is_not_postgresqls_is_refused_with_one_that_is(url):
    with pytest.raises(store.StoreError, match="not a PostgreSQL URL") as error:
        store.Database(settings.resolve(("test", {"database_url": url})))
    assert "postgresql+psycopg2://" in error.value.hint


def test_a_newer_schema_asks_for_the_newer_code(new_database):
    url = new_database()
    admin = sa.create_engine(url)
    with admin.begin() as link:
        link.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    admin.dispose()
    database = store.Database(settings.resolve(("test", {"database_url": url})))
    with pytest.raises(store.StoreError, match="has schema 9999") as error:
        store.ping(database)
    assert "newer salt-cmdb" in error.value.hint
    database.close()


def test_two_migrations_at_once_make_one_schema(new_database):
    url = new_database(empty=True)
    database = store.Database(settings.resolve(("test", {"database_url": url})))
    with ThreadPoolExecutor() as pool:
        steps = list(pool.map(lambda _: store.migrate(database), range(3)))
    assert sorted(map(bool, steps)) == [False, False, True]
    store.ping(database)
    database.close()


def test_a_statement_of_ingest_is_planned_once_in_a_session(database):
    def planned():
        with database.within(REPORTS).autocommit() as link:
            rows = link.exec_driver_sql("SELECT name, generic_plans FROM pg_prepared_statements")
            return {row.name: row.generic_plans for row in rows}

    store.ingest(database, [arrival(server(1))])
    store.ingest(database, [arrival(server(1), at=later(seconds=1))])
    before = planned()
    touch = (TOUCH_NAMED if ON_CITUS else TOUCH).name
    assert touch in before
    store.ingest(database, [arrival(server(1), at=later(seconds=2))])
    after = planned()
    assert after.keys() == before.keys()
    assert after[touch] > before[touch]
