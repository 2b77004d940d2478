"""PostgreSQL is away: who says what, and what is lost."""

import json
import time
from pathlib import Path

import pytest
import salt.config
import sqlalchemy as sa
import yaml

from salt_ext import store
from salt_ext.master.cache import Cache
from tests.integration.conftest import PASSWORD


@pytest.fixture
def outage(fleet):
    fleet.gate.close()
    yield
    if fleet.gate.listener.fileno() < 0:
        fleet.gate.open()


@pytest.mark.parametrize("options", [(), ("--out=json",)])
def test_a_command_says_which_database_it_could_not_reach_and_what_to_do(fleet, outage, options):
    result = fleet.run("salt-run", "cmdb.report", *options)
    assert result.returncode == 2
    assert f"127.0.0.1:{fleet.gate.port}" in result.stdout
    assert "start PostgreSQL" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert PASSWORD not in result.stdout + result.stderr


@pytest.fixture
def engine_log(fleet, eventually):
    """What the engine says from now on; it works now, whatever tests before this one did."""
    version = fleet.flash(f"1.9.{time.time_ns()}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == version)
    log = Path(fleet.master.config["log_file"])
    begin = log.stat().st_size

    def lines():
        new = log.read_bytes()[begin:].decode(errors="replace").splitlines()
        return [one for one in new if "Reports wait" in one or "works again" in one]

    return lines


def test_what_a_minion_reports_meanwhile_is_stored_when_the_database_is_back(
    fleet, eventually, engine_log, outage
):
    new = fleet.flash("2.0.0")
    fleet.collect(fleet.web01)
    assert fleet.json("salt", "*", "test.ping", "--static") == {"web01": True, "web02": True}
    assert fleet.bios_version(fleet.web01) != new
    # It has noticed: else it would find the database back and had nothing to say.
    eventually(engine_log)
    fleet.gate.open()
    # The engine's pauses double: it is back at the latest after as long again as it was away.
    eventually(lambda: fleet.bios_version(fleet.web01) == new)
    # One line when it went, with what to do, and one when it was back.
    [away, back] = eventually(lambda: len(engine_log()) > 1 and engine_log())
    assert "start PostgreSQL" in away
    assert "works again" in back
    assert PASSWORD not in away


def test_a_command_on_a_database_without_a_schema_says_how_to_make_it(
    fleet, new_database, tmp_path
):
    config = yaml.safe_load(Path(fleet.master.config_file).read_text())
    config["cmdb"] = {"database_url": new_database(empty=True)}
    (tmp_path / "master").write_text(json.dumps(config))
    stranger = type("Master", (), {"config_dir": tmp_path})
    result = fleet.run("salt-run", "cmdb.list", on=stranger)
    assert result.returncode == 2
    assert "salt-run cmdb.migrate" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert fleet.json("salt-run", "cmdb.migrate", on=stranger)["cmdb"]["steps"]
    assert fleet.json("salt-run", "cmdb.list", on=stranger)["cmdb"]["rows"] == []


def position(fleet, minion):
    """Up to when the engine has read the cache of a minion, by the clock of the master."""
    number = store.number_of(fleet.database, fleet.master.config["id"])
    return store.positions(fleet.database, number).get(minion.id, 0.0)


def entry(fleet, minion):
    """The place of a minion's mine in the master's cache, and what is in it."""
    opts = salt.config.master_config(fleet.master.config_file)
    place = Cache(opts)._place("mine", minion.id)
    return place, fleet.cache.fetch(*place)


@pytest.mark.parametrize("number", [1, 2], ids=["no boot is known", "its boot is known"])
def test_a_mine_that_is_written_again_makes_nobody_fresh(fleet, eventually, number):
    minion = (fleet.web01, fleet.web02)[number - 1]
    written = time.time()
    fleet.collect(minion)
    eventually(lambda: position(fleet, minion) > written - 1)
    before, read = fleet.asset(minion), position(fleet, minion)
    # Salt merges what is sent into the whole entry, which gets a new time: in whole seconds.
    eventually(lambda: time.time() > read + 1)
    assert fleet.json("salt", minion.id, "mine.send", "test.ping") == {minion.id: True}
    place, sent = entry(fleet, minion)
    assert "test.ping" in sent
    eventually(lambda: position(fleet, minion) >= fleet.cache.updated(*place) > read)
    assert fleet.asset(minion)["last_seen"] == before["last_seen"]


def test_an_old_cache_that_comes_back_does_not_replace_what_is_newer(fleet, eventually):
    old = fleet.flash(f"3.0.{time.time_ns()}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == old)
    place, backup = entry(fleet, fleet.web01)
    new = fleet.flash(f"3.1.{time.time_ns()}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == new)
    before, read = fleet.asset(fleet.web01), position(fleet, fleet.web01)
    eventually(lambda: time.time() > read + 1)
    fleet.cache.store(*place, backup)
    assert fleet.json("salt", "web01", "mine.send", "test.ping") == {"web01": True}
    eventually(lambda: position(fleet, fleet.web01) >= fleet.cache.updated(*place) > read)
    after = fleet.asset(fleet.web01)
    assert (after["facts"], after["last_seen"], after["revision"]) == (
        *(before["facts"], before["last_seen"], before["revision"]),
    )
    open_problems, _ = store.problems(fleet.database)
    assert [one for one in open_problems if one["minion_id"] == "web01"] == []


def test_the_engine_tells_the_store_that_it_listens_and_for_how_long(fleet, eventually):
    beats = sa.text(
        "SELECT beat_at, waiting, failure, until FROM master JOIN listening ON master = number"
        " WHERE name = :name AND until > now() - interval '1 minute' ORDER BY since DESC"
    )

    def last_beat():
        with fleet.database.begin() as link:
            return link.execute(beats, {"name": fleet.master.config["id"]}).first()

    first = eventually(last_beat)
    assert first.failure is None
    assert eventually(lambda: last_beat().beat_at > first.beat_at)
    assert last_beat().until > first.until
