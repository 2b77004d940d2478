"""A master with the engine, two minions, and a database that can be cut off from them."""

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg2
import pytest
import salt.cache
import salt.config

import demo_machine
from salt_ext import settings, store
from tests.patience import PATIENCE_SECONDS

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "docs/examples"
BIN = Path(sys.executable).parent
PASSWORD = "not-for-the-screen"
SLOW_SECONDS = 60  # Salt itself waits 5 for a minion, not enough on a busy machine
REACTED = ("new", "lifecycle")
"""Kinds of events that some tests let the master act upon."""

# What an accepted minion can do that has been broken into.
FORGE = """
import salt.channel.client

class Load(dict):
    def __setitem__(self, key, value):
        # The channel would put our own id in.
        if key != "id":
            super().__setitem__(key, value)

def send(load):
    with salt.channel.client.ReqChannel.factory(__opts__) as channel:
        try:
            return str(channel.send(Load(load), tries=1, timeout=5))
        except Exception as error:
            return f"refused: {error}"
"""


class Gate:
    """A TCP port in front of PostgreSQL's socket; closed, it is a database that is down."""

    def __init__(self, target):
        self.target = target
        self.port = 0
        self.sockets = []
        self.open()

    def open(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def close(self):
        for one in [self.listener, *self.sockets]:
            # Only a shutdown wakes the threads that wait in accept() and recv().
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.sockets.clear()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.target)
            self.sockets += [client, server]
            for pair in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=pair, daemon=True).start()

    def _copy(self, source, sink):
        try:
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return


class Fleet(NamedTuple):
    """The daemons, the database behind them and the hardware that web01 looks at."""

    master: Any
    web01: Any
    web02: Any
    gate: Gate
    database: store.Database
    hardware: Path

    def run(self, program, *args, on=None, seconds=PATIENCE_SECONDS):
        """Run a Salt command and return its CompletedProcess."""
        config = (on or self.master).config_dir
        if program == "salt" and not any(one.startswith("--timeout") for one in args):
            args = (*args, f"--timeout={SLOW_SECONDS}")
        return subprocess.run(
            [BIN / program, f"--config-dir={config}", *args],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def json(self, program, *args, on=None, seconds=PATIENCE_SECONDS):
        """Run a Salt command that must work; return its answer."""
        # A log record of Salt's on the screen would not be ours.
        result = self.run(program, "--out=json", "--log-level=quiet", *args, on=on, seconds=seconds)
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    @property
    def cache(self):
        """The master's cache."""
        return salt.cache.factory(salt.config.master_config(self.master.config_file))

    def pki(self, name):
        """Return a directory of the master's keys: ``minions``, ``minions_rejected``."""
        return Path(self.master.config["pki_dir"]) / name

    def collect(self, minion):
        """Let a minion report."""
        answer = self.json("salt", minion.id, "cmdb.collect", "--static")[minion.id]
        assert answer["sent"] is True

    def asset(self, minion):
        """Return what the store has of a minion, or None."""
        try:
            return store.overview(self.database, store.resolve(self.database, minion.id))
        except store.NotFound:
            return None

    def bios_version(self, minion):
        """Return the one fact that the tests change, as the store has it."""
        asset = self.asset(minion)
        return asset and asset["facts"].get("firmware", {}).get("version")

    def flash(self, version):
        """Update the BIOS of web01."""
        demo_machine.write(self.hardware, version)
        return version


@pytest.fixture(scope="session")
def salt_factories_config():
    # Short, because a socket's path has at most 107 characters.
    with tempfile.TemporaryDirectory(prefix="cmdb-") as root:
        yield {"root_dir": root, "inject_sitecustomize": False, "slow_stop": False}


def _start(daemon):
    # Once: when it is interrupted or fails, nobody wants to wait for three attempts.
    daemon.start(max_start_attempts=1, start_timeout=120)


@pytest.fixture(scope="session")
def fleet(salt_factories, postgresql, new_database, tmp_path_factory):
    home = tmp_path_factory.mktemp("fleet")
    direct_url = new_database()
    directory = psycopg2.extensions.parse_dsn(postgresql)["host"]
    gate = Gate(f"{directory}/.s.PGSQL.5432")
    url = f"postgresql+psycopg2://postgres:{PASSWORD}@127.0.0.1:{gate.port}"
    url += urlsplit(direct_url).path
    database = store.Database(settings.resolve(("test", {"database_url": direct_url})))
    (home / "modules").mkdir()
    (home / "states").mkdir()
    for kind in REACTED:
        (home / kind).mkdir()
        (home / kind / "nothing.sls").write_text("{}")
    (home / "modules/forge.py").write_text(FORGE)
    master = salt_factories.salt_master_daemon(
        "master",
        overrides={
            "cmdb": {
                "database_url": url,
                "sweep_seconds": 1,
                "nodegroups": {"web": "web*", "second": {"minion_id": "web02"}},
            },
            "engines": [{"cmdb": {}}],
            "ext_pillar": [{"cmdb": {}}],
            "file_roots": {"base": [f"{REPOSITORY}/states", str(EXAMPLES), f"{home}/states"]},
            # A test puts a reactor there for as long as it wants one.
            "reactor": [{f"salt/cmdb/{kind}/*": [f"{home}/{kind}/*.sls"]} for kind in REACTED],
            "log_level_logfile": "info",
        },
    )
    demo_machine.write(home / "hardware", "1.0.0")
    minions = [
        master.salt_minion_daemon(
            name,
            overrides={"cmdb": {"root": root}, "module_dirs": dirs, "log_level_logfile": "info"},
        )
        for name, root, dirs in (
            ("web01", str(home / "hardware"), []),
            ("web02", "/", [str(home)]),
        )
    ]
    with ThreadPoolExecutor() as pool:
        # Starting and stopping is most of the time; each waits for itself.
        daemons = [master, *minions]
        try:
            _start(master)
            list(pool.map(_start, minions))
            yield Fleet(master, minions[0], minions[1], gate, database, home / "hardware")
        finally:
            list(pool.map(lambda daemon: daemon.terminate(), daemons))
            gate.close()
            database.close()
