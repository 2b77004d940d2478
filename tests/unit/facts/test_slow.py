"""Slow collectors run in processes of their own, and what they found is kept for a while."""

import fcntl
import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from salt_ext import settings
from salt_ext.facts import slow, tools
from salt_ext.facts.slow_process import LIMIT_BYTES
from salt_ext.report import agent
from tests.patience import PATIENCE_SECONDS, eventually
from tests.unit.facts.trees import tree

COLLECTORS = """
import ctypes, os, time

def good(root):
    return {"root": root.path, "pid": os.getpid()}

def counts(root):
    with open(root.path + "/runs", "a") as file:
        file.write("x")
    return [{"name": "sda", "runs": os.path.getsize(root.path + "/runs")}]

def sleeps_later(root):
    if os.path.exists(root.path + "/asleep"):
        return [{"name": "sda", "volatile": {"skipped_reason": "standby"}}]
    return [{"name": "sda", "passed": True, "volatile": {"hours": 5}}]

def none_found(root):
    return []

def cannot_tell(root):
    return None

def raises(root):
    raise LookupError("the disk is on fire")

def prints(root):
    print("noise")
    os.write(1, b"more noise")
    os.system("echo and more")
    return {"answer": 42}

def hangs(root):
    with open(root.path + "/hangs", "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)

def holds_the_interpreter(root):
    ctypes.PyDLL(None).sleep(600)

def crashes(root):
    ctypes.string_at(0)

def leaves(root):
    os._exit(7)

def writes_too_much(root):
    return {"x": ["y" * 4000 for _ in range(1000)]}

def volatile_text(root):
    return [{"name": "sda", "volatile": "x"}]

def odd_names(root):
    return [
        {"serial_number": ["a"], "volatile": {"skipped_reason": ["x"]}},
        {"name": {"b": 1}, "volatile": {"skipped_reason": "standby"}},
        {"passed": True},
        {"volatile": {"skipped_reason": "standby"}},
    ]

def in_other_words(root):
    return {"answer": 43}

in_other_words.version = 2

def secret(root):
    root.denied.append("/dev/secret")
    return {"known": 1}

def starts_a_tool(root):
    from salt_ext.facts import tools
    tools.run(["sh", "-c", "echo $$ > " + root.path + "/tool; exec sleep 600"], 600)
"""


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs collectors of a module outside of the package."""
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "slow_ones.py").write_text(COLLECTORS)
    (tmp_path / "root").mkdir()
    monkeypatch.syspath_prepend(tmp_path / "modules")

    def collect(interval=0, deadline=20.0, **collectors):
        paths = {name: f"slow_ones.{function}" for name, function in collectors.items()}
        root, kept = str(tmp_path / "root"), str(tmp_path / "kept")
        return slow.collect(root, paths, kept, interval, deadline)

    return collect


def alive(pid):
    """Whether a process still runs; one that nobody has reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pid, seconds=5.0):
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    return not alive(pid)


def test_each_collector_has_a_process_of_its_own(run, tmp_path):
    found = run(one="good", two="good")
    assert found["one"]["root"] == str(tmp_path / "root")
    assert len({found["one"]["pid"], found["two"]["pid"], os.getpid()}) == 3
    assert found["errors"] == {}
    assert found["partial"] == []
    assert found["one"]["volatile"]["checked_at"].endswith("Z")


def test_what_a_collector_prints_goes_nowhere(run, capfd):
    found = run(loud="prints")
    assert found["loud"]["answer"] == 42
    assert capfd.readouterr() == ("", "")


def test_none_found_and_no_way_to_tell_are_two_facts(run):
    found = run(none="none_found", unknown="cannot_tell", off="good")
    assert found["none"] == []
    assert "unknown" not in found
    assert found["partial"] == ["unknown"]
    assert found["errors"] == {}


@pytest.mark.parametrize(
    ("function", "kind", "says", "trace"),
    [
        ("raises", "LookupError", "the disk is on fire", "in raises"),
        ("no_such", "AttributeError", "no_such", "Traceback"),
        ("volatile_text", "TypeError", "volatile is str, not a dict", "Traceback"),
        ("crashes", "ChildProcessError", "bad died of signal 11", "in crashes"),
        ("leaves", "ChildProcessError", "bad ended its process with code 7", ""),
        ("writes_too_much", "ValueError", f"bad returned more than {LIMIT_BYTES} bytes", ""),
    ],
)
def test_a_collector_that_fails_costs_its_own_section(run, function, kind, says, trace):
    found = run(bad=function, good="good")
    assert found["good"]["pid"]
    assert "bad" not in found
    assert found["partial"] == ["bad"]
    error = found["errors"]["bad"]
    assert error["type"] == kind
    assert says in error["message"]
    assert trace in error["traceback"]


def test_one_that_hangs_is_ended_at_its_deadline_with_where_it_was(run, tmp_path):
    began = time.monotonic()
    found = run(deadline=1.0, hung="hangs", good="good")
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert found["good"]["pid"]
    assert found["errors"]["hung"]["type"] == "TimeoutError"
    assert "time.sleep(600)" in found["errors"]["hung"]["traceback"]
    assert gone((tmp_path / "root" / "hangs").read_text())


def test_one_that_holds_the_interpreter_is_killed(run):
    began = time.monotonic()
    found = run(deadline=0.5, deaf="holds_the_interpreter")
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert found["errors"]["deaf"]["type"] == "TimeoutError"
    assert "had no answer in its time" in found["errors"]["deaf"]["message"]
    assert "in holds_the_interpreter" in found["errors"]["deaf"]["traceback"]


def test_a_tool_ends_with_the_collector_that_started_it(run, tmp_path):
    found = run(deadline=1.0, tool="starts_a_tool")
    assert found["errors"]["tool"]["type"] == "TimeoutError"
    assert gone((tmp_path / "root" / "tool").read_text().strip())


def test_no_second_process_is_started_beside_one_that_has_not_ended(run, tmp_path):
    assert run(stuck="good")["errors"] == {}
    # A process that is stuck in the kernel holds its lock until it gets out.
    with open(tmp_path / "kept" / "stuck.lock", "r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write(f"{4711:<20}".encode())
        lock.flush()
        found = run(stuck="good", free="good")
    assert "stuck" not in found
    assert found["partial"] == ["stuck"]
    assert "process 4711 of an earlier run has not ended" in found["errors"]["stuck"]["message"]
    assert found["free"]["pid"]
    assert run(stuck="good")["errors"] == {}


def test_the_lock_is_held_by_the_process_alone_and_as_long_as_it_lives(run, tmp_path):
    thread = threading.Thread(target=run, kwargs={"deadline": 6.0, "hung": "hangs"})
    thread.start()
    eventually((tmp_path / "root" / "hangs").exists)
    message = run(hung="hangs")["errors"]["hung"]["message"]
    thread.join()
    pid = (tmp_path / "root" / "hangs").read_text()
    assert f"process {pid} of an earlier run" in message


def test_what_was_found_is_used_again_within_the_interval(run, tmp_path):
    first = run(interval=3600, disks="counts")
    second = run(interval=3600, disks="counts")
    assert first["disks"][0]["runs"] == second["disks"][0]["runs"] == 1
    assert first == second
    assert run(interval=0, disks="counts")["disks"][0]["runs"] == 2
    kept = tmp_path / "kept" / "disks.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "change",
    [
        {"boot_id": "another"},
        {"root": "/another"},
        {"collector": "another.one"},
        {"at": time.time() + 3600},  # from the future: the clock was set back
        {"at": time.time() - 3601},
    ],
)
def test_what_is_of_another_time_or_place_is_not_used_again(run, tmp_path, change):
    run(disks="counts")
    kept = tmp_path / "kept" / "disks.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), **change}))
    assert run(interval=3600, disks="counts")["disks"][0]["runs"] == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", "null", '{"root": 1}'])
def test_a_broken_cache_is_looked_at_again(run, tmp_path, content):
    run(disks="counts")
    (tmp_path / "kept" / "disks.json").write_text(content)
    assert run(interval=3600, disks="counts")["disks"][0]["runs"] == 2


def test_what_is_older_than_the_interval_is_not_shown_when_the_next_look_fails(run, tmp_path):
    run(disks="counts")
    kept = tmp_path / "kept" / "disks.json"
    broken = tmp_path / "modules" / "slow_ones.py"
    broken.write_text(
        COLLECTORS.replace('    with open(root.path + "/runs"', '    1 / 0; open("x"')
    )
    found = run(disks="counts")
    assert "disks" not in found
    assert found["partial"] == ["disks"]
    assert kept.exists()


def test_what_cannot_be_reported_any_more_is_looked_at_again(run, tmp_path):
    run(disks="counts")
    kept = tmp_path / "kept" / "disks.json"
    odd = [{"name": "sda", "volatile": "x"}]
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "value": odd}))
    assert run(interval=3600, disks="counts")["disks"][0]["runs"] == 2


def test_parts_with_odd_names_or_none_have_no_values_of_others(run):
    for _ in range(2):
        found = run(odd="odd_names", good="good")
        assert found["errors"] == {}
        assert len(found["odd"]) == 4
        assert "passed" not in found["odd"][3]


def test_a_path_that_no_process_can_be_given_is_an_error_of_that_collector(run):
    found = run(bad="a\0b", good="good")
    assert found["good"]["pid"]
    assert found["errors"]["bad"]["type"] == "ValueError"


def test_the_version_of_a_collector_is_that_of_what_was_kept(run, tmp_path):
    for _ in range(2):
        assert run(interval=3600, one="in_other_words", two="good")["versions"] == {"one": 2}
    kept = tmp_path / "kept" / "one.json"
    record = json.loads(kept.read_text())
    del record["version"]  # the first edition kept none
    record["value"]["answer"] = 42
    kept.write_text(json.dumps(record))
    assert run(interval=3600, one="in_other_words")["one"]["answer"] == 43


def test_a_failure_is_not_kept(run):
    run(interval=3600, bad="raises")
    assert run(interval=3600, bad="good")["bad"]["pid"]


def test_what_may_not_be_read_is_told_beside_what_was(run):
    for _ in range(2):
        found = run(interval=3600, some="secret")
        assert found["some"]["known"] == 1
        assert found["partial"] == ["some"]
        assert "/dev/secret" in found["errors"]["some"]["message"]


def test_a_disk_that_sleeps_keeps_what_is_known_of_it_with_the_time_of_that(run, tmp_path):
    awake = run(disks="sleeps_later")["disks"]
    (tmp_path / "root" / "asleep").touch()
    for _ in range(2):
        asleep = run(disks="sleeps_later")["disks"]
        assert asleep == [
            {**awake[0], "volatile": {**awake[0]["volatile"], "skipped_reason": "standby"}}
        ]
    (tmp_path / "root" / "asleep").unlink()
    again = run(disks="sleeps_later")["disks"]
    assert "skipped_reason" not in again[0]["volatile"]
    assert again[0]["volatile"]["checked_at"] > awake[0]["volatile"]["checked_at"]


def test_a_directory_that_cannot_be_written_is_an_error_of_each_section(tmp_path):
    (tmp_path / "file").touch()
    directory = str(tmp_path / "file" / "slow")
    found = slow.collect("/", {"a": "x.y", "off": None}, directory, 0, 5)
    assert found["partial"] == ["a"]
    assert found["errors"]["a"]["type"] == "NotADirectoryError"


def test_the_report_has_the_slow_sections_and_the_grain_has_not(run, tmp_path):
    root = tree(tmp_path / "machine", {"etc/machine-id": "1"})
    opts = {
        "id": "web01",
        "cachedir": str(tmp_path / "cache"),
        "cmdb": {
            "root": root.path,
            "collectors": dict.fromkeys(settings.OPTIONS["collectors"].default),
            "slow_collectors": {
                **dict.fromkeys(settings.OPTIONS["slow_collectors"].default),
                "smart": "slow_ones.sleeps_later",
                "lldp": "slow_ones.raises",
            },
        },
    }
    assert "smart" not in agent.document(opts)
    report = agent.report(opts)
    assert report["facts"]["smart"] == [{"name": "sda", "passed": True}]
    assert report["volatile"]["smart"]["sda"]["hours"] == 5
    assert report["partial"] == ["lldp"]
    assert report["errors"]["lldp"]["type"] == "LookupError"
    assert (tmp_path / "cache" / "cmdb" / "slow" / "smart.json").exists()
    # The second one is of the same bytes.
    assert agent.report(opts)["digest"] == report["digest"]


def test_the_command_line_shows_them_on_request(tmp_path):
    root = tree(tmp_path, {"sys/devices/platform/ipmi_bmc.0/ipmi_version": "2.0\n"})
    command = [sys.executable, "-m", "salt_ext.facts", "--root", root.path, "--only", "bmc"]
    shown = subprocess.run([*command, "--slow"], capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout)["bmc"]["ipmi_version"] == "2.0"
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 2


# Tools


def script(where, text):
    where.write_text(f"#!/bin/sh\n{text}\n")
    where.chmod(0o755)
    return str(where)


def test_a_tool_has_its_output_whatever_its_exit_code(tmp_path):
    path = script(tmp_path / "tool", 'echo "$LC_ALL $1"; echo bad >&2; exit 3')
    assert tools.run([path, "a b;c"]) == tools.Output("C a b;c\n", "bad\n", 3)


def test_a_tool_has_no_terminal_and_nothing_to_read(tmp_path):
    path = script(tmp_path / "tool", "cat; tty; pwd; env | sort")
    output = tools.run([path])
    assert "not a tty" in output.text
    assert "LC_ALL=C" in output.text
    assert "CMDB" not in output.text


def test_a_tool_that_runs_too_long_is_killed_with_what_it_started(tmp_path):
    path = script(tmp_path / "tool", f"sleep 600 & echo $! > {tmp_path}/pid; wait")
    began = time.monotonic()
    assert tools.run([path], deadline_seconds=0.5) == f"{path} ran past 0.5 s"
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert gone((tmp_path / "pid").read_text().strip())


def test_a_tool_that_closes_its_output_and_stays_is_killed_too(tmp_path):
    path = script(tmp_path / "tool", "exec >&- 2>&-; sleep 600")
    assert tools.run([path], deadline_seconds=0.5) == f"{path} ran past 0.5 s"


def test_a_tool_that_never_stops_writing_is_stopped(tmp_path):
    path = script(tmp_path / "tool", "yes")
    assert tools.run([path], limit_bytes=10_000) == f"{path} wrote more than 10000 bytes"
    path = script(tmp_path / "loud", "yes | head -c 1000000 >&2; echo done")
    output = tools.run([path])
    assert output.text == "done\n"
    assert len(output.error_text) == tools.LIMIT_ERROR_BYTES


def test_a_tool_that_is_not_there_or_no_program_is_a_reason(tmp_path):
    assert tools.run(["no-such-tool"]) == "no-such-tool is not installed"
    broken = tmp_path / "broken"
    broken.write_bytes(b"\0\0")
    broken.chmod(0o755)
    assert "cannot be started" in tools.run([str(broken)])


def test_the_first_tool_that_is_installed_is_taken(tmp_path):
    (tmp_path / "a").mkdir()
    second = script(tmp_path / "a" / "second", "true")
    (tmp_path / "a" / "first").write_text("not executable")
    places = [str(tmp_path), str(tmp_path / "a")]
    assert tools.find("first", "second", places=places) == second
    assert tools.find("third", places=places) is None
