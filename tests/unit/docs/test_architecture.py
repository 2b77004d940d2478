"""``docs/architecture.md`` is the tree as it is: its folders, files, functions and imports."""

import ast
import re
import sys
from functools import cache

import pytest

from tests.unit.docs import markdown
from tests.unit.docs.markdown import ROOT

PAGE = "architecture.md"
PACKAGES = ("provisioner", "salt_ext", "webui")
STEPS = sorted(set(re.findall(r"`([\w/]+\.py):([\w.]+)`", markdown.text(PAGE))))


def sources():
    return [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def parsed(path):
    return ast.parse(path.read_text())


def on_the_map():
    """Return the folders and files of the map, as often as they stand there."""
    found = []
    for heading, lines in re.findall(
        r"^### `([^`]+)/`\n(.*?)(?=^#|\Z)", markdown.text(PAGE), re.M | re.S
    ):
        names = re.findall(r"^- `([^`]+)`: \S", lines, re.M)
        found += [f"{heading}/", *(f"{heading}/{name}" for name in names)]
    return found


def in_the_tree():
    """Return the folders of our packages, and the files beside ``__init__.py``."""
    files = [
        path.relative_to(ROOT)
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]
    modules = [path for path in files if path.suffix == ".py" and path.name != "__init__.py"]
    return {f"{path.parent}/" for path in files} | {str(path) for path in modules}


def test_the_map_has_every_folder_and_file_once():
    wrong = markdown.differences(on_the_map(), in_the_tree())
    assert not wrong, f"the map in docs/{PAGE}: {wrong}"


def test_what_stands_beside_the_packages_exists():
    names = [
        name for cell, _ in markdown.rows(PAGE, "where") for name in re.findall(r"`(.+?)`", cell)
    ]
    assert [name for name in names if not (ROOT / name).exists()] == []
    assert names


def defined(tree, prefix=""):
    """Return the names of the functions and classes of a module, and of what is in the classes."""
    found = set()
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(prefix + node.name)
            if isinstance(node, ast.ClassDef):
                found |= defined(node, f"{node.name}.")
    return found


@pytest.mark.parametrize(("path", "name"), STEPS, ids=[":".join(step) for step in STEPS])
def test_a_step_of_a_walk_is_where_it_is_said_to_be(path, name):
    assert (ROOT / path).exists(), f"{path} is named in docs/{PAGE} and does not exist"
    assert name in defined(parsed(ROOT / path)), f"docs/{PAGE} names {name}, which is not in {path}"


def room(module):
    """Return the room of a module: what stands below ``salt_ext``, or a server as a whole."""
    package, _, rest = module.partition(".")
    return package if package != "salt_ext" else rest.partition(".")[0]


def imports():
    """Return (room, imported module) for every import in our packages."""
    found = set()
    for path in sources():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ImportFrom) and node.module:
                found |= {(room(module), f"{node.module}.{one.name}") for one in node.names}
            elif isinstance(node, ast.Import):
                found |= {(room(module), one.name) for one in node.names}
    return found


def words(cell):
    return re.findall(r"`(\w+)`", cell)


def test_the_floors_are_those_of_the_import_contract():
    [layers, *_] = re.findall(
        r"^layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S
    )
    contract = [set(re.findall(r"\w+", floor)) for floor in re.findall(r'"(.+?)"', layers)]
    contract[0] |= {"provisioner", "webui"}
    rows = sorted(markdown.rows(PAGE, "floor"), key=lambda row: -int(row[0]))
    assert [set(words(rooms)) for _, rooms in rows] == contract


def test_packages_of_others_are_imported_by_the_rooms_that_are_named():
    named = {
        (one, package)
        for packages, rooms in markdown.rows(PAGE, "package")
        for package in words(packages)
        for one in words(rooms)
    }
    used = {(one, module.partition(".")[0]) for one, module in imports()}
    others = {pair for pair in used if pair[1] not in (*PACKAGES, *sys.stdlib_module_names)}
    assert sorted(named - others) == []
    assert sorted(others - named) == []
