"""The doctor on a real database, and how a check that cannot be made looks."""

import importlib.metadata
import os
import shlex
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

import salt_ext
from salt_ext import store
from salt_ext.master import intake, kept
from salt_ext.master.cache import Cache
from salt_ext.master.heartbeat import Heartbeat
from salt_ext.report.envelope import MINE_FUNCTION
from tests import postgres
from tests.machines import arrival, now, report, server
from tests.master_cache import keep

VERSION = salt_ext.__version__


@pytest.fixture
def doctor(runners):
    """Run the doctor; return each check by name, and the exit status."""

    def run(**kwargs):
        answer = runners["cmdb.doctor"](**kwargs)["data"]
        assert answer["cmdb"]["kind"] == "checks", answer
        checks = answer["cmdb"]["checks"]
        return {one["check"]: one for one in checks}, answer.get("retcode", 0)

    return run


def beat(database, name, age_seconds=0, failure=None, version=VERSION):
    """Write a heartbeat as an engine does, some time ago."""
    with database.begin() as link:
        link.execute(
            sa.text(
                "INSERT INTO master (name, version, started_at, beat_at, waiting, failure)"
                " VALUES (:name, :version, now() - interval '1 day',"
                " now() - make_interval(secs => :age), 0, :failure)"
            ),
            {"name": name, "version": version, "age": age_seconds, "failure": failure},
        )


@pytest.fixture
def working(master_opts, database):
    """A master whose engine works."""
    master_opts["engines"] = [{"cmdb": {}}]
    beat(database, master_opts["id"])


@pytest.fixture
def cache(master_opts):
    """The master's cache, with the keys of two minions."""
    accepted = Path(master_opts["pki_dir"]) / "minions"
    for name in ("web01", "web02"):
        (accepted / name).write_text("a key")
    return Cache(master_opts)


def send(cache, minion_id, age_seconds, number=1):
    """Let a report be in the cache for some time."""
    bank, key = keep(cache, "mine", minion_id, {MINE_FUNCTION: report(server(number), minion_id)})
    path = Path(cache.opts["cachedir"]) / bank / f"{key}.p"
    at = time.time() - age_seconds
    os.utime(path, (at, at))
    return path


def store_all(cache, database):
    number = store.number_of(database, cache.opts["id"])
    listener = store.Listener(number, cache.trusted)
    feed = intake.feed(cache, database, listener=listener)
    feed.look()
    feed.drain()


def test_it_checks_the_master_from_database_to_keys(doctor, working):
    checks, retcode = doctor()
    assert retcode == 0
    assert list(checks) == [
        *("database", "schema", "postgresql", "encoding", "clock", "search", "role", "filters"),
        *("engine", "other masters", "lag", "cache", "problems", "machines", "waiting"),
        *("settings", "authentication", "credentials", "extension"),
    ]
    ill = {name: one["status"] for name, one in checks.items() if one["status"] != "ok"}
    # The tests' own server has no pg_trgm and their role is its superuser.
    assert ill == {"search": "warn", "role": "warn"}
    assert doctor(exit_code=True)[1] == 1


HOOK = {"url": "https://example.net/", "secret": "0123456789abcdef"}
PUSH = {"system": "zabbix", "url": "https://example.net/", "token": "t"}


@pytest.mark.parametrize(
    ("setting", "value", "check", "said"),
    [
        ("events", ["chnaged"], "settings", "did you mean 'changed'"),
        ("webhooks", {"chat": {**HOOK, "evnts": "new"}}, "settings", "did you mean 'events'"),
        ("pushes", {"zbx": {**PUSH, "templtes": ["x"]}}, "settings", "did you mean 'templates'"),
        ("clouds", {"aws": {"driver": "ec2", "regin": "x"}}, "settings", "did you mean 'region'"),
        ("webhooks", {"chat": {**HOOK, "filters": {"sitte": "a"}}}, "filters", "webhooks: chat"),
        ("pushes", {"zbx": {**PUSH, "filters": {"sitte": "a"}}}, "filters", "pushes: zbx"),
        ("nodegroups", {"web": {"sitte": "a"}}, "filters", "nodegroups: web"),
        ("nodegroups", {"web": "sitte:a"}, "filters", "nodegroups: web"),
        ("roster_filters", {"sitte": "a"}, "filters", "roster_filters"),
    ],
)
def test_a_mistake_that_would_be_told_at_the_next_start_only_is_red_now(
    doctor, working, master_opts, setting, value, check, said
):
    master_opts["cmdb"][setting] = value
    checks, _ = doctor()
    assert checks["engine"]["status"] == "ok"
    assert checks[check]["status"] == "fail"
    assert said in checks[check]["detail"]
    assert HOOK["secret"] not in str(checks)


def test_what_is_wrong_on_this_master_is_found(doctor, master_opts, cache):
    master_opts["minimum_auth_version"] = 0
    kept.keep(master_opts, [arrival(server(1), "ssh01")])
    checks, _ = doctor()
    assert checks["authentication"]["status"] == "fail"
    assert "no asset: web01" in checks["machines"]["detail"]
    assert "ssh01" in checks["waiting"]["detail"]
    assert checks["engine"]["status"] == "warn"
    del master_opts["minimum_auth_version"]
    assert doctor()[0]["authentication"]["status"] == "fail"


def test_an_engine_that_was_never_started_is_red(doctor, master_opts):
    master_opts["engines"] = [{"cmdb": {}}]
    check = doctor()[0]["engine"]
    assert check["status"] == "fail"
    assert f"never worked on {master_opts['id']}" in check["detail"]


def test_a_master_that_has_stopped_is_red(doctor, master_opts, database):
    master_opts["engines"] = [{"cmdb": {}}]
    beat(database, master_opts["id"], 200)
    check = doctor()[0]["engine"]
    assert (check["status"], "has not worked for 3 min" in check["detail"]) == ("fail", True)


def test_an_engine_that_cannot_store_says_why(doctor, master_opts, database):
    master_opts["engines"] = [{"cmdb": {}}]
    beat(database, master_opts["id"], failure="the disk of the database is full")
    check = doctor()[0]["engine"]
    assert (check["status"], "disk of the database is full" in check["detail"]) == ("fail", True)


def test_an_engine_tells_the_version_that_it_runs_and_not_the_one_installed_since(
    master_opts, database, monkeypatch
):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "9.9.9")
    Heartbeat(database, master_opts["id"]).beat({})
    with database.begin() as link:
        assert link.scalar(sa.text("SELECT version FROM master")) == VERSION


def test_an_engine_of_another_version_is_told(doctor, master_opts, database):
    master_opts["engines"] = [{"cmdb": {}}]
    beat(database, master_opts["id"], version="9.9.9")
    check = doctor()[0]["engine"]
    assert (check["status"], "salt-cmdb 9.9.9" in check["detail"]) == ("warn", True)


def test_another_master_that_is_silent_is_named_and_can_be_forgotten(doctor, working, database):
    beat(database, "old_master", 7300)
    check = doctor()[0]["other masters"]
    assert (check["status"], "old_master for 2 h" in check["detail"]) == ("warn", True)
    with database.begin() as link:
        link.exec_driver_sql(check["hint"].partition("in the database: ")[2])
    assert doctor()[0]["other masters"]["status"] == "ok"


@pytest.mark.parametrize(("age", "status"), [(5, "ok"), (120, "warn"), (900, "fail")])
def test_what_waits_in_the_cache_is_found_whatever_the_engine_says(
    doctor, working, cache, database, age, status
):
    send(cache, "web02", 1000, number=2)
    store_all(cache, database)
    assert doctor()[0]["lag"]["detail"] == "no report waits in the cache"
    send(cache, "web01", age)
    checks, _ = doctor()
    assert checks["engine"]["status"] == "ok"
    assert checks["lag"]["status"] == status
    assert "1 reports wait" in checks["lag"]["detail"]
    store_all(cache, database)
    assert doctor()[0]["lag"]["status"] == "ok"


def test_what_another_master_heard_later_does_not_wait_here(doctor, working, cache, database):
    send(cache, "web01", 900)
    assert doctor()[0]["lag"]["status"] == "fail"
    elsewhere = store.Listener(store.beat(database, "other_master", VERSION), set)
    store.ingest(database, [arrival(server(1), "web01", now())], elsewhere)
    assert doctor()[0]["lag"]["status"] == "ok"


def test_a_refused_report_is_told_by_its_name_and_is_no_lag(doctor, working, cache, database):
    path = send(cache, "web01", 0)
    keep(cache, "mine", "web01", {MINE_FUNCTION: {"schema": "rubbish"}})
    os.utime(path, (time.time() - 900,) * 2)
    store_all(cache, database)
    checks, _ = doctor()
    assert checks["lag"]["status"] == "ok"
    assert checks["reports"]["status"] == "warn"
    assert checks["reports"]["detail"].endswith("late: web01")
    assert "cmdb.errors" in checks["reports"]["hint"]


def test_a_held_report_is_told_with_the_command_that_decides(doctor, working, database):
    with database.begin() as link:
        link.exec_driver_sql(
            "INSERT INTO held (minion_id, reason, candidates, report, evidence, first_seen,"
            " last_seen, count) VALUES ('web09', 'two', '[]', '{}', '{}', now(), now(), 1)"
        )
    check = doctor()[0]["held"]
    assert (check["status"], check["detail"].endswith(": web09")) == ("warn", True)
    assert "cmdb.quarantine" in check["hint"]


@pytest.mark.parametrize("age", [0, 90000])
def test_a_damaged_entry_of_the_cache_is_red_with_the_line_that_mends_it(
    doctor, working, cache, database, runners, age
):
    path = send(cache, "web01", 90001)
    store_all(cache, database)
    path.write_bytes(path.read_bytes()[:-5])
    os.utime(path, (time.time() - age,) * 2)
    check = doctor()[0]["cache"]
    assert (check["status"], "web01" in check["detail"]) == ("fail", True)
    line = shlex.split(check["hint"].partition("report again: ")[2].partition(";")[0])
    assert line[0] == "salt-run"
    assert runners[line[1]](*line[2:]) is True
    assert doctor()[0]["cache"]["status"] == "ok"
    assert not path.exists()


@pytest.fixture
def as_role(master_opts, database_url, postgresql):
    """A function that lets the master use a new login role; it returns its name."""
    made = []

    def as_role(*statements):
        name = f"doctor_{len(made)}"
        made.append(name)
        store_url = database_url.replace("+psycopg2", "")
        for statement in ("CREATE ROLE {} LOGIN", *statements):
            postgres.execute(store_url, statement.format(name))
        url = sa.make_url(database_url).set(username=name)
        master_opts["cmdb"] = {"database_url": url.render_as_string(hide_password=False)}
        return name

    yield as_role
    for name in made:
        postgres.execute(database_url.replace("+psycopg2", ""), f"DROP OWNED BY {name}")
        postgres.execute(database_url.replace("+psycopg2", ""), f"DROP ROLE {name}")


def test_a_role_that_lacks_rights_since_an_upgrade_is_red(doctor, as_role, database):
    store.grant(database)
    name = as_role("GRANT cmdb_writer TO {}")
    assert doctor()[0]["role"]["status"] == "ok"
    with database.begin() as link:
        link.exec_driver_sql("REVOKE ALL ON master, spent FROM cmdb_writer")
    check = doctor()[0]["role"]
    assert (check["status"], check["detail"]) == (
        "fail",
        f"{name} may not read and write master, spent",
    )
    assert "cmdb.migrate grants=True" in check["hint"]
    store.migrate(database)
    assert doctor()[0]["role"]["status"] == "ok"


def test_a_role_that_may_only_read_is_red(doctor, as_role, database):
    store.grant(database)
    as_role("GRANT cmdb_reader TO {}")
    assert doctor()[0]["role"]["status"] == "fail"
    as_role("GRANT cmdb_writer TO {}", "ALTER ROLE {} SET default_transaction_read_only = on")
    check = doctor()[0]["role"]
    assert (check["status"], "default_transaction_read_only" in check["detail"]) == ("fail", True)


def test_a_schema_that_is_newer_or_older_is_red(doctor, working, database):
    for schema, says in (("9999", "install the newer"), ("0004", "salt-run cmdb.migrate")):
        with database.begin_unchecked() as link:
            link.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{schema}'")
        checks, _ = doctor()
        assert checks["schema"]["status"] == "fail"
        assert says in checks["schema"]["hint"]
        assert checks["engine"]["status"] == "warn"
        assert "is not known" in checks["engine"]["detail"]
    with database.begin_unchecked() as link:
        link.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{store.HEAD}'")


def test_a_database_that_cannot_hold_every_character_is_red(doctor, master_opts, postgresql):
    postgres.execute(
        postgresql, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
    )
    url = sa.make_url(master_opts["cmdb"]["database_url"]).set(database="latin")
    master_opts["cmdb"] = {"database_url": url.render_as_string(hide_password=False)}
    check = doctor()[0]["encoding"]
    assert (check["status"], "latin has the encoding LATIN1" in check["detail"]) == ("fail", True)
    assert "createdb --encoding=UTF8" in check["hint"]


def test_a_database_that_is_away_is_one_failed_check(doctor, master_opts):
    master_opts["engines"] = ["cmdb"]
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://cmdb:s3cret@127.0.0.1:1/cmdb"}
    checks, retcode = doctor(exit_code=True)
    assert retcode == 1
    assert checks["database"]["status"] == "fail"
    assert "start PostgreSQL" in checks["database"]["hint"]
    assert "s3cret" not in str(checks)
    assert checks["engine"]["status"] == "warn"
    assert "is not known" in checks["engine"]["detail"]
    assert checks["authentication"]["status"] == "ok"


def test_a_database_without_a_schema_is_told_what_to_do(doctor, master_opts, new_database):
    master_opts["cmdb"] = {"database_url": new_database(empty=True)}
    checks, _ = doctor()
    assert checks["database"]["status"] == "ok"
    assert checks["schema"]["status"] == "fail"
    assert "cmdb.migrate" in checks["schema"]["hint"]


def test_a_replica_that_is_away_is_found(doctor, master_opts):
    master_opts["cmdb"]["database_read_url"] = "postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb"
    assert doctor()[0]["read database"]["status"] == "fail"


def test_a_check_that_fails_itself_is_a_failed_check(doctor, master_opts):
    master_opts["engines"] = 5
    checks, _ = doctor()
    assert checks["engine"]["status"] == "fail"
    assert "could not be checked: TypeError" in checks["engine"]["detail"]
