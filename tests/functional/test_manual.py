"""What is written of the commands: docs/commands.md and what ``salt-run -d cmdb`` prints."""

import inspect
import re
from pathlib import Path

import pytest
import salt.config
import salt.loader
import yaml

from salt_ext import settings

MANUAL = Path(__file__).parents[2] / "docs/commands.md"


def commands():
    """The functions that Salt's loader finds, by the name that is typed."""
    runners = salt.loader.runner(salt.config.master_config(None))
    return {
        name.removeprefix("cmdb."): runners[name].func
        for name in runners
        if name.startswith("cmdb.")
    }


COMMANDS = commands()
NAMED = {"diff": ("from", "to"), "fleet_diff": ("from", "to"), "purge": ("class",)}
NAMED |= {"changes": ("class",), "history": ("class",)}
NAMED |= {"quarantine": ("as",), "reconcile": ("map",), "expected": ("map",)}
"""Arguments that no Python function can name."""

SECTIONS = dict(re.findall(r"^### cmdb\.(\w+)\n(.*?)(?=^##)", MANUAL.read_text(), re.M | re.S))


def arguments(name):
    found = [one for one in inspect.signature(COMMANDS[name]).parameters if one != "kwargs"]
    return {*found, *NAMED.get(name, ())}


def test_the_manual_has_every_command_of_the_loader_and_no_other():
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_has_its_arguments_in_a_sentence_and_an_output(name):
    prose, *blocks = SECTIONS[name].split("```")
    assert arguments(name) <= set(re.findall(r"`(\w+)`", prose))
    outputs = [block for block in blocks if block.startswith("console\n")]
    typed, said = outputs[0].removeprefix("console\n").split("\n", 1)
    assert re.match(rf"\$ salt-run cmdb\.{name}\b", typed) or name == "sync"
    assert f"$ salt-run cmdb.{name}" in "".join(outputs)
    assert said.strip()
    assert "ERROR:" not in "".join(outputs)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_command_says_what_each_argument_is(name):
    documented = inspect.getdoc(COMMANDS[name]).partition("CLI Example:")[0]
    lines = re.findall(r"^(\w+(?:, \w+)*)$", documented, re.M)
    assert arguments(name) <= {one for line in lines for one in line.split(", ")}


ROOT = MANUAL.parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_page_tells_people_to_run_what_there_is(page):
    text = page.read_text()
    assert set(re.findall(r"salt-run (?:-\S+ )*cmdb\.([a-z]\w*)", text)) <= set(COMMANDS)
    tasks = set(re.findall(r"^  (\w+)  +\S", (ROOT / "dev").read_text(), re.M))
    assert set(re.findall(r"\./dev (\w+)", text)) <= tasks


def test_the_installation_names_keys_that_the_formula_has():
    defaults = yaml.safe_load((ROOT / "states/cmdb/defaults.yaml").read_text())
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/installation.md").read_text(), re.S)
    for block in blocks:
        # A block may show several files, each below a comment with its name.
        for part in re.split(r"^\s*# \S+\.sls.*$", block, flags=re.M):
            given = yaml.safe_load(part) or {}
            settings.from_opts({"cmdb": given.get("cmdb", {})})
            assert (given.get("cmdb_formula") or {}).keys() <= defaults.keys()
