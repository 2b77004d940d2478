"""
A real Keystone and a real Nova on loopback, from PyPI: all of OpenStack that lists servers.

There is no scheduler and no hypervisor, and Neutron is a stub: servers are rows in Nova's own
tables, put there directly, because by its objects each takes 75 ms. The tables, which take
twenty seconds to make, are kept beside the programs; each use copies them.
"""

import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

from tests import postgres
from tests.consumers import obtained
from tests.patience import PATIENCE_SECONDS

REQUIREMENTS = ("keystone==30.0.0", "nova==34.0.0", "gunicorn==23.0.0", "pymysql==1.1.1")
OLDEST_PYTHON = (3, 11)
PASSWORD = "a secret of the administrator"

CELL = "cell1"
"""Nova keeps its servers in cells, each with a database of its own. There is one."""

LONGEST_PAGE = 500
"""Servers that Nova tells at once; it would be 1,000, and a smaller fleet has as many pages."""

KEYSTONE = """
[database]
connection = sqlite:///keystone.db
[fernet_tokens]
key_repository = fernet
[fernet_receipts]
key_repository = receipts
[credential]
key_repository = credential
[identity]
password_hash_rounds = 4
[oslo_policy]
policy_file = keystone.yaml
"""
NOVA = """
[DEFAULT]
my_ip = 127.0.0.1
transport_url = fake:///
state_path = .
[api_database]
connection = sqlite:///nova_api.db
[database]
connection = sqlite:///nova_cell1.db
max_retries = 0
[oslo_concurrency]
lock_path = .
[oslo_policy]
policy_file = nova.yaml
[api]
max_limit = {page}
[keystone_authtoken]
interface = public
www_authenticate_uri = http://127.0.0.1:{keystone}/v3
{login}
[neutron]
endpoint_override = http://127.0.0.1:{neutron}
{login}
"""
LOGIN = """
auth_type = password
auth_url = http://127.0.0.1:{keystone}/v3
username = admin
password = {password}
project_name = admin
user_domain_id = default
project_domain_id = default
"""
KEYSTONE_SERVED = """
import sys
sys.argv[1:] = []  # oslo.config would take gunicorn's options for its own
from keystone.wsgi.api import application
"""
NOVA_SERVED = """
import sys
sys.argv[1:] = []
from nova.wsgi.osapi_compute import application
"""
NOT_EVENTLET = {"OS_NOVA_DISABLE_EVENTLET_PATCHING": "true"}

NAMES = {"active": 1, "stopped": 4, "deleted": 0, "soft-delete": 4, "error": 0, "building": 0}
"""The states of Nova that servers here are in, with the state of power of each."""


def why_not():
    """Return why OpenStack cannot run on this machine; empty if it can."""
    if not obtained.python(OLDEST_PYTHON):
        return "Keystone and Nova need Python 3.11 or later, and this machine has none"
    return ""


@dataclass(frozen=True)
class Server:
    """A row of Nova's."""

    uuid: str
    name: str
    project: str
    state: str = "active"
    host: str | None = "kvm-1"
    flavor: str = "m1.small"
    zone: str | None = "nova"
    image: str = ""
    mac: str = "fa:16:3e:00:00:01"
    address: str = "10.20.0.1"
    age: timedelta = timedelta(days=3)
    deleted: timedelta = timedelta(hours=1)  # so long ago, if it is


class OpenStack:
    """Keystone and Nova while they run, asked as their administrator."""

    def __init__(self, home, keystone, nova):
        self.auth_url = f"http://127.0.0.1:{keystone}/v3"
        self.compute_url = f"http://127.0.0.1:{nova}/v2.1"
        self.home = home
        self._token = None

    def ready(self):
        """Fill Keystone's catalogue, and ask Nova with a token of its."""
        self.ask("GET", "")
        self._token = self._log_in()
        if not self.ask("GET", "/endpoints")["endpoints"]:
            for kind, url in (("identity", self.auth_url), ("compute", self.compute_url)):
                service = self.make("service", name=kind, type=kind)["id"]
                place = {"interface": "public", "region_id": self._region(), "url": url}
                self.make("endpoint", service_id=service, **place)
        self.list_servers()

    def ask(self, method, path, body=None, url=None):
        """Send a request to Keystone, or to what is at a URL; return the JSON."""
        headers = {"X-Auth-Token": self._token} if self._token else {}
        url = f"{url or self.auth_url}{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=60)
        assert answer.ok, f"{method} {url}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def make(self, kind, **fields):
        """Make something in Keystone: a project, a user, a role."""
        return self.ask("POST", f"/{kind}s", {kind: fields})[kind]

    def project(self, name):
        """Return the id of a new project."""
        return self.make("project", name=name, domain_id="default")["id"]

    def user(self, name, project, *roles):
        """Make a user with these roles in a project, whose password is the administrator's."""
        user = self.make("user", name=name, password=PASSWORD, domain_id="default")["id"]
        known = {one["name"]: one["id"] for one in self.ask("GET", "/roles")["roles"]}
        for role in roles:
            role_id = known.get(role) or self.make("role", name=role)["id"]
            self.ask("PUT", f"/projects/{project}/users/{user}/roles/{role_id}")
        return user

    def application_credential(self, user, project):
        """Return id and secret of what a user of ours lets a program log in by."""
        token = self._log_in(user, project)
        url = f"{self.auth_url}/users/{self._id_of(token)}/application_credentials"
        body = {"application_credential": {"name": "inventory"}}
        answer = requests.post(url, json=body, headers={"X-Auth-Token": token}, timeout=60)
        assert answer.ok, answer.text
        made = answer.json()["application_credential"]
        return made["id"], made["secret"]

    def list_servers(self):
        return self.ask("GET", "/servers?all_tenants=1&limit=1", url=self.compute_url)["servers"]

    def put(self, servers):
        """Put servers into Nova's tables."""
        servers = [*servers]
        with self._tables("nova_api.db") as tables:
            [[cell]] = tables.execute("SELECT id FROM cell_mappings WHERE name = ?", (CELL,))
            _map(tables, servers, cell)
        with self._tables(f"nova_{CELL}.db") as tables:
            _insert(tables, servers)

    def change(self, name, **columns):
        """Change the row of a server as Nova's own services would; ``deleted`` is its number."""
        told = ", ".join(f"{column} = ?" for column in columns)
        with self._tables(f"nova_{CELL}.db") as tables:
            update = f"UPDATE instances SET {told}, updated_at = ? WHERE hostname = ?"
            now = str(datetime.now(timezone.utc).replace(tzinfo=None))
            assert tables.execute(update, [*columns.values(), now, name]).rowcount == 1

    @contextlib.contextmanager
    def cell_away(self, servers):
        """
        Yield the URL of another Nova that has these servers in one more cell, whose database is
        not there.
        """
        with self._tables("nova_api.db") as tables:
            made = tables.execute(
                "INSERT INTO cell_mappings (uuid, name, transport_url, database_connection,"
                " disabled) VALUES (?, 'away', 'fake:///', ?, 0)",
                (str(uuid.uuid4()), f"mysql+pymysql://127.0.0.1:{postgres.free_port()}/nova"),
            )
            _map(tables, servers, made.lastrowid)
        port = postgres.free_port()
        with _service(self.home, "nova", NOVA_SERVED, port) as process:
            url = f"http://127.0.0.1:{port}/v2.1"
            _wait((process,), self.home, lambda: requests.get(url, timeout=60))
            yield url
        with self._tables("nova_api.db") as tables:
            for table, column in CELLS:
                tables.execute(f"DELETE FROM {table} WHERE {column} = ?", (made.lastrowid,))

    @contextlib.contextmanager
    def _tables(self, name):
        with contextlib.closing(sqlite3.connect(self.home / name, timeout=60)) as link, link:
            yield link

    def _id_of(self, token):
        """Return the id of the user whose token it is."""
        headers = {"X-Auth-Token": token, "X-Subject-Token": token}
        url = f"{self.auth_url}/auth/tokens"
        return requests.get(url, headers=headers, timeout=60).json()["token"]["user"]["id"]

    def _log_in(self, user="admin", project="admin"):
        domain = {"domain": {"id": "default"}}
        body = {
            "auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": user, **domain, "password": PASSWORD}},
                },
                "scope": {"project": {"name": project, **domain}},
            }
        }
        url = f"{self.auth_url}/auth/tokens"
        answer = requests.post(url, json=body, timeout=60)
        assert answer.ok, answer.text
        return answer.headers["X-Subject-Token"]

    def _region(self):
        regions = self.ask("GET", "/regions")["regions"]
        return regions[0]["id"] if regions else self.make("region", id="RegionOne")["id"]


INSTANCES = ("instances", "instance_extra", "instance_info_caches")
CELLS = (("instance_mappings", "cell_id"), ("host_mappings", "cell_id"), ("cell_mappings", "id"))
"""Tables of what is in a cell, and the column that says in which."""


def _map(tables, servers, cell):
    """Say that servers, and the hosts that they run on, are in a cell."""
    tables.executemany(
        "INSERT INTO instance_mappings (instance_uuid, cell_id, project_id, queued_for_delete,"
        " user_id) VALUES (?, ?, ?, ?, 'u')",
        [(one.uuid, cell, one.project, one.state == "deleted") for one in servers],
    )
    known = "INSERT OR IGNORE INTO host_mappings (cell_id, host) VALUES (?, ?)"
    tables.executemany(known, {(cell, one.host) for one in servers if one.host})


def _insert(tables, servers):
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    [[last]] = tables.execute("SELECT coalesce(max(id), 0) FROM instances")
    for number, one in enumerate(servers, last + 1):
        is_deleted = one.state == "deleted"
        row = {
            "uuid": one.uuid,
            "id": number,
            "deleted": number if is_deleted else 0,
            "created_at": str(now - one.age),
            "deleted_at": str(now - one.deleted) if is_deleted else None,
            "updated_at": str(now - one.deleted if is_deleted else now - one.age),
            "user_id": "u",
            "project_id": one.project,
            "image_ref": one.image,
            "vm_state": one.state,
            "power_state": NAMES[one.state],
            "memory_mb": 2048,
            "vcpus": 1,
            "root_gb": 20,
            "ephemeral_gb": 0,
            "hostname": one.name,
            "display_name": one.name,
            "host": one.host,
            "node": one.host,
            "compute_id": 1,
            "availability_zone": one.zone,
            "instance_type_id": 1,
            "cleaned": 0,
            "hidden": 0,
        }
        _row(tables, "instances", row)
        flavor = {"cur": _flavor(one.flavor), "old": None, "new": None}
        its = {"instance_uuid": one.uuid, "deleted": row["deleted"]}
        _row(tables, "instance_extra", {**its, "flavor": json.dumps(flavor)})
        _row(tables, "instance_info_caches", {**its, "network_info": json.dumps([_port(one)])})


def _row(tables, table, row):
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    tables.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*row.values()])


def _flavor(name):
    """Return a flavor as Nova keeps it with each server."""
    content = {"id": 1, "name": name, "flavorid": name, "memory_mb": 2048, "vcpus": 1}
    content |= {"root_gb": 20, "ephemeral_gb": 0, "swap": 0, "rxtx_factor": 1.0, "vcpu_weight": 0}
    content |= {"disabled": False, "is_public": True, "extra_specs": {}, "description": None}
    return {
        "nova_object.name": "Flavor",
        "nova_object.namespace": "nova",
        "nova_object.version": "1.2",
        "nova_object.data": content,
    }


def _port(server):
    """Return what Nova remembers of a port of Neutron's."""
    address = {"address": server.address, "type": "fixed", "version": 4, "floating_ips": []}
    subnet = {"cidr": "10.0.0.0/8", "dns": [], "routes": [], "version": 4, "ips": [address]}
    network = {"id": "lan", "bridge": "br", "label": "lan", "subnets": [subnet]}
    return {"id": server.uuid, "address": server.mac, "network": network}


@contextlib.contextmanager
def served(home, **policies):
    """
    Run Keystone and Nova below this directory, on a copy of their empty tables.

    What is given of ``keystone=`` and ``nova=`` is laid over what they allow whom.
    """
    shutil.copytree(_tables(), home, dirs_exist_ok=True)
    for name in ("keystone", "nova"):
        (home / f"{name}.yaml").write_text(policies.get(name, "{}"))
    with _neutron() as neutron:
        keystone, nova = postgres.free_port(), postgres.free_port()
        login = LOGIN.format(keystone=keystone, password=PASSWORD)
        ports = {"keystone": keystone, "neutron": neutron, "login": login, "page": LONGEST_PAGE}
        (home / "nova.conf").write_text(NOVA.format(**ports))
        with (
            _service(home, "keystone", KEYSTONE_SERVED, keystone) as first,
            _service(home, "nova", NOVA_SERVED, nova) as second,
        ):
            cloud = OpenStack(home, keystone, nova)
            _wait((first, second), home, cloud.ready)
            yield cloud


def _tables():
    """Return a folder with the databases of Keystone and of Nova, in which nothing is yet."""

    def make(home):
        home.mkdir()
        programs = _programs()
        (home / "keystone.conf").write_text(KEYSTONE)
        (home / "nova.conf").write_text(NOVA.format(keystone=0, neutron=0, login="", page=1))
        shutil.copy(programs.parent / "etc/nova/api-paste.ini", home)
        owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
        for words in (
            ["keystone", "db_sync"],
            ["keystone", "fernet_setup", *owner],
            ["keystone", "credential_setup", *owner],
            ["keystone", "bootstrap", "--bootstrap-password", PASSWORD],
            ["nova", "api_db", "sync"],
            ["nova", "cell_v2", "map_cell0", "--database_connection", "sqlite:///nova_cell0.db"],
            ["nova", "db", "sync"],
            ["nova", "cell_v2", "create_cell", "--name", CELL],
        ):
            program, *rest = words
            command = [programs / f"{program}-manage", "--config-file", f"{program}.conf", *rest]
            for folder in re.findall("key_repository = (.*)", KEYSTONE):
                (home / folder).mkdir(mode=0o700, exist_ok=True)
            environment = {**os.environ, **NOT_EVENTLET}
            done = obtained.run(*command, cwd=home, env=environment)
            assert done.returncode == 0, f"{words}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"

    return obtained.made("openstack-tables", (REQUIREMENTS, KEYSTONE, NOVA, PASSWORD), make)


def _programs():
    python = obtained.python(OLDEST_PYTHON)
    return obtained.environment("openstack", *REQUIREMENTS, python=python)


@contextlib.contextmanager
def _service(home, name, served, port):
    """Run a service of OpenStack under gunicorn until the block ends."""
    (home / f"{name}_served.py").write_text(served)
    environment = {
        **os.environ,
        **NOT_EVENTLET,
        "OS_KEYSTONE_CONFIG_FILES": str(home / "keystone.conf"),
        "OS_NOVA_CONFIG_DIR": str(home),
        "OS_NOVA_CONFIG_FILES": "api-paste.ini;nova.conf",
    }
    command = [_programs() / "gunicorn", f"{name}_served:application", "--threads", "4"]
    command += ["--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1", "--timeout", "120"]
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*map(str, command)], cwd=home, env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _wait(processes, home, answers):
    """Wait until both answer."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(requests.ConnectionError):
            return answers()
        logs = "\n".join(
            (home / f"{name}.log").read_text()[-3000:] for name in ("keystone", "nova")
        )
        assert all(one.poll() is None for one in processes), logs
        assert time.monotonic() < deadline, logs
        time.sleep(0.1)


@contextlib.contextmanager
def _neutron():
    """Yield the port of a Neutron that has nothing: Nova asks it for the groups of servers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            nothing = ("ports", "security_groups", "extensions", "networks", "versions")
            body = json.dumps({name: [] for name in nothing}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()
