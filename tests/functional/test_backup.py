"""pg_dump and pg_restore as docs/operations.md says, on a database with a history."""

from salt_ext import store
from tests import postgres, writers
from tests.machines import NOW, arrival, later, server


def test_a_restored_backup_has_the_past_and_goes_on(server_home):
    primary = postgres.Server(server_home() / "primary").initialise().start()
    try:
        database = primary.new_store()
        story = writers.story(machines=6, steps=8)
        writers.write(primary.url("cmdb"), story[:6])
        bad = arrival(server(50), "bad")
        bad.report["facts"] = "none"
        store.ingest(database, [bad])
        store.take_snapshot(database, "before", by="tester")
        where = ("--host=127.0.0.1", f"--port={primary.port}", "--username=postgres")
        archive = primary.home / "cmdb.dump"
        primary.program("pg_dump", *where, "--format=custom", f"--file={archive}", "cmdb")
        primary.program("createdb", *where, "restored")
        primary.program(
            "pg_restore",
            *where,
            "--exit-on-error",
            "--single-transaction",
            "--dbname=restored",
            archive,
        )
        restored = postgres.open_store(primary.url("restored"))
        assert store.migrate(restored) == []
        assert writers.dump(restored) == writers.dump(database)
        writers.check_history(restored)
        asset_id = store.resolve(restored, "renamed")
        assert store.document(restored, asset_id, NOW) == store.document(database, asset_id, NOW)
        assert store.problems(restored) == store.problems(database)
        assert store.snapshots(restored) == store.snapshots(database)
        # What came after the backup comes again, and both go on alike.
        writers.write(primary.url("restored"), story[6:])
        writers.write(primary.url("cmdb"), story[6:])
        assert writers.dump(restored) == writers.dump(database)
        [outcome] = store.ingest(restored, [arrival(server(60), "new", later(minutes=9))])
        assert outcome.status == "new"
        restored.close()
        database.close()
    finally:
        primary.stop()
