"""The doctor on a real master: each thing that can be wrong with it is staged, and red."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from salt_ext import store

SILENT = "3 minutes"


@pytest.fixture
def doctor(fleet):
    """Run the doctor on the master; return each check by name."""

    def run(on=None):
        answer = fleet.json("salt-run", "cmdb.doctor", on=on)
        return {one["check"]: one for one in answer["cmdb"]["checks"]}

    return run


def beat(fleet, name, age):
    """Let the last heartbeat of a master be of that time ago."""
    with fleet.database.begin() as link:
        link.execute(
            sa.text(
                "INSERT INTO master (name, version, started_at, beat_at, waiting)"
                " VALUES (:name, '', now(), now() - CAST(:age AS interval), 0)"
                " ON CONFLICT (name) DO UPDATE SET beat_at = excluded.beat_at"
            ),
            {"name": name, "age": age},
        )


@pytest.fixture
def name(fleet):
    """The id of the master, which the fixture lets work for a moment."""
    name = fleet.master.config["id"]
    beat(fleet, name, "1 second")
    yield name
    with fleet.database.begin() as link:
        link.execute(sa.text("DELETE FROM master WHERE name <> :name"), {"name": name})


def engine_of(fleet):
    """The process of the engine."""
    pid = int(Path(fleet.master.config["pidfile"]).read_text())
    [engine] = [
        one
        for one in psutil.Process(pid).children(recursive=True)
        # Of a long title only what there is room for is shown.
        if any(word.startswith("Engine(salt.loaded.ext") for word in one.cmdline())
    ]
    return pid, engine


def test_a_master_that_works_is_green(doctor, fleet, name):
    for minion in (fleet.web01, fleet.web02):
        fleet.collect(minion)
    checks = doctor()
    assert {one: checks[one]["status"] for one in ("database", "schema", "encoding", "engine")} == {
        **{"database": "ok", "schema": "ok"},
        **{"encoding": "ok", "engine": "ok"},
    }
    assert checks["authentication"]["status"] == "ok"


def test_an_engine_that_is_stuck_is_red_and_its_process_is_named(doctor, fleet, name):
    pid, engine = engine_of(fleet)
    engine.send_signal(signal.SIGSTOP)
    try:
        beat(fleet, name, SILENT)
        check = doctor()["engine"]
        assert check["status"] == "fail"
        assert f"the master runs (process {pid}), so its engine is stuck" in check["detail"]
        # What the hint says shows it.
        line = check["hint"].partition("process: ")[2].partition(" (T")[0]
        shown = [one.split()[:2] for one in os.popen(line).read().splitlines()]
        assert [str(engine.pid), "Tl"] in shown
    finally:
        engine.send_signal(signal.SIGCONT)


def test_what_waits_while_the_engine_is_stuck_is_found(doctor, fleet, name, eventually):
    _, engine = engine_of(fleet)
    engine.send_signal(signal.SIGSTOP)
    try:
        fleet.flash("7.0.1")
        fleet.collect(fleet.web01)
        eventually(lambda: fleet.bios_version(fleet.web01) != "7.0.1")
        # How long it may wait until that is red, tests/functional knows.
        assert "1 reports wait in the cache" in doctor()["lag"]["detail"]
    finally:
        engine.send_signal(signal.SIGCONT)
    eventually(lambda: fleet.bios_version(fleet.web01) == "7.0.1")
    assert doctor()["lag"]["detail"] == "no report waits in the cache"


def test_a_database_that_is_away_leaves_nothing_green_that_is_not_known(doctor, fleet, name):
    fleet.gate.close()
    try:
        checks = doctor()
        assert checks["database"]["status"] == "fail"
        assert checks["engine"]["status"] == "warn"
        assert "lag" not in checks
        result = fleet.run("salt-run", "cmdb.doctor", "exit_code=True")
        assert result.returncode == 1
    finally:
        fleet.gate.open()


@pytest.fixture
def second(salt_factories, fleet):
    """A master beside the first, with the same store; it is not started."""
    url = fleet.master.config["cmdb"]["database_url"]
    return salt_factories.salt_master_daemon(
        "second",
        overrides={"cmdb": {"database_url": url}, "engines": [{"cmdb": {}}]},
    )


def test_an_engine_that_was_not_started_and_a_master_that_stopped_are_red(
    doctor, fleet, name, second
):
    check = doctor(on=second)["engine"]
    assert (check["status"], "has never worked" in check["detail"]) == ("fail", True)
    second.start(max_start_attempts=1, start_timeout=120)
    beat(fleet, second.config["id"], "1 second")
    assert doctor(on=second)["engine"]["status"] == "ok"
    second.terminate()
    beat(fleet, second.config["id"], "31 seconds")
    check = doctor(on=second)["engine"]
    assert (check["status"], "the master does not run" in check["detail"]) == ("fail", True)
    beat(fleet, second.config["id"], SILENT)
    # The first one says so too.
    check = doctor()["other masters"]
    assert (check["status"], second.config["id"] in check["detail"]) == ("warn", True)


def test_a_cut_off_mine_is_removed_by_the_engine_and_the_next_report_is_stored(
    doctor, fleet, name, eventually
):
    fleet.collect(fleet.web01)
    fleet.flash("7.1.0")
    # As Salt 3008 and as Salt 3006 keeps it.
    home = Path(fleet.master.config["cachedir"])
    [path] = [*home.glob("mine/web01.p"), *home.glob("minions/web01/mine.p")]
    content = path.read_bytes()
    _, engine = engine_of(fleet)
    engine.send_signal(signal.SIGSTOP)
    try:
        path.write_bytes(content[: len(content) // 2])
        os.utime(path, (time.time() + 1,) * 2)  # not in the second of the report before
        # Salt reads the old mine first: no report comes in as long as it is there.
        refused = fleet.run("salt", "web01", "cmdb.collect")
        assert "did not take the report" in refused.stdout + refused.stderr
        assert path.stat().st_size == len(content) // 2
        check = doctor()["cache"]
        assert (check["status"], "web01" in check["detail"]) == ("fail", True)
        bank, key = str(path.relative_to(home).parent), path.stem
        assert f"salt-run cache.flush {bank} {key}" in check["hint"]
    finally:
        engine.send_signal(signal.SIGCONT)
    eventually(lambda: not path.exists())

    def said():
        rows, _ = store.problems(fleet.database, minion_id="web01")
        return [one["message"] for one in rows if one["subject"] == "cache"]

    eventually(lambda: "is removed" in str(said()))
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == "7.1.0")
    eventually(lambda: not said())
    assert doctor()["cache"]["status"] == "ok"
