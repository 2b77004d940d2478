"""A machine without a minion, through a real sshd on loopback."""

import contextlib
import getpass
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest

from salt_ext import store, tree
from tests import postgres
from tests.machines import arrival, later, server
from tests.patience import PATIENCE_SECONDS

BIN = Path(sys.executable).parent
SSHD = shutil.which("sshd", path=f"/usr/sbin:{os.environ['PATH']}")
THIN = Path("/var/tmp")
LEFT = re.compile(r"\.[0-9a-f]{6}|\.tmp.*|.*salt.*").fullmatch

pytestmark = pytest.mark.skipif(SSHD is None, reason="there is no sshd: install openssh-server")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("ssh")


def keygen(path):
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path


@pytest.fixture(scope="module")
def port(home):
    """The port of an sshd with keys of its own."""
    port = postgres.free_port()
    shutil.copy(f"{keygen(home / 'client')}.pub", home / "authorized_keys")
    if os.getuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd insists on it
    (home / "sshd_config").write_text(
        f"""
        Port {port}
        ListenAddress 127.0.0.1
        HostKey {keygen(home / "host")}
        AuthorizedKeysFile {home}/authorized_keys
        PidFile {home}/sshd.pid
        PasswordAuthentication no
        PermitRootLogin yes
        StrictModes no
        UsePAM no
        MaxStartups 100
        Subsystem sftp internal-sftp
        """
    )
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", home / "sshd_config"], stderr=-3)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < deadline
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def machine(home, port):
    """How to log in to this machine; a stranger's key is accepted by nobody."""
    host_key = (home / "host.pub").read_text().rsplit(" ", 1)[0]
    (home / "known_hosts").write_text(f"[127.0.0.1]:{port} {host_key}\n")
    return {
        "host": "127.0.0.1",
        "port": port,
        "user": getpass.getuser(),
        "priv": str(home / "client"),
        "set_path": "/usr/local/bin:/usr/bin:/bin",  # past a shim of pyenv
        "ssh_options": [f"UserKnownHostsFile={home}/known_hosts"],
    }


class Site:
    """A master's configuration without a master."""

    def __init__(self, home, url, machine):
        self.home = home
        self.machine = machine
        self.configure(url)
        tree.write(home / "srv")
        # A master makes this one, and salt-run wants it.
        (home / "var/cache/salt/master/proc").mkdir(parents=True)

    def configure(self, url, **options):
        config = {
            "root_dir": str(self.home),
            "user": getpass.getuser(),
            "cmdb": {"database_url": url},
            "extension_modules": str(self.home / "extmods"),
            # What minions without pip sync: salt-ssh takes the loader files of it along.
            "file_roots": {"base": [str(self.home / "srv")]},
            **options,
        }
        (self.home / "master").write_text(json.dumps(config))

    def roster(self, **machines):
        (self.home / "roster").write_text(json.dumps(machines))

    def start(self, *args, **options):
        return subprocess.Popen(
            [BIN / "salt-run", f"--config-dir={self.home}", "--log-level=quiet", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def collect(self, *args):
        """Run cmdb.collect; return its answer and exit status."""
        process = self.start("--out=json", "cmdb.collect", *args, "mode=ssh")
        out, err = process.communicate(PATIENCE_SECONDS)
        assert out.startswith("{"), out + err
        answer = json.loads(out)["cmdb"]
        return answer, process.returncode

    def reasons(self, *args):
        answer, status = self.collect(*args)
        assert status == 1
        return {one["minion_id"]: one["detail"] for one in answer["machines"]}


@pytest.fixture(scope="module")
def thin_site(home, machine, new_database):
    return Site(home, new_database(), machine)


@pytest.fixture
def site(thin_site, database_url):
    thin_site.configure(database_url)
    return thin_site


@pytest.fixture
def left_behind():
    """A function that returns what is new in the places where salt-ssh works."""

    def look():
        found = {entry for place in (THIN, Path.home()) for entry in place.iterdir()}
        return {entry for entry in found if LEFT(entry.name)}

    before = look()
    return lambda: look() - before


def test_a_machine_without_a_minion_has_the_facts_of_the_minion_on_it(
    site, machine, database, left_behind, tmp_path
):
    site.roster(ssh01=machine)
    answer, status = site.collect("*")
    [found] = answer["machines"]
    assert (found["minion_id"], found["status"], found["detail"]) == ("ssh01", "new", "")
    assert status == 0
    assert left_behind() == set()
    stored = store.overview(database, store.resolve(database, "ssh01"))
    assert stored["mode"] == "ssh"

    (tmp_path / "minion").write_text(
        json.dumps({"id": "ssh01", "root_dir": str(tmp_path), "file_client": "local"})
    )
    said = subprocess.run(
        [BIN / "salt-call", f"--config-dir={tmp_path}", "--local", "--out=json", "cmdb.collect"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert stored["facts"] == json.loads(said.stdout)["local"]["facts"]


@pytest.fixture
def mute():
    """The port of a machine that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_each_machine_that_fails_is_named_with_what_to_do(site, machine, home, left_behind):
    stranger = keygen(home / "stranger")
    closed = postgres.free_port()
    unknown = [f"UserKnownHostsFile={home}/empty"]
    site.roster(
        closed01={**machine, "port": closed},
        unknown01={**machine, "ssh_options": unknown},
        refused01={**machine, "priv": str(stranger), "identities_only": True},
    )
    reasons = site.reasons("*")
    user = f"{machine['user']}@127.0.0.1"
    assert "Connection refused" in reasons["closed01"]
    assert reasons["unknown01"] == f"its host key is not known: accept it once by ssh {user}"
    assert reasons["refused01"] == f"refused {user}: let it accept the key {stranger}.pub"
    assert left_behind() == set()


def test_a_machine_that_hangs_is_given_up_and_nothing_stays_on_it(site, machine, mute, left_behind):
    # No machine has the collectors and the answer within a second.
    site.roster(mute01={**machine, "port": mute}, slow01=machine)
    began = time.monotonic()
    reasons = site.reasons("*", "timeout=1")
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert reasons["mute01"].startswith(("did not answer within 1 s", "Connection timed out"))
    assert reasons["slow01"] == "did not answer within 1 s"
    assert left_behind() == set()


def test_ctrl_c_ends_it_and_what_had_come_is_stored(site, machine, mute, database, left_behind):
    site.roster(first01=machine, second01={**machine, "port": mute})
    ours, theirs = pty.openpty()
    command = [BIN / "salt-run", f"--config-dir={site.home}", "--log-level=quiet", "--out=json"]
    process = subprocess.Popen(
        [*command, "cmdb.collect", "*", "mode=ssh", "workers=1"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    while "1 of 2 machines: 1 new" not in shown:
        shown += os.read(ours, 1000).decode()
    pressed = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_SECONDS)
    assert time.monotonic() - pressed < PATIENCE_SECONDS
    os.close(ours)
    answer = json.loads(out)["cmdb"]
    assert answer["interrupted"] is True
    assert process.returncode == 1
    assert {one["minion_id"]: one["status"] for one in answer["machines"]} == {
        "first01": "new",
        "second01": "failed",
    }
    assert store.assets(database).total == 1
    assert left_behind() == set()


def test_results_are_kept_while_the_database_is_away(site, machine, database_url, database):
    site.roster(ssh01=machine)
    site.configure("postgresql+psycopg2://nobody@127.0.0.1:1/cmdb")
    assert "kept on the master for cmdb.sync" in site.reasons("*")["ssh01"]
    site.configure(database_url)
    process = site.start("cmdb.sync")
    out, err = process.communicate(PATIENCE_SECONDS)
    assert process.returncode == 0, out + err
    assert store.assets(database).total == 1


def test_the_tarball_is_built_again_when_it_is_not_ours_or_not_of_our_code(
    site, machine, home, left_behind
):
    site.roster(ssh01=machine)
    mark = home / "var/cache/salt/master/thin/salt-cmdb"
    mark.write_text("the code of another day")
    tarball = mark.with_name("thin.tgz")
    tarball.write_text("no tarball")
    _, status = site.collect("*")
    assert status == 0
    assert tarball.stat().st_size > 1 << 20
    built = tarball.stat().st_mtime_ns
    code = mark.read_text()
    site.collect("*")
    # Somebody may be writing code while the tests run.
    assert tarball.stat().st_mtime_ns == built or mark.read_text() != code
    tarball.write_text("what salt-ssh by itself would pack")
    _, status = site.collect("*")
    assert status == 0
    assert left_behind() == set()


def on_this_machine(machine):
    """Defaults of the roster by which whoever is meant, it is this machine that ssh reaches."""
    defaults = {name: value for name, value in machine.items() if name != "host"}
    return {**defaults, "ssh_options": [*machine["ssh_options"], f"HostName={machine['host']}"]}


def test_salt_ssh_logs_in_to_the_machines_of_the_store_but_no_retired_one(
    site, machine, database, database_url
):
    at = datetime.now(timezone.utc).replace(microsecond=0)
    reports = [arrival(server(number), f"web0{number}", at) for number in (1, 2)]
    store.ingest(database, reports)
    act = store.Act("ops", "broken", test=False)
    store.set_lifecycle(database, store.resolve(database, "web02"), "retired", act)
    site.configure(database_url, roster_defaults=on_this_machine(machine))
    options = (f"--config-dir={site.home}", "--roster=cmdb", "--log-level=quiet", "--out=json")
    found = subprocess.run(
        [BIN / "salt-ssh", *options, "--static", "--raw", "*", "echo reached"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    [(name, said)] = json.loads(found.stdout).items()
    assert (name, said["stdout"].strip(), said["retcode"]) == ("web01", "reached", 0)


def test_the_store_itself_can_be_the_roster(site, machine, database, database_url):
    # Silent for so long that no other program is told of it.
    store.ingest(database, [arrival(server(1), "web01", later(days=-9), mode="ssh")])
    site.configure(database_url, roster_defaults=on_this_machine(machine))
    # It is another machine than the store believed, which is not for this command to decide.
    answer, status = site.collect("web*", "roster=cmdb")
    [found] = answer["machines"]
    assert found["minion_id"] == "web01"
    assert found["status"] in ("changed", "new", "held")
    assert status == (found["status"] == "held")
