"""
The manual of the installation, as somebody does it who pastes its lines.

pip installs nothing with the base, and neither Salt nor a compiler with the web. Each role of the
database may do what it is for.
"""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import psycopg2
import pytest

from salt_ext import store
from salt_ext.commands.doctor import database as checks
from tests import postgres
from tests.machines import arrival, server

ROOT = Path(__file__).parents[2]
MANUAL = (ROOT / "docs/installation.md").read_text()


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel of the checkout, built from a copy so that the checkout stays as it is."""
    copy = tmp_path_factory.mktemp("checkout") / "salt-cmdb"
    leftovers = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "tests")
    shutil.copytree(ROOT, copy, ignore=leftovers)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", build], cwd=copy, check=True, capture_output=True)
    (path,) = copy.glob("*.whl")
    return path


@pytest.fixture
def environment(tmp_path):
    """Run the Python of a new virtual environment, which finds no other program."""
    venv.create(tmp_path / "venv", with_pip=True)
    programs = str(tmp_path / "venv" / "bin")
    # Nothing of the checkout, and no compiler.
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}

    def python(*arguments):
        return subprocess.run(
            [f"{programs}/python", *arguments],
            cwd=tmp_path,
            env=environ | {"PATH": programs},
            capture_output=True,
            text=True,
        )

    return python


def test_the_base_brings_nothing_into_the_python_of_salt(environment, wheel):
    done = environment("-m", "pip", "install", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    facts = environment("-m", "salt_ext.facts", "--only", "system")
    assert facts.returncode == 0, facts.stderr


def test_the_web_installs_from_wheels_alone_and_without_salt(environment, wheel):
    install = ("-m", "pip", "install", "--only-binary", ":all:", f"{wheel}[web]")
    done = environment(*install)
    index_is_away = environment("-m", "pip", "download", "--no-deps", "flask").returncode
    if done.returncode and index_is_away:
        pytest.skip("this needs a package index, and pip reaches none here")
    assert done.returncode == 0, done.stderr
    assert environment("-m", "pip", "check").returncode == 0
    assert environment("-c", "import salt").returncode == 1
    started = environment(
        "-c",
        "import os; from webui import create_app\n"
        "os.environ['CMDB_DATABASE_URL'] = 'postgresql+psycopg2://nobody@127.0.0.1:1/none'\n"
        "print(create_app().test_client().get('/healthz').text)",
    )
    assert started.stdout.split()[-1:] == ["ok"], started.stderr


@pytest.fixture
def own_server(server_home):
    """A server without our roles, where nobody but its administrator may do anything yet."""
    one = postgres.Server(server_home() / "installation").initialise().start()
    yield one
    one.stop()


def statements(section):
    """Return the SQL of a section of the manual."""
    [text] = re.findall(rf"^## {section}$(.*?)(?=^## |\Z)", MANUAL, re.M | re.S)
    return re.findall(r"[^;]+;", "".join(re.findall(r"```sql\n(.*?)```", text, re.S)))


def may(own_server, role, statement):
    """Whether a role of the manual is let in by its statement."""
    try:
        postgres.execute(f"postgresql://{role}@127.0.0.1:{own_server.port}/cmdb", statement)
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction):
        return False
    return True


def test_the_roles_of_the_manual_are_enough_and_no_more(own_server):
    for section in ("The database", "By hand"):
        for statement in statements(section):
            postgres.execute(own_server.uri, statement)
    urls = {
        role: f"postgresql+psycopg2://{role}@127.0.0.1:{own_server.port}/cmdb"
        for role in ("cmdb", "cmdb_web", "cmdb_alone")
    }
    master, web, alone = (postgres.open_store(urls[role]) for role in urls)
    store.migrate(master)
    store.grant(master)
    found = store.server(master)
    assert checks.role(found).status == "ok"
    assert checks.encoding(found["database"], found["encoding"]).status == "ok"

    store.ingest(master, [arrival(server(1), "web01")])
    assert store.assets(web).total == 1
    assert [one.status for one in store.submit(alone, [arrival(server(2), "alone01")])] == [
        "waiting"
    ]
    assert store.inbox_size(master) == 1

    assert not may(own_server, "cmdb_web", "DELETE FROM asset")
    assert not may(own_server, "cmdb_web", "SELECT report FROM inbox")
    assert may(own_server, "cmdb_web", "SELECT count(*) FROM inbox")
    assert not may(own_server, "cmdb_alone", "SELECT 1 FROM asset")
    assert may(own_server, "cmdb_alone", "SELECT 1 FROM alembic_version")
    for one in (master, web, alone):
        one.close()

    for statement in statements("Removal"):
        postgres.execute(own_server.uri, statement)
    left = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'cmdb%'"
    assert postgres.execute(own_server.uri, left) == []
