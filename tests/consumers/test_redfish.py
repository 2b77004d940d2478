"""The manual's runner for BMCs, with an emulator of them and with servers that are none."""

import json
import shutil
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import salt.config
import salt.loader

from salt_ext import store
from tests.consumers.redfish import PASSWORD, emulated
from tests.machines import arrival, server
from tests.receivers import Receiver, Rude, babble, certificate

EXAMPLE = Path(__file__).parents[2] / "docs/examples/redfish.py"
OTHER = "27946b59-9e44-4fa7-8e91-f3527a1ef094"
BMC = {"present": True, "addresses": ["127.0.0.1/8"]}


@pytest.fixture
def machine(database):
    """The UUID of web01, which is in maintenance and whose BMC is on loopback."""
    facts = server(1, bmc=BMC)
    store.ingest(database, [arrival(facts, "web01")])
    live(database, "maintenance")
    return facts["system"]["uuid"]


def live(database, state):
    act = store.Act("me", "a test", test=False)
    store.set_lifecycle(database, store.resolve(database, "web01"), state, act)


@pytest.fixture
def site(tmp_path):
    """The certificate that the site's BMCs have."""
    return certificate(tmp_path / "bmc.pem")


@pytest.fixture
def pxe_once(database_url, tmp_path, site):
    """A function that runs the command on a master with these settings of BMCs."""
    (tmp_path / "runners").mkdir()
    shutil.copy(EXAMPLE, tmp_path / "runners")

    def ask(**said):
        opts = salt.config.master_config(None)
        folders = ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir")
        opts.update({name: str(tmp_path / name) for name in folders})
        opts["cmdb"] = {"database_url": database_url}
        opts["runner_dirs"] = [str(tmp_path / "runners")]
        opts["redfish"] = {"user": "cmdb", "password": PASSWORD, "ca_file": str(site), **said}
        answer = salt.loader.runner(opts)["redfish.pxe_once"]("web01")["data"]
        assert PASSWORD not in json.dumps(answer)
        assert answer.get("retcode", 0) == (not answer["redfish"]["result"])
        return answer["redfish"]

    return ask


def test_a_machine_in_maintenance_boots_from_the_network_with_its_next_boot(
    machine, pxe_once, site, tmp_path
):
    with emulated(tmp_path, site, OTHER, machine) as bmc:
        assert bmc.boots_from(machine) == "Hdd"
        done = pxe_once(port=bmc.port)
        assert done["result"], done
        assert (done["before"]["target"], done["after"]["target"]) == ("Hdd", "Pxe")
        assert (bmc.boots_from(machine), bmc.boots_from(OTHER)) == ("Pxe", "Hdd")
        system = f"/redfish/v1/Systems/{machine}"
        reset = f"{system}/Actions/ComputerSystem.Reset"
        assert bmc.orders() == [f"PATCH {system}", f"POST {reset}"]


def test_a_bmc_of_another_machine_is_told_nothing(machine, pxe_once, site, tmp_path):
    with emulated(tmp_path, site, OTHER) as bmc:
        done = pxe_once(port=bmc.port)
        assert done["error"] == (
            f"that BMC is of another machine: wanted is {machine}, and it has {OTHER}"
        )
        assert (bmc.orders(), bmc.boots_from(OTHER)) == ([], "Hdd")


def test_a_bmc_that_turns_the_bytes_of_the_uuid_around_has_the_same_machine(
    machine, pxe_once, site, tmp_path
):
    turned = str(uuid.UUID(bytes_le=uuid.UUID(machine).bytes))
    with emulated(tmp_path, site, turned) as bmc:
        assert pxe_once(port=bmc.port)["result"]
        assert bmc.boots_from(turned) == "Pxe"


def test_a_machine_at_work_is_not_restarted(machine, database, pxe_once):
    live(database, "active")
    assert pxe_once()["error"].startswith("it is active: salt-run cmdb.lifecycle web01 maintenance")


def test_a_wrong_password_is_told_and_not_shown(machine, pxe_once, site, tmp_path):
    with emulated(tmp_path, site, machine) as bmc:
        done = pxe_once(port=bmc.port, password="wrong-and-secret")
        assert done["error"] == "its BMC answers 401 to GET /redfish/v1/Systems"
        assert bmc.orders() == []


def test_who_has_no_certificate_of_the_site_gets_no_password(machine, pxe_once, tmp_path):
    stranger = Receiver(certificate=certificate(tmp_path / "stranger.pem"))
    try:
        error = pxe_once(port=port_of(stranger))["error"]
        assert error == "its BMC has no certificate that ca_file vouches for"
        assert stranger.posts == []
    finally:
        stranger.close()


def port_of(server):
    return urlsplit(server.url).port


def members(*paths):
    return json.dumps({"Members": [{"@odata.id": path} for path in paths]}).encode()


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (members("https://elsewhere.example.net/redfish/v1/Systems/1"), "another place"),
        (members("//elsewhere.example.net/redfish/v1/Systems/1"), "another place"),
        (members("/redfish/v1/../../admin"), "another place"),
        (members(5), "no answer as Redfish has it"),
        (members(), "it has no system"),
        (b"<html>log in", "no answer as Redfish has it: JSONDecodeError"),
        (b"[" * 500_000, "no answer as Redfish has it: RecursionError"),
        (b"{" + b" " * (2 << 20) + b"}", "no answer as Redfish has it"),
    ],
)
def test_a_bmc_that_answers_something_else_is_refused(machine, pxe_once, site, says, error):
    server = Receiver(certificate=site, says=says)
    try:
        assert error in pxe_once(port=port_of(server))["error"]
    finally:
        server.close()


def test_a_redirect_is_not_followed(machine, pxe_once, site):
    thief = Receiver(certificate=site)
    server = Receiver(302, certificate=site, location=thief.url)
    try:
        error = pxe_once(port=port_of(server))["error"]
        assert (error, thief.posts) == ("its BMC answers 302 to GET /redfish/v1/Systems", [])
    finally:
        server.close()
        thief.close()


def test_a_bmc_that_is_no_server_is_told_as_one_that_does_not_answer(machine, pxe_once):
    rude = Rude(babble)
    try:
        assert "BMC" in pxe_once(port=rude.port)["error"]
    finally:
        rude.close()
    assert pxe_once(port=rude.port)["error"] == "its BMC does not answer: ConnectionError"


def test_what_is_missing_is_named(machine, database, pxe_once):
    assert pxe_once(password="")["error"] == "the master's configuration has no redfish: password"
    assert "no value" in pxe_once(address="list.bmc")["error"]
