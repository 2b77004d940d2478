"""Promises that no other tool checks."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = [
    pytest.param(node, id=f"{path.parent.name}.{node.name}")
    for room in ("modules", "runners")
    for path in sorted((ROOT / "salt_ext" / room).glob("[!_]*.py"))
    for node in ast.parse(path.read_text()).body
    if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_commands_show_an_example(function):
    assert "CLI Example:" in (ast.get_docstring(function) or "")


def modules_after(code):
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def test_importing_the_package_imports_nothing():
    assert modules_after("import salt_ext") - modules_after("pass") <= {"salt_ext"}


def test_the_facts_import_nothing_heavy():
    heavy = {"typing", "dataclasses", "subprocess", "json", "datetime", "asyncio", "salt"}
    bare = modules_after("pass")
    assert not (modules_after("import salt_ext.facts, salt_ext.settings") - bare) & heavy
