"""What pip installs: nothing with the base, and neither Salt nor a compiler with the web."""

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
