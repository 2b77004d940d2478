"""One collector that fails costs its own section and nothing else."""

import json
import os
import subprocess
import sys
import threading

import pytest

from salt_ext import facts
from salt_ext.facts import collect
from salt_ext.facts.root import LIMIT_BYTES, Root
from tests.unit.facts.trees import tree

HERE = __name__
held = threading.Event()


def good(root):
    return {"answer": 42}


def none_found(root):
    return []


def cannot_tell(root):
    return None


def raises(root):
    raise LookupError("the disk\0 is on fire")


def leaves(root):
    sys.exit("gone")


def hangs(root):
    held.wait()


def garbage(root):
    return {1, 2}


def text(root):
    return "text"


def list_of_text(root):
    return ["text"]


def object_inside(root):
    return {"a": object()}


def hostile(root):
    return {"serial_number": "SN\udcff\0\x1b ", "big": 2**80, "nan": float("nan"), "b": b"\xff"}


def volatile_text(root):
    return {"known": 1, "volatile": "x"}


def volatile_list_below(root):
    return [{"name": "a", "ports": [{"volatile": ["x"]}]}]


def long_key(root):
    return {"k" * 256: 1}


def number_as_key(root):
    return {1: 2}


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class Wordless(SyntaxError):
    """A traceback of it cannot be written."""

    def __init__(self):
        super().__init__("no words", ("file", "no line", object(), 7))

    def __str__(self):
        return 7


def raises_speechless(root):
    raise Speechless


def raises_wordless(root):
    raise Wordless


def good_in_other_words(root):
    return {"response": 42}


def good_of_no_version(root):
    return {"response": 42}


good_in_other_words.version = 2  # type: ignore[attr-defined]
good_of_no_version.version = "two"  # type: ignore[attr-defined]


def reads_secret(root):
    return {"known": 1, "secret": root.text("/secret")}


def misses_a_part(root):
    try:
        raises(root)
    except LookupError as error:
        root.failed(error)
    return {"known": 1}


def run(deadline=5.0, root="/", **collectors):
    paths = {name: f"{HERE}.{function}" for name, function in collectors.items()}
    return collect(root, paths, deadline)


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("raises", "LookupError"),
        ("leaves", "SystemExit"),
        ("garbage", "TypeError"),
        ("text", "TypeError"),
        ("list_of_text", "TypeError"),
        ("object_inside", "TypeError"),
        ("volatile_text", "TypeError"),
        ("volatile_list_below", "TypeError"),
        ("long_key", "ValueError"),
        ("number_as_key", "TypeError"),
        ("good_of_no_version", "TypeError"),
        ("raises_speechless", "Speechless"),
        ("raises_wordless", "Wordless"),
        ("missing", "AttributeError"),
        ("HERE", "TypeError"),
    ],
)
def test_a_collector_that_fails_is_an_error_record_with_its_traceback(function, kind):
    document = run(before="good", bad=function, after="none_found")
    assert document["before"] == {"answer": 42}
    assert document["after"] == []
    assert "bad" not in document
    assert document["partial"] == ["bad"]
    assert document["errors"]["bad"]["type"] == kind
    assert "Traceback" in document["errors"]["bad"]["traceback"]
    json.dumps(document).encode()


@pytest.mark.parametrize("path", ["nosuchmodule.x", "nodots", "salt_ext.facts.no.such"])
def test_a_path_that_cannot_be_imported_is_an_error_of_that_collector(path):
    document = collect("/", {"bad": path, "good": f"{HERE}.good"})
    assert document["good"] == {"answer": 42}
    assert document["errors"]["bad"]["type"] in ("ImportError", "ModuleNotFoundError")


def test_a_collector_that_hangs_is_left_behind_with_where_it_was():
    try:
        document = run(deadline=0.4, before="good", hung="hangs", after="good")
    finally:
        held.set()
    assert document["before"] == document["after"] == {"answer": 42}
    assert document["errors"]["hung"]["type"] == "TimeoutError"
    assert "held.wait()" in document["errors"]["hung"]["traceback"]
    assert document["duration_ms"] < 60_000
    held.clear()


def test_none_found_and_no_way_to_tell_are_two_facts():
    document = run(none="none_found", unknown="cannot_tell")
    assert document["none"] == []
    assert "unknown" not in document
    assert document["partial"] == ["unknown"]
    assert document["errors"] == {}


def test_what_no_later_step_could_carry_is_mended():
    section = run(hostile="hostile")["hostile"]
    assert section == {"serial_number": "SN?", "big": str(2**80), "nan": None, "b": "�"}


def test_a_collector_says_which_version_of_it_this_is():
    assert run(one="good", two="good_in_other_words")["versions"] == {"two": 2}
    ours = collect("/", {"usb": facts.COLLECTORS["usb"], "pci": facts.COLLECTORS["pci"]})
    assert ours["versions"] == {"usb": facts.VERSIONS["usb"]}


def test_a_section_is_switched_off_by_null():
    assert "off" not in collect("/", {"off": None})


def test_a_missing_permission_is_told_and_the_rest_is_kept(tmp_path):
    tree(tmp_path, {"secret": "x"})
    (tmp_path / "secret").chmod(0)
    for directory in [tmp_path, *tmp_path.parents][:3]:
        directory.chmod(0o755)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        document = run(root=str(tmp_path), s="reads_secret")
    finally:
        if user == 0:
            os.seteuid(0)
    assert document["s"] == {"known": 1, "secret": None}
    assert document["errors"]["s"]["type"] == "PermissionError"
    assert "/secret" in document["errors"]["s"]["message"]
    assert document["partial"] == ["s"]


def test_a_part_that_could_not_be_looked_at_is_told_beside_what_was_found():
    document = run(s="misses_a_part", other="good")
    assert document["s"] == {"known": 1}
    assert document["partial"] == ["s"]
    assert document["errors"]["s"]["type"] == "LookupError"
    assert "misses_a_part" in document["errors"]["s"]["traceback"]
    assert document["other"] == {"answer": 42}


def test_what_failed_in_shared_work_counts_for_each_that_uses_it():
    root = Root()
    for _ in range(2):
        root.failures.clear()
        root.once(misses_a_part)
        assert [type(reason) for reason in root.failures] == [LookupError]


def test_links_never_lead_out_of_the_root(tmp_path):
    (tmp_path / "outside").write_text("secret")
    inside = tmp_path / "root"
    root = tree(
        inside,
        {"etc/real": "inside"},
        {
            "up": "../outside",
            "far": "../../../../../../../../" + str(tmp_path) + "/outside",
            "absolute": "/etc/real",
            "loop": "loop",
            "directory": "../",
        },
    )
    assert root.text("/up") is None
    assert root.text("/far") is None
    assert root.text("/absolute") == "inside"
    assert root.text("/loop") is None
    assert root.text("/directory/outside") is None
    assert root.text("/../outside") is None


def test_a_path_may_lead_over_as_many_links_as_the_kernel_follows(tmp_path):
    links = {f"etc/{one}": str(one - 1) for one in range(1, 42)}
    root = tree(tmp_path, {"etc/0": "here"}, links)
    assert root.text("/etc/40") == "here"
    assert os.path.exists(tmp_path / "etc/40")
    assert root.text("/etc/41") is None
    assert not os.path.exists(tmp_path / "etc/41")


def test_no_read_is_larger_than_the_limit_and_no_fifo_blocks(tmp_path):
    (tmp_path / "big").write_bytes(b"x" * (LIMIT_BYTES * 3))
    os.mkfifo(tmp_path / "fifo")
    root = Root(str(tmp_path))
    assert len(root.data("/big") or b"") == LIMIT_BYTES == 64 * 1024
    assert root.data("/fifo") in (b"", None)


def test_the_command_prints_a_document_and_refuses_bad_arguments(tmp_path):
    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "salt_ext.facts", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )

    done = command("--root", str(tmp_path), "--only", "memory,disks", "--pretty")
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["schema"] == facts.SCHEMA
    assert "operating_system" not in document
    for arguments, says in (
        (["--only", "memmory"], "no section 'memmory'; there are: operating_system, "),
        (["--root", str(tmp_path / "nowhere")], "there is no directory"),
        (["--rot"], "there is no option '--rot'"),
        (["--root"], "needs a value"),
    ):
        done = command(*arguments)
        assert done.returncode == 2
        assert says in done.stderr
        assert "Traceback" not in done.stderr


def test_the_document_is_alone_on_stdout_whatever_a_collector_writes_there():
    program = "; ".join(
        (
            "import os, subprocess, sys, threading",
            "from salt_ext import settings",
            "from salt_ext.facts.__main__ import main",
            "settings.OPTIONS['collectors'].default['usb'] = '__main__.writes'",
            "tell = lambda: (os.write(1, b'noise\\n'), print('noise', file=sys.__stdout__))",
            "child = lambda: subprocess.run(['echo', 'noise'])",
            "writes = lambda root: [tell(), child()] and {'answer': 42}",
            "code = main(['--only', 'usb'])",
            "sys.exit(code or os.write(1, b'after\\n') - 6)",
        )
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
    )
    assert done.returncode == 0, done.stderr
    document, *rest = done.stdout.splitlines()
    assert json.loads(document)["usb"] == {"answer": 42}
    assert rest == ["after"]
    assert done.stderr.count("noise") == 3


def test_a_reader_that_has_enough_is_no_error():
    command = f"{sys.executable} -m salt_ext.facts --only pci --pretty | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "{\n", "")


def test_the_longest_traceback_ends_with_what_happened():
    record = facts.failed("x", LookupError("first " + "x" * 9000 + " last"))["errors"]["x"]
    assert record["traceback"].endswith("xxx last")
