"""ssh itself, by the file that it includes: what it makes of names, keys and the way there."""

import getpass
import shutil

import pytest

from salt_ext import feeds, store
from tests.consumers import obtained
from tests.integration.test_ssh import SSHD, home, port  # noqa: F401 - fixtures
from tests.machines import arrival, server
from tests.unit.docs import markdown

BAD_NAMES = ("web 3", 'web"4', "web\n    ProxyCommand touch marker", "-oProxyCommand=x", "*", "w*")

OWN_ERROR = 255
"""The status of ssh itself; all others are those of the command."""

pytestmark = pytest.mark.skipif(
    shutil.which("ssh") is None, reason="there is no ssh: install openssh-client"
)


def machine(number, address, **sections):
    network = [{"name": "eth0", "kind": "physical", "default_address": address}]
    return server(number, network=network, **sections)


@pytest.fixture
def fleet(database):
    """A bastion, two ordinary machines, one that would be another, and names that are none."""
    evil = machine(4, "10.0.0.4")
    evil["system"]["serial_number"] = "X\n    ProxyCommand touch marker"
    evil["operating_system"]["hostname"] = "github.com"
    machines = {
        "bastion.fra1": machine(1, "10.0.0.1"),
        "web01.fra1": machine(2, "10.0.0.2"),
        "web02.fra1": machine(3, "fd00::3"),
        "evil.fra1": evil,
    }
    bad = {name: machine(number, "10.0.1.1") for number, name in enumerate(BAD_NAMES, start=10)}
    store.ingest(database, [arrival(facts, name) for name, facts in {**machines, **bad}.items()])
    return database


@pytest.fixture
def config(tmp_path):
    """A function that writes the file, as the manual's configuration includes it."""

    def write(database, **options):
        made = feeds.make(database, "ssh_config", {}, options)
        (tmp_path / "cmdb.conf").write_bytes(made.body)
        (block,) = markdown.blocks("ssh.md", "ssh")
        path = tmp_path / "config"
        path.write_text(block.replace("~/.ssh/", f"{tmp_path}/"))
        return path

    return write


def options(config, name):
    """What ssh would do to get to a machine."""
    done = obtained.run("ssh", "-G", "-F", config, "--", name)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines() if " " in line)


@pytest.mark.parametrize("name", ["web01.fra1", "web01", "sn-9XYZ002"])
def test_a_machine_is_found_by_its_names_with_its_key_and_the_way_there(fleet, config, name):
    said = options(config(fleet, user="ops", port=2222, proxy_jump="bastion.fra1"), name)
    assert said["hostname"] == "10.0.0.2"
    assert said["hostkeyalias"] == "web01.fra1"
    assert (said["user"], said["port"]) == ("ops", "2222")
    assert said["proxyjump"] == "bastion.fra1"
    # From below the include.
    assert said["serveraliveinterval"] == "30"


def test_an_address_of_the_sixth_version_is_taken_as_it_is(fleet, config):
    assert options(config(fleet), "web02")["hostname"] == "fd00::3"


def test_the_way_to_the_bastion_is_not_by_way_of_itself(fleet, config):
    said = options(config(fleet, proxy_jump="bastion.fra1"), "bastion")
    assert said["hostname"] == "10.0.0.1"
    assert "proxyjump" not in said


def test_a_machine_that_calls_itself_like_another_place_is_not_found_by_that_name(fleet, config):
    path = config(fleet)
    assert options(path, "github.com")["hostname"] == "github.com"
    assert options(path, "evil")["hostname"] == "10.0.0.4"


def test_nothing_that_a_machine_says_adds_an_option(fleet, config):
    path = config(fleet)
    for name in ("web01", "evil", "web", "x"):
        assert "proxycommand" not in options(path, name)
    assert "touch" not in (path.parent / "cmdb.conf").read_text()


def test_a_key_kept_by_the_asset_is_found_when_the_machine_has_another_name(fleet, config):
    asset_id = store.resolve(fleet, "web01.fra1")
    before = options(config(fleet, key_alias="id"), "web01")["hostkeyalias"]
    assert before == str(asset_id)
    store.rename(fleet, asset_id, "db07.fra1", store.Act("me", "now a database", test=False))
    assert options(config(fleet, key_alias="id"), "db07")["hostkeyalias"] == before


@pytest.mark.skipif(SSHD is None, reason="there is no sshd: install openssh-server")
def test_a_machine_that_reports_the_address_of_another_is_not_believed(
    database,
    config,
    home,  # noqa: F811
    port,  # noqa: F811
):
    named = {"web01": machine(1, "10.0.0.1"), "thief": machine(2, "10.0.0.1")}
    store.ingest(database, [arrival(facts, name) for name, facts in named.items()])
    key = (home / "host.pub").read_text().rsplit(" ", 1)[0]
    (home / "known").write_text(f"web01 {key}\n")
    path = config(database, port=port, user=getpass.getuser())
    # Where 10.0.0.1 is in this test.
    login = ("-oHostName=127.0.0.1", "-i", home / "client")
    login += (f"-oUserKnownHostsFile={home}/known", "-oBatchMode=yes")
    found = {name: obtained.run("ssh", "-F", path, *login, name, "echo here") for name in named}
    # Not "here": root may have a shell that is none.
    assert found["web01"].returncode != OWN_ERROR, found["web01"].stderr
    assert found["thief"].returncode == OWN_ERROR
    assert "Host key verification failed" in found["thief"].stderr
