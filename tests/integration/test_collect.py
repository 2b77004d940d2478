"""Minions asked by a real master, and many that one process plays."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import tests.crowd
from salt_ext import store
from tests.integration.conftest import BIN, REPOSITORY
from tests.patience import PATIENCE_SECONDS


def collected(result):
    """Return what salt-run cmdb.collect said of each machine, and its exit status."""
    answer = json.loads(result.stdout)["cmdb"]
    return {one["minion_id"]: one for one in answer["machines"]}, answer, result.returncode


def collect(fleet, *args):
    command = ("salt-run", "--out=json", "--log-level=quiet", "cmdb.collect")
    return collected(fleet.run(*command, *args))


def test_minions_are_asked_and_their_reports_stored(fleet):
    # What changes between the grain alone and the first report is a part of its handover.
    collect(fleet, "web01")
    version = fleet.flash("2.0.1")
    machines, answer, status = collect(fleet, "web*", "batch=1")
    assert status == 0
    assert machines["web01"]["status"] in ("new", "changed")
    assert fleet.bios_version(fleet.web01) == version
    assert fleet.asset(fleet.web02)["mode"] == "salt"
    assert answer["asked"] == 2
    machines, _, _ = collect(fleet, "L@web01", "tgt_type=compound")
    assert machines == {"web01": {**machines["web01"], "status": "ok", "detail": ""}}


def test_the_answer_prints_as_a_table_that_ends_with_a_count(fleet):
    result = fleet.run("salt-run", "cmdb.collect", "web01")
    assert result.stdout.splitlines()[-1].startswith("1 machine: 1 ")
    assert result.returncode == 0


def test_a_minion_that_does_not_answer_is_named(fleet):
    keys = fleet.pki("minions")
    (keys / "gone01").write_text((keys / "web01").read_text())
    try:
        machines, answer, status = collect(fleet, "*01", "timeout=3")
    finally:
        (keys / "gone01").unlink()
    assert status == 1
    assert machines["gone01"]["status"] == "failed"
    assert machines["gone01"]["detail"] == "did not answer within 3 s"
    assert machines["web01"]["status"] in ("ok", "changed")
    assert answer["counts"]["failed"] == 1


def test_a_syndic_is_named_as_one(fleet):
    (fleet.pki("minions") / "low01").write_text((fleet.pki("minions") / "web01").read_text())
    # Salt notes there whoever has handed on the answers of others.
    noted = Path(fleet.master.config["cachedir"]) / "syndics"
    noted.mkdir(exist_ok=True)
    (noted / "low01").touch()
    try:
        machines, _, _ = collect(fleet, "low01", "timeout=1")
    finally:
        (fleet.pki("minions") / "low01").unlink()
        (noted / "low01").unlink()
    assert machines["low01"]["detail"] == (
        "did not answer within 1 s; it is a syndic: what is below it reports to its own master;"
        " ask there"
    )


def test_a_minion_whose_key_is_not_accepted_is_named(fleet):
    machines, _, status = collect(fleet, "web01,nobody", "tgt_type=list")
    assert status == 1
    assert machines["nobody"]["detail"] == "has no accepted key on this master"
    assert machines["web01"]["status"] == "ok"


MANY = 200


@pytest.fixture
def crowd(fleet, tmp_path):
    """The names of minions that one process plays."""
    web02 = fleet.web02.config
    config = {
        **{name: web02[name] for name in ("master", "master_port", "transport")},
        **{"root_dir": str(tmp_path), "pki_dir": "/pki", "log_file": "/log", "sock_dir": "/sock"},
        "request_channel_timeout": 60,
    }
    (tmp_path / "minion").write_text(json.dumps(config))
    pki = Path(web02["pki_dir"])
    shutil.copytree(pki, tmp_path / "pki")
    names = tests.crowd.names(MANY)
    accepted = fleet.pki("minions")
    for name in names:
        shutil.copy(pki / "minion.pub", accepted / name)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crowd", tmp_path / "minion", str(MANY)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield names
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
        for name in names:
            (accepted / name).unlink()


def _peak_bytes(pid):
    """Return the most memory that a process has had, 0 once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) << 10 if found else 0


def test_hundreds_of_minions_answer_a_real_master(fleet, crowd, tmp_path):
    with (tmp_path / "out").open("w+b") as out:
        command = [BIN / "salt-run", f"--config-dir={fleet.master.config_dir}", "--out=json"]
        process = subprocess.Popen(
            [*command, "--log-level=quiet", "cmdb.collect", "sim*", "timeout=200"], stdout=out
        )
        peak_bytes = 0
        # Not what wait4 tells: a process begins with the peak of the one that started it.
        while (status := process.poll()) is None:
            peak_bytes = max(peak_bytes, _peak_bytes(process.pid))
            time.sleep(0.05)
        out.seek(0)
        answer = json.load(out)["cmdb"]
    assert answer["counts"]["new"] == MANY, answer["machines"][-1]
    assert status == 0
    page = store.assets(fleet.database, filters={"minion_id__glob": "sim*"}, limit=1)
    assert page.total == MANY
    assert 0 < peak_bytes < 250 << 20  # an empty runner has half of it


def test_ctrl_c_ends_it_and_what_had_come_is_stored(fleet, eventually):
    keys = fleet.pki("minions")
    (keys / "gone01").write_text((keys / "web01").read_text())
    command = [BIN / "salt-run", f"--config-dir={fleet.master.config_dir}", "--out=json"]
    version = fleet.flash("2.4.4")
    try:
        process = subprocess.Popen(
            [*command, "--log-level=quiet", "cmdb.collect", "*01"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        eventually(lambda: fleet.bios_version(fleet.web01) == version)
        pressed = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert time.monotonic() - pressed < PATIENCE_SECONDS
    finally:
        (keys / "gone01").unlink()
    answer = json.loads(out)["cmdb"]
    assert answer["interrupted"] is True
    assert process.returncode == 1
    reasons = {one["minion_id"]: one["detail"] for one in answer["machines"]}
    assert reasons["gone01"] == "interrupted before it had answered"


def test_reports_wait_in_the_masters_cache_while_the_database_is_away(fleet, eventually):
    fleet.gate.close()
    try:
        version = fleet.flash("2.5.5")
        machines, _, status = collect(fleet, "web01")
    finally:
        fleet.gate.open()
    assert status == 1
    assert machines["web01"]["status"] == "kept"
    assert "waits in the master's cache: cannot reach the database" in machines["web01"]["detail"]
    eventually(lambda: fleet.bios_version(fleet.web01) == version)
