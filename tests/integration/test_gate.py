"""The maintenance gate: a look before, a look after, and the orchestration of docs/examples."""

import json
import sys

import pytest

import demo_machine
from tests.integration.conftest import REPOSITORY

WORK = """
work:
  cmd.run:
    - name: {python} -c "import demo_machine, pathlib;
        demo_machine.write(pathlib.Path('{hardware}'), '{version}', {empty})"
    - cwd: {repository}
"""


@pytest.fixture
def work(fleet):
    """A function that says what the maintenance does to the machine."""

    def write(version, empty=()):
        (fleet.hardware.parent / "states/work.sls").write_text(
            WORK.format(
                python=sys.executable,
                hardware=fleet.hardware,
                version=version,
                empty=empty,
                repository=REPOSITORY,
            )
        )

    yield write
    demo_machine.write(fleet.hardware, "5.0.0")


def maintain(fleet, ticket):
    pillar = json.dumps({"ticket": ticket, "tgt": "web01", "sls": "work"})
    command = ("state.orchestrate", "maintenance", f"pillar={pillar}", "--out=json")
    result = fleet.run("salt-run", *command)
    [states] = json.loads(result.stdout)["data"].values()
    return result.returncode, {one["__id__"]: one for one in states.values()}


def test_maintenance_that_leaves_the_hardware_as_it_was_passes_the_gate(fleet, work):
    fleet.flash("5.0.0")
    work("5.0.0")
    retcode, states = maintain(fleet, "CHG-1")
    assert {name: one["result"] for name, one in states.items()} == dict.fromkeys(
        (
            *("collect_before", "store_before", "snapshot"),
            *("work", "collect_after", "store_after", "gate"),
        ),
        True,
    )
    assert retcode == 0
    gate = ("cmdb.diff", "web01", "against=before-CHG-1", "exit_code=True")
    assert fleet.run("salt-run", *gate).returncode == 0


def test_maintenance_that_loses_a_module_and_flashes_a_bios_fails_at_the_gate(fleet, work):
    fleet.flash("5.0.0")
    work("5.1.0", ("B2",))
    retcode, states = maintain(fleet, "CHG-2")
    assert {name for name, one in states.items() if not one["result"]} == {"gate"}
    assert retcode == 1
    # What is different is in the answer of the step that failed.
    answer = json.dumps(states["gate"]["changes"])
    assert "35D10005" in answer
    for command in (
        ("cmdb.diff", "web01", "against=before-CHG-2"),
        ("cmdb.fleet_diff", "from=before-CHG-2"),
    ):
        result = fleet.run("salt-run", *command, "exit_code=True")
        assert result.returncode == 1
        assert "5.0.0 → 5.1.0" in result.stdout
        assert "Memory module B2" in result.stdout
        assert fleet.run("salt-run", *command).returncode == 0
    other_site = ("cmdb.fleet_diff", "from=before-CHG-2", "site=elsewhere", "exit_code=True")
    assert fleet.run("salt-run", *other_site).returncode == 0


def test_a_gate_that_cannot_look_does_not_open(fleet, work):
    result = fleet.run("salt-run", "cmdb.fleet_diff", "from=never-taken", "exit_code=True")
    assert result.returncode == 3
    assert "is no time, and there is no snapshot" in result.stdout
