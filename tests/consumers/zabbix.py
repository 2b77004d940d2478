"""
The frontend of Zabbix 6.0 with its database in the tests' PostgreSQL, on a port of 127.0.0.1.

Its API needs no Zabbix server. The frontend is the one of Debian's package; only the path of
its configuration, a constant in one of its files, is another one.
"""

import contextlib
import gzip
import os
import shutil
import subprocess
import time

import psycopg2
import requests
import sqlalchemy as sa

from tests import postgres
from tests.consumers.obtained import made, unpacked
from tests.patience import PATIENCE_SECONDS

CONFIGURATION = """<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = getenv('CMDB_TEST_HOST');
$DB['PORT'] = '0';
$DB['DATABASE'] = getenv('CMDB_TEST_DATABASE');
$DB['USER'] = getenv('CMDB_TEST_USER');
$DB['PASSWORD'] = getenv('CMDB_TEST_PASSWORD');
$DB['SCHEMA'] = '';
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""

PATH = "/etc/zabbix/zabbix.conf.php"

"""On a busy machine PHP takes some seconds for its first page."""


def frontend():
    """Return the folder of the frontend, and that of its schema."""

    def make(home):
        debian = unpacked("zabbix-frontend-php", "zabbix-server-pgsql", alone=True)
        shutil.copytree(debian / "usr/share/zabbix", home / "frontend", symlinks=True)
        shutil.copytree(debian / "usr/share/zabbix-server-pgsql", home / "schema", symlinks=True)
        reader = home / "frontend/include/classes/core/CConfigFile.php"
        source = reader.read_text()
        assert f"'{PATH}'" in source
        ours = home / "zabbix.conf.php"
        reader.write_text(source.replace(f"'{PATH}'", f"'{ours}'"))
        ours.write_text(CONFIGURATION)

    home = made("zabbix", (CONFIGURATION, PATH), make)
    return home / "frontend", home / "schema"


def fill(url):
    """Fill an empty database with what Zabbix brings: its tables, its templates, its users."""
    parts = sa.make_url(url)
    link = psycopg2.connect(
        dbname=parts.database,
        user=parts.username,
        password=parts.password or None,
        host=parts.query["host"],
    )
    with contextlib.closing(link), link.cursor() as cursor:
        for name in ("schema", "images", "data"):
            cursor.execute(gzip.decompress((frontend()[1] / f"{name}.sql.gz").read_bytes()))
        link.commit()


class Zabbix:
    """A frontend that runs, and who asks its API as a person would."""

    def __init__(self, url, port):
        """Take the address; nothing is asked yet."""
        self.url = f"http://127.0.0.1:{port}"
        self.database = url
        self.token = None

    def call(self, method, **params):
        """Call a method of the API; return its result."""
        return self.ask(method, params)

    def ask(self, method, params):
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        if self.token and method != "user.login":
            body["auth"] = self.token
        answer = requests.post(f"{self.url}/api_jsonrpc.php", json=body, timeout=60).json()
        assert "result" in answer, answer
        return answer["result"]

    def log_in(self):
        """Log in as the user that Zabbix brings."""
        self.token = self.call("user.login", username="Admin", password="zabbix")

    def new_token(self, user="1"):
        """Return a token as people make one for a program; by default of the super admin."""
        name = f"cmdb {time.monotonic_ns()}"
        made = self.ask("token.create", [{"name": name, "userid": user}])["tokenids"]
        return self.ask("token.generate", made)[0]["token"]

    def hosts(self, **filters):
        """Return hosts by their names, with all that a push writes."""
        found = self.call(
            "host.get",
            output=["hostid", "host", "name", "status", "inventory_mode"],
            selectInterfaces=["interfaceid", "type", "main", "useip", "ip", "dns", "port"],
            selectGroups=["name"],
            selectParentTemplates=["name"],
            selectTags=["tag", "value"],
            selectInventory="extend",
            filter=filters,
        )
        return {one["host"]: one for one in found}


@contextlib.contextmanager
def running(url, log):
    """Yield the frontend while it runs on the database at a URL."""
    parts = sa.make_url(url)
    port = postgres.free_port()
    environment = {
        **os.environ,
        "CMDB_TEST_HOST": parts.query["host"],
        "CMDB_TEST_DATABASE": parts.database,
        "CMDB_TEST_USER": parts.username,
        "CMDB_TEST_PASSWORD": parts.password or "",
    }
    options = ["-d", "memory_limit=256M", "-d", "max_execution_time=300"]
    command = ["php", *options, "-S", f"127.0.0.1:{port}", "-t", frontend()[0]]
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
        try:
            zabbix = Zabbix(url, port)
            _wait(zabbix, process, log)
            yield zabbix
        finally:
            process.terminate()
            process.wait()


def _wait(zabbix, process, log):
    """Return when the API answers."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < end, log.read_text()
        with contextlib.suppress(requests.ConnectionError):
            zabbix.call("apiinfo.version")
            return
        time.sleep(0.1)
