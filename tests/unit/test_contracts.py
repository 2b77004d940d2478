"""The import contracts refuse what they promise to, in files that they have never seen too."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FORBIDDEN = [
    # (the file, the import, what the contract calls what is imported)
    ("salt_ext/lists/expected.py", "import sqlalchemy", "sqlalchemy"),
    ("salt_ext/commands/doctor.py", "import psycopg2", "psycopg2"),
    ("salt_ext/runners/cmdb_fleet.py", "import salt_ext.store.reads.filters", None),
    ("salt_ext/runners/cmdb_asset.py", "from salt_ext.store.documents import current", None),
    ("webui/query.py", "from salt_ext.store.reads import paging", None),
    ("salt_ext/facts/memory.py", "import salt.utils.files", "salt"),
    ("salt_ext/facts/disks.py", "import yaml", "yaml"),
    ("salt_ext/facts/a_new_collector.py", "import a_package_that_nobody_knows", None),
    ("salt_ext/facts/usb.py", "from salt_ext import settings", "salt_ext.settings"),
    ("salt_ext/report/agent.py", "import salt.config", "salt"),
    ("salt_ext/grains/cmdb.py", "import sqlalchemy.orm", "sqlalchemy"),
    ("salt_ext/modules/cmdb.py", "from salt_ext import store", "salt_ext.store"),
    ("salt_ext/store/database.py", "import flask", "flask"),
    ("salt_ext/store/bulk.py", "import salt.utils", "salt"),
    ("salt_ext/store/reads/odd.py", "from salt_ext.store.ingest import batch", None),
    ("salt_ext/store/reads/a_new_read.py", "from salt_ext.store.acts import purge", None),
    ("salt_ext/store/columns.py", "from salt_ext.store.reads import facets", None),
    ("salt_ext/exchange/csv.py", "import openpyxl", "openpyxl"),
    ("salt_ext/master/feed.py", "from salt_ext.engines import cmdb", "salt_ext.engines.cmdb"),
    ("salt_ext/output/cmdb.py", "from salt_ext.runners import cmdb_act", None),
    ("salt_ext/collect/pool.py", "import webui", "webui"),
    ("webui/format.py", "import salt.utils", "salt"),
    ("webui/sections.py", "from salt_ext.runners import cmdb", "salt_ext.runners.cmdb"),
    ("webui/runs.py", "import sqlalchemy.orm", "sqlalchemy"),
    ("webui/runs.py", "import provisioner", "provisioner"),
    ("provisioner/views.py", "import salt.utils", "salt"),
    ("provisioner/token.py", "from salt_ext import lists", "salt_ext.lists"),
    ("provisioner/views.py", "import requests", "requests"),
]


def imported(statement):
    """Return the module that an import statement names, as a contract writes it."""
    words = statement.split()
    if words[0] == "import":
        return words[1]
    module = f"{words[1]}.{words[3]}"
    return module if (ROOT / f"{module.replace('.', '/')}.py").exists() else words[1]


def lint(directory):
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=directory,
        capture_output=True,
        text=True,
    )
    return done.returncode, " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of what the contracts are about."""
    directory = tmp_path_factory.mktemp("copy")
    for package in ("provisioner", "salt_ext", "webui"):
        shutil.copytree(ROOT / package, directory / package, ignore=lambda *_: ["__pycache__"])
    (directory / "tests").mkdir()
    (directory / "tests" / "__init__.py").touch()
    for name in ("pyproject.toml", "tests/contracts.py"):
        shutil.copy(ROOT / name, directory / name)
    return directory


@pytest.fixture(scope="module")
def refused(copy):
    """What the contracts say of the copy once all that is forbidden stands in it."""
    status, said = lint(copy)
    assert status == 0, said
    for path, statement, _ in FORBIDDEN:
        with open(copy / path, "a") as file:
            file.write(f"\n{statement}\n")
    status, said = lint(copy)
    assert status == 1
    return said


@pytest.mark.parametrize(("path", "statement", "name"), FORBIDDEN, ids=str)
def test_a_forbidden_import_is_refused(refused, path, statement, name):
    importer = path.removesuffix(".py").replace("/", ".")
    other = name or imported(statement)
    assert f"{importer} -> {other} (l." in refused


def test_a_new_room_has_to_be_given_a_floor(copy):
    (copy / "salt_ext" / "a_new_room").mkdir()
    (copy / "salt_ext" / "a_new_room" / "__init__.py").touch()
    assert "a_new_room" in lint(copy)[1]
