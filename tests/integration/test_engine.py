"""The engine is killed at any moment, and the store is as if it had not been."""

import multiprocessing
import random
import time
from datetime import datetime, timedelta, timezone

import pytest
import salt.cache
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.report.envelope import MINE_FUNCTION
from tests.integration import engine_process
from tests.machines import report, reporting, server
from tests.patience import PATIENCE_SECONDS

MACHINES = 200
REPORTS_EACH = 6
KILLS = 20

ROWS = {
    "documents": "SELECT a.minion_id, f.facts FROM asset_facts f JOIN asset a ON a.id = f.asset_id",
    "seen": "SELECT a.minion_id, encode(s.digest, 'hex'), s.collected_at, s.mode, s.revision"
    " FROM asset_seen s JOIN asset a ON a.id = s.asset_id",
    "revisions": "SELECT a.minion_id, r.number, r.collected_at, r.mode, encode(r.digest, 'hex')"
    " FROM revision r JOIN asset a ON a.id = r.asset_id",
    "changes": "SELECT a.minion_id, c.revision, c.position, c.op, c.path, c.component, c.field,"
    " c.old, c.new FROM change c JOIN asset a ON a.id = c.asset_id",
    "identifiers": "SELECT a.minion_id, i.kind, i.value, i.disowned, i.last_seen IS NULL"
    " FROM identifier i JOIN asset a ON a.id = i.asset_id",
    # Two hundred machines that lose a module trip the brake; the store that is compared has none.
    # How long a report took is another thing on each machine, and in each run.
    "problems": "SELECT minion_id, kind, subject, message FROM problem"
    " WHERE kind <> 'brake' AND subject <> 'pace'",
}
"""What a store holds but for ids of its own and times of the master."""


def dump(database):
    with database.begin() as link:
        return {
            name: sorted(map(str, link.execute(sa.text(statement)).all()))
            for name, statement in ROWS.items()
        }


def reports_of(number, begin):
    """What a machine says one after another: a change, the same once more, a pulled DIMM."""
    versions = random.Random(number)
    facts = server(number)
    for step in range(REPORTS_EACH):
        if step % 3 == 1:
            facts["firmware"] = {"vendor": "Dell Inc.", "version": f"2.{versions.randrange(99)}"}
        if step % 3 == 2:
            facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
        at = begin + timedelta(seconds=step)
        yield report(facts, f"web{number:03d}", at=at)


@pytest.fixture
def processes():
    """Engines that begin at once: a server has imported everything, and forks."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([engine_process.__name__, "salt_ext.master.sync"])
    return context


def test_an_engine_killed_at_any_moment_loses_nothing_and_stores_nothing_twice(
    processes, database, database_url, new_database, tmp_path, record_property
):
    begin = datetime.now(timezone.utc) - timedelta(minutes=5)
    sent = {f"web{n:03d}": list(reports_of(n, begin)) for n in range(MACHINES)}
    cache = salt.cache.factory(engine_process.options(tmp_path, database_url))
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True)
    for name in sent:
        (accepted / name).write_text("a key")

    moments = random.Random(4)
    engine = None
    killed = amid_work = 0
    next_kill = 0.0
    step = dict.fromkeys(sent, -1)
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    stored = sa.text(
        "SELECT minion_id, collected_at FROM asset_seen JOIN asset ON asset.id = asset_id"
    )
    while any(at < REPORTS_EACH for at in step.values()) or killed < KILLS:
        assert time.monotonic() < deadline, (killed, sorted(step.values()))
        if time.monotonic() >= next_kill and killed < KILLS:
            if engine is not None:
                engine.kill()
                engine.join()
                killed += 1
                amid_work += 0 < sum(step.values()) < len(step) * REPORTS_EACH
            is_ready = processes.Event()
            arguments = (str(tmp_path), database_url, is_ready)
            engine = processes.Process(target=engine_process.run, args=arguments, daemon=True)
            engine.start()
            assert is_ready.wait(PATIENCE_SECONDS)
            next_kill = time.monotonic() + moments.uniform(0, 1.5)
        time.sleep(0.01)
        # A machine reports again once its report is stored, so that every state is seen.
        with database.begin() as link:
            arrived = {row.minion_id: row.collected_at for row in link.execute(stored)}
        for name, at in step.items():
            if at >= REPORTS_EACH:
                continue
            newest = sent[name][at]["collected_at"] if at >= 0 else None
            seen = arrived.get(name)
            if at < 0 or (seen and seen.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" == newest):
                step[name] += 1
                if step[name] < REPORTS_EACH:
                    cache.store("mine", name, {MINE_FUNCTION: sent[name][step[name]]})
    engine.kill()
    engine.join()
    record_property("kills_amid_work", amid_work)
    assert amid_work  # or this test would show nothing

    undisturbed = store.Database(settings.resolve(("test", {"database_url": new_database()})))
    for number in range(REPORTS_EACH):
        batch = [store.Arrival(name, reports[number], begin) for name, reports in sent.items()]
        store.ingest(undisturbed, batch)
    expected = dump(undisturbed)
    undisturbed.close()
    assert expected["revisions"]
    for name, rows in dump(database).items():
        assert rows == expected[name], name


POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.minion_id = 'bad' THEN RAISE EXCEPTION 'full' USING ERRCODE = '53200'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER poison BEFORE INSERT ON asset FOR EACH ROW EXECUTE FUNCTION poison();
"""


def test_the_engine_goes_on_beside_a_report_that_cannot_be_stored_and_tidies_up_by_itself(
    processes, database, database_url, tmp_path, eventually
):
    options = engine_process.options(tmp_path, database_url)
    with database.begin() as link:
        link.execute(sa.text(POISON))
    store.record_failure(database, "engine", options["id"], "engine", RuntimeError("once"))
    store.record_failure(database, "collector", "gone", "disks", RuntimeError("long over"))
    with database.begin() as link:
        link.execute(
            sa.text("UPDATE problem SET closed_at = '2020-01-01' WHERE minion_id = 'gone'")
        )
    cache = salt.cache.factory(options)
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True)
    for name in ("bad", "web01"):
        (accepted / name).write_text("a key")
    is_ready = processes.Event()
    arguments = (str(tmp_path), database_url, is_ready)
    engine = processes.Process(target=engine_process.run, args=arguments, daemon=True)
    engine.start()
    assert is_ready.wait(PATIENCE_SECONDS)

    def problem_of(name, is_open=True):
        rows, _ = store.problems(database, minion_id=name, is_open=is_open)
        return rows[0]["message"] if rows else ""

    eventually(lambda: not problem_of(options["id"]))
    eventually(lambda: not problem_of("gone", is_open=False))
    now = datetime.now(timezone.utc)
    cache.store("mine", "bad", {MINE_FUNCTION: report(server(1), "bad", now)})
    eventually(lambda: "could not be stored" in problem_of("bad"))
    cache.store("mine", "web01", {MINE_FUNCTION: report(server(2), "web01", now)})
    eventually(lambda: "web01" in reporting(database))
    eventually(lambda: "set aside" in problem_of("bad"))
    engine.kill()
    engine.join()
