"""What the wheel holds."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("salt_ext", "webui")


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


def test_the_wheel_holds_both_packages_and_nothing_else(tree, wheel):
    files = {
        str(path.relative_to(tree))
        for package in PACKAGES
        for path in (tree / package).rglob("*")
        if path.is_file() and path.suffix != ".mako"  # Alembic's, to write a new migration
    }
    assert {name for name in wheel if ".dist-info/" not in name} == files


def test_the_wheel_tells_type_checkers_of_our_types(wheel):
    assert {"salt_ext/py.typed", "salt_ext/_dunders.pyi", "webui/py.typed"} <= wheel
