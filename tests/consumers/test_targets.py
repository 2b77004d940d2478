"""Tools that deploy code take the plain list of machines as it is."""

import subprocess
import sys

import pytest

from salt_ext import feeds, store
from tests.consumers import obtained
from tests.machines import arrival, server

BAD_NAMES = ("web[01-99]", "web03;reboot", "-w", "a b", "localhost")
NAMES = ["db-1.fra1", "web01", "web02"]


@pytest.fixture
def targets(database, tmp_path):
    """The file, of three machines and some whose names are none."""
    store.ingest(
        database,
        [arrival(server(number), name) for number, name in enumerate([*NAMES, *BAD_NAMES], 1)],
    )
    path = tmp_path / "targets"
    path.write_bytes(feeds.make(database, "targets", {}, {}).body)
    return path


def test_clustershell_runs_once_for_each_machine(targets):
    programs = obtained.environment("clustershell", "ClusterShell")
    run = ("--worker=exec", f"--hostfile={targets}", "-N", "echo to %h")
    done = obtained.run(programs / "clush", *run, stdin=subprocess.DEVNULL)
    assert sorted(done.stdout.split("\n")) == ["", *(f"to {name}" for name in NAMES)], done.stderr


def test_ansible_takes_it_for_an_inventory(targets):
    programs = obtained.environment("ansible", "ansible-core>=2.18")
    done = obtained.run(programs / "ansible", "-i", targets, "all", "--list-hosts")
    assert done.stdout.split()[2:] == NAMES, done.stderr


def test_xargs_starts_a_program_for_each_machine(targets):
    with targets.open() as file:
        done = obtained.run("xargs", "-n", "1", sys.executable, "-c", PRINT, stdin=file)
    assert done.stdout.split() == NAMES


PRINT = "import sys; print(*sys.argv[1:])"
