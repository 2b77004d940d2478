"""
A site that heals itself by the examples of the manual: its master, two machines and their BMCs.

The reactors are those of ``docs/self-healing.md``. What stands for the site's own are a state that
drains a machine, which is a file here, and the manual's receiver of webhooks for its tickets.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import salt.config
import salt.utils.event
import yaml

import demo_machine
from salt_ext import store
from tests.consumers.redfish import PASSWORD, Bmc, emulated
from tests.integration.conftest import BIN, EXAMPLES, _start
from tests.patience import PATIENCE_SECONDS
from tests.postgres import free_port, open_store
from tests.receivers import SECRET, certificate
from tests.unit.docs import markdown

DRAIN = """
{file}:
  file.managed:
    - contents: no new load
"""
UNDRAIN = """
{file}:
  file.absent
"""
OTHER = [
    (b"DEMO8K2", b"DEMO9Z9"),
    (b"OK2", b"9Z9"),  # the end of the UUID
    (b"CNIVC0018800DM", b"CNIVC0018800ZZ"),
    (b"PHAB9450DEMO3P2", b"PHAB9450DEMO9Z9"),
    (b"35D10", b"9ZZ10"),
    (b"00:00:5e:00:53:0", b"00:00:5e:00:53:9"),
    (b"d3300000000000000000000000005e12", b"d3300000000000000000000000005e99"),
]
"""What the second machine has of its own."""


class Machine(NamedTuple):
    """A machine with a minion: its hardware is a folder."""

    minion: Any
    hardware: Path
    drained: Path
    own: list[tuple[bytes, bytes]]

    @property
    def name(self):
        return self.minion.id

    @property
    def serial_number(self):
        return "DEMO9Z9" if self.own else demo_machine.SERIAL_NUMBER

    def pull(self, *slots):
        """Take modules out; without any, put all back."""
        write(self.hardware, slots, self.own)


def write(hardware, empty, own):
    demo_machine.write(hardware, "1.0.0", empty)
    if own:
        for path in [one for one in hardware.rglob("*") if one.is_file()]:
            data = path.read_bytes()
            for old, new in own:
                data = data.replace(old, new)
            path.write_bytes(data)


class Site(NamedTuple):
    """The whole of it."""

    master: Any
    machines: list[Machine]
    bmc: Bmc
    database: store.Database
    tickets: Path

    def run(self, *args, seconds=120):
        """Run salt-run; return its exit status and its answer."""
        command = [BIN / "salt-run", f"--config-dir={self.master.config_dir}", "--out=json"]
        done = subprocess.run(
            [*command, "--log-level=quiet", *args],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert PASSWORD not in done.stdout + done.stderr
        return done.returncode, json.loads(done.stdout or "null")

    def cmdb(self, command, *args):
        """Run one of our commands, which must work; return its answer."""
        status, answer = self.run(f"cmdb.{command}", *args)
        assert status == 0, answer
        return answer["cmdb"]

    def orchestrate(self, name, machine):
        """Run an orchestration; return its exit status and the result of each step."""
        pillar = json.dumps({"minion_id": machine.name})
        status, answer = self.run("state.orchestrate", name, f"pillar={pillar}")
        [steps] = answer["data"].values()
        return status, results(steps)

    def uuid(self, machine):
        """Return the UUID of a machine, by which its BMC has it too."""
        return self.asset(machine)["facts"]["system"]["uuid"]

    def asset(self, machine):
        return store.overview(self.database, store.resolve(self.database, machine.name))

    def told(self, *kinds):
        """Return what the ticket system was told of these kinds, in order."""
        events = [json.loads(line) for line in self.tickets.read_text().splitlines()]
        return [one["data"] for one in events if one["event"] in kinds]

    def tell(self, kind, *machines):
        """Send events as anybody may who may send events."""
        opts = salt.config.master_config(self.master.config_file)
        with salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=False) as bus:
            for one in machines:
                data = {"kind": kind, "minion_id": one.name, "lifecycle": "active"}
                assert bus.fire_event(data, f"salt/cmdb/{kind}/{self.asset(one)['id']}")


class Heard:
    """Everything on the master's event bus, in order, from the moment when it is entered."""

    def __init__(self, master):
        """Take the master; nothing is heard yet."""
        self.events = []
        self._opts = salt.config.master_config(master.config_file)
        self._is_over = threading.Event()
        self._listens = threading.Event()

    def __enter__(self):
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._listens.wait(PATIENCE_SECONDS)
        return self

    def __exit__(self, *error):
        self._is_over.set()
        self._thread.join(PATIENCE_SECONDS)

    def _listen(self):
        with salt.utils.event.get_master_event(self._opts, self._opts["sock_dir"]) as bus:
            bus.get_event(wait=0.1, tag="nothing")  # connects
            self._listens.set()
            while not self._is_over.is_set():
                event = bus.get_event(wait=0.2, full=True)
                if event:
                    self.events.append((event["tag"], event["data"]))

    def orchestrations(self, name, machine):
        """
        Return what each run that a reactor started did for a machine, step by step.

        True is a step that was done, None one that was not tried, and a text one that failed.
        """
        found = []
        for tag, data in [*self.events]:
            if not (tag.startswith("salt/run/") and tag.endswith("/ret")):
                continue
            if (data["fun"], data["user"]) != ("runner.state.orchestrate", "Reactor"):
                continue
            [asked] = data["fun_args"]
            if asked["mods"] != name:
                continue
            if asked["pillar"]["minion_id"] == machine.name:
                [steps] = data["return"]["data"].values()
                found.append(results(steps))
        return found


def results(steps):
    """Return the results of the steps of an orchestration by their names."""
    return {one["__id__"]: result(one) for one in steps.values()}


def result(step):
    if step["result"]:
        return True
    return None if step.get("__state_ran__") is False else json.dumps(step, default=str)


def manual():
    """Return what the manual puts into the master's configuration, with our places of its files."""
    texts = markdown.blocks("self-healing.md", "yaml")
    found = [yaml.safe_load(one.replace("/srv/salt/", f"{EXAMPLES}/")) for one in texts]
    return {key: value for one in found for key, value in one.items()}


@contextlib.contextmanager
def running(salt_factories, database_url, folder, **settings):
    """Yield the site while it runs."""
    names, hardware = ("node01", "node02"), {}
    for name, own in zip(names, ([], OTHER), strict=True):
        hardware[name] = folder / name
        write(hardware[name], (), own)
    (folder / "runners").mkdir()
    shutil.copy(EXAMPLES / "redfish.py", folder / "runners")
    (folder / "states").mkdir()
    drained = f"{folder}/{{{{ grains['id'] }}}}.drained"
    (folder / "states/drain.sls").write_text(DRAIN.format(file=drained))
    (folder / "states/undrain.sls").write_text(UNDRAIN.format(file=drained))
    site_certificate = certificate(folder / "bmc.pem")
    uuids = [
        "4f454d44-384b-4210-8038-44b0c04f4b32",
        "4f454d44-384b-4210-8038-44b0c0395a39",
    ]
    with contextlib.ExitStack() as opened:
        bmc = opened.enter_context(emulated(folder, site_certificate, *uuids))
        received = folder / "tickets"
        url = opened.enter_context(receiving(received))
        said = manual()
        tickets = said["cmdb"]["webhooks"]["tickets"]
        database = open_store(database_url)
        opened.callback(database.close)
        (folder / "secrets.yaml").write_text(yaml.safe_dump({"bmc": PASSWORD}))
        master = salt_factories.salt_master_daemon(
            "healer",
            overrides={
                "cmdb": {
                    "database_url": database_url,
                    "sweep_seconds": 1,
                    "webhooks": {"tickets": {**tickets, "url": url, "secret": SECRET}},
                    **settings,
                },
                "engines": [{"cmdb": {}}],
                "file_roots": {"base": [str(EXAMPLES), str(folder / "states")]},
                "reactor": said["reactor"],
                "runner_dirs": [str(folder / "runners")],
                "vault": {"driver": "yaml", "files": [str(folder / "secrets.yaml")]},
                "redfish": {
                    **bmc.settings,
                    "password": "sdb://vault/bmc",
                    "address": "list.bmc",
                },
                "log_level_logfile": "info",
            },
        )
        minions = [
            master.salt_minion_daemon(
                name,
                overrides={"cmdb": {"root": str(hardware[name])}, "log_level_logfile": "info"},
            )
            for name in names
        ]
        with ThreadPoolExecutor() as pool:
            try:
                _start(master)
                list(pool.map(_start, minions))
                machines = [
                    Machine(one, hardware[one.id], folder / f"{one.id}.drained", own)
                    for one, own in zip(minions, ([], OTHER), strict=True)
                ]
                yield Site(master, machines, bmc, database, received)
            finally:
                list(pool.map(lambda daemon: daemon.terminate(), [master, *minions]))


@contextlib.contextmanager
def receiving(file):
    """Yield the URL of the manual's receiver of webhooks, which writes what it takes to a file."""
    port = free_port()
    with file.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, EXAMPLES / "webhook_receiver.py", str(port)],
            env={**os.environ, "CMDB_WEBHOOK_SECRET": SECRET},
            stdout=output,
        )
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)
