"""
What people reported of other inventories, as small inputs with the right values.

The links to their reports stand in the corpus.
"""

import json
import subprocess
import sys

import pytest

from salt_ext import document
from salt_ext.document.diff import diff
from salt_ext.facts import bmc, lldp, mdstat, raid, smart
from salt_ext.facts.identity import identify
from salt_ext.facts.raid import (
    adaptec,
    areca,
    mdadm,
    megacli,
    megasasctl,
    mptstatus,
    ssacli,
    storcli,
    threeware,
)
from salt_ext.store.columns import list_columns
from tests import public_cases
from tests.corpus import needs_corpus

pytestmark = needs_corpus

PARSERS = {
    "raid_adaptec": adaptec.parse,
    "raid_areca": areca.parse,
    "raid_mdadm": mdadm.parse,
    "raid_megacli": megacli.parse,
    "raid_megasasctl": megasasctl.parse,
    "raid_mptstatus": mptstatus.parse,
    "raid_ssacli": ssacli.parse,
    "raid_storcli": storcli.parse,
    "raid_threeware": threeware.parse,
    "mdstat": mdstat.arrays,
    "lldp_json": lldp.from_json,
    "lldp_keyvalue": lldp.from_keyvalue,
    "lan_print": bmc.lan_print,
}


def check(case, answer):
    assert public_cases.wrong(case, answer) == {}


@pytest.mark.parametrize("case", public_cases.cases("tree", "columns"))
def test_a_captured_machine_has_the_right_facts(case, tmp_path):
    root = public_cases.laid_out(case, tmp_path)
    command = [sys.executable, "-m", "salt_ext.facts", "--root", str(root.path)]
    run = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    facts = json.loads(run.stdout)
    sections = {name: one for name, one in facts.items() if isinstance(one, (dict, list))}
    identified = identify(document.normal(sections))
    if public_cases.kind_of(case) == "columns":
        check(case, list_columns(document.normal(sections), identified["candidates"]))
        return
    asked = {
        f"smart_protocol[{one['name']}]": smart._protocol(one) for one in facts.get("disks", [])
    }
    check(case, {**facts, "identity": identified, **asked})


@pytest.mark.parametrize("case", public_cases.cases(*PARSERS))
def test_the_output_of_a_tool_is_read_right(case):
    check(case, PARSERS[public_cases.kind_of(case)]((case / "input.txt").read_text()))


@pytest.mark.parametrize("case", public_cases.cases("raid_tools"))
def test_a_driver_is_asked_by_the_tools_that_know_it(case):
    asked = {
        driver: [tool for tools, _ in raid.READERS[family] for tool in tools]
        for driver, family in raid.FAMILIES.items()
    }
    wanted = public_cases.read(case, "expected.json")
    missing = {driver for driver, tool in wanted.items() if tool not in asked[driver]}
    assert not missing


@pytest.mark.parametrize("case", public_cases.cases("diff"))
def test_two_documents_differ_by_what_happened(case):
    before, after = (
        document.normal(public_cases.read(case, name)) for name in ("before.json", "after.json")
    )
    changes = [[one.op, name_of(one)] for one in diff(before, after)]
    check(case, {"ops": changes})


def name_of(change):
    """What people call the part that a change is about."""
    whole = change.old or change.new
    return whole["name"] if change.field is None else change.component
