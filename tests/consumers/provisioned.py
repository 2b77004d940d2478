"""
The provisioner as it is deployed: gunicorn with a role that can do nothing else.
"""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
import yaml

from salt_ext import store
from tests.patience import PATIENCE_SECONDS
from tests.postgres import free_port

ROLE = "cmdb_test_provisioner"


class Running(NamedTuple):
    """Where it listens, and where it writes what."""

    port: int
    said: Path
    """Its log of requests."""
    complained: Path

    def ask(self, path, data=None, **headers):
        """Return the status and the text of an answer."""
        url = path if "://" in path else f"http://127.0.0.1:{self.port}{path}"
        request = urllib.request.Request(url, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def log(self):
        """Return the lines of its log, those that it has written to their end."""
        lines = self.said.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]


@contextlib.contextmanager
def provisioned(database, folder, profiles, **options):
    """Run it over a store, by a login of its own."""
    store.grant(database)
    with database.begin() as link:
        link.exec_driver_sql(f"DROP ROLE IF EXISTS {ROLE}")
        link.exec_driver_sql(f"CREATE ROLE {ROLE} LOGIN IN ROLE cmdb_provisioner")
    url = sa.make_url(database.url).set(username=ROLE).render_as_string(hide_password=False)
    settings = {
        "database_url": url,
        "provision_profiles": profiles,
        "provision_key_file": str(folder / "provision.key"),
        **options,
    }
    (folder / "provisioner.yaml").write_text(yaml.safe_dump(settings))
    running = Running(free_port(), folder / "requests", folder / "stderr")
    command = [Path(sys.executable).with_name("gunicorn"), "--config=python:provisioner.server"]
    environment = {
        "PATH": "/usr/bin:/bin",
        "CMDB_SETTINGS": str(folder / "provisioner.yaml"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    with running.said.open("w") as out, running.complained.open("w") as err:
        process = subprocess.Popen(
            [*command, f"--bind=127.0.0.1:{running.port}"], env=environment, stdout=out, stderr=err
        )
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _is_ready(running):
            assert process.poll() is None, running.complained.read_text()
            assert time.monotonic() < deadline, running.complained.read_text()
            time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait()
        with database.begin() as link:
            link.exec_driver_sql(f"DROP ROLE {ROLE}")


def _is_ready(running):
    try:
        return running.ask("/readyz")[0] == 200
    except OSError:
        return False
