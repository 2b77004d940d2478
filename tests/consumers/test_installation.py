"""
Machines are installed: iPXE in QEMU, a kernel with its files, and cloud-init's own data source.
"""

import json
import re
import socket

import pytest

from tests.consumers import booted, obtained
from tests.consumers.booted import HOST
from tests.consumers.provisioned import provisioned
from tests.store.test_provisioning import MAC, OTHER_UUID, UUID, opened
from tests.unit.docs import markdown

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
OTHER_MAC = "52:54:00:00:00:09"
FILES = ("meta-data", "user-data", "vendor-data", "network-config")
SCRIPT = "/ipxe?uuid=${uuid}&mac=${netX/mac}&serial=${serial:uristring}"
"""What a DHCP server may name itself, if it does not name ``boot.ipxe``."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A server with the kernel and the first files of an installer; its port."""
    folder = tmp_path_factory.mktemp("files")
    image, modules = booted.kernel()
    (folder / "vmlinuz").symlink_to(image)
    (folder / "initrd").write_bytes(booted.initrd(modules))
    with booted.served(folder) as port:
        yield port


@pytest.fixture
def provisioner(database, tmp_path, files):
    profile = {
        "installer": "cloud-init",
        "kernel": f"http://{HOST}:{files}/vmlinuz",
        "initrd": [f"http://{HOST}:{files}/initrd"],
        "arguments": "console=ttyS0 quiet",
    }
    with provisioned(database, tmp_path, {"debian12": profile}) as running:
        yield running


@pytest.fixture
def machine(provisioner, tmp_path):
    """A function that boots a machine by the script of the provisioner."""

    def boot(path="/boot.ipxe", uuid=UUID, mac=MAC, serial="9XYZ001"):
        url = f"http://{HOST}:{provisioner.port}{path}"
        return booted.booted(tmp_path, url, uuid=uuid, mac=mac, serial=serial)

    return boot


def cloud_init(*arguments):
    """Run something by the Python that has the cloud-init of Debian."""
    home = obtained.unpacked("cloud-init")
    path = str(home / "usr/lib/python3/dist-packages")
    return obtained.run("/usr/bin/python3", *arguments, env={"PATH": PATH, "PYTHONPATH": path})


def read_by_cloud_init(tmp_path, url, *arguments):
    return cloud_init("-c", READ, tmp_path, url, *arguments)


def test_one_machine_from_the_network_to_its_last_word_by_one_token(
    database, provisioner, machine, tmp_path
):
    row = opened(database, uuid=UUID, mac=MAC)
    with machine() as console:
        text = console.wait_for("the machine is through")
    [url] = set(re.findall(r"ds=nocloud-net;s=(http://\S+)", text))
    token = url.split("/")[-4]
    assert url == f"http://{HOST}:{provisioner.port}/nocloud/{token}/{UUID}/{MAC}/"
    assert f"instance-id: {row['id']}" in text
    assert "#cloud-config" in text

    here = url.replace(HOST, "127.0.0.1")
    done = read_by_cloud_init(tmp_path, here)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["instance_id"] == str(row["id"])
    assert found["hostname"] == found["user"]["fqdn"] == "new1.example"

    for _ in range(3):
        assert [provisioner.ask(f"{here}{name}")[0] for name in FILES] == [200] * 4
    for keys in (f"{OTHER_UUID}/{MAC}", f"{UUID}/{OTHER_MAC}"):
        assert provisioner.ask(f"/nocloud/{token}/{keys}/user-data")[0] == 403

    # cloud-init itself says that it is done, to the address in its data; that is not of this host.
    told = found["user"]["phone_home"]["url"]
    assert told == f"http://127.0.0.1:{provisioner.port}/done/{token}/{UUID}/{MAC}"
    done = read_by_cloud_init(tmp_path, here, "done")
    assert done.returncode == 0, done.stderr
    assert {provisioner.ask(f"{here}{name}")[0] for name in FILES} == {410}
    status, said = provisioner.ask(f"/ipxe?uuid={UUID}&mac={MAC}")
    assert (status, "installed already" in said) == (410, True)
    assert token not in provisioner.said.read_text() + provisioner.complained.read_text()


@pytest.mark.parametrize(
    ("shown", "key"), [({"uuid": OTHER_UUID}, "UUID"), ({"mac": OTHER_MAC}, "MAC")]
)
def test_another_machine_is_told_on_its_console_that_it_is_another(
    database, provisioner, machine, shown, key
):
    opened(database, uuid=UUID, mac=MAC)
    with machine(**shown) as console:
        text = " ".join(console.wait_for("Press a key").split())
    assert "salt-cmdb: 403 the installation is of another machine: " in text
    assert f"the {key} of UUID" in text
    assert [line["status"] for line in provisioner.log()][-2:] == [403, 200]


ODD = ("A B&c=1", f"X&uuid={OTHER_UUID}&mac={OTHER_MAC}", "Zoë=é")


@pytest.mark.parametrize("serial", ODD)
def test_a_serial_number_that_ipxe_mangles_gets_nobody_elses_answer(
    database, provisioner, machine, serial
):
    own = opened(database, "NEW1", uuid=UUID, mac=MAC)
    opened(database, "NEW2", uuid=OTHER_UUID, mac=OTHER_MAC)
    with machine(SCRIPT, serial=serial) as console:
        text = console.wait_for("command line: ", "HTTP 4xx Client Error")
    asked = [line for line in provisioner.log() if line["asked"] == "ipxe"]
    # Its own, or none: what is behind the & is another parameter or one that is given twice.
    assert [line["status"] for line in asked] == [400 if "&" in serial else 200]
    assert "new2" not in text
    assert {line.get("installation") for line in provisioner.log()} <= {str(own["id"]), None}


def test_by_our_own_script_every_serial_number_comes_as_it_is(database, provisioner, machine):
    own = opened(database, "NEW1", uuid=UUID, mac=MAC)
    with machine(serial=ODD[1]) as console:
        assert f"/{UUID}/{MAC}/" in console.wait_for("command line: ")
    [line] = [line for line in provisioner.log() if line["asked"] == "ipxe"]
    assert line["installation"] == str(own["id"])
    assert line["serial"] == f"X?uuid?{OTHER_UUID}?mac?{OTHER_MAC}"[:64]


@pytest.mark.parametrize("serial", ["ds=nocloud;s=http://user:pass@10.9.8.7/", "Default string"])
def test_a_serial_number_that_is_none_is_no_key_and_is_not_repeated(
    database, provisioner, machine, serial
):
    opened(database, "NEW1", uuid=OTHER_UUID)
    with machine(serial=serial) as console:
        text = console.wait_for("Press a key")
    assert "404" in text
    assert "not shown" in text
    told = text + provisioner.said.read_text() + provisioner.complained.read_text()
    assert not {word for word in ("pass", "10.9.8.7", "Default string") if word in told}


@pytest.mark.parametrize(
    "sent", [b"GET /ipxe?serial=\xc3\xa9secret HTTP/1.1", b"secret", b"GET / secret HTTP/1.1"]
)
def test_a_request_that_is_none_is_not_repeated_in_the_log(provisioner, sent):
    with socket.create_connection(("127.0.0.1", provisioner.port), timeout=30) as link:
        link.sendall(sent + b"\r\nHost: here\r\n\r\n")
        assert link.recv(100).startswith(b"HTTP/1.1 400 ")
    complained = provisioner.complained.read_text()
    assert "Invalid request from ip=127.0.0.1" in complained
    assert "secret" not in complained + provisioner.said.read_text()


def rendered(database, tmp_path, profile, path, **plan):
    """A file of a machine with a profile, as its installer gets it."""
    opened(database, uuid=UUID, mac=MAC, **{"list.profile": "this", **plan})
    with provisioned(database, tmp_path, {"this": profile}) as running:
        status, script = running.ask(f"/ipxe?uuid={UUID}&mac={MAC}")
        assert status == 200, script
        [token] = set(re.findall(r"/([a-z2-7]{56})/", script))
        status, text = running.ask(path.format(f"{token}/{UUID}/{MAC}"))
        assert status == 200, text
    (tmp_path / "file").write_text(text)
    return tmp_path / "file"


PROFILE = {
    "kernel": "http://10.0.0.1/vmlinuz",
    "initrd": ["http://10.0.0.1/initrd"],
    "packages": ["salt-minion"],
    "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@example.net"],
}
STATIC = {"gateway": "127.0.0.254/24", "nameservers": ["127.0.0.53"]}


@pytest.mark.parametrize("network", [{}, STATIC], ids=["dhcp", "static"])
@pytest.mark.parametrize("version", ["RHEL8", "RHEL9", "RHEL10"])
def test_anaconda_understands_the_kickstart(database, tmp_path, network, version):
    profile = {**PROFILE, **network, "installer": "kickstart"}
    plan = {"list.disk_layout": "lvm:sda", "address": "127.0.0.1"}
    file = rendered(database, tmp_path, profile, "/kickstart/{}", **plan)
    programs = obtained.environment("kickstart", "pykickstart==3.78")
    done = obtained.run(programs / "ksvalidator", "-v", version, file)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    if network:
        assert "--bootproto=static --ip=127.0.0.1 --netmask=255.255.255.0" in file.read_text()


@pytest.mark.parametrize("installer", ["cloud-init", "autoinstall"])
def test_cloud_init_understands_the_user_data(database, tmp_path, installer):
    profile = {**PROFILE, **STATIC, "installer": installer}
    plan = {"list.disk_layout": "lvm:sda", "address": "127.0.0.1"}
    file = rendered(database, tmp_path, profile, "/nocloud/{}/user-data", **plan)
    done = cloud_init("-m", "cloudinit.cmd.main", "schema", "--config-file", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid cloud-config" in done.stdout


@pytest.mark.parametrize("network", [{}, STATIC], ids=["dhcp", "static"])
def test_cloud_init_understands_the_network(database, tmp_path, network):
    profile = {**PROFILE, **network, "installer": "cloud-init"}
    file = rendered(database, tmp_path, profile, "/nocloud/{}/network-config", address="127.0.0.1")
    done = cloud_init("-c", NETWORK, file)
    assert done.returncode == 0, done.stderr
    [interface] = json.loads(done.stdout)
    [subnet] = interface["subnets"]
    if not network:
        assert subnet["type"] == "dhcp4"
    else:
        assert (subnet["type"], subnet["address"], subnet["prefix"]) == ("static", "127.0.0.1", 24)
        assert subnet["routes"][0]["gateway"] == "127.0.0.254"


NETWORK = """
import json, sys, yaml
from cloudinit.net.network_state import parse_net_config_data
state = parse_net_config_data(yaml.safe_load(open(sys.argv[1])))
print(json.dumps(list(state.iter_interfaces())))
"""


# The data source NoCloud of cloud-init reads a URL; with "done" its module phone_home follows.
READ = """
import json
import logging
import os
import sys

from cloudinit import cloud, distros, helpers
from cloudinit.config import cc_phone_home
from cloudinit.sources import DataSourceNoCloud
from cloudinit.util import load_yaml

folder, url, *others = sys.argv[1:]
os.environ["DEBUG_PROC_CMDLINE"] = f"console=ttyS0 ds=nocloud-net;s={url} quiet"
paths = helpers.Paths({"cloud_dir": folder, "run_dir": folder})
distro = distros.fetch("debian")("debian", {}, paths)
source = DataSourceNoCloud.DataSourceNoCloudNet({}, distro, paths)
if not source.get_data():
    sys.exit("cloud-init found nothing")
user = load_yaml(source.get_userdata_raw())
if others:
    machine = cloud.Cloud(source, paths, {}, distro, helpers.Runners(paths))
    cc_phone_home.handle("phone_home", user, machine, logging.getLogger(), [])
print(
    json.dumps(
        {
            "instance_id": source.get_instance_id(),
            "hostname": source.metadata["local-hostname"],
            "user": user,
            "vendor": str(source.get_vendordata_raw()),
        }
    )
)
"""


def test_dnsmasq_understands_the_example_of_the_manual(tmp_path):
    (block,) = markdown.blocks("provisioning.md", "dnsmasq")
    (tmp_path / "dnsmasq.conf").write_text(block)
    home = obtained.unpacked("dnsmasq-base")
    environment = {"LD_LIBRARY_PATH": obtained.libraries(home)}
    file = f"--conf-file={tmp_path / 'dnsmasq.conf'}"
    done = obtained.run(home / "usr/sbin/dnsmasq", "--test", file, env=environment)
    assert (done.returncode, done.stderr.strip()) == (0, "dnsmasq: syntax check OK.")
