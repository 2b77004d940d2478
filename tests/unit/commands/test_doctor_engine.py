"""What the doctor says of engines: this master's, whatever is known of it, and those of others."""

import os
import subprocess
import sys

import pytest

from salt_ext.commands.doctor import engine

PID = 4711
WORKS = {"name": "m1", "version": "0.1.0", "beat_age_seconds": 3.0, "failure": None}
SILENT = {**WORKS, "beat_age_seconds": 121.0}
MASTER = engine.Master("m1", True, PID, True, "0.1.0", "/var/log/salt/master")
LATE = {**WORKS, "beat_age_seconds": 31.0}
GONE = MASTER._replace(pid=None, is_listening=False)
"""Stopped, or in another container."""
OFF = MASTER._replace(is_configured=False)


@pytest.mark.parametrize(
    ("master", "known", "status", "says", "remedy"),
    [
        (MASTER, [WORKS], "ok", "worked 3 s ago", ""),
        (MASTER, [{**WORKS, "beat_age_seconds": 120.0}], "ok", "worked 2 min ago", ""),
        (MASTER._replace(pid=None), [WORKS], "ok", "worked", ""),
        (GONE, [WORKS], "ok", "worked 3 s ago", ""),
        (GONE, [LATE], "fail", "port, and its engine has not worked for 31 s", "start salt-master"),
        (MASTER._replace(pid=None), [LATE], "ok", "worked 31 s ago", ""),
        (MASTER, [LATE], "ok", "worked 31 s ago", ""),
        (MASTER, [], "fail", "never worked on m1", "restart salt-master"),
        (MASTER, [{**WORKS, "name": "m2"}], "fail", "never worked on m1", "grep -i cmdb"),
        (MASTER, [SILENT], "fail", "process 4711), so its engine is stuck", "[E]ngine("),
        (MASTER._replace(pid=None), [SILENT], "fail", "stopped, or its engine is stuck", "ps -ww"),
        (MASTER._replace(pid=0), [WORKS], "fail", "the master does not run", "start salt-master"),
        (MASTER._replace(pid=0), None, "fail", "the master does not run", "start salt-master"),
        (MASTER, None, "warn", "is not known", "mend the database first"),
        (MASTER._replace(pid=None), None, "warn", "is not known", "mend the database first"),
        (MASTER, [{**WORKS, "failure": "the disk is full"}], "fail", "the disk is full", "grep"),
        (MASTER, [{**WORKS, "version": "0.2.0"}], "warn", "0.2.0, and 0.1.0 is", "restart"),
        (OFF, [], "warn", "not configured: nothing is stored", "cmdb: {}"),
        (OFF, None, "warn", "not configured: nothing is stored", "cmdb: {}"),
        (OFF, [SILENT], "warn", "not configured: nothing is stored", "cmdb: {}"),
        (OFF, [WORKS], "warn", "no longer configured", "cmdb: {}"),
    ],
)
def test_only_an_engine_that_is_known_to_work_is_green(master, known, status, says, remedy):
    check = engine.engine(master, known)
    assert check.status == status
    assert says in check.detail
    assert remedy in check.hint
    assert bool(check.hint) is (status != "ok")


@pytest.mark.parametrize(
    ("known", "status", "says"),
    [
        ([WORKS], "ok", "there are none"),
        ([SILENT], "ok", "there are none"),
        ([WORKS, {**WORKS, "name": "m2"}], "ok", "all 1 work"),
        ([WORKS, {**SILENT, "name": "m2"}], "warn", "1 of 1 have not worked: m2 for 2 min"),
        ([{**WORKS, "name": "m2", "failure": "no"}], "warn", "1 of 1 cannot store: m2: no"),
    ],
)
def test_another_master_that_is_silent_is_named(known, status, says):
    check = engine.others(MASTER, known)
    assert (check.status, says in check.detail) == (status, True)


def test_a_master_that_is_gone_for_good_can_be_forgotten():
    check = engine.others(MASTER, [{**SILENT, "name": "o'm2"}])
    assert check.hint.endswith("DELETE FROM master WHERE name = 'o''m2'")


@pytest.mark.parametrize(
    ("engines", "is_configured"),
    [
        (["cmdb"], True),
        ([{"logstash": {}}, {"cmdb": {}}], True),
        ([{"inventory": {"engine_module": "cmdb"}}], True),
        ([{"logstash": {}}], False),
        ([{"cmdb": {"engine_module": "logstash"}}], False),
        (None, False),
    ],
)
def test_the_engine_is_found_in_the_configuration(engines, is_configured):
    assert engine.is_configured(engines) is is_configured


def test_a_process_is_known_by_its_pid_file(tmp_path):
    file = tmp_path / "salt-master.pid"
    assert engine.process(str(file), "/proc") is None
    file.write_text("rubbish")
    assert engine.process(str(file), "/proc") is None
    file.write_text(str(os.getpid()))
    assert engine.process(str(file), str(tmp_path)) is None  # no /proc: nobody can tell
    sleeper = "import sys; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", sleeper, "salt-master"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        file.write_text(str(other.pid))
        assert engine.process(str(file), "/proc") == other.pid
        other.stdin.close()
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert engine.process(str(file), "/proc") == 0  # dead, and nobody has waited for it
    assert engine.process(str(file), "/proc") == 0
    file.write_text("1")  # runs, and is no master
    assert engine.process(str(file), "/proc") == 0
