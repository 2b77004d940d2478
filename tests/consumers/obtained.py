"""
Where the programs come from that read us: Debian's packages and PyPI, each fetched once.

They are kept in ``.consumers`` of the checkout, or where ``CMDB_CONSUMERS`` says. A package of
Debian is unpacked there and not installed: no service is started, no root is needed, and
nothing of it is left when the folder is removed.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

# Taken out of the environment: our own programs would take it for a setting that is not known.
FOLDER = Path(os.environ.pop("CMDB_CONSUMERS", "") or Path(__file__).parents[2] / ".consumers")


def unpacked(*packages, alone=False):
    """
    Return the folder that stands for ``/`` of these packages of Debian or Ubuntu.

    What they need, and this machine has not, is there too, unless they are wanted ``alone``.
    """
    what = (*packages, "alone") if alone else packages
    return made("debian", what, lambda home: _unpack(home, packages, alone))


def libraries(home):
    """Return where programs below a folder of unpacked packages look for their libraries."""
    places = [*home.glob("usr/lib/*-linux-gnu*"), *home.glob("lib/*-linux-gnu*")]
    return ":".join(map(str, sorted(places)))


def environment(name, *requirements, python=sys.executable):
    """Return the folder of the programs of a virtual environment with these requirements."""

    def make(home):
        subprocess.run([python, "-m", "venv", home], check=True)
        pip = [home / "bin/python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", *requirements], check=True)

    return made(name, (str(python), *requirements), make) / "bin"


def python(oldest):
    """Return a Python that is not older than this version; None if this machine has none."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    names = [sys.executable, "python3.11", "python3.12", "python3.13", "python3.14"]
    names += sorted(str(one) for one in versions.glob("3.*/bin/python"))
    code = f"import ensurepip, sys; sys.exit(sys.version_info < {oldest})"
    found = (shutil.which(name) for name in names)
    return next((one for one in found if one and not run(one, "-c", code).returncode), None)


def run(*command, **options):
    """Run a program to its end; return its CompletedProcess with what it wrote as text."""
    options = {"capture_output": True, "text": True, "check": False, "timeout": 120, **options}
    return subprocess.run(command, **options)


def _unpack(home, packages, alone):
    home.mkdir()
    drafts = home / "packages"
    drafts.mkdir()
    # As another user apt could not write here; it warns then, and nothing more.
    wanted = packages if alone else _needed(packages)
    fetched = run("apt-get", "download", *wanted, cwd=drafts)
    assert fetched.returncode == 0, f"{fetched.stderr}\napt-get update may help"
    for package in drafts.iterdir():
        subprocess.run(["dpkg-deb", "--extract", package, home], check=True)
    shutil.rmtree(drafts)


def _needed(packages):
    """Return these packages, and those that they need and this machine has not."""
    told = run("apt-get", "--simulate", "--no-install-recommends", "install", *packages).stdout
    others = set(re.findall(r"^Inst (\S+)", told, re.MULTILINE)) - {*packages}
    return [*packages, *sorted(others)]


def made(name, what, make):
    """Return a folder that ``make`` has made whole, now or earlier, for exactly this."""
    key = hashlib.sha256(repr(what).encode()).hexdigest()[:8]
    home = FOLDER / f"{name}-{key}"
    done = home / ".whole"
    with _alone(home):
        if not done.exists():
            shutil.rmtree(home, ignore_errors=True)
            make(home)
            done.touch()
    return home


@contextmanager
def _alone(home):
    """Let nobody else make this folder meanwhile."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with open(f"{home}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
