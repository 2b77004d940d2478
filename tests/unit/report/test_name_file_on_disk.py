"""The name file on a disk that is full, damaged, shared or in the middle of a crash."""

import contextlib
import json
import os
import random
import stat
import subprocess
import sys
import threading

import pytest

from salt_ext.report import name_file
from salt_ext.report.name_file import Name, Names, Unusable

SECRET = "a" * 64
MOMENT = "2026-11-21T08:00:01.000Z"
KNOWN = Names((Name("web01", SECRET, MOMENT),), MOMENT)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "cmdb/name")


def test_a_file_is_read_as_it_was_written_by_its_owner_alone(path):
    name_file.write(path, KNOWN)
    assert name_file.read(path) == KNOWN
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with name_file.locked(path):
        assert stat.S_IMODE(os.stat(f"{path}.lock").st_mode) == 0o600


def test_without_a_file_nothing_is_known(path):
    assert name_file.read(path) == Names()


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ("web01\n\n", None, "web01"),
        ("web01\n", None, "web01"),
        ("db01\nweb01\n", "web01", "db01"),
        ("db01\ndb01\n", None, "db01"),
        ("", None, None),
    ],
)
def test_the_file_of_the_first_edition_is_read_and_proves_nothing(path, text, before, after):
    names = name_file.parse(text.encode())
    for minion_id, previous in (("db01", before), ("new01", after)):
        if minion_id in text or minion_id == "new01":
            found = names.previous(minion_id)
            assert (found and found.name) == previous
            assert found is None or found.proof() is None
    assert names.own("db01").secret is None
    asked = name_file.asking(names, "db01", MOMENT)
    assert asked.own("db01").secret is not None


def test_the_first_edition_reads_no_secret_in_the_file_of_this_one(path):
    """After a step back it says that the machine was called ``{``, and nobody is."""
    name_file.write(path, KNOWN)
    with open(path) as file:
        assert [file.readline().strip(), file.readline().strip()] == ["{", '"format": 2,']


def as_file(**fields):
    name = {"name": "web01", "secret": SECRET, "collected_at": MOMENT} | fields
    return json.dumps({"format": 2, "asked": None, "names": [name]}).encode()


@pytest.mark.parametrize(
    "text",
    [
        b"{",
        b"{}",
        b'{"format": 3, "names": []}',
        b'{"format": 2, "names": {}}',
        b'{"format": 2, "names": [7]}',
        b'{"format": 2, "names": [{}]}',
        b"{" + b"[" * 10_000,
        as_file(name=""),
        as_file(name=7),
        as_file(name="x" * 256),
        as_file(name="a\nb"),
        as_file(name="\udcff"),
        as_file(secret=7),
        as_file(secret="short"),
        as_file(collected_at="yesterday"),
        as_file()[:-5],
        as_file() + b"x",
        as_file() + b" " * name_file.MAX_BYTES,
        as_file().replace(b"]", b", " + as_file().partition(b"[")[2].rpartition(b"]")[0] + b"]"),
        b"\xff\xfe\x00",
        b"x" * 300,
        b"web\x00 01\n",
    ],
)
def test_a_file_with_anything_else_in_it_cannot_be_used(path, text):
    with pytest.raises(Unusable):
        name_file.parse(text)


def test_a_file_that_is_damaged_in_one_byte_says_what_it_said_or_nothing(path):
    name_file.write(path, KNOWN)
    with open(path, "rb") as file:
        text = file.read()
    choose = random.Random(12)
    for _ in range(2000):
        damaged = bytearray(text)
        damaged[choose.randrange(len(text))] = choose.randrange(256)
        with contextlib.suppress(Unusable):
            for one in name_file.parse(bytes(damaged)).names:
                assert 0 < len(one.name) <= 255
                assert one.proof() is None or len(one.secret) == 64


@pytest.mark.parametrize("kind", ["link", "fifo", "directory", "writable"])
def test_a_file_that_another_user_may_have_made_cannot_be_used(path, tmp_path, kind):
    name_file.write(path, KNOWN)
    if kind == "writable":
        os.chmod(path, 0o666)
    else:
        os.rename(path, tmp_path / "elsewhere")
        {
            "link": lambda: os.symlink(tmp_path / "elsewhere", path),
            "fifo": lambda: os.mkfifo(path),
            "directory": lambda: os.mkdir(path),
        }[kind]()
    with pytest.raises(Unusable):
        name_file.read(path)


def test_what_cannot_be_written_leaves_the_file_as_it_was(path):
    name_file.write(path, KNOWN)
    os.mkdir(f"{path}.new")  # even root cannot write a file there
    with pytest.raises(IsADirectoryError):
        name_file.write(path, Names())
    assert name_file.read(path) == KNOWN


def test_what_a_process_left_that_ended_while_it_wrote_is_in_nobodys_way(path, tmp_path):
    os.makedirs(os.path.dirname(path))
    os.symlink(tmp_path / "victim", f"{path}.new")
    name_file.write(path, KNOWN)
    assert name_file.read(path) == KNOWN
    assert not (tmp_path / "victim").exists()


WRITER = """
import sys
from salt_ext.report.name_file import Name, Names, write
for number in range(1_000_000):
    write(sys.argv[1], Names((Name(f"web{number}", "a" * 64),)))
    print(number, flush=True)
"""


def test_a_process_that_is_killed_while_it_writes_leaves_a_whole_file(path):
    for lines in (1, 2, 3, 5, 8, 13):
        command = [sys.executable, "-c", WRITER, path]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for _ in range(lines):
                process.stdout.readline()
            process.kill()
        [one] = name_file.read(path).names
        assert int(one.name.removeprefix("web")) >= lines - 1


def test_two_at_once_lose_no_name(path):
    def add(number):
        for one in range(5):
            with name_file.locked(path):
                names = name_file.read(path)
                name_file.write(
                    path, name_file.asking(names, f"web{number}", f"2026-11-21T08:00:01.00{one}Z")
                )

    threads = [threading.Thread(target=add, args=(number,)) for number in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.name for one in name_file.read(path).names} == {f"web{one}" for one in range(6)}


def test_a_process_that_holds_the_lock_for_ever_stops_no_report(path, monkeypatch):
    monkeypatch.setattr(name_file, "LOCK_SECONDS", 0.1)
    with name_file.locked(path), name_file.locked(path):
        name_file.write(path, KNOWN)
    assert name_file.read(path) == KNOWN
