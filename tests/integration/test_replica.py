"""A second PostgreSQL: it serves reads, and takes over when the first one is gone."""

import threading

import pytest
import salt.config
import salt.loader

from salt_ext import settings, store
from tests import postgres, writers
from tests.machines import arrival, later, server
from tests.patience import PATIENCE_SECONDS
from webui import create_app


@pytest.fixture
def pair(server_home, eventually):
    """A primary and its standby, which acknowledges every commit before the writer is told."""
    home = server_home()
    primary = postgres.Server(home / "primary").initialise().start()
    standby = postgres.Server(home / "standby")
    try:
        primary.new_store().close()
        # A statement on the standby that is in the way of what it copies waits for nothing.
        standby.copy(primary, "standby").start(max_standby_streaming_delay="0")
        postgres.execute(primary.uri, "ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        postgres.execute(primary.uri, "SELECT pg_reload_conf()")
        state = "SELECT sync_state FROM pg_stat_replication"
        eventually(lambda: postgres.execute(primary.uri, state) == [("sync",)])
        yield primary, standby
    finally:
        # Not in good order: it would wait for the other one.
        for one in (primary, standby):
            if one.process is not None and one.process.poll() is None:
                one.kill()


def test_a_replica_serves_the_reads_while_the_primary_takes_the_writes(pair, tmp_path, eventually):
    primary, standby = pair
    urls = {
        "database_url": primary.url("cmdb"),
        "database_read_url": standby.url("cmdb"),
    }
    database = store.Database(settings.resolve(("test", urls)))
    opts = salt.config.master_config(None)
    names = ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir")
    opts.update({name: str(tmp_path / name) for name in names}, cmdb=urls)
    runners = salt.loader.runner(opts)
    client = create_app(database.settings).test_client()
    for step in range(3):
        facts = server(1, firmware={"vendor": "Dell Inc.", "version": f"3.{step}"})
        store.ingest(database, [arrival(facts, "web01", later(minutes=step))])
        answer = eventually(lambda step=step: version(runners, f"3.{step}"))
        assert answer["cmdb"]["asset"]["minion_id"] == "web01"
        assert b"web01" in client.get("/assets").data
    seen = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'cmdb' AND application_name = %s"
    assert postgres.execute(standby.uri, seen, "salt-cmdb") != [(0,)]
    reader = store.Database(database.settings, read_only=True)
    with pytest.raises(store.StoreError, match="read-only"):
        store.ingest(reader, [arrival(server(2), "web02")])
    reader.close()
    database.close()


def version(runners, wanted):
    """Return what the runner shows once the replica has it."""
    answer = runners["cmdb.show"]("web01")
    answer = answer["data"]
    facts = answer.get("cmdb", {}).get("asset", {}).get("facts", {})
    return answer if facts.get("firmware", {}).get("version") == wanted else None


def test_a_read_that_the_replica_ends_is_an_error_in_words(pair, eventually):
    primary, standby = pair
    store.ingest(postgres.open_store(primary.url("cmdb")), [arrival(server(1))])
    reader = store.Database(
        settings.resolve(("test", {"database_url": standby.url("cmdb")})), read_only=True
    )
    eventually(lambda: store.assets(reader).total == 1)
    told = []

    def read():
        try:
            with reader.begin() as link:
                link.exec_driver_sql("SELECT count(*), pg_sleep(30) FROM asset GROUP BY id")
        except store.StoreError as error:
            told.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    sleeping = "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    eventually(lambda: postgres.execute(standby.uri, sleeping))
    uri = primary.uri.removesuffix("postgres") + "cmdb"
    postgres.execute(uri, "UPDATE asset SET rack = 'moved'")
    postgres.execute(uri, "VACUUM asset")
    thread.join(PATIENCE_SECONDS)
    [error] = told
    assert "conflict with recovery" in str(error)
    assert "again" in error.hint
    reader.close()


def test_when_the_primary_is_gone_the_same_process_goes_on_with_the_promoted_one(pair, eventually):
    primary, standby = pair
    story = writers.story(machines=4, steps=40)
    count = writers.FORK.Value("i", 0)
    url = primary.url("cmdb", standby)
    process = writers.FORK.Process(target=writers.write, args=(url, story, PATIENCE_SECONDS, count))
    process.start()
    eventually(lambda: count.value > 10)
    primary.kill()
    done = count.value
    assert process.is_alive()
    assert done < len(story)
    postgres.execute(standby.uri, "SELECT pg_promote()")
    process.join(PATIENCE_SECONDS)
    assert process.exitcode == 0
    assert count.value == len(story)
    promoted = postgres.open_store(url)
    quiet = standby.new_store("quiet")
    writers.write(standby.url("quiet"), story)
    assert writers.dump(promoted) == writers.dump(quiet)
    writers.check_history(promoted)
    assert standby.url("cmdb").rpartition("=")[2].replace(":", "%3A") in promoted.shown_url
    promoted.close()
    quiet.close()


def test_while_there_is_no_primary_the_store_says_so_in_words(pair):
    primary, standby = pair
    primary.kill()
    database = postgres.open_store(primary.url("cmdb", standby))
    with pytest.raises(store.StoreUnreachable, match="cannot reach the database") as error:
        store.ingest(database, [arrival(server(1))])
    assert str(primary.port) in str(error.value)
    database.close()
