"""A release in waves, by the script of docs/examples: it stops when hardware is not as it was."""

import os
import subprocess

import pytest

from tests.integration.conftest import BIN, EXAMPLES, REPOSITORY

DEPLOY = """#!/bin/sh
cat "$1" >> {home}/deployed
{work}
"""


@pytest.fixture
def release(fleet, tmp_path):
    """A function that releases by a program with this work in it; returns what came of it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    salt_run = f"{BIN}/salt-run --config-dir={fleet.master.config_dir}"
    (programs / "salt-run").write_text(f'#!/bin/sh\nexec {salt_run} "$@"\n')
    (programs / "salt-run").chmod(0o755)
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "WAVE": "1"}
    deploy = tmp_path / "deploy"

    def run(snapshot, *filters, work=""):
        deploy.write_text(DEPLOY.format(home=tmp_path, work=work))
        deploy.chmod(0o755)
        done = subprocess.run(
            [EXAMPLES / "release.sh", snapshot, deploy, *filters],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=REPOSITORY,
            env=environ,
        )
        deployed = tmp_path / "deployed"
        return done, deployed.read_text().split() if deployed.exists() else []

    return run


@pytest.fixture
def snapshot(fleet, eventually):
    """The name of a snapshot of both machines as they are."""
    fleet.flash("7.0.0")
    for minion in (fleet.web01, fleet.web02):
        fleet.collect(minion)
    eventually(lambda: fleet.bios_version(fleet.web01) == "7.0.0" and fleet.asset(fleet.web02))
    name = f"before-{os.urandom(4).hex()}"
    assert fleet.run("salt-run", "cmdb.snapshot", name).returncode == 0
    yield name
    fleet.flash("7.0.0")


def test_machines_that_are_as_they_were_get_the_release(release, snapshot):
    done, deployed = release(snapshot, "minion_id=web01")
    assert done.returncode == 0, done.stderr
    assert deployed == ["web01"]


def test_a_machine_that_has_changed_since_gets_nothing(fleet, release, snapshot):
    fleet.flash("7.1.0")
    done, deployed = release(snapshot, "minion_id=web01")
    assert (done.returncode, deployed) == (1, [])
    assert "7.0.0 → 7.1.0" in done.stderr
    assert done.stderr.endswith("stopped at web01\n")


def test_after_a_wave_that_changes_a_machine_there_is_no_other(fleet, release, snapshot):
    flash = f"cd {REPOSITORY} && {BIN}/python -c 'import demo_machine, pathlib;"
    flash += f' demo_machine.write(pathlib.Path("{fleet.hardware}"), "7.2.0")\''
    done, deployed = release(snapshot, "minion_id__in=web01,web02", work=flash)
    assert (done.returncode, deployed) == (1, ["web01"])
    assert "7.0.0 → 7.2.0" in done.stderr


def test_a_gate_that_cannot_look_lets_nothing_through(release):
    done, deployed = release("never-taken", "minion_id=web01")
    assert (done.returncode, deployed) == (1, [])
    assert "there is no snapshot" in done.stderr


def test_a_filter_that_fits_nobody_is_no_release(release, snapshot):
    done, deployed = release(snapshot, "site=nowhere")
    assert (done.returncode, deployed) == (1, [])
    assert "no asset has site=nowhere" in done.stderr
    done, deployed = release(snapshot, "lifecycle=retired")
    assert (done.returncode, deployed) == (1, [])
    assert "no machine fits: lifecycle=retired" in done.stderr
