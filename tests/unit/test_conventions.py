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


LOGS = ("debug", "info", "warning", "error", "critical", "log", "exception")
HARMLESS = ("visible", "trace", "indented", "len")


def log_calls():
    """Those of the extension, whose log is Salt's; that of the web process is JSON."""
    for path in sorted(ROOT.glob("salt_ext/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if node.func.attr in LOGS and name in ("log", "logger"):
                yield pytest.param(path, node, id=f"{path.name}:{node.lineno}")


def is_harmless(node):
    """Whether a value cannot hold what a machine has sent as it is."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return node.func.id in HARMLESS
    return False


@pytest.mark.parametrize(("path", "call"), list(log_calls()))
def test_what_is_logged_cannot_write_lines_of_its_own(path, call):
    made_harmless = {
        target.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assign) and is_harmless(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    assert call.func.attr != "exception"
    assert not [one for one in call.keywords if one.arg == "exc_info"]
    level = call.func.attr == "log"
    for argument in call.args[level:]:
        is_known = isinstance(argument, ast.Name) and argument.id in made_harmless
        assert is_harmless(argument) or is_known, ast.unparse(call)
